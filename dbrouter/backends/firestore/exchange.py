"""Requests to Firestore, sent again where that is safe, within one deadline. Imports the vendor's client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dbrouter.backends.firestore import messages
from dbrouter.backends.firestore.channels import AsyncSending, BlockingSending, Sending
from dbrouter.backends.firestore.errors import Contended
from dbrouter.backends.firestore.messages import REQUESTS, Found
from dbrouter.backends.firestore.target import Target
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import Conflict, Throttled, Unavailable
from dbrouter.backends.kernel.pausing import pause_before
from dbrouter.backends.kernel.running import Runtime

AWAY = 4
"""Sends of a request to a server that cannot be reached. Who waits longer for it is a policy's business."""


class Patience:
    """The tries of one request, and the pauses between them."""

    def __init__(self, runtime: Runtime, deadline: Deadline) -> None:
        self.deadline = deadline
        self.tried = 0
        self._runtime = runtime

    async def pause(self, error: Exception) -> None:
        """Wait before the next try, or raise the error: there is no time for one."""
        self.tried += 1
        await self._runtime.sleep(pause_before(self.tried, self.deadline, error))


class Exchange:
    """Firestore's methods on one database."""

    def __init__(self, target: Target, runtime: Runtime) -> None:
        self.runtime = runtime
        self.target = target
        self._sending: Sending = BlockingSending(target) if runtime.blocking else AsyncSending(target)

    async def commit(self, writes: Sequence[Any], deadline: Deadline) -> list[tuple[int, int]]:
        """Each write's time. All happen or none; after `Unavailable` nobody knows which."""
        request = REQUESTS["Commit"][0](database=self.target.database_name, writes=writes)
        (answer,) = await self._ask("Commit", request, deadline, repeat=False)
        return [(each.update_time.seconds, each.update_time.nanos) for each in answer.write_results]

    async def documents(
        self, names: Iterable[str], deadline: Deadline, *, select: Sequence[str] | None = None
    ) -> dict[str, Found]:
        """Those of the documents that are there, by name, with the selected fields."""
        mask = None if select is None else messages.DocumentMask(field_paths=select)
        asked = list(dict.fromkeys(names))
        request = REQUESTS["BatchGetDocuments"][0](database=self.target.database_name, documents=asked, mask=mask)
        answers = await self._ask("BatchGetDocuments", request, deadline)
        found = [messages.found(each.found) for each in answers if each.WhichOneof("result") == "found"]
        return {each.name: each for each in found}

    async def query(self, parent: str, asked: Any, deadline: Deadline) -> list[Found]:
        """The documents that a query finds, in its order."""
        answers = await self._ask("RunQuery", REQUESTS["RunQuery"][0](parent=parent, structured_query=asked), deadline)
        return [messages.found(each.document) for each in answers if each.HasField("document")]

    async def count(self, parent: str, asked: Any, deadline: Deadline) -> int:
        """How many documents a query finds."""
        counting = messages.count_of(asked)
        request = REQUESTS["RunAggregationQuery"][0](parent=parent, structured_aggregation_query=counting)
        answers = await self._ask("RunAggregationQuery", request, deadline)
        return sum(each.result.aggregate_fields["n"].integer_value for each in answers if each.HasField("result"))

    async def collections(self, parent: str, deadline: Deadline) -> set[str]:
        """The ids of the collections below a document that hold something."""
        found: set[str] = set()
        token = ""
        while True:
            request = REQUESTS["ListCollectionIds"][0](parent=parent, page_size=300, page_token=token)
            (answer,) = await self._ask("ListCollectionIds", request, deadline)
            found.update(answer.collection_ids)
            token = answer.next_page_token
            if not token:
                return found

    async def close(self) -> None:
        """Close the channel; it opens again when needed."""
        await self._sending.close()

    async def _ask(self, method: str, request: Any, deadline: Deadline, *, repeat: bool = True) -> list[Any]:
        """The answers. repeat: whether doing it twice does no harm."""
        patience = Patience(self.runtime, deadline)
        while True:
            if deadline.is_over:
                raise Unavailable(f"{self.target.place}: no answer within {deadline.seconds:g} s")
            try:
                return await self._sending.send(method, request, deadline.left())
            except Contended as error:
                if patience.tried >= AWAY:
                    raise Conflict(f"{self.target.place}: other writers come first again and again") from error
                await patience.pause(error)
            except Throttled as error:
                await patience.pause(error)
            except Unavailable as error:
                if not repeat or patience.tried >= AWAY - 1 or deadline.is_over:
                    raise
                await patience.pause(error)
