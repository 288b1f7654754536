"""The command line: `dbrouter init | check | explain | tables | migrate | tenants | demo | schema`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line. Exit code 0: all well; 1: problems, which are printed; 2: not a valid call."""
    from dbrouter.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names of files and tenants may have letters that a terminal has not.
            stream.reconfigure(errors="backslashreplace")
    app()
