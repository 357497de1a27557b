"""Which account a control call is about: the credential's, or without one the whole sandbox."""

from starlette.requests import Request

from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.errors import Unauthorized


def chosen(request: Request) -> int | None:
    """Give the account's number, or None for all."""
    account = visit_of(request.scope).account
    return None if account is None else account.id


def needed(request: Request) -> Account:
    """Give the account of a call that is about one.

    Raises:
        Unauthorized: no credential names one.
    """
    account = visit_of(request.scope).account
    if account is None:
        raise Unauthorized("This call is about one account: send its token, as to the API itself")
    return account
