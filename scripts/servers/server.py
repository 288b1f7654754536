"""A server of ours: a child process with its own folder, which can be stopped, frozen, killed and started again."""

from __future__ import annotations

import atexit
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scripts.servers.places import User, remove_place
from scripts.servers.processes import await_gone, await_stopped, descendants, signal_each

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class CannotStart(Exception):
    """A server could not be started; names every route that was tried and why it failed.

    optional: nobody can have it who does not have it already, so that its absence is told and fails nothing.
    """

    def __init__(self, name: str, reasons: Sequence[str], *, optional: bool = False) -> None:
        super().__init__(f"cannot start {name}: " + "; ".join(reasons))
        self.name = name
        self.reasons = tuple(reasons)
        self.optional = optional


class Server:
    """A running server.

    url: how a client reaches it. version: what it says of itself. folder: where its data and its log are.
    ready: returns once it answers, else raises. kill_signal: what `kill` sends. Stops at interpreter exit by itself.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        version: str,
        command: Sequence[str],
        folder: Path,
        user: User | None,
        ready: Callable[[], None],
        stop_signal: signal.Signals = signal.SIGTERM,
        kill_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.url = url
        self.version = version
        self.folder = folder
        self._command = list(command)
        self._user = user
        self._ready = ready
        self._stop_signal = stop_signal
        self._kill_signal = kill_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._start()
        atexit.register(self.stop)

    def __repr__(self) -> str:
        return f"<{self.name} {self.version} at {self.url}>"

    @property
    def running(self) -> bool:
        """Whether the process is there (it may be paused)."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Shut it down in good order and remove its folder. Does nothing a second time."""
        atexit.unregister(self.stop)
        self._end(self._stop_signal)
        remove_place(self.folder)

    def kill(self) -> None:
        """Crash it: every process of it is gone at once, the data stays as it is on disk."""
        self._end(self._kill_signal)

    def restart(self) -> None:
        """Start it again on the same port and data, after `kill` or in place of the running one."""
        self._end(self._stop_signal)
        self._start()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers any more when this returns."""
        self._signal_all(signal.SIGSTOP)
        await_stopped(self._family(), STOP_SECONDS)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._signal_all(signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Frozen inside the `with`, going on after it."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def log(self, lines: int = 20) -> str:
        """The last lines that it wrote."""
        path = self.folder / "server.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # the command is ours
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, which then stop the server
                **(self._user.for_subprocess() if self._user else {}),
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ready()
            except OSError as error:
                if not self.running or time.monotonic() > deadline:
                    self._end(signal.SIGKILL)
                    raise CannotStart(
                        self.name, [f"it did not answer ({error}); its log ends: {self.log(5)}"]
                    ) from error
                time.sleep(0.05)
            else:
                return

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        family = [process.pid, *descendants(process.pid)]
        if process.poll() is None:
            if how is signal.SIGKILL:
                # Frozen first: a supervisor that sees its children die could start new ones before it dies itself.
                signal_each(family, signal.SIGSTOP)
                signal_each([process.pid, *descendants(process.pid)], signal.SIGKILL)
            else:
                signal_each(family, signal.SIGCONT)
                process.send_signal(how)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                signal_each([process.pid, *descendants(process.pid)], signal.SIGKILL)
                process.wait(STOP_SECONDS)
        await_gone(family[1:], STOP_SECONDS)

    def _signal_all(self, number: signal.Signals) -> None:
        if not self.running or self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        signal_each(self._family(), number)

    def _family(self) -> list[int]:
        """The process and all below it."""
        return [] if self._process is None else [self._process.pid, *descendants(self._process.pid)]
