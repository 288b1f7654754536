"""How hypothesis searches here: no deadlines, because two cores are shared with whatever else runs."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("kernel", deadline=None, max_examples=100)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("kernel")
