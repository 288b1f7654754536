"""Every op over a store that can only get, scan and conditionally commit one record."""

from __future__ import annotations

from dbrouter.backends.kernel.emulation.access import access_paths
from dbrouter.backends.kernel.emulation.emulated import Emulated
from dbrouter.backends.kernel.emulation.internal_tables import INTERNAL_TABLES, SERVED_TABLES

__all__ = ["INTERNAL_TABLES", "SERVED_TABLES", "Emulated", "access_paths"]
