"""Settings: their flags, their environment variables, the help, and what they do."""

from collections.abc import Iterator
from dataclasses import Field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import Run, is_refusal
from hypothesis import given
from hypothesis import strategies as st
from live import Live, serving
from matching import assert_refused
from project import FIXTURES

from msgine_sandbox import __version__
from msgine_sandbox.cli.serve import serve
from msgine_sandbox.settings import (
    Settings,
    SettingsError,
    environment_name,
    flag,
    settings_from,
    variables,
)

NUMBER = "+256701234567"
UNASSIGNED = "+256601234567"
SHOP = FIXTURES / "scenarios" / "shop.json"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Help and version


def test_it_shows_its_version(run_here: Run) -> None:
    assert run_here("--version") == (0, f"msgine-sandbox, version {__version__}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]], ids=" ".join)
def test_its_help_lists_every_setting(run_here: Run, words: list[str]) -> None:
    status, output, errors = run_here(*words)
    assert (status, errors) == (0, "")
    shown = output.split()
    assert [flag(each) for each in fields(Settings) if flag(each) not in shown] == []
    text = " ".join(shown)
    assert [each.name for each in fields(Settings) if each.metadata["help"] not in text] == []


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]], ids=" ".join)
def test_its_help_says_where_the_docs_are(run_here: Run, words: list[str]) -> None:
    assert "http://127.0.0.1:8256/docs/" in run_here(*words)[1]


def test_its_help_names_the_other_command(run_here: Run) -> None:
    assert "ready" in run_here("--help")[1]
    assert "--wait" in run_here("ready", "--help")[1]


# Settings by flag and by environment


VALUES = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("1234", 1234),
    "database": ("here.db", "here.db"),
    "token": ("one", ("one",)),
    "tier": ("professional", "professional"),
    "keep_messages": ("0", 0),
    "keep_megabytes": ("512", 512),
    "keep_for": ("3600", 3600.0),
    "answers": ("observed", "observed"),
    "delivery": ("manual", "manual"),
    "sent_after": ("1.5", 1.5),
    "delivered_after": ("30", 30.0),
    "strict_auth": (None, True),
    "numbers": ("format", "format"),
    "strict_numbers": (None, True),
    "strict_idempotency": (None, True),
    "allowed_host": ("sandbox", ("sandbox",)),
    "root_path": ("/sandbox", "/sandbox"),
    "control_token": ("secret", "secret"),
    "account_pages": (None, True),
    "webhook_policy": ("any", "any"),
    "webhook_timeout": ("3", 3.0),
    "webhook_ca": ("authority.pem", "authority.pem"),
    "scenario": ("shop.json", "shop.json"),
    "tls": (None, True),
    "tls_ca": ("ca.pem", "ca.pem"),
    "stop_with_stdin": (None, True),
    "quiet": (None, True),
}
"""For each setting another value than its default: as it is written, and as it is read."""
NEEDED = {"tls_ca": {"tls": True}, "account_pages": {"control_token": "sesame"}}
FLAGS = {"tls_ca": ["--tls"], "account_pages": ["--control-token", "sesame"]}
"""What a setting is refused without: as values and as flags."""


def settings_of(*arguments: str) -> Settings:
    return Settings(**serve.make_context("serve", list(arguments)).params)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for each in fields(Settings):
        monkeypatch.delenv(environment_name(each), raising=False)
    return monkeypatch


def test_without_flags_settings_are_their_defaults(environment: pytest.MonkeyPatch) -> None:
    assert settings_of() == Settings()


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_each_setting_has_a_flag_and_an_environment_name(
    setting: "Field[Any]", environment: pytest.MonkeyPatch
) -> None:
    text, value = VALUES[setting.name]
    needed = NEEDED.get(setting.name, {})
    expected = Settings(**needed, **{setting.name: value})
    assert expected != Settings(**needed)
    assert flag(setting) == "--" + setting.name.replace("_", "-")
    assert environment_name(setting) == "MSGINE_SANDBOX_" + setting.name.upper()
    flags = FLAGS.get(setting.name, [])
    assert settings_of(*flags, flag(setting), *([] if text is None else [text])) == expected
    environment.setenv(environment_name(setting), text or "1")
    assert settings_of(*flags) == expected


BOOLEANS = [each for each in fields(Settings) if isinstance(each.default, bool)]


