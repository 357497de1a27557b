"""`/docs/`: the documentation of this version, from the Markdown files that the package has."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.ui.page import PageFile, check_site, page_file

if TYPE_CHECKING:
    from msgine_sandbox.ui.markdown import Renderer

_PACKAGE: Final = Path(__file__).parents[1]
_INDEX: Final = "README.md"
_MARKDOWN: Final = ".md"
_PICTURES: Final = frozenset({".png", ".svg"})


def docs_folder() -> Path:
    """Return the folder with the files: inside the package, or beside it in a checkout."""
    installed = _PACKAGE / "docs"
    return installed if installed.is_dir() else _PACKAGE.parent / "docs"


class Docs:
    """Serves the files of a folder: Markdown as HTML, pictures as they are.

    A request can only name what was found in the folder at the first request, so no path leads out
    of it. As for the page, no control token is asked for: nothing here is secret.
    """

    def __init__(self, folder: Path, root: str) -> None:
        self._root = root
        self._folder = folder
        self._served: dict[Path, PageFile] = {}
        self._reading = Lock()

    @property
    def resources(self) -> list[Resource]:
        """The paths, from the root on."""
        return [resource("/docs", GET=self.get), resource("/docs/{name:path}", GET=self.get)]

    async def get(self, request: Request) -> Response:
        """Return a page or a picture; a link on another site may lead to it.

        A page has two names, with `.md` and without, so that the links between the files work as
        they stand. A folder's path ends in a slash, or the links on its page would not.
        """
        context = context_of(request)
        check_site(context, may_be_linked=True)
        name = request.path_params.get("name")
        if name is None or f"{name}/" in self._files:
            folder = "docs" if name is None else name.rpartition("/")[2]
            return Response(status_code=307, headers={"Location": f"{folder}/"})
        path = self._files.get(name)
        if path is None:
            raise NotFound(f"The docs have no {name}; /docs/ lists their pages")
        file = self._served.get(path)
        if file is None:
            # In a thread, because the first import and the largest page take 50 ms together.
            file = await asyncio.to_thread(self._read, path)
        return file.response(context)

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        """The file or folder of each name that a request may use; a folder's ends in a slash."""
        found = {"": self._folder}
        for path in self._folder.rglob("*"):
            name = path.relative_to(self._folder).as_posix()
            if path.is_symlink():
                continue
            if path.is_dir() and any(path.glob(f"*{_MARKDOWN}")):
                found[f"{name}/"] = path
            elif path.suffix == _MARKDOWN:
                found[name] = found[name.removesuffix(_MARKDOWN)] = path
            elif path.suffix in _PICTURES:
                found[name] = path
        return found

    def text(self, name: str) -> str:
        """Return the text of a file that the folder has."""
        return _text(self._folder / name)

    def rendered(self, text: str, name: str) -> bytes:
        """Return the HTML of a page with a text that no file has, under its name in the docs."""
        with self._reading:
            return self._renderer.page(text, name).encode()

    def _read(self, path: Path) -> PageFile:
        with self._reading:  # two first requests for a page render it once
            if path not in self._served:
                self._served[path] = self._file(path)
            return self._served[path]

    def _file(self, path: Path) -> PageFile:
        if path.suffix in _PICTURES:
            return page_file(path.suffix, path.read_bytes())
        name = path.relative_to(self._folder).as_posix().removesuffix(_MARKDOWN)
        text = _folder_text(path) if path.is_dir() else _text(path)
        is_index = path in {self._folder, self._folder / _INDEX}
        return page_file(
            ".html", self._renderer.page(text, "" if is_index else name).encode(), self._root
        )

    @cached_property
    def _renderer(self) -> "Renderer":
        # Imported for the first page: most sandboxes are never asked for one.
        from msgine_sandbox.ui.markdown import Renderer

        return Renderer(_text(self._folder / _INDEX))


def _folder_text(folder: Path) -> str:
    """Return the text of a folder's index, or a list of its pages where it has none."""
    index = folder / _INDEX
    return _text(index) if index.is_file() else "\n".join(_listing(folder))


def _listing(folder: Path) -> Iterator[str]:
    yield f"# {folder.name.capitalize()}\n"
    for path in sorted(folder.glob(f"*{_MARKDOWN}")):
        title = _text(path).partition("\n")[0].removeprefix("# ")
        yield f"- [{title}]({path.name})"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
