"""What a release of agno before today's writes and reads through its own class. Runs with that release first on the path.

`python -m tests.migrations.previous write|read KIND WHERE...`, where as in `scripts/old_agno/writes.py`. Prints as JSON what
is there, with `write` after it was written.
"""

from __future__ import annotations

import json
import sys

from scripts.old_agno.writes import opened, write
from tests.migrations.old import everything

if __name__ == "__main__":
    what, kind, *where = sys.argv[1:]
    if what == "write":
        write(opened(kind, *where))
    # Opened anew: on MongoDB agno's class answers otherwise about what it has written itself.
    json.dump(everything(opened(kind, *where)), sys.stdout, default=str, sort_keys=True)
