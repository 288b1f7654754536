"""What a method is called with, made at random by the names of its parameters."""

from __future__ import annotations

import inspect
from typing import Any

from dbrouter.testing.leaks.making import CALLS, MAKERS, Hand

LEFT_OUT = 0.8
"""How often an argument that may be left out is."""


def arguments(method: str, signature: inspect.Signature, hand: Hand) -> dict[str, Any]:
    """Arguments for one call. `LookupError` names a required parameter that nobody said how to make."""
    belonging = CALLS[method](hand) if method in CALLS else {}
    given: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            if method not in CALLS:
                raise LookupError(f"{method} takes any columns: say in leaks.making which to send (CALLS)")
            continue
        if name in belonging:
            continue
        required = parameter.default is inspect.Parameter.empty
        maker = MAKERS.get(name)
        if maker is None:
            if required:
                raise LookupError(f"{method} needs {name!r}: say in leaks.making how to make one (MAKERS)")
        elif required or hand.random.random() > LEFT_OUT:
            given[name] = maker(hand)
    return given | belonging


__all__ = ["Hand", "arguments"]
