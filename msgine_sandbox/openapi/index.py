"""`/_sandbox`: what there is on a sandbox, and where."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgine_sandbox.asgi.routing import BASE_PATH
from msgine_sandbox.control.views import View
from msgine_sandbox.version import __version__


class CallView(View, frozen=True, kw_only=True):
    """One call of the control API."""

    method: str
    path: str
    summary: str


class DocumentsView(View, frozen=True, kw_only=True):
    """Where to read about the sandbox."""

    docs: str = "/docs/"
    control: str = "/docs/control"
    reference: str = "/docs/api"
    agents: str = "/llms.txt"
    openapi: str = "/openapi.json"
    control_openapi: str = "/_sandbox/openapi.json"


class IndexView(View, frozen=True, kw_only=True):
    """The paths of a sandbox, and its version."""

    version: str
    api: str
    """The base URL of the API is this path, on this sandbox."""
    inbox: str
    documents: DocumentsView
    calls: Sequence[CallView]


def index_view(control: Mapping[str, Any]) -> IndexView:
    """Return the index, with the calls of the control API's document."""
    return IndexView(
        version=__version__,
        api=BASE_PATH,
        inbox="/",
        documents=DocumentsView(),
        calls=[
            CallView(method=method.upper(), path=path, summary=operation["summary"])
            for path, operations in control["paths"].items()
            for method, operation in operations.items()
        ],
    )
