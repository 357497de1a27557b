"""The queries of control calls."""

from collections.abc import Collection
from typing import Final

from starlette.requests import Request

from msgine_sandbox.asgi.fields import Fields, invalid_field

NOT_EMPTY: Final = "a text that is not empty"


class Query(Fields):
    """The parameters of one call, each of which is given once."""

    def __init__(self, request: Request, names: Collection[str], whose: str) -> None:
        """Read a request's query.

        Raises:
            InvalidRequest: it has a parameter that is not one of the names, or one twice.
        """
        given = request.query_params
        super().__init__(given)
        self.forbid_unknown(names, whose)
        for name in given:
            values = given.getlist(name)
            if len(values) > 1:
                raise invalid_field(name, values, "given once")

    def words(self, name: str) -> str | None:
        """Return a text that is not empty, or None if it is absent.

        An empty one, such as that of a variable that a shell script has not set, fits every
        message.
        """
        text = self.text(name)
        if text == "":
            raise invalid_field(name, text, NOT_EMPTY)
        return text
