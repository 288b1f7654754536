"""A Postgres server a few milliseconds away: what is said to it, and what it says, arrives later and in order.

In a process of its own, so that carrying the bytes takes nothing of Python's lock from what is measured.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

AT_ONCE = 1 << 16


@contextmanager
def distant(url: str, seconds: float) -> Generator[str]:
    """The server's URL so many seconds away, one way; a round trip is twice that."""
    parts = urlsplit(url)
    command = [sys.executable, "-m", __name__, parts.hostname or "127.0.0.1", str(parts.port or 5432), str(seconds)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as carrier:  # noqa: S603  # ours
        try:
            assert carrier.stdout is not None
            port = int(carrier.stdout.readline())
            user = f"{parts.username or 'postgres'}{':' + parts.password if parts.password else ''}"
            yield urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))
        finally:
            carrier.terminate()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    # Timers of one loop fire in the order of their times, and these have one delay: nothing overtakes.
    with suppress(ConnectionError):
        while data := await source.read(AT_ONCE):
            loop.call_later(seconds, sink.write, data)
    loop.call_later(seconds, sink.close)


async def _serve(host: str, port: int, seconds: float) -> None:
    # A stream's protocol holds its reader weakly: without this, both ends of a conversation could be collected.
    conversations: set[asyncio.Task[None] | None] = set()

    async def carry(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        conversations.add(me := asyncio.current_task())
        server, to_server = await asyncio.open_connection(host, port)
        await asyncio.gather(_pass_on(client, to_server, seconds), _pass_on(server, to_client, seconds))
        conversations.discard(me)

    listener = await asyncio.start_server(carry, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