@pytest.mark.parametrize(
    "text", ["1", "true", "yes", "on", "0", "false", "no", "off", "True", "OFF"]
)
def test_a_boolean_in_the_environment_is_on_or_off(
    text: str, environment: pytest.MonkeyPatch
) -> None:
    for each in BOOLEANS:
        environment.setenv(environment_name(each), text)
        is_on = text.lower() in {"1", "true", "yes", "on"}
        assert getattr(settings_of(*FLAGS.get(each.name, [])), each.name) is is_on
        environment.delenv(environment_name(each))


@pytest.mark.parametrize("setting", BOOLEANS, ids=lambda setting: setting.name)
def test_a_flag_undoes_a_boolean_of_the_environment(
    setting: "Field[Any]", environment: pytest.MonkeyPatch
) -> None:
    on, off = flag(setting), "--no-" + flag(setting).removeprefix("--")
    environment.setenv(environment_name(setting), "1")
    assert getattr(settings_of(off), setting.name) is False
    environment.setenv(environment_name(setting), "0")
    needed = FLAGS.get(setting.name, [])
    assert getattr(settings_of(on, *needed), setting.name) is True
    assert getattr(settings_of(on, off), setting.name) is False


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_an_empty_variable_is_none(setting: "Field[Any]", environment: pytest.MonkeyPatch) -> None:
    environment.setenv(environment_name(setting), "")
    assert settings_of() == Settings()


def test_several_values_are_separated_by_spaces_in_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    assert settings_of("--token", "one", "--token", "two").token == ("one", "two")
    environment.setenv("MSGINE_SANDBOX_TOKEN", "three four")
    assert settings_of().token == ("three", "four")
    assert settings_of("--token", "one").token == ("one",)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("MSGINE_SANDBOX_TEIR", "; did you mean MSGINE_SANDBOX_TIER?"),
        ("MSGINE_SANDBOX_TOKENS", "; did you mean MSGINE_SANDBOX_TOKEN?"),
        ("MSGINE_SANDBOX_NO_TLS", "; did you mean MSGINE_SANDBOX_TLS?"),
        ("msgine_sandbox_tier", "; did you mean MSGINE_SANDBOX_TIER?"),
        ("MSGINE_SANDBOX_", "."),
        ("MSGINE_SANDBOX_\x1b[31m", "."),
    ],
)
def test_a_variable_that_is_no_setting_is_warned_of(
    name: str, end: str, environment: pytest.MonkeyPatch, run_here: Run
) -> None:
    status, _, errors = run_here("--port", "0", "--quiet", **{name: "x"})
    shown = name.replace("\x1b", r"\x1b")
    warning = f"msgine-sandbox: warning: {shown} is not a setting, and is ignored{end}\n"
    assert (status, errors) == (0, warning)


def test_other_variables_are_not_warned_of(environment: pytest.MonkeyPatch, run_here: Run) -> None:
    known = {environment_name(each): "" for each in fields(Settings)}
    others = {"MSGINE_API_KEY": "x", "MSGINE_SANDBOXES": "x", "XMSGINE_SANDBOX_TEIR": "x"}
    assert run_here("--port", "0", **known, **others) == (0, "", "")


NUMBERS = st.integers(0, 10**6)


def possible(setting: "Field[Any]") -> st.SearchStrategy[Any]:
    """Return values of a setting that can be used alone, as Python code passes them."""
    default = setting.default
    texts = st.text("abcXYZ019._-", min_size=1)
    if isinstance(default, StrEnum):
        return st.sampled_from([*type(default), *map(str, type(default))])
    if isinstance(default, bool):
        return st.booleans()
    if setting.name == "port":
        return st.integers(0, 65535)
    if setting.name == "sent_after":
        return st.floats(0, 2) | st.integers(0, 2)
    if isinstance(default, float):
        return st.floats(2, 600) | st.integers(2, 600)
    if default == ():
        return st.lists(st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True)) | st.just("one")
    if default is None:
        special = {"control_token": texts, "keep_messages": NUMBERS, "keep_megabytes": NUMBERS}
        special["root_path"] = st.just("/team/sandbox")
        special["numbers"] = st.just("valid")  # the others exclude --strict-numbers
        return st.none() | special.get(setting.name, st.text("a /é", min_size=1))
    return st.just(default)


