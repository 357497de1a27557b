"""Resources whose modules are imported by the first request for one of their paths."""

from collections.abc import Iterator

import pytest

from msgine_sandbox.asgi.routing import LazyResources, Resource, Routes
from msgine_sandbox.routes import api_routes, control_routes, page_routes
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings


def all_routes() -> Iterator[Routes]:
    built = Sandbox(Settings())
    api, control = api_routes(built), control_routes(built)
    yield from (api, control, page_routes(built, api, control))


PATHS = [(index, each.path) for index, found in enumerate(all_routes()) for each in found.resources]


@pytest.mark.parametrize(("index", "path"), PATHS)
def test_a_path_is_found_whether_or_not_its_module_is_imported(index: int, path: str) -> None:
    routes = list(all_routes())[index]
    asked = path.replace("{name:path}", "a/b").replace("{id}", "1").replace("{name}", "a")
    assert [routes.path_of(asked) for _ in range(2)] == [path, path]


def test_a_module_is_imported_once_and_only_for_a_path_that_it_may_have() -> None:
    imported = []

    def load() -> list[Resource]:
        imported.append(1)
        return []

    routes = Routes(LazyResources(load, "/faults", "/requests"))
    assert (routes.path_of("/"), imported) == (None, [])
    assert (routes.path_of("/requests"), imported) == (None, [1])
    assert (routes.path_of("/faults/1"), list(routes.resources), imported) == (None, [], [1])
