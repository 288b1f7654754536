"""The two roles of a deployment that cannot see past row-level security: one makes the tables, one uses them."""

from __future__ import annotations

from urllib.parse import urlsplit

from scripts.servers.server import Server

APPLICATION = "dbr_application"
OWNER = "dbr_owner"


def with_roles(server: Server) -> Server:
    """The server, with both roles in it. Neither needs a password; only the owner may make schemas."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        for role in (APPLICATION, OWNER):
            connection.execute(f"create role {role} login nosuperuser nobypassrls")
        connection.execute(f"grant create on database postgres to {OWNER}")
    return server


def url_as(role: str, url: str) -> str:
    """The URL with another role in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}").geturl()
