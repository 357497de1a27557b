"""The steps that a request goes through, from top to bottom in the order in which they run.

Each takes the request's context, and returns or raises; the last returns the response.
"""

from typing import Final, NoReturn

from msgspec.structs import replace
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from msgine_sandbox.asgi.answers import (
    Answer,
    error_answer,
    json_answer,
    message_answer,
    truncated,
)
from msgine_sandbox.asgi.body import read_body, require_json
from msgine_sandbox.asgi.connections import Connections, disconnected_within
from msgine_sandbox.asgi.context import RequestContext, request_of
from msgine_sandbox.asgi.credentials import (
    credential,
    has_idempotency_key,
    idempotency_field,
    idempotency_key,
)
from msgine_sandbox.asgi.recipients import recipients_of, target_of
from msgine_sandbox.asgi.routing import Routes
from msgine_sandbox.asgi.security import ControlAuth, check_origin
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import READ_OF_TOKEN, Account, Admission, Limits, looks_live
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import (
    ApiError,
    IdempotencyKeyReused,
    RateLimitExceeded,
    Unauthorized,
)
from msgine_sandbox.model.fault import Fault, RequestEffect
from msgine_sandbox.model.idempotency import SENDS, StoredAnswer
from msgine_sandbox.model.masking import masked
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.services.accounts import Accounts, is_revoked
from msgine_sandbox.services.client_warnings import RetryDetector, retry_warnings
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.services.idempotency import Idempotency, KeyLock
from msgine_sandbox.services.rate_limit import (
    RateLimit,
    full_allowance,
    why_waiting_does_not_help,
)

_REPLAYED: Final = {"Idempotent-Replayed": "true"}


