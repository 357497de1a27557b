"""An account as a scenario: the form that is read again by `scenario_bodies`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType, field

from msgine_sandbox.control.lists import MAX_BYTES, ListPage
from msgine_sandbox.control.scenario_bodies import LONGEST_AGO
from msgine_sandbox.control.views import (
    EffectView,
    EndpointView,
    View,
    effect_view,
    endpoints_view,
)
from msgine_sandbox.model.account import Account, Limits
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.delivery import Recipient, Status, Timeline, rule_of
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.fault import Fault, Match
from msgine_sandbox.model.message import EmailParts, Message, PushParts
from msgine_sandbox.model.recipients import TOPIC, USER
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.storage.store import Store

_READ_TOGETHER: Final = 20


class ScenarioLimitsView(View, frozen=True, kw_only=True):
    """Rate limits; an account without any has none of the two."""

    per_minute: int
    per_second: int


class ScenarioFaultView(View, frozen=True, kw_only=True, omit_defaults=True):
    """A fault, and how often it has acted and could have."""

    effect: EffectView
    match: Match | None = None
    times: int | None = None
    probability: float | None = None
    seed: int = 0
    hits: int = 0
    seen: int = 0


class ScenarioStatusView(View, frozen=True, kw_only=True, omit_defaults=True):
    """A status that a delivery has had, or will have, and the seconds from acceptance to it."""

    status: Status
    after: float
    reason: str | None = None


class ScenarioRecipientView(View, frozen=True, kw_only=True, omit_defaults=True):
    """The delivery of a message to a recipient."""

    to: str
    rule: str | None = None
    timeline: Sequence[ScenarioStatusView]


class ScenarioMessageView(View, frozen=True, kw_only=True):
    """A message, with the fields of a send of its channel."""

    channel: Channel
    from_: str | UnsetType = field(name="from", default=UNSET)
    to: Sequence[str] | UnsetType = UNSET
    message: str | UnsetType = UNSET
    callback_url: str | UnsetType = UNSET
    cc: Sequence[str] | UnsetType = UNSET
    bcc: Sequence[str] | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    html: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    user_ids: Sequence[str] | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    tokens: Sequence[str] | UnsetType = UNSET
    data: Mapping[str, str] | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    seconds_ago: float
    scheduled_after: float | UnsetType = UNSET
    recipients: Sequence[ScenarioRecipientView]


class ScenarioAccountView(View, frozen=True, kw_only=True):
    """An account of a scenario."""

    token: str | UnsetType
    name: str | UnsetType
    tier: Tier
    limits: ScenarioLimitsView | UnsetType
    scopes: Sequence[Scope]
    sender_id: str
    currency: str
    price: Decimal
    developer_prices: Mapping[Channel, Decimal]
    endpoints: Sequence[EndpointView]
    frozen: bool
    faults: Sequence[ScenarioFaultView]
    messages: msgspec.Raw


class ScenarioView(View, frozen=True, kw_only=True):
    """A scenario."""

    accounts: Sequence[ScenarioAccountView]


async def scenario_view(
    account: Account, token: str | None, now: Instant, store: Store
) -> ScenarioView:
    """Return an account as a scenario at an instant; without a token where it is not known.

    Raises:
        InvalidRequest: its messages are more than a scenario can have.
    """
    prices = {channel: account.developer_price(channel).amount for channel in Channel}
    faults = [each for each in await store.faults.added(account.id) if each.left != 0]
    view = ScenarioAccountView(
        token=token or UNSET,
        name=UNSET if account.name is None else account.name,
        tier=account.tier,
        limits=_limits_view(account.limits),
        scopes=account.scopes,
        sender_id=account.sender_id,
        currency=account.price.currency,
        price=account.price.amount,
        developer_prices=prices,
        endpoints=endpoints_view(account.endpoints).endpoints,
        frozen=account.clock.frozen_at is not None,
        faults=list(map(_fault_view, faults)),
        messages=await _message_views(account, now, store),
    )
    return ScenarioView(accounts=[view])


def _limits_view(limits: Limits) -> ScenarioLimitsView | UnsetType:
    if limits.per_minute is None or limits.per_second is None:
        return UNSET  # those of its tier
    return ScenarioLimitsView(per_minute=limits.per_minute, per_second=limits.per_second)


def _fault_view(fault: Fault) -> ScenarioFaultView:
    return ScenarioFaultView(
        effect=effect_view(fault.effect),
        match=None if fault.match == Match() else fault.match,
        times=fault.times,
        probability=fault.probability if fault.probability < 1 else None,
        seed=fault.seed,
        hits=fault.hits,
        seen=fault.seen,
    )


async def _message_views(account: Account, now: Instant, store: Store) -> msgspec.Raw:
    """Return an account's messages as JSON, the oldest first, as they are when it begins."""
    newest, last, slices = await store.removal.newest(account.id), 0, Slices()
    page = ListPage(newest)
    while found := await store.removal.oldest(
        account.id, after=last, until=newest, limit=_READ_TOGETHER
    ):
        last = found[-1].id
        for message in reversed(await store.messages.get_all([each.id for each in found])):
            page.add(_message_view(message, now))
        if page.truncated:
            expected = f"messages of at most {MAX_BYTES} bytes in all"
            raise InvalidRequest(
                f"A scenario can have {expected}; delete some", field="messages", expected=expected
            )
        await slices.pause()
    return page.array()


