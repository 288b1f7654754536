"""Object stores and local folders: an object for each record, conditional writes, index entries for listings."""

from __future__ import annotations

from dbrouter.backends.objects.settings import ObjectsSettings

__all__ = ["ObjectsSettings"]