class ApiPipeline:
    """Answers requests to the API: body size, credential, rate limit, faults, key, handler."""

    def __init__(
        self,
        accounts: Accounts,
        retries: RetryDetector,
        rate_limit: RateLimit,
        faults: Faults,
        idempotency: Idempotency,
        connections: Connections,
        routes: Routes,
        real: RealTime,
        form: AnswerForm,
        *,
        default_limits: Limits,
        strict_auth: bool,
    ) -> None:
        self._accounts = accounts
        self._retries = retries
        self._rate_limit = rate_limit
        self._faults = faults
        self._idempotency = idempotency
        self._connections = connections
        self._routes = routes
        self._real = real
        self._form = form
        self._default_allowance = full_allowance(default_limits)
        self._strict_auth = strict_auth

    async def respond(self, context: RequestContext) -> Response:
        """Return the response to a request.

        Raises:
            ApiError: a step or the handler refuses the request.
            ClientDisconnect: the client has disconnected, or a fault has closed the connection.
        """
        try:
            await read_body(context)
            account = await self._authenticate(context)
        except ApiError:
            # Every response has the rate headers (documented), also before an account is known.
            context.allowance = self._default_allowance
            raise
        if self._retries.has_failures(account.id):
            self._warn_of_retry(context)
        self._admit(account, context)
        if self._faults.might_apply(account.id, context.body):
            fault = await self._faults.take(account.id, target_of(context))
            if fault is not None:
                return await self._respond_with(fault, context)
        return await self._respond_once(context)

    async def _authenticate(self, context: RequestContext) -> Account:
        """Return the account of the request's credential; from here on, the time is the account's.

        Raises:
            Unauthorized: there is no credential, or it is refused.
        """
        entry = context.entry
        token = credential(context, strict=self._strict_auth)
        if token is None:
            raise Unauthorized
        if looks_live(token[:READ_OF_TOKEN]):
            entry.warnings.append(warning.looks_live(masked(token)))
        account = context.account = await self._accounts.with_token(token)
        entry.account = account.id
        context.real_now = self._real.now()
        entry.at = self._accounts.at(account.id, context.real_now)
        if is_revoked(token):
            # Only now, so that the journal shows the request to the token's account.
            raise Unauthorized
        return account

    def _warn_of_retry(self, context: RequestContext) -> None:
        """Warn of bad retries, before the rate limit, which refuses most of them."""
        failed = self._retries.retried(context.authenticated_account.id, context.fingerprint())
        if failed is not None:
            context.retried = failed
            repeats = context.entry.repeats = failed.repeated(context.entry.at, context.received_at)
            context.entry.warnings += retry_warnings(
                repeats,
                is_send=context.method == "POST" and context.path in SENDS,
                has_key=has_idempotency_key(context),
            )

    def _admit(self, account: Account, context: RequestContext) -> None:
        """Count the request against the account's limits; replays and errors count as well."""
        admission = self._rate_limit.admit(account, context.entry.at)
        context.allowance = context.entry.admission = admission
        if admission.retry_after is not None:
            self._refuse(context, admission, admission.retry_after)

    def _refuse(self, context: RequestContext, admission: Admission, retry_after: int) -> NoReturn:
        """Raise RateLimitExceeded, which says so where the account's clock stands."""
        state = self._accounts.clock_state(context.authenticated_account.id)
        reason = why_waiting_does_not_help(state, retry_after)
        if reason is None:
            raise RateLimitExceeded(retry_after)
        context.entry.admission = replace(admission, reason=reason)
        raise RateLimitExceeded(retry_after, clock=state, reason=reason)

    async def _respond_with(self, fault: Fault, context: RequestContext) -> Response:
        """Return the response that a fault leaves; with `commit`, the handler runs first."""
        effect = fault.effect
        assert isinstance(effect, RequestEffect)  # noqa: S101  (`take` returns no other)
        entry = context.entry
        entry.fault, entry.effect = fault.public_id, effect
        entry.magic = fault.match.to if fault.magic else None
        # The order of the effects is documented: handler, delay, connection, response.
        handled = await self._respond_or_refuse(context) if effect.commit else None
        if handled is not None and effect.spares_replays and context.entry.replayed:
            return handled
        if effect.delay and await disconnected_within(context.receive, effect.delay):
            raise ClientDisconnect
        if effect.drop:
            if handled is not None:
                # The journal and the log say why nothing was accepted; no response will.
                entry.code = handled.error_code
            await self._connections.cut(context)
            raise ClientDisconnect
        if effect.status is not None:
            recipients = filter(fault.match.matches_recipient, recipients_of(context))
            # Here, because few starts have faults.
            from msgine_sandbox.asgi.fault_errors import fault_error

            error = fault_error(effect, context, next(recipients, None))
            answer = error_answer(error, context) if effect.envelope else message_answer(error)
            return truncated(answer) if effect.malformed else answer
        if not effect.malformed:
            return await self._respond_once(context) if handled is None else handled
        if handled is None:
            # Nothing was done, so there is no real answer to truncate.
            content = {"id": self._form.message_id(0), "status": "pending"}
            handled = json_answer(content, self._routes.success_status(context))
        return truncated(handled)

    async def _respond_or_refuse(self, context: RequestContext) -> Answer:
        """Return the response, errors included, because a fault decides what is sent of it."""
        try:
            response = await self._respond_once(context)
        except ApiError as error:
            return error_answer(error, context)
        assert isinstance(response, Answer)  # noqa: S101  (nothing in the API streams)
        return response

    async def _respond_once(self, context: RequestContext) -> Response:
        """Return the stored answer of the request's idempotency key, else the handler's response.

        An error is not stored, so that a retry with the same key can succeed.
        """
        key = idempotency_key(context) if context.method == "POST" else None
        if key is None:
            return await self._routes.handler(context)(context)
        context.entry.key = key
        found = await self._stored_or_lock(key, context)
        if isinstance(found, StoredAnswer):
            return Answer(found.body, found.status, headers=_REPLAYED)
        context.key_lock = found
        try:
            response = await self._routes.handler(context)(context)
            if response.status_code < 300 and not found.stored:
                # A retry would do it again: no handler may forget to store its answer.
                raise RuntimeError(f"{context.path} did not store its answer to a key")
        finally:
            self._idempotency.unlock(found)
        return response

    async def _stored_or_lock(self, key: str, context: RequestContext) -> StoredAnswer | KeyLock:
        fingerprint, account_id = context.fingerprint(), context.authenticated_account.id
        try:
            found = await self._idempotency.stored_or_lock(account_id, key, fingerprint)
        except IdempotencyKeyReused as error:
            context.entry.warnings.append(warning.key_reused(key))
            field = idempotency_field(context)
            raise IdempotencyKeyReused(field=field, value=key) from error
        if isinstance(found, StoredAnswer):
            context.entry.replayed = True
            if found.fingerprint != fingerprint:
                context.entry.warnings.append(warning.key_reused(key))
        return found


class ControlPipeline:
    """Answers requests to the control API: origin, body, control token, handler."""

    def __init__(self, auth: ControlAuth, routes: Routes) -> None:
        self._auth = auth
        self._routes = routes

    async def respond(self, context: RequestContext) -> Response:
        """Return the response to a request.

        Raises:
            ApiError: a step or the handler refuses the request.
            ClientDisconnect: the client has disconnected.
        """
        check_origin(context)
        await read_body(context, self._routes.max_body(context))
        require_json(context)
        await self._auth.authenticate(context)
        # Not ignored, as the API does: `DELETE /_sandbox/messages?to=…` would delete all messages.
        handler = self._routes.handler(context, forbid_query=True)
        return await handler(request_of(context))