@given(st.fixed_dictionaries({each.name: possible(each) for each in fields(Settings)}))
def test_variables_hand_the_same_settings_to_another_process(values: dict[str, Any]) -> None:
    settings = settings_from(values | {"tls": True, "control_token": "sesame"})
    with pytest.MonkeyPatch.context() as patch:
        for each in fields(Settings):
            patch.delenv(environment_name(each), raising=False)
        for name, text in variables(settings).items():
            patch.setenv(name, text)
        assert settings_of() == settings


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prot": 1}, "There is no setting prot; did you mean port?"),
        ({"strict-auth": True}, "There is no setting strict-auth; did you mean strict_auth?"),
        ({"colour": "red"}, "There is no setting colour."),
        ({"token": 5}, "--token must be a text or a list of texts, not of type int."),
        (
            {"token": ["one", 5]},
            "--token must be a text or a list of texts, not a list with a value of type int.",
        ),
        (
            {"allowed_host": ("here", None)},
            "--allowed-host must be a text or a list of texts, not a tuple with a value of type"
            " NoneType.",
        ),
        ({"allowed_host": b"here"}, "--allowed-host must be a text or a list of texts"),
        ({"port": "8256"}, "--port must be a whole number, not of type str."),
        ({"port": True}, "--port must be a whole number, not of type bool."),
        ({"port": 1.5}, "--port must be a whole number, not of type float."),
        ({"sent_after": "1"}, "--sent-after must be a number, not of type str."),
        ({"sent_after": None}, "--sent-after must be a number, not of type NoneType."),
        ({"keep_messages": 1.5}, "--keep-messages must be a whole number, not of type float."),
        ({"keep_megabytes": "1"}, "--keep-megabytes must be a whole number, not of type str."),
        ({"keep_for": None}, "--keep-for must be a number, not of type NoneType."),
        ({"strict_auth": "no"}, "--strict-auth must be true or false, not of type str."),
        ({"host": None}, "--host must be a text, not of type NoneType."),
        ({"database": 5}, "--database must be a text, not of type int."),
        ({"database": "a\0b"}, "--database must be a text"),
        ({"scenario": ""}, "--scenario needs the path of a file."),
        ({"tls": True, "tls_ca": ""}, "--tls-ca needs the path of a file."),
        ({"tier": ["free"]}, "--tier must be one of free, starter, professional, unlimited."),
        ({"tier": {}}, "--tier must be one of"),
        ({"numbers": "strict"}, "--numbers must be one of format, possible, valid."),
        ({"numbers": True}, "--numbers must be one of format, possible, valid."),
    ],
    ids=str,
)
def test_values_of_another_type_are_refused_in_one_sentence(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_from(values)
    assert str(refused.value).startswith(sentence)


def test_a_single_text_and_a_path_are_what_they_look_like(tmp_path: Path) -> None:
    settings = Settings(token="one", allowed_host=["here"], database=tmp_path / "data.db")  # type: ignore[arg-type]
    assert settings.token == ("one",)
    assert settings.allowed_host == ("here",)
    assert settings.database == str(tmp_path / "data.db")


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        ("", {}, "possible"),
        ("--numbers format", {}, "format"),
        ("--strict-numbers", {}, "valid"),
        ("--strict-numbers --numbers valid", {}, "valid"),
        ("", {"STRICT_NUMBERS": "1"}, "valid"),
        ("", {"STRICT_NUMBERS": "0", "NUMBERS": "format"}, "format"),
        ("--numbers format", {"NUMBERS": "valid"}, "format"),
        ("--numbers valid", {"STRICT_NUMBERS": "1"}, "valid"),
        ("--strict-numbers --numbers format", {}, None),
        ("--strict-numbers --numbers possible", {}, None),
        ("--numbers possible", {"STRICT_NUMBERS": "1"}, None),
        ("--strict-numbers", {"NUMBERS": "format"}, None),
    ],
)
def test_two_settings_of_numbers_may_not_differ_wherever_they_come_from(
    words: str,
    variables: dict[str, str],
    expected: str | None,
    environment: pytest.MonkeyPatch,
    run_here: Run,
) -> None:
    for name, value in variables.items():
        environment.setenv(f"MSGINE_SANDBOX_{name}", value)
    if expected is None:
        assert is_refusal(run_here(*words.split()), "contradicts: give one of the two.")
    else:
        assert settings_of(*words.split()).number_check == expected


