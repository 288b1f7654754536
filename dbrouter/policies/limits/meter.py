"""What one tenant uses, against what it may use: shared by all stores of the tenant in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.limits.bucket import Bucket
from dbrouter.policies.limits.leasing import LeasedBucket
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.stored import StoredLimits

PATIENCE = 1.0
"""Seconds that a call over the limit of concurrent ones waits for one to end: agno's own calls overlap for moments."""

REMEMBERED = 1024
"""Tenants whose meters outlive their stores, so that one whose store is made anew gets no second burst."""


class Meter:
    """One tenant's rates, the calls it has under way, and what it stores.

    shared: the store in which all processes keep one account of the rates; each has its own if `None`.
    """

    def __init__(
        self,
        tenant: str,
        limits: Limits,
        *,
        blocking: bool,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
        shared: Store | None = None,
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
        self._leased = _leased(tenant, limits, shared, clock) if shared is not None else None
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have full buckets."""
        self._lock = threading.Lock()
        requests, volume = self.limits.requests_per_second, self.limits.bytes_per_second
        self._requests = Bucket(requests, self._clock) if requests is not None else None
        self._bytes = Bucket(volume, self._clock) if volume is not None else None

    async def admit(self, size: int) -> None:
        """Let in a call that writes so many bytes, or raise `LimitExceeded`; who is refused has used nothing up."""
        if self._leased is None:
            self._admit(size)
            return
        requests, volume = self._leased
        if requests is not None and (wait := await requests.enter(1, least=1)):
            raise self._too_fast(wait, calls=True)
        if volume is not None and (wait := await volume.enter(size, least=1)):
            if requests is not None:
                requests.take(-1)
            raise self._too_fast(wait, calls=False)

    def _admit(self, size: int) -> None:
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
        raise self._too_fast(max(calls_lack, bytes_lack), calls=calls_lack > 0)

    def _too_fast(self, wait: float, *, calls: bool) -> LimitExceeded:
        limits = self.limits
        rate = f"{limits.requests_per_second:g} calls" if calls else f"{limits.bytes_per_second:g} bytes"
        return LimitExceeded(
            f"tenant {self.tenant!r} is over its limit of {rate} a second; try again in {wait:.3g} s", retry_after=wait
        )

    def charge(self, size: int) -> None:
        """An answer of so many bytes."""
        if self._leased is not None:
            if self._leased[1] is not None:
                self._leased[1].take(size)
            return
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


def _leased(
    tenant: str, limits: Limits, store: Store, clock: Callable[[], float]
) -> tuple[LeasedBucket | None, LeasedBucket | None]:
    """Calls and bytes."""
    rates = {"requests": limits.requests_per_second, "bytes": limits.bytes_per_second}
    calls, volume = (
        None if rate is None else LeasedBucket(rate, store, tenant=tenant, what=what, clock=clock)
        for what, rate in rates.items()
    )
    return calls, volume


class Meters:
    """The meters of all tenants. Those in use are kept by their stores, the last used ones also here.

    shared: gives the store in which all processes keep one account of the rates.
    """

    def __init__(self, *, blocking: bool, shared: Callable[[], Store] | None = None) -> None:
        self._blocking = blocking
        self._shared = shared
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
                shared = None if self._shared is None else self._shared()
                meter = self._live[tenant] = Meter(tenant, limits, blocking=self._blocking, shared=shared)
            self._latest[tenant] = meter
            self._latest.move_to_end(tenant)
            if len(self._latest) > REMEMBERED:
                self._latest.popitem(last=False)
            return meter
