"""Write every generated file of the repository, or with `--check` name the ones that are not what would be written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from generators import GENERATORS, Stale

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """The exit code: 1 if `--check` found stale files or a generator cannot run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the stale files")
    check: bool = arguments.parse_args().check

    files: dict[Path, str] = {}
    obsolete: set[Path] = set()
    for generator in GENERATORS:
        try:
            made = generator(ROOT)
        except Stale as problem:
            print(f"{generator.__module__}: {problem}", file=sys.stderr)
            return 1
        files |= made.files
        obsolete |= made.obsolete

    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in sorted(stale + list(obsolete)):
        print(f"{'stale' if check else 'wrote' if path in files else 'removed'}: {path.relative_to(ROOT)}")
    if check:
        return 1 if stale or obsolete else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    for path in obsolete:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
