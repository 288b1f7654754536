"""Which configuration file is meant when none is named."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Invocation(BaseSettings):
    """What the environment says about how dbrouter is run: variables that start with `DBROUTER_`."""

    model_config = SettingsConfigDict(env_prefix="DBROUTER_", env_ignore_empty=True, frozen=True)

    config: Path = Path("dbrouter.yaml")
    """The configuration file, from `DBROUTER_CONFIG`."""


def chosen(file: Path | None) -> Path:
    """The file that was named, else that of `DBROUTER_CONFIG`, else `dbrouter.yaml` here."""
    return Invocation().config if file is None else file
