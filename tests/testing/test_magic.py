"""Names of magic recipients, and what importing the client costs."""

import subprocess
import sys

import pytest

import msgine_sandbox
from msgine_sandbox.services.magic import OUTCOMES, REQUEST_FAULTS
from msgine_sandbox.testing import (
    ANSWER_LOST,
    answered,
    magic,
    magic_address,
    magic_token,
)


def test_an_unknown_magic_name_is_refused() -> None:
    for make in (magic_address, magic_token):
        with pytest.raises(ValueError, match="'bounced'"):
            make("bounced")


def test_constants_and_names_are_those_of_the_table() -> None:
    constants = {
        value for name, value in vars(magic).items() if name.isupper() and isinstance(value, str)
    }
    counted = {
        answered(status, times)
        for status in (400, 401, 403, 429, 500, 502, 503)
        for times in (range(10) if status >= 429 else [0])
    }
    keys = OUTCOMES.keys() | REQUEST_FAULTS.keys()
    assert constants | counted <= keys
    assert set(magic.NAMES) == {key for key in keys if not key.startswith("+")}
    assert (answered(503, 2), ANSWER_LOST) == ("+256700005032", "+256700004990")


@pytest.mark.parametrize(("status", "times"), [(400, 1), (503, 10), (503, -1), (418, 0)])
def test_an_impossible_magic_number_is_refused(status: int, times: int) -> None:
    with pytest.raises(ValueError, match=str(status)):
        answered(status, times)


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = (
        "import sys, msgine_sandbox\n"
        "from msgine_sandbox import testing\n"
        "from msgine_sandbox.testing import UNREACHABLE, answered\n"
        "heavy = {'httpx', 'uvicorn', 'starlette', 'msgspec', 'sqlite3', 'asyncio', 'ssl'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
        "from msgine_sandbox.testing import Account\n"
        "assert Account in [getattr(testing, each) for each in dir(testing)]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_attribute_raises_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = msgine_sandbox.testing.Nothing
