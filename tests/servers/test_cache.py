"""What servers are made of is fetched once, however many runs want it."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from scripts.servers.cache import kept
from tests.waiting import PATIENCE


def _keep(into: Path) -> None:
    def fill(fresh: Path) -> None:
        (into / f"filled-{time.monotonic_ns()}").touch()
        time.sleep(0.2)
        (fresh / "program").touch()

    assert (kept("program@1", fill) / "program").exists()


def test_of_runs_that_start_at_once_one_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spawned = multiprocessing.get_context("spawn")
    runs = [spawned.Process(target=_keep, args=(tmp_path,)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(PATIENCE)
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert len(list(tmp_path.glob("filled-*"))) == 1


def test_what_could_not_be_fetched_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def breaks(fresh: Path) -> None:
        (fresh / "half").touch()
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="network"):
        kept("program@1", breaks)
    home = kept("program@1", lambda fresh: (fresh / "program").touch())
    assert [each.name for each in home.iterdir()] == ["program"]
