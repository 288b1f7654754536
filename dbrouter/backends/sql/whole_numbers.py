"""Whole-number columns, and numbers that they cannot hold: fractions, and those beyond 64 bits. Pure."""

from __future__ import annotations

import math
from typing import Final

from dbrouter.backends.kernel.filters import Comparison

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1


def holds(value: float) -> bool:
    """Whether a column takes the number, rounded if it is a fraction."""
    # Of no number at all, each comparison is false.
    return SMALLEST <= value <= LARGEST


def in_whole_numbers(comparison: Comparison, value: float) -> tuple[Comparison, int] | bool:
    """The comparison that says the same with a number that the column could hold, or its answer for all of those."""
    if not holds(value):
        is_above, is_below = value > LARGEST, value < SMALLEST
        match comparison:
            case Comparison.LT | Comparison.LE:
                return is_above
            case Comparison.GT | Comparison.GE:
                return is_below
            case Comparison.EQ | Comparison.NE:
                return comparison is Comparison.NE
    whole = math.floor(value)
    if whole == value:
        return comparison, whole
    match comparison:
        case Comparison.LT | Comparison.LE:
            return Comparison.LE, whole
        case Comparison.GT | Comparison.GE:
            return Comparison.GT, whole
        case Comparison.EQ | Comparison.NE:
            return comparison is Comparison.NE
