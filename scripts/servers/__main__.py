"""Start every server that can be started, print where they are, and stop them on Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys

from scripts.servers import STARTERS, CannotStart


def main() -> int:
    """The exit code: 1 if a server could not be started."""
    missing = 0
    for name, start in STARTERS.items():
        try:
            server = start()
        except CannotStart as error:
            missing = 1
            print(f"{name:<12} NOT RUNNING: {'; '.join(error.reasons)}")
        else:
            print(f"{name:<12} {server.version:<12} {server.url}", flush=True)
    if "--once" not in sys.argv[1:]:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return missing


if __name__ == "__main__":
    sys.exit(main())
