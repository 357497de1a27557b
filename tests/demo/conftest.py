"""The shop under test, on the sandbox: it sends there, and time passes there while it waits."""

from collections.abc import Iterator

import pytest
from shop_login import Login
from shop_sms import Sms
from shop_status import StatusPage

from msgine_sandbox.testing import Account

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def sms(msgine: Account) -> Iterator[Sms]:
    def sleep(seconds: float) -> None:
        msgine.clock.advance(seconds=seconds)

    client = Sms(msgine.base_url, msgine.token, sleep, timeout=60)
    yield client
    client.close()


@pytest.fixture
def login(sms: Sms, msgine: Account) -> Login:
    return Login(sms, now=lambda: msgine.clock.now)


@pytest.fixture
def page(msgine: Account) -> Iterator[StatusPage]:
    page = StatusPage(SECRET)
    msgine.webhooks.listen(f"{page.url}/hooks", secret=SECRET)
    yield page
    page.close()
