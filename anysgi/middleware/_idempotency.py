"""`idempotency`: a POST that is sent twice happens once (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from .._core._headers import HOP_BY_HOP
from ._engine._answers import problem
from ._engine._dual import Dual
from ._engine._layer import Flow, middleware
from ._engine._response import Response
from ._memory import AsyncMemory, Memory
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._engine._outcome import Outcome
    from ._engine._request import Request

log = logging.getLogger("anysgi.idempotency")

_LONGEST = 255  # bytes of a key
_NOT_YET = frozenset([408, 409, 425, 429])  # statuses that ask the client to come again
_NOT_KEPT = {"content-length", "date", "server", "set-cookie"} | {str(name, "ascii") for name in HOP_BY_HOP}


def by_credentials(request: Request) -> str:
    """Whose key it is: the host, Authorization, X-API-Key and all cookies, so that nobody gets another's response."""
    return repr([request.headers.get(name) for name in ("host", "authorization", "x-api-key", "cookie")])


def is_final(status: int) -> bool:
    """Whether a client has no reason to try again: below 500, and none of those that ask to come again."""
    return status < 500 and status not in _NOT_YET


@middleware(peek=True)
def idempotency(
    *,
    store: Dual | None = None,
    methods: Collection[str] = ("POST", "PATCH"),
    required: bool = False,
    owner: Callable[[Request], str] = by_credentials,
    keep: int = 86_400,
    lock: int = 60,
    max_size: int = 1_048_576,
    store_down: Literal["open", "closed"] = "closed",
    is_final: Callable[[int], bool] = is_final,
) -> Callable[[Request], Flow]:
    """Answer a request that repeats an Idempotency-Key with the response of the first.

    While the first one runs, others get 409; another request under the same key gets 422; a repeated response has
    `Idempotent-Replayed: true`.  Not kept are responses of 500 and above, those that ask to come again (408, 409, 425,
    429), streams that broke off, and those over `max_size`: the client may try again.  Cookies are never kept.

    Args:
        store: two clients with Redis's `set(name, value, nx=, get=, ex=)` and `delete(name)`, such as
            `Dual(sync=redis.Redis(), asynchronous=redis.asyncio.Redis())` (Redis 7 or newer).  Without one, responses
            are kept in the memory of this process, where other workers do not see them.
        methods: those it looks at.
        required: answer 400 where the key is missing.
        owner: whose keys they are; two owners may use the same key.  By default the host, `Authorization`, `X-API-Key`
            and all cookies.
        keep: seconds a response is kept.
        lock: seconds after which a first request that never ended no longer counts; more than any takes.
        max_size: bytes of response body that are kept at most.
        store_down: let requests pass (`"open"`) or answer 503 (`"closed"`) while the store fails; either is logged.
        is_final: whether a response of that status is kept; after others the client may try again.
    """
    watched = frozenset(several(methods))
    memory = Memory()
    kept = store or Dual(sync=memory, asynchronous=AsyncMemory(memory))

    def settle(name: str, record: bytes | None) -> Flow:
        try:
            yield kept.delete(name) if record is None else kept.set(name, record, ex=keep)
        except Exception:  # what the app answered is true all the same
            log.exception("the store of idempotency failed")

    def give_back(name: str, claim: bytes) -> Flow:
        """Nobody knows whether it was claimed: the same command again tells by whom it is now."""
        try:
            present: Any = yield kept.set(name, claim, nx=True, get=True, ex=lock)
            if present is None or json.loads(present) == json.loads(claim):
                yield kept.delete(name)
        except Exception:
            log.exception("the store of idempotency failed")

    def flow(request: Request) -> Flow:
        key = request.headers.get("idempotency-key") if request.method in watched else None
        if key is None or not 0 < len(key) <= _LONGEST:
            if key is None and not (required and request.method in watched):
                return None
            return problem(request, 400, f"Idempotency-Key must have 1 to {_LONGEST} characters.")
        name = f"anysgi:idempotency:{_hash(owner(request), key)}"
        fingerprint = _fingerprint(request)
        claim = _pack({"fingerprint": fingerprint, "by": uuid4().hex})
        try:
            first: Any = yield kept.set(name, claim, nx=True, get=True, ex=lock)
        except Exception:
            log.exception("the store of idempotency failed")
            return None if store_down == "open" else problem(request, 503, "The server cannot remember requests.")
        except BaseException:  # cancelled meanwhile
            yield from give_back(name, claim)
            raise
        if first is not None:
            return _answer_again(request, fingerprint, json.loads(first))
        try:
            response: Response = yield request
        except BaseException:
            yield from settle(name, None)
            raise
        head = _head(fingerprint, response)  # by now: outer layers add what belongs to one request
        body = response.body.whole  # kept before it leaves, whether the client is still there or not
        if body is None:
            streamed = bytearray()
            response.body.observe(lambda data: streamed.extend(data) if len(streamed) <= max_size else None)
            outcome: Outcome = yield response
            body = bytes(streamed) if outcome.kind == "complete" else None
        final = is_final(head["status"])
        record = _pack(head, body) if final and body is not None and len(body) <= max_size else None
        return (yield from settle(name, record))

    return flow


def _answer_again(request: Request, fingerprint: str, record: dict[str, Any]) -> Response:
    if record["fingerprint"] != fingerprint:
        return problem(request, 422, "This Idempotency-Key belongs to another request.")
    if "status" not in record:
        return problem(request, 409, "The first request with this key is still running.", [("retry-after", "1")])
    headers = [(name, value) for name, value in record["headers"]]
    return Response(record["status"], b64decode(record["body"]), [*headers, ("idempotent-replayed", "true")])


def _fingerprint(request: Request) -> str:
    """What can be told of a request before its body is read; a Content-Digest tells the body too."""
    told = [request.headers.get(name, "") for name in ("content-type", "content-length", "content-digest")]
    return _hash(request.method, request.path, request.query, *told)


def _hash(*parts: str) -> str:
    told = "\n".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=24).hexdigest()


def _head(fingerprint: str, response: Response) -> dict[str, Any]:
    headers = [pair for pair in response.headers if pair[0] not in _NOT_KEPT]
    return {"fingerprint": fingerprint, "status": response.status, "headers": headers}


def _pack(record: dict[str, Any], body: bytes = b"") -> bytes:
    return json.dumps(record | {"body": b64encode(body).decode("ascii")}).encode()
