"""The conformance suite: every promise of `kernel.ops`, as tests that run on any store.

Take it over in a test file of yours with `from dbrouter.testing.conformance import *`, and name your stores by
`pytest_dbrouter_stores` (see `dbrouter.testing.plugin`).
"""

from __future__ import annotations

from dbrouter.testing.conformance.aggregating import *
from dbrouter.testing.conformance.batching import *
from dbrouter.testing.conformance.claiming import *
from dbrouter.testing.conformance.committing import *
from dbrouter.testing.conformance.creating import *
from dbrouter.testing.conformance.deleting import *
from dbrouter.testing.conformance.fidelity import *
from dbrouter.testing.conformance.filtering import *
from dbrouter.testing.conformance.getting import *
from dbrouter.testing.conformance.guarding import *
from dbrouter.testing.conformance.inserting import *
from dbrouter.testing.conformance.loading import *
from dbrouter.testing.conformance.positions import *
from dbrouter.testing.conformance.scanning import *
from dbrouter.testing.conformance.updating import *
from dbrouter.testing.conformance.upserting import *