def _message_view(message: Message, now: Instant) -> ScenarioMessageView:
    both = zip(message.recipients, message.timelines.each, strict=True)
    created_at, scheduled_at = message.created_at, message.scheduled_at
    ago = max(now - created_at, 0)
    return ScenarioMessageView(
        channel=message.channel,
        seconds_ago=_seconds(min(ago, LONGEST_AGO)),
        scheduled_after=UNSET if scheduled_at is None else _after(scheduled_at - created_at, ago),
        recipients=[_recipient_view(to, timeline, ago) for to, timeline in both],
        **_of_channel(message),
    )


def _of_channel(message: Message) -> dict[str, Any]:
    """Return the fields of a send of the message's channel."""
    parts = message.parts
    if isinstance(parts, PushParts):
        return {
            "title": message.title,
            "body": message.text,
            "data": parts.data or UNSET,
            "image_url": parts.image_url or UNSET,
            **_push_targets(message.recipients),
        }
    if isinstance(parts, EmailParts):
        return {
            "from_": message.sender,
            "to": parts.to,
            "cc": parts.cc or UNSET,
            "bcc": parts.bcc or UNSET,
            "subject": message.title,
            "text": UNSET if parts.html_alone else message.text,
            "html": UNSET if parts.html is None else parts.html,
        }
    return {
        "from_": message.sender,
        "to": message.recipients,
        "message": message.text,
        "callback_url": message.callback_url or UNSET,
    }


def _push_targets(recipients: Sequence[Recipient]) -> dict[str, Any]:
    if recipients[0].startswith(TOPIC):
        return {"topic": recipients[0].removeprefix(TOPIC)}
    users = [each.removeprefix(USER) for each in recipients if each.startswith(USER)]
    tokens = [each for each in recipients if not each.startswith(USER)]
    return {"user_ids": users or UNSET, "tokens": tokens or UNSET}


def _recipient_view(recipient: Recipient, timeline: Timeline, ago: int) -> ScenarioRecipientView:
    return ScenarioRecipientView(
        to=recipient,
        rule=rule_of(timeline),
        timeline=[
            ScenarioStatusView(status=one.status, after=_after(one.after, ago), reason=one.reason)
            for one in timeline
        ],
    )


def _after(after: int, ago: int) -> float:
    """Return the seconds from acceptance to what begins `after` it, for a message of `ago`.

    A message that is older than a scenario can say becomes younger. What has begun stays begun, and
    what is to come is as far ahead as it was.
    """
    if after <= ago:
        return _seconds(min(after, LONGEST_AGO))
    return _seconds(after - max(ago - LONGEST_AGO, 0))


def _seconds(micros: int) -> float:
    whole, rest = divmod(micros, SECOND)
    return micros / SECOND if rest else whole
