"""What one tenant uses, against what it may use: shared by all stores of the tenant in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.policies.limits.bucket import Bucket
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.places import Places
from dbrouter.policies.limits.stored import StoredLimits

PATIENCE = 1.0
"""Seconds that a call over the limit of concurrent ones waits for one to end: agno's own calls overlap for moments."""

REMEMBERED = 1024
"""Tenants whose meters outlive their stores, so that one whose store is made anew gets no second burst."""


class Meter:
    """One tenant's rates, the calls it has under way, and what it stores."""

    def __init__(
        self,
        tenant: str,
        limits: Limits,
        *,
        blocking: bool,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self.tenant = tenant
        self.limits = limits
        self._clock = clock
        self._patience = patience
        concurrent = limits.concurrent
        self.places = Places(concurrent, blocking=blocking) if concurrent is not None else None
        held = limits.rows or limits.bytes
        self.stored = StoredLimits(tenant, limits, blocking=blocking, clock=clock) if held else None
        self.weighs = limits.bytes_per_second is not None
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have full buckets."""
        self._lock = threading.Lock()
        requests, volume = self.limits.requests_per_second, self.limits.bytes_per_second
        self._requests = Bucket(requests, self._clock) if requests is not None else None
        self._bytes = Bucket(volume, self._clock) if volume is not None else None

    def admit(self, size: int) -> None:
        """Let in a call that writes so many bytes, or raise `LimitExceeded`; who is refused has used nothing up."""
        with self._lock:
            requests, volume = self._requests, self._bytes
            # A call may be larger than a second's worth, and of its answer nobody knows before: so any call is let in
            # while nothing is owed, and what it then owes is waited for by the next.
            calls_lack = requests.lacks(1) if requests is not None else 0.0
            bytes_lack = volume.owes if volume is not None else 0.0
            if not calls_lack and not bytes_lack:
                if requests is not None:
                    requests.take(1)
                if volume is not None:
                    volume.take(size)
                return
        limits = self.limits
        rate = f"{limits.requests_per_second:g} calls" if calls_lack else f"{limits.bytes_per_second:g} bytes"
        wait = max(calls_lack, bytes_lack)
        raise LimitExceeded(
            f"tenant {self.tenant!r} is over its limit of {rate} a second; try again in {wait:.3g} s", retry_after=wait
        )

    def charge(self, size: int) -> None:
        """An answer of so many bytes."""
        with self._lock:
            if self._bytes is not None:
                self._bytes.take(size)

    async def place(self, places: Places) -> None:
        """Wait a moment for one of the tenant's calls to end. `LimitExceeded` if none does."""
        if not await places.wait(None, self._patience):
            raise LimitExceeded(
                f"tenant {self.tenant!r} has {places.number} calls under way, which is its limit, and none ended in "
                f"{self._patience:g} s; nothing of this one was done",
                retry_after=self._patience,
            )


class Meters:
    """The meters of all tenants. Those in use are kept by their stores, the last used ones also here."""

    def __init__(self, *, blocking: bool) -> None:
        self._blocking = blocking
        self._live: WeakValueDictionary[str, Meter] = WeakValueDictionary()
        self._latest: OrderedDict[str, Meter] = OrderedDict()
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have a lock of this process's own."""
        self._lock = threading.Lock()

    def of(self, tenant: str, limits: Limits) -> Meter:
        """The tenant's meter; a new one when its limits have changed."""
        with self._lock:
            meter = self._live.get(tenant)
            if meter is None or meter.limits != limits:
                meter = self._live[tenant] = Meter(tenant, limits, blocking=self._blocking)
            self._latest[tenant] = meter
            self._latest.move_to_end(tenant)
            if len(self._latest) > REMEMBERED:
                self._latest.popitem(last=False)
            return meter
