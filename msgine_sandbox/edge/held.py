"""An answer that is held back until it is known what becomes of it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.edge.errors import render
from msgine_sandbox.edge.reply import Reply
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import ApiError


class Held:
    """What an application answered, to be sent later or not at all."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def take(self, message: Message) -> None:
        """Hold a message of the answer back."""
        self._messages.append(message)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        for message in self._messages:
            await send(message)

    def broken(self) -> Reply:
        """Give the same answer with JSON that ends in the middle."""
        start, *rest = self._messages
        return broken(Reply(b"".join(each.get("body", b"") for each in rest), start["status"]))


async def held(app: ASGIApp, scope: Scope, receive: Receive) -> Held:
    """Let an application do its work, refusals included, and hold its answer back."""
    visit = visit_of(scope)
    before = dict(visit.signed)
    answer = Held()

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            # What the work signed the answer with stays with it.
            message["headers"] += [each for each in visit.signed.items() if each[0] not in before]
        await answer.take(message)

    try:
        await app(scope, receive, take)
    except ApiError as error:
        await render(error, visit)(scope, receive, take)
    visit.signed = before
    return answer


def broken(answer: Reply) -> Reply:
    """Give an answer with the first half of its JSON, as where a proxy gave up on it."""
    return Reply(answer.body[: len(answer.body) // 2], answer.status)
