"""Patterns with `{tenant}`: taken apart by structure, never by search, so that no text has two readings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dbrouter.backends.kernel.errors import ConfigError

_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Text around a tenant's name, and around a user's name if `separator` is not empty.

    A tenant's name holds no character of the separator: `a:b:c` is of tenant `a`, whoever wrote it.
    """

    before: str
    separator: str
    after: str
    tenant_first: bool = True

    @classmethod
    def of(cls, pattern: str) -> Pattern:
        """The pattern that this text describes. `ConfigError` if it leaves open where the tenant's name ends."""
        places = _PLACE.findall(pattern)
        if places not in (["tenant"], ["tenant", "user"], ["user", "tenant"]):
            raise ConfigError(
                f"{pattern!r}: {{tenant}} has to stand in it once, and {{user}} at most once; "
                'write it as in "{tenant}:{user}"'
            )
        texts = _PLACE.split(pattern)[::2]
        if any("{" in text or "}" in text for text in texts):
            raise ConfigError(f"{pattern!r}: a brace that belongs to no placeholder")
        if len(places) == 1:
            return cls(before=texts[0], separator="", after=texts[1])
        if not texts[1]:
            raise ConfigError(f"{pattern!r}: nothing separates tenant and user; put a character between them")
        return cls(before=texts[0], separator=texts[1], after=texts[2], tenant_first=places[0] == "tenant")

    def tenant_in(self, text: str) -> str | None:
        """The tenant's name in this text; `None` if the text is not of this form."""
        if len(text) < len(self.before) + len(self.after):
            return None
        if not (text.startswith(self.before) and text.endswith(self.after)):
            return None
        inner = text[len(self.before) : len(text) - len(self.after)]
        if not self.separator:
            return inner or None
        name, found, user = inner.partition(self.separator) if self.tenant_first else inner.rpartition(self.separator)
        if not self.tenant_first:
            name, user = user, name
        if not (found and name and user) or any(character in name for character in self.separator):
            return None
        return name
