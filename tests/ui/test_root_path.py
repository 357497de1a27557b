"""The page behind a proxy, under a path that the proxy strips from requests or keeps."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import LOADED, copied, new_tab
from command import free_port
from live import serving
from nginx import nginx
from playwright.async_api import Browser, expect
from project import DOCS

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

ROOT = "/team/sandbox"
PROXIED = re.search(r"```nginx\n(.*?)```", (DOCS / "proxy.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("slash", ["/", ""], ids=["stripped", "kept"])
async def test_every_view_works_under_a_path_of_a_proxy(
    browser: Browser, tmp_path: Path, slash: str
) -> None:
    port = free_port()
    with serving("--root-path", ROOT) as live:
        assert live.base_url.endswith(f"{ROOT}/api/v1")
        upstream = live.origin.removesuffix(ROOT).rpartition(":")[2]
        assert PROXIED is not None
        location = PROXIED[1].replace("8256/;", f"{upstream}{slash};").replace("/sandbox", ROOT)
        config = f"server {{ listen 127.0.0.1:{port}; {location} }}"
        proxied = replace(live, base_url=f"http://localhost:{port}{ROOT}/api/v1")
        with nginx(tmp_path, config, port):
            async with new_tab(browser, proxied) as tab:
                lost: list[str] = []
                tab.page.on("response", lambda it: it.status >= 400 and lost.append(it.url))
                tab.client.send(message="before", unknown=1)
                await tab.open()
                await tab.expect_rows(["before"])
                tab.client.send(message="live")  # which the worker's events bring
                await tab.expect_rows(["live", "before"])
                for view, element in LOADED.items():
                    await tab.find(f"nav-{view}").click()
                    await tab.find(element).first.wait_for(state="attached")
                await tab.find("nav-playground").click()
                await expect(tab.find("snippet")).to_contain_text(f"{port}{ROOT}/api/v1/")
                await tab.find("send").click()
                await expect(tab.find("answer-status")).to_have_text("201")
                await tab.find("nav-requests").click()
                await tab.page.locator(".warned").first.click()
                await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
                command = await copied(tab, "copy-curl")
                assert command.startswith(
                    f"curl 'http://localhost:{port}{ROOT}/api/v1/messages/sms'"
                )
                link = tab.page.get_by_role("link", name="More about unknown-field")
                await link.click()
                await expect(tab.page.locator("#unknown-field")).to_be_visible()
                await tab.page.get_by_role("link", name="Inbox", exact=True).click()
                await tab.find("row").first.wait_for()
                assert lost == []
