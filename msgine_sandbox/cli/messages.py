"""`msgine-sandbox send` and `wait`: a message for the sandbox, and one that an application sent."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from msgine_sandbox.cli.remote import (
    DEFAULT_TOKEN,
    RemoteSandbox,
    describe_error,
    on_a_sandbox,
    print_reason,
    print_text,
)
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.testing.errors import MessageNotFound, SandboxError
from msgine_sandbox.testing.messages import wait_for

_SENDER: Final = "sender@example.com"  # which an email must name


@click.command()
@on_a_sandbox
@click.argument("to")
@click.argument("text")
@click.option(
    "--channel",
    type=click.Choice(["sms", "email", "push"]),
    default="sms",
    show_default=True,
    help="For a push, TO is a device token, user:ID or topic:NAME.",
)
@click.option("--title", help="The subject of an email, or the title of a push.")
def send(sandbox: RemoteSandbox, to: str, text: str, channel: str, title: str | None) -> int:
    """Send a message with TEXT to a recipient, and print its id.

    Without a token, the account of the token "test_cli" sends it.
    """
    try:
        sent = send_message(sandbox, channel, to, text, title)
    except SandboxError as error:
        if error.status is None:
            raise
        return print_reason(describe_error(error))
    click.echo(sent["id"])
    return 0


def send_message(
    sandbox: RemoteSandbox, channel: str, to: str, text: str, title: str | None
) -> Mapping[str, Any]:
    """Send a message to a recipient in the form of the command, and return the API's answer.

    Raises:
        SandboxError: the API refuses it.
        UsageError: the channel has no title.
    """
    path, body = _BODIES[channel](to, text, title)
    token = sandbox.token or DEFAULT_TOKEN
    sent: Mapping[str, Any] = sandbox.client.call_api("POST", BASE_PATH + path, token, json=body)
    return sent


@click.command()
@on_a_sandbox
@click.option("--to", help="A recipient.")
@click.option("--channel", type=click.Choice(["sms", "email", "push"]))
@click.option("--contains", metavar="TEXT", help="What text or title contain.")
@click.option("--matches", metavar="REGEX", help="What text or title match.")
@click.option("--status", help="The status of the message, such as delivered.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait.",
)
@click.option("--code", is_flag=True, help="Print the one-time code instead of the text.")
def wait(
    sandbox: RemoteSandbox,
    to: str | None,
    channel: str | None,
    contains: str | None,
    matches: str | None,
    status: str | None,
    timeout: float,
    code: bool,
) -> int:
    """Wait for a message and print its text, or the code in it.

    It prints that of the newest message that fits, waiting for one if there is none yet; with
    --code, only messages that have a code fit. If none comes in time, it ends with status 1.
    """
    try:
        answer = wait_for(
            sandbox.account,
            timeout,
            field="code" if code else None,
            to=to,
            channel=channel,
            contains=contains,
            matches=matches,
            status=status,
        )
    except MessageNotFound as error:
        return print_reason(str(error))
    print_text(answer if code else answer["message"])
    return 0


def _sms(to: str, text: str, title: str | None) -> tuple[str, Mapping[str, Any]]:
    if title is not None:
        raise click.UsageError("An SMS has no title.")
    return "/messages/sms", {"to": to, "message": text}


def _email(to: str, text: str, title: str | None) -> tuple[str, Mapping[str, Any]]:
    return "/developers/email", {"from": _SENDER, "to": to, "subject": title or "", "text": text}


def _push(to: str, text: str, title: str | None) -> tuple[str, Mapping[str, Any]]:
    kind, _, name = to.partition(":")
    target: Mapping[str, Any]
    if name and kind == "user":
        target = {"userIds": [name]}
    elif name and kind == "topic":
        target = {"topic": name}
    else:
        target = {"tokens": [to]}
    return "/developers/push", {"title": title or "", "body": text, **target}


_BODIES: Final[Mapping[str, Callable[[str, str, str | None], tuple[str, Mapping[str, Any]]]]] = {
    "sms": _sms,
    "email": _email,
    "push": _push,
}