@pytest.mark.live
def test_the_environment_counts_and_flags_override_it() -> None:
    environment = {
        "MSGINE_SANDBOX_PORT": "1",
        "MSGINE_SANDBOX_TIER": "free",
        "MSGINE_SANDBOX_TOKEN": "test_one test_two",
        "MSGINE_SANDBOX_STRICT_AUTH": "1",
        "MSGINE_SANDBOX_DELIVERY": "auto",
    }
    with serving("--delivery", "manual", **environment) as live:
        sent = live.send("test_two")
        assert (sent.status_code, sent.headers["x-ratelimit-limit"]) == (201, "60")
        assert_refused(live.send("test_three"), 401, "unauthorized")
        advanced = httpx.post(
            f"{live.origin}/_sandbox/clock/advance",
            json={"seconds": 60},
            headers=bearer("test_two"),
        )
        assert advanced.json()["performed"] == 0


# What flags do


@pytest.fixture(scope="module")
def strict() -> Iterator[Live]:
    """A sandbox with nearly every flag."""
    with serving(
        *["--token", "test_a", "--token", "test_b", "--token", "test_c", "--tier", "free"],
        *["--strict-auth", "--strict-numbers", "--sent-after", "10", "--delivered-after", "20"],
        *["--scenario", str(SHOP), "--token", "test_shop", "--token", "test_clinic"],
        *["--control-token", "key", "--allowed-host", "sandbox"],
    ) as live:
        yield live


@pytest.mark.live
def test_only_the_tokens_that_were_given_are_accepted(strict: Live) -> None:
    assert strict.send("test_a").status_code == 201
    for token in ("test_d", "test_", "TEST_A"):
        error = assert_refused(strict.send(token), 401, "unauthorized")
        assert error["message"] == "Invalid API token"


@pytest.mark.live
def test_a_tier_is_that_of_new_accounts(strict: Live) -> None:
    assert strict.send("test_a").headers["x-ratelimit-limit"] == "60"


@pytest.mark.live
def test_strict_auth_refuses_a_bare_token(strict: Live) -> None:
    for header, status in [
        ({"Authorization": "test_b"}, 401),
        ({"Authorization": "Bearer test_b"}, 200),
        ({"X-Api-Key": "test_b"}, 200),
    ]:
        assert httpx.get(f"{strict.base_url}/messages", headers=header).status_code == status


@pytest.mark.live
def test_strict_numbers_refuses_an_unassigned_number(strict: Live) -> None:
    assert_refused(strict.send("test_b", UNASSIGNED), 400, "invalid_phone_number")
    assert strict.send("test_b").status_code == 201


@pytest.mark.live
def test_messages_take_as_long_as_the_settings_say(strict: Live) -> None:
    headers = bearer("test_c") | {"X-Control-Token": "key"}
    with httpx.Client(base_url=f"{strict.origin}/_sandbox", headers=headers) as control:
        assert control.post("/clock/freeze").status_code == 200
        message = strict.send("test_c").json()
        statuses = []
        for seconds in (9.999, 0.001, 9.999, 0.001):
            assert control.post("/clock/advance", json={"seconds": seconds}).status_code == 200
            statuses.append(control.get(f"/messages/{message['id']}").json()["status"])
        assert statuses == ["pending", "sent", "sent", "delivered"]


@pytest.mark.live
def test_a_scenario_is_there_from_the_first_answer_on(strict: Live) -> None:
    answer = httpx.get(f"{strict.base_url}/messages", headers=bearer("test_shop"))
    assert answer.json()["pagination"]["total"] == 5
    assert answer.headers["x-ratelimit-limit"] == "500"


@pytest.mark.live
def test_a_control_token_and_an_allowed_host_take_effect(strict: Live) -> None:
    for path, headers, status in [
        ("/_sandbox/messages", {}, 401),
        ("/_sandbox/messages", {"X-Control-Token": "key"}, 200),
        ("/_sandbox/health", {"Host": "sandbox:8256"}, 200),
        ("/_sandbox/health", {"Host": "elsewhere"}, 421),
    ]:
        assert httpx.get(strict.origin + path, headers=headers).status_code == status
