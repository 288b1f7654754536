"""Whatever is asked of them, objects answer as the memory store does."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.objects.reading import Version
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from tests.kernel.test_model import STEPS, Twins
from tests.objects.conftest import Watched


class InAFolder(Twins):
    """Over a local folder."""

    like_a_cloud = False

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp())
        bucket = Watched(self._folder, like_a_cloud=self.like_a_cloud)
        self.store = Emulated(ObjectsStore(ObjectsSettings(path=self._folder, durable=False), bucket=bucket))

    def stale(self, table: str) -> tuple[Any, Any]:
        """Of no record, in the form of the driver's own."""
        return super().stale(table)[0], Version("no such version", {}, defaultdict(lambda: None))

    def teardown(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self._folder)


class LikeACloud(InAFolder):
    """Over a bucket in which removals leave tombstones."""

    like_a_cloud = True


@pytest.mark.parametrize("machine", [InAFolder, LikeACloud])
def test_objects_answer_as_the_memory_store(machine: type[InAFolder]) -> None:
    run_state_machine_as_test(machine, settings=settings(STEPS, max_examples=max(STEPS.max_examples // 3, 1)))
