"""The sandbox in a child process: started with settings, and stopped with the process that did.

A process of its own, because tests replace what the sandbox needs in theirs: the clock, HTTP
clients, sockets, the event loop. Nothing here reads a clock, which may be a replaced one.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from subprocess import PIPE, Popen
from typing import IO, Any, Final

from msgine_sandbox.testing.errors import SandboxUnreachable

_START_TIMEOUT: Final = 60  # seconds; it only ends a hang
_STOP_TIMEOUT: Final = 2  # seconds
_REFUSED: Final = 2  # the exit status after a sentence about a setting
_SHOWN_OUTPUT: Final = 16_000  # bytes, since a crash dump of many threads says why it is at its top
_NEW_PROCESS_GROUP: Final = 0x200  # CREATE_NEW_PROCESS_GROUP of Windows


class SandboxProcess:
    """A sandbox that runs from the construction of this object until `stop`, which it needs.

    It also ends when this process does, however that ends: its standard input is a pipe from here.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Start it, quiet and on a free port unless the settings differ; it does not answer yet.

        Raises:
            SettingsError: a setting cannot be used.
            SandboxUnreachable: there can be no further process.
        """
        # Here, because a session that connects to a running sandbox needs none of its packages.
        from msgine_sandbox.settings import settings_from, variables

        wanted = settings_from({"port": 0, "quiet": True} | dict(settings))
        self.tokens = wanted.token
        """The only tokens that it accepts; without any, it accepts all."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (`stop` closes it)
        try:
            self._process = _spawn(wanted.port, variables(wanted), self._output)
        except OSError as error:
            self._output.close()
            raise SandboxUnreachable(f"The sandbox did not start: {error}") from error

    def wait_until_it_answers(self) -> str:
        """Return the base URL of the sandbox, once it answers there.

        Raises:
            SettingsError: a setting cannot be used; the address cannot be listened on, for example.
            SandboxUnreachable: it ends for another reason, or does not answer within a minute.
        """
        base_url = self._read_base_url()
        if base_url:
            return base_url
        from msgine_sandbox.settings import SettingsError, flag, renamed

        status, output = self._process.wait(), self._tail()
        if status == _REFUSED:
            # It was given variables, which nobody has written.
            raise SettingsError(renamed(output.removeprefix("msgine-sandbox: "), flag))
        raise SandboxUnreachable(f"The sandbox did not start: {_ending(status, output)}")

    def failure(self, *, is_ending: bool) -> str | None:
        """Return why the sandbox does not run any more, with the end of its output; else None.

        `is_ending` is whether it has closed a connection, so that it will end at any moment.
        """
        has_ended = (
            self._ends_within(_STOP_TIMEOUT) if is_ending else self._process.poll() is not None
        )
        if not has_ended or self._output.closed:
            return None
        return f"The sandbox has ended: {_ending(self._process.returncode, self._tail())}"

    def stop(self) -> None:
        """Stop the sandbox, and kill it if it takes over two seconds."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101  (both are pipes)
            pipe.close()
        if not self._ends_within(_STOP_TIMEOUT):
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _ends_within(self, seconds: float) -> bool:
        # A timeout of `Popen.wait` would read the clock; that of `join` does not.
        waiting = threading.Thread(target=self._process.wait, name="msgine-sandbox", daemon=True)
        waiting.start()
        waiting.join(seconds)
        return not waiting.is_alive()

    def _read_base_url(self) -> str:
        """Return the first line of its standard output; it is empty if the process ends first."""
        assert self._process.stdout is not None  # noqa: S101  (it is a pipe)
        hang = threading.Timer(_START_TIMEOUT, self._process.kill)
        hang.daemon = True
        hang.start()
        try:
            return self._process.stdout.readline().decode().strip()
        finally:
            hang.cancel()
            hang.join()

    def _tail(self) -> str:
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._output.tell() - _SHOWN_OUTPUT, 0))
        return self._output.read().decode(errors="replace").strip()


def _spawn(port: int, variables: dict[str, str], output: IO[bytes]) -> Popen[bytes]:
    # Credentials are settings, too, and other users of the machine can read arguments.
    command = ["-m", "msgine_sandbox", "serve", "--port", str(port), "--stop-with-stdin"]
    # In a session of its own, so that Ctrl-C ends the tests, which then stop the sandbox.
    on_windows = sys.platform == "win32"
    return Popen(  # noqa: S603  (our own command)
        # -P, because a file of the tests may have the name of a module that the sandbox imports.
        [sys.executable, "-P", *command],
        stdin=PIPE,
        stdout=PIPE,
        stderr=output,
        env=_environment() | variables,
        start_new_session=not on_windows,
        creationflags=_NEW_PROCESS_GROUP if on_windows else 0,
    )


def _environment() -> dict[str, str]:
    """Return the variables of this process that the sandbox inherits: its settings are not."""
    return {
        name: value
        for name, value in os.environ.items()
        # Warnings that are errors to the tests are those of the code under test.
        if not name.startswith("MSGINE_SANDBOX_") and name != "PYTHONWARNINGS"
    }


def _ending(status: int, output: str) -> str:
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return f"{how}, and its output ends with:\n{output}" if output else f"{how}, without any output"
