"""Requests to DynamoDB: sent within a deadline, again where that is safe, their failures translated.

Every request here may be sent twice: reads, writes conditional on a version that the write itself replaces, and
transactions with a token. So what got no answer is asked again while there is time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import OutdatedSchema, StoreError, Throttled, TooLarge, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.pausing import pause_before

Answer: TypeAlias = dict[str, Any]
Client: TypeAlias = Any
"""A boto3 client, which has no types."""

ATTEMPTS = 4
"""Sends of a request that gets no answer, or one that says the server failed."""
WRITTEN_TOGETHER = 25
"""Items that one request writes outside of transactions: 16 MB at most."""
PATIENCE = (2, 4, 8, 16)
"""A send waits for the largest of these parts of the deadline that is left: one which is never answered leaves time for
others, and all of them end with the deadline, or a sixteenth of it later."""

_ONE_OF_MANY = frozenset({"batch_get_item", "batch_write_item", "query", "scan"})
"""Requests of which a call may need any number: none of them is sent after its deadline."""

_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "LimitExceededException",
        "TooManyRequestsException",
        "ReplicatedWriteConflictException",
    }
)
_BUSY = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_FAILED = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"})
_REFUSED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "ExpiredToken",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

_ANOTHER_KEY = (
    "key element does not match",
    "conditions on the keys is invalid",
    "Missing the key",
    "missed key schema element",
    "required keys was not given",
    "Type mismatch for key",
)
"""What DynamoDB and DynamoDB Local say of items for a table whose key is another."""


class NoTable(Exception):
    """The DynamoDB table is not there (yet)."""


class TableInUse(Exception):
    """The DynamoDB table is there already, or is being made."""


class ConditionFailed(Exception):
    """A condition of a write does not hold, and nothing was written.

    at: the write's number within a transaction. again: whether an earlier send of it got no answer, and may have
    been the one that changed what the condition is about.
    """

    def __init__(self, at: int = 0, *, again: bool = False) -> None:
        super().__init__(at)
        self.at = at
        self.again = again


class Requests:
    """Sends requests through clients that `make` makes, given the seconds to wait for an answer; safe for threads.

    place: the database as errors name it. owns: whether the clients are ours to close.
    """

    def __init__(self, make: Callable[[float], Client], place: str, deadline: float, *, owns: bool = True) -> None:
        self.place = place
        self._owns = owns
        self._make = make
        self._deadline = deadline
        self._clients: dict[int, Client] = {}
        self._lock = threading.Lock()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no connections yet: what two processes send on one, each may read the other's answers to."""
        self._clients = {}
        self._lock = threading.Lock()
        if not self._owns:
            self._make(self._deadline).close()

    def deadline(self) -> Deadline:
        """The end of a call that begins now."""
        return Deadline(self._deadline)

    def send(self, operation: str, deadline: Deadline, **arguments: Any) -> Answer:
        """The answer. Raises a `StoreError`, or one of the turns of events above."""
        unanswered: Unavailable | None = None
        failures = pauses = 0
        while True:
            if deadline.is_over and operation in _ONE_OF_MANY:
                raise Unavailable(f"{self.place}: not all was answered within {deadline.seconds:g} s")
            try:
                answer: Answer = getattr(self._client(deadline), operation)(**arguments)
            except Exception as error:  # judged below, and raised from there if it is not a client's
                wrong = self._judged(error, again=unanswered is not None)
                if isinstance(wrong, Unavailable) and wrong.retryable:
                    failures += 1
                    if _may_have_arrived(error):
                        unanswered = wrong
                    if failures >= ATTEMPTS:
                        raise wrong from error
                elif not isinstance(wrong, Throttled):
                    raise wrong from error
                # Who is throttled now was not before: of what got no answer nobody knows whether it was done.
                self.pause(pauses, deadline, unanswered or wrong)
                pauses += 1
            else:
                return answer

    def pause(self, tried: int, deadline: Deadline, error: Exception) -> None:
        """Wait before what is left of a request is asked for again; raises the error if there is no time for it."""
        time.sleep(pause_before(tried, deadline, error))

    def throttled(self) -> Throttled:
        """The error for a request that DynamoDB did only in part, again and again."""
        return Throttled(f"{self.place} asks to slow down; nothing that was asked last was done, try again later")

    def close(self) -> None:
        """Close connections; they open again when needed."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values() if self._owns else ():
            client.close()

    def _client(self, deadline: Deadline) -> Client:
        """A client that waits no longer than there is time, if there is one."""
        left = deadline.left()
        part = next((each for each in PATIENCE if deadline.seconds / each <= left), PATIENCE[-1])
        client = self._clients.get(part)
        if client is None:
            # Made once: it takes a tenth of a second, and making sessions is not safe for threads.
            with self._lock:
                client = self._clients.get(part)
                if client is None:
                    client = self._clients[part] = self._make(self._deadline / part)
        return client

    def _judged(self, error: Exception, *, again: bool) -> Exception:
        """What the failure means."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        if isinstance(error, ClientError):
            return self._answered(error.response, again=again)
        if isinstance(error, HTTPClientError):
            return Unavailable(f"{self.place} does not answer: {error}")
        if isinstance(error, BotoCoreError):
            # No credentials, no region, a profile that is not there: no use in asking again.
            return _final(Unavailable(f"{self.place} cannot be asked: {error}"))
        return error

    def _answered(self, response: Mapping[str, Any], *, again: bool) -> Exception:
        """What an error that the server answered means."""
        code = str(response.get("Error", {}).get("Code", ""))
        said = str(response.get("Error", {}).get("Message", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "ResourceNotFoundException":
            return NoTable(said)
        if code == "ResourceInUseException":
            return TableInUse(said)
        if code == "ConditionalCheckFailedException":
            return ConditionFailed(again=again)
        if code == "TransactionCanceledException":
            return self._canceled(response.get("CancellationReasons", []), said, again=again)
        if code in _THROTTLED:
            return Throttled(f"{self.place} asks to slow down: {said}")
        if code in _BUSY:
            return Throttled(f"{self.place}: other writers hold a record all the time; nothing was written")
        if code in _REFUSED:
            # What follows the first line is what was signed, and a session token is in that.
            what = said.partition("\n")[0]
            return _final(Unavailable(f"{self.place} refuses the credentials ({code}): {what}"))
        if code in _FAILED or status >= 500:
            return Unavailable(f"{self.place} failed ({code or status}): {said}")
        return self._invalid(code, said)

    def _canceled(self, reasons: list[Mapping[str, Any]], said: str, *, again: bool) -> Exception:
        codes = [str(reason.get("Code", "None")) for reason in reasons]
        if "ConditionalCheckFailed" in codes:
            return ConditionFailed(codes.index("ConditionalCheckFailed"), again=again)
        for code, reason in zip(codes, reasons, strict=True):
            if code == "ResourceNotFound":
                return NoTable(said)
            if code in ("ValidationError", "ItemCollectionSizeLimitExceeded"):
                return self._invalid(code, str(reason.get("Message", said)))
        if "TransactionConflict" in codes:
            return Throttled(f"{self.place}: other writers hold a record all the time; nothing was written")
        return Throttled(f"{self.place} asks to slow down: {said}")

    def _invalid(self, code: str, said: str) -> StoreError:
        if any(each in said for each in _ANOTHER_KEY):
            return OutdatedSchema(
                f"{self.place}: the DynamoDB table of that name has another key than ours ({said}); "
                "it is neither read nor written: name another table"
            )
        if "size has exceeded" in said or "too large" in said.lower() or code == "ItemCollectionSizeLimitExceeded":
            return TooLarge(f"{self.place}: {said}; nothing was written")
        return StoreError(f"{self.place} refused a request ({code}): {said}")


def batch_write(requests: Requests, table: str, asked: Sequence[dict[str, Any]], deadline: Deadline) -> None:
    """Put and delete these items, each by itself and without conditions, as many at once as DynamoDB takes."""
    for start in range(0, len(asked), WRITTEN_TOGETHER):
        left = list(asked[start : start + WRITTEN_TOGETHER])
        pauses = 0
        while left:
            answer = requests.send("batch_write_item", deadline, RequestItems={table: left})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if left:
                requests.pause(pauses, deadline, requests.throttled())
                pauses += 1


def _final(error: Unavailable) -> Unavailable:
    """The error, of which it is known that asking again at once is no use."""
    error.retryable = False
    return error


def _may_have_arrived(error: Exception) -> bool:
    """Whether the server may have done what was asked."""
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

    return not isinstance(error, ConnectTimeoutError | EndpointConnectionError)
