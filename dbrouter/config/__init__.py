"""YAML to validated settings; errors that name file and line."""

from __future__ import annotations

from dbrouter.config.loading import load, load_mapping
from dbrouter.config.settings import Settings

__all__ = ["Settings", "load", "load_mapping"]
