"""The problems found so far, so that all of them can be told at once."""

from __future__ import annotations

from dbrouter.backends.kernel.errors import ConfigError, Problem
from dbrouter.backends.secrets import masked
from dbrouter.config.tree import Path, Place


class Findings:
    """Collects problems. One per key: a value that could not be read is not also called wrong."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, int, str], Problem] = {}
        self.incomplete = False
        """Whether part of the configuration could not be read, so that what seems missing may be in there."""

    def add(self, place: Place, path: Path, what: str, do: str) -> None:
        """Keep the problem, unless there is one for this key already. Passwords in URLs are hidden."""
        shown = masked(".".join(_readable(key) for key in path))
        problem = Problem(file=place.file, line=place.line, path=shown, what=masked(what), do=masked(do))
        self._problems.setdefault((place.file, place.line, shown), problem)

    def problems(self) -> tuple[Problem, ...]:
        """All of them, by file and line; the files in the order in which they were first found wanting."""
        files = list(dict.fromkeys(each.file for each in self._problems.values()))
        return tuple(sorted(self._problems.values(), key=lambda each: (files.index(each.file), each.line)))

    def refuse(self) -> None:
        """Raise `ConfigError` with all problems, if there are any."""
        if self._problems:
            raise ConfigError(problems=self.problems())


def _readable(key: str) -> str:
    """The key in one line: a name may hold anything."""
    return key if key.isprintable() else ascii(key)
