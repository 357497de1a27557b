"""However a session ends, it leaves no process, no socket and no file."""

import os
import signal

import pytest

WAITING = """
    import pathlib, pytest, time

    @pytest.fixture(autouse=True)
    def noted(msgine, msgine_server):
        yield
        # The sandbox still answers while fixtures are finalized.
        pathlib.Path("finalized").write_text(str(len(msgine.messages)))

    def test_waits(msgine, msgine_server, msgine_webhooks):
        part = pathlib.Path("part")
        part.write_text(msgine_server.origin)
        part.rename("origin")
        {wait}
"""
WAITS = {
    "sleeping": "time.sleep(600)",
    "for a message": "msgine.wait_for_message(timeout=60)",
    "for a webhook": "msgine_webhooks.wait_for(timeout=600)",
}


def started(session) -> str:
    """Return the origin of the sandbox once the test waits."""
    origin = session.wait_for_file("origin")
    [sandbox] = [each for each in session.processes() if each.is_sandbox]
    [tests] = [each for each in session.processes() if not each.is_sandbox]
    # So that Ctrl-C, which the terminal sends to a whole process group, ends only the tests.
    assert sandbox.session != tests.session
    return origin


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_the_tests_and_then_the_sandbox(session, wait):
    session.write(test_shop=WAITING.format(wait=WAITS[wait]))
    with session.running() as process:
        origin = started(session)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert "sandbox has ended" not in output
    assert (session.folder / "finalized").read_text() == "0"
    session.check_that_nothing_is_left(origin)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT"])
def test_killed_tests_leave_nothing(session, name):
    session.write(test_shop=WAITING.format(wait=WAITS["sleeping"]))
    with session.running("-p", "no:faulthandler") as process:
        origin = started(session)
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=120)
        session.check_that_nothing_is_left(origin)


def test_a_test_that_ends_the_process_leaves_nothing(session):
    session.write(test_shop=WAITING.format(wait="import os; os._exit(3)"))
    with session.running() as process:
        origin = session.wait_for_file("origin")
        process.communicate(timeout=120)
        session.check_that_nothing_is_left(origin)


def test_a_killed_controller_of_two_workers_leaves_nothing(session):
    session.write(
        test_shop="""
        import os, pathlib, pytest, time

        @pytest.mark.parametrize("_", range(2))
        def test_waits(msgine_server, _):
            part = pathlib.Path(f"part-{_}")
            part.write_text(msgine_server.origin)
            part.rename(f"origin-{_}")
            time.sleep(600)
        """
    )
    with session.running("-n", "2") as process:
        origins = {session.wait_for_file("origin-0"), session.wait_for_file("origin-1")}
        assert len(origins) == 2
        assert sum(each.is_sandbox for each in session.processes()) == 2
        process.kill()
        process.communicate(timeout=120)
        session.check_that_nothing_is_left(*origins)


def test_a_worker_that_crashes_is_replaced(session):
    session.write(
        test_shop="""
        import os, pathlib

        def test_crashes(msgine_server):
            pathlib.Path("origin").write_text(msgine_server.origin)
            os._exit(3)

        def test_passes(msgine):
            assert list(msgine.messages) == []
        """
    )
    status, output = session.run("-n", "1")
    assert (status, "1 failed, 1 passed" in output) == (1, True), output
    session.check_that_nothing_is_left((session.folder / "origin").read_text())


@pytest.mark.parametrize("options", [[], ["-x"], ["-n", "2"], ["--maxfail=1", "-p", "randomly"]])
def test_a_session_that_ends_by_itself_leaves_nothing(session, options):
    session.write(
        test_shop="""
        import pathlib

        def test_passes(msgine, msgine_webhooks):
            pathlib.Path("origin").write_text(msgine.origin)

        def test_fails(msgine):
            pathlib.Path("origin").write_text(msgine.origin)
            assert len(msgine.messages) == 1
        """
    )
    status, output = session.run(*options)
    assert status == 1, output
    session.check_that_nothing_is_left((session.folder / "origin").read_text())


def test_start_without_pytest_leaves_nothing_when_it_is_killed(session):
    session.write(
        test_shop="""
        import os, signal
        import msgine_sandbox

        def test_start():
            with msgine_sandbox.start(tier="free") as account:
                with open("origin", "w") as file:
                    file.write(account.origin)
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with session.running() as process:
        process.communicate(timeout=120)
        session.check_that_nothing_is_left(session.wait_for_file("origin"))
