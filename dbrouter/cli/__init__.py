"""The command line: `dbrouter init | check | explain | tables | tenants | demo | schema`."""

from __future__ import annotations


def main() -> None:
    """Run the command line. Exit code 0: all well; 1: problems, which are printed; 2: not a valid call."""
    from dbrouter.cli.app import app

    app()
