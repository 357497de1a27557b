"""`/_sandbox`: what there is on a sandbox, and where."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgine_sandbox.control.views import View
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.version import __version__


class CallView(View, frozen=True, kw_only=True):
    """One call of the control API."""

    method: str
    path: str
    summary: str


class DocumentsView(View, frozen=True, kw_only=True):
    """Where to read about the sandbox."""

    docs: str
    control: str
    reference: str
    agents: str
    openapi: str
    control_openapi: str


class IndexView(View, frozen=True, kw_only=True):
    """The paths of a sandbox, and its version."""

    version: str
    api: str
    """The base URL of the API is this path, on this sandbox."""
    inbox: str
    documents: DocumentsView
    calls: Sequence[CallView]


def index_view(control: Mapping[str, Any], root: str) -> IndexView:
    """Return the index, with the calls of the control API's document."""
    return IndexView(
        version=__version__,
        api=root + BASE_PATH,
        inbox=f"{root}/",
        documents=DocumentsView(
            docs=f"{root}/docs/",
            control=f"{root}/docs/control",
            reference=f"{root}/docs/api",
            agents=f"{root}/llms.txt",
            openapi=f"{root}/openapi.json",
            control_openapi=f"{root}/_sandbox/openapi.json",
        ),
        calls=[
            CallView(method=method.upper(), path=root + path, summary=operation["summary"])
            for path, operations in control["paths"].items()
            for method, operation in operations.items()
        ],
    )
