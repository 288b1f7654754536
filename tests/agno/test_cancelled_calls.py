"""A call whose task is cancelled, as an app's are when its client hangs up, keeps no connection."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest

from tests.agno.conftest import parameter
from tests.agno.live import Live


@pytest.mark.parametrize("routed", [parameter(each, "async") for each in ("sqlite", "postgres")], indirect=True)
async def test_calls_that_are_cancelled_give_their_connections_back(routed: Live) -> None:
    # The tables are not there yet: some calls are refused by the database, and cancelled while that is rolled back.
    calls = ("claim_job", "create_product", "get_products")
    cancelled = 0
    for number in range(300):
        name = calls[number % len(calls)]
        given = {"claim_job": ("worker",), "create_product": ({"id": f"p{number}", "name": "x", "created_at": 1},)}
        call = asyncio.create_task(routed.ask(name, *given.get(name, ())))
        await asyncio.sleep(random.random() * 0.006)
        call.cancel()
        (outcome,) = await asyncio.gather(call, return_exceptions=True)
        cancelled += isinstance(outcome, asyncio.CancelledError)
    await routed.close()

    assert cancelled
    # What nobody gave back warns when it is collected, and warnings are errors.
    gc.collect()
    await asyncio.sleep(0.1)
    gc.collect()
