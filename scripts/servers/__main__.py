"""Start every server that can be started, print where they are, and stop them on Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Mapping

from scripts.servers import IN_FRONT, STARTERS, CannotStart, Server


def main() -> int:
    """The exit code: 1 if a server that everyone can have could not be started."""
    missing = False
    running: dict[str, Server] = {}
    starters = dict(STARTERS)
    for name, (behind, start) in IN_FRONT.items():
        starters[name] = lambda behind=behind, start=start: start(_running(behind, running))
    for name, start in starters.items():
        try:
            server = running[name] = start()
        except CannotStart as error:
            missing = missing or not error.optional
            print(f"{name:<12} NOT RUNNING: {'; '.join(error.reasons)}")
        else:
            print(f"{name:<12} {server.version:<12} {server.url}", flush=True)
    if "--once" not in sys.argv[1:]:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return int(missing)


def _running(name: str, running: Mapping[str, Server]) -> Server:
    if name not in running:
        raise CannotStart(name, ["it does not run"])
    return running[name]


if __name__ == "__main__":
    sys.exit(main())
