"""pymysql's connection, with one TLS context for all that encrypt because the server happens to offer it.

pymysql reads the system's authorities anew for each such connection, for 20 ms and more, and then asks none of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymysql.connections import Connection as PymysqlConnection


class Connection(PymysqlConnection):
    """A connection of pymysql's that opens without reading files."""

    _offered: ClassVar[Any] = None

    def _create_ssl_ctx(self, sslp: Any) -> Any:
        plain: Any = super()  # pymysql has no types
        if sslp:
            return plain._create_ssl_ctx(sslp)  # noqa: SLF001  # the base class's own
        if Connection._offered is None:
            Connection._offered = plain._create_ssl_ctx(sslp)  # noqa: SLF001  # the base class's own
        return Connection._offered
