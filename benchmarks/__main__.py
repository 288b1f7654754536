"""`make bench`: everything, on a Postgres server of its own and on SQLite files in a temporary folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import chat_turn, fairness, methods, tenants, traces
from scripts.servers import start_postgres


def main() -> None:
    """Run all benchmarks and print them."""
    server = start_postgres()
    try:
        print(f"Postgres {server.version}; medians of interleaved calls in one process; ratios hold better than times")
        chat_turn.postgres(server.url)
        traces.postgres(server.url)
        methods.postgres(server.url)
        with tempfile.TemporaryDirectory() as folder:
            chat_turn.sqlite(Path(folder))
            methods.sqlite(Path(folder))
    finally:
        server.stop()
    tenants.postgres()
    fairness.main()


if __name__ == "__main__":
    main()
