"""`/_sandbox/messages/estimate`: what a send would be answered, without sending anything."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, to_builtins
from starlette.requests import Request

from msgine_sandbox.api import developers
from msgine_sandbox.api import messages as messages_api
from msgine_sandbox.api.handlers import warn_of_time
from msgine_sandbox.api.schema import MessageCodec
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import RequestContext, context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.bodies import Body, read_body_as
from msgine_sandbox.control.request_facts import WarningView, warning_views
from msgine_sandbox.control.views import View
from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import ApiError, Forbidden
from msgine_sandbox.model.idempotency import FIELD, SENDS_WITH_FIELD, checked_field
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.model.segments import Encoding
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.drafts import ChannelService, SendContext


class SendPath(StrEnum):
    """A path that sends, below the base URL."""

    MESSAGES_SMS = "/messages/sms"
    SMS = "/developers/sms"
    EMAIL = "/developers/email"
    PUSH = "/developers/push"

    @property
    def channel(self) -> Channel:
        """What is sent there."""
        return Channel(self.rpartition("/")[2])


class EstimateBody(Body, frozen=True, kw_only=True):
    """A send that is not to happen."""

    path: SendPath
    body: Annotated[dict[str, Any], Meta(description="the JSON object that would be sent")]


class RefusalView(View, frozen=True, kw_only=True):
    """An error of the API, as its envelope has it."""

    code: str
    message: str
    details: Mapping[str, Any] | UnsetType


class EstimateView(View, frozen=True, kw_only=True):
    """What a send would be answered; either `error` or the other members are there."""

    status: int
    recipients: int | UnsetType = UNSET
    characters: int | UnsetType = UNSET
    """Of the text."""
    encoding: Encoding | UnsetType = UNSET
    """Of an SMS, as `segments` is."""
    segments: int | UnsetType = UNSET
    cost: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    warnings: Sequence[WarningView]
    error: RefusalView | UnsetType = UNSET


class EstimateControl:
    """Composes messages that are not sent."""

    def __init__(
        self,
        accounts: Accounts,
        channels: Mapping[Channel, ChannelService[Any]],
        real: RealTime,
        form: AnswerForm,
    ) -> None:
        self._accounts = accounts
        self._channels = channels
        self._real = real
        self._form = form
        self._codecs: Mapping[SendPath, MessageCodec[Any]] = {
            each: developers.CODECS[each.channel] for each in SendPath
        } | {SendPath.MESSAGES_SMS: messages_api.CODECS[form.answers]}

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [resource("/_sandbox/messages/estimate", POST=self.estimate)]

    async def estimate(self, request: Request) -> Answer:
        """Return what a send would be answered: its segments, cost and warnings, or its error.

        Nothing is sent, counted or kept. Faults, magic recipients that refuse, rate limits and
        what idempotency keys have stored are left out. Without an account, it is about a new one.
        """
        context = context_of(request)
        asked = read_body_as(request, EstimateBody)
        try:
            view = await self._estimated(asked, context)
        except ApiError as error:
            view = EstimateView(
                status=error.status,
                warnings=warning_views(context.entry),
                error=RefusalView(
                    code=error.code, message=error.message, details=error.details or UNSET
                ),
            )
        context.entry.warnings = []  # of the send, and not of this call
        try:
            return json_answer(view)
        except UnicodeEncodeError:
            # A value that is shown has half of a surrogate pair, which JSON can only write escaped.
            return Answer(json.dumps(to_builtins(view)).encode())

    async def _estimated(self, asked: EstimateBody, context: RequestContext) -> EstimateView:
        codec, channel = self._codecs[asked.path], asked.path.channel
        # First, as the pipeline does before it calls the handler of a send.
        key = asked.body.get(FIELD) if asked.path in SENDS_WITH_FIELD else None
        if key is not None:
            checked_field(key)
        service, account = self._channels[channel], context.account or self._accounts.unopened()
        if not account.has_scope(TRAITS[channel].scope):
            raise Forbidden(requiredScope=TRAITS[channel].scope)
        codec.warn(context, asked.body)
        draft = await service.prepared(codec.read(asked.body))
        if draft.scheduled_for is not None:
            warn_of_time(draft.scheduled_for, context)
        real = self._real.now()
        now = account.clock.at(real) if context.account is None else self._accounts.now(account.id)
        send_context = SendContext(account, context.entry.request_id, 0, now)
        message = await service.compose(draft, send_context)
        context.entry.warnings += service.warnings_about(message)
        return self._view(message, codec.accepted, asked.path, context)

    def _view(
        self, message: Message, status: int, path: SendPath, context: RequestContext
    ) -> EstimateView:
        is_first = path is SendPath.MESSAGES_SMS
        cost = self._form.cost(message) if is_first else message.developer_cost
        return EstimateView(
            status=status,
            recipients=len(message.recipients),
            characters=len(message.text),
            encoding=message.encoding or UNSET,
            segments=message.segments if message.encoding else UNSET,
            cost=cost.amount,
            currency=cost.currency,
            warnings=warning_views(context.entry),
        )
