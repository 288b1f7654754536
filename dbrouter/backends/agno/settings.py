"""What a database class of agno's is configured with. The class is not imported here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer

from dbrouter.backends.secrets import MASK
from dbrouter.backends.settings import DEADLINE, Part, refusal

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _a_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise refusal("this is not the path of a class", "write it with its module: agno.db.surrealdb.SurrealDb")
    return path


def _hidden(value: Any) -> Any:
    """The value with every text in it hidden: any of them may be a secret."""
    if isinstance(value, Mapping):
        return {str(key): _hidden(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return MASK if isinstance(value, str) else value


class AgnoSettings(Part):
    """An object of a database class of agno's, or of yours: families whose methods it has are handed to it as it is."""

    kind: Literal["agno"] = "agno"
    """The kind of database."""
    class_path: Annotated[str, Field(alias="class"), AfterValidator(_a_path)]
    """The class with its module, such as `agno.db.surrealdb.SurrealDb`; a `BaseDb` or an `AsyncBaseDb`."""
    args: Annotated[dict[str, Any], Field(repr=False), PlainSerializer(_hidden)] = Field(default_factory=dict[str, Any])
    """The arguments of its constructor, by name. Texts in them are never shown; write secrets as references."""
    at_once: Annotated[int | None, Field(ge=1)] = None
    """Calls that it works on at the same time, for a class that blocks. If not given, 1 for a class of which nobody
    knows that threads may share it, and no bound for the others."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds that a call waits for its turn. What the class itself waits for is said in its arguments."""

    @property
    def tables(self) -> Mapping[str, str]:
        """Nothing: the class names its tables itself."""
        return {}

    def shown(self) -> dict[str, Any]:
        """These settings for people: texts in the arguments as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
