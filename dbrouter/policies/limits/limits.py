"""What a tenant may use, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A tenant's limits; `None` and an absent family mean no limit.

    requests_per_second, bytes_per_second: ops, and bytes of what they write and read; bursts of one second are let
    through. concurrent: ops under way at once. rows, bytes: what may be stored, family -> number.
    """

    requests_per_second: float | None = None
    bytes_per_second: float | None = None
    concurrent: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    bytes: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def unlimited(self) -> bool:
        """Whether nothing is limited."""
        return self == UNLIMITED


UNLIMITED = Limits()
