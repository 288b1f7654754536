"""Values that are used but never shown: their text, `repr` and dumps carry `***` where the secret is."""

from __future__ import annotations

import re

from pydantic import Secret

MASK = "***"

_CREDENTIALS = re.compile(r"(://[^\s/:@]*):\S*@")
_PARAMETERS = re.compile(
    # A colon too, as in MongoDB's AWS_SESSION_TOKEN:...; what a URL has after a user of that name is masked by then.
    r"(?i)((?:(?:passwd|pwd|passphrase|passfile|key)\s*=|(?:password|secret|token)\s*(?:=|(?::|%3a)(?!\*\*\*@)))\s*)"
    r"('[^']*'?|[^\s&;]+)"
)


def masked(text: str) -> str:
    """The text with every password that a URL, a `password=` or a `token:` in it carries replaced by `***`.

    Hides too much rather than too little: a password may hold an unescaped `@`, so all up to the last `@` goes.
    """
    return _PARAMETERS.sub(rf"\1{MASK}", _CREDENTIALS.sub(rf"\1:{MASK}@", text))


class Password(Secret[str]):
    """A password: `get_secret_value()` for the client, `***` for everyone else."""

    def _display(self) -> str:
        return MASK if self.get_secret_value() else ""


class SecretUrl(Secret[str]):
    """A URL that may hold a password: `get_secret_value()` for the client, the URL with `***` for everyone else."""

    def _display(self) -> str:
        url = self.get_secret_value()
        return masked(url) if "://" in url else MASK
