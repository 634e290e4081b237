"""One server program as a child process on a loopback port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
START_LIMIT_S: Final = 30.0  # all start within one second on an idle machine
STOP_LIMIT_S: Final = 5.0
RELOAD_REPEAT_S: Final = 1.0
PORT_ATTEMPTS: Final = 3  # another program may take the port between our probe and the server's bind

Command = Callable[[int], Sequence[str]]


class ServerFailed(Exception):
    """A server did not start; the message carries everything it logged."""


def free_port() -> int:
    """A loopback port nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """A server program in a process group of its own, so that its workers stop with it.

    ``command`` maps a port to the argument vector, and writes the configuration file if there is one. ``ready``: what
    the server logs once it obeys signals, where that is later than its first accepted connection.
    """

    def __init__(
        self,
        command: Command,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: str = "",
    ) -> None:
        self.folder = folder
        self.log_file = folder / "output.log"
        self._command = command
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd or folder
        self._ready = ready
        self._child: subprocess.Popen[bytes] | None = None
        self._successor = 0
        self.port = 0

    @property
    def pid(self) -> int:
        return self._successor or self._group

    @property
    def _group(self) -> int:
        if self._child is None:
            raise ServerFailed("the server is not running")
        return self._child.pid

    def succeeded_by(self, pid: int) -> None:
        """The server started another first process in its place, in the same group."""
        self._successor = pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start on a free port; wait until the server accepts connections."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = free_port()
            try:
                self._start_on_port()
                return
            except ServerFailed as error:
                self.kill()
                if attempt == PORT_ATTEMPTS or "address already in use" not in str(error).lower():
                    raise

    def restart(self) -> None:
        """Stop what still runs, then start again on the same port."""
        self.kill()
        self._start_on_port()

    def _start_on_port(self) -> None:
        argv = list(self._command(self.port))
        said = self.logs().count(self._ready)
        self._successor = 0
        with self.log_file.open("ab") as log:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._env,
                start_new_session=True,
            )
        self._wait(self._accepts)
        if self._ready:
            self._wait(lambda: self.logs().count(self._ready) > said)

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while not condition():
            if self._child is not None and self._child.poll() is not None:
                raise ServerFailed(f"{self._child.args!r} ended with {self._child.returncode}\n{self.logs()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"the server was not ready in {START_LIMIT_S} s\n{self.logs()}")
            time.sleep(0.02)

    def _accepts(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1.0):
                return True
        except OSError:
            return False

    def logs(self) -> str:
        """Everything the server wrote, file by file."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')}" for file in files)

    def reload(self, number: signal.Signals) -> None:
        """Send a signal that the server answers by saying again that it is ready.

        haproxy drops one that comes in the first moments after it said so; hence the repetition.
        """
        said = self.logs().count(self._ready)
        sent_at = -RELOAD_REPEAT_S

        def answered() -> bool:
            nonlocal sent_at
            if self.logs().count(self._ready) > said:
                return True
            if time.monotonic() - sent_at > RELOAD_REPEAT_S:
                sent_at = time.monotonic()
                self.send_signal(number)
            return False

        self._wait(answered)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the first process of the server alone."""
        os.kill(self.pid, number)

    def stall(self) -> None:
        """Stop the server and its workers in their tracks; connections stay open and silent."""
        os.killpg(self._group, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo :meth:`stall`."""
        os.killpg(self._group, signal.SIGCONT)

    def kill(self) -> None:
        """End the server and its workers at once."""
        if self._child is None:
            return
        self._signal_group(signal.SIGKILL)
        self._child.wait()
        # A worker that is still dying holds the port, and would take the connection meant for its successor.
        deadline = time.monotonic() + STOP_LIMIT_S
        while self._accepts() and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Ask the server to end; insist after :data:`STOP_LIMIT_S`."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self.resume()
            self._child.terminate()
            try:
                self._child.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                print(f"server {self._child.args!r} ignored SIGTERM", file=sys.stderr)
        self.kill()

    def _signal_group(self, number: signal.Signals) -> None:
        # The group outlives its first process while a worker is left; its number is not reused before that.
        with suppress(ProcessLookupError):
            os.killpg(self._group, number)
