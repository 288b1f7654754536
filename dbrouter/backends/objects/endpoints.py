"""Which server a client of obstore's speaks to: the settings' own, the environment's or the provider's."""

from __future__ import annotations

import os
from typing import Final

from dbrouter.backends.objects.settings import ObjectsSettings

_FROM_ENVIRONMENT: Final = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""What obstore reads, what counts most first."""
_EMULATOR: Final = ("AZURE_STORAGE_USE_EMULATOR", "AZURE_USE_EMULATOR")
_PLAIN: Final = {"s3": ("AWS_ALLOW_HTTP",), "az": ("AZURE_ALLOW_HTTP", "AZURE_STORAGE_ALLOW_HTTP", *_EMULATOR)}
_YES: Final = frozenset({"1", "true", "on", "yes", "y"})


def endpoint_of(settings: ObjectsSettings) -> str | None:
    """The server that was named, in the settings or else in the environment; `None` if nobody named one."""
    if settings.endpoint is not None:
        return settings.endpoint
    said = _environment()
    return next((said[name] for name in _FROM_ENVIRONMENT[settings.place] if said.get(name)), None)


def server_of(settings: ObjectsSettings) -> str | None:
    """The server that is spoken to; `None` if it is the provider's own."""
    said = _environment()
    if settings.place == "az" and any(said.get(each, "").lower() in _YES for each in _EMULATOR):
        # It goes before any endpoint.
        return f"emulator at {said.get('AZURITE_BLOB_STORAGE_URL', 'its usual port')}"
    return endpoint_of(settings)


def may_be_plain(settings: ObjectsSettings) -> bool:
    """Whether the server may be spoken to without TLS: as its address says, and the environment for one of its own."""
    if settings.endpoint is not None:
        return settings.endpoint.startswith("http://")
    said = _environment()
    return any(said.get(each, "").lower() in _YES for each in _PLAIN[settings.place])


def _environment() -> dict[str, str]:
    # obstore does not mind how a variable is written after its prefix.
    return {name.upper(): value for name, value in os.environ.items()}
