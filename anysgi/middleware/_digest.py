"""`digest`: Content-Digest and Repr-Digest on responses, and request bodies held against theirs (RFC 9530)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..exceptions import BadRequest
from ._digests import ALGORITHMS, NoBody, Verifier, digest_field, wanted_algorithm
from ._engine._answers import Guard, guarded, problem
from ._engine._layer import Flow, middleware
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._engine._request import Request
    from ._engine._response import Response

_FIELDS = {"content": "content-digest", "repr": "repr-digest"}


@middleware(peek=True, outside=["compress", "conditional"])
def digest(
    *,
    kind: Literal["content", "repr"] = "content",
    algorithms: Sequence[str] = ("sha-256", "sha-512"),
    verify: bool = True,
    required: bool = False,
    always: bool = False,
) -> Callable[[Request], Flow]:
    """Put a digest on response bodies, and refuse request bodies that are not what theirs says.

    It is that of the bytes that are sent, as `compress` or another inner layer made them.  Of a body at hand in one
    piece it is a header; of a stream it is a trailer, where server and client take those (`TE: trailers`), else none.

    Args:
        kind: `"content"` for what is sent, a part of a range request included; `"repr"` for the whole representation,
            which only responses with status 200 hold.
        algorithms: in your order of preference.  `Want-Content-Digest` and `Want-Repr-Digest` decide among them.
        verify: answer 400 to a request body that is not the one its Content-Digest describes.
        required: answer 400 to a request body without a Content-Digest.
        always: also where the client did not ask for it.

    Raises:
        ValueError: an algorithm that is not trusted any more, or not known.
        ImportError: `http-sf` is missing; write: pip install 'anysgi[digest]'
    """
    digest_field("sha-256", b"")  # a missing library is missed here rather than in a request

    offered = tuple(several(algorithms))
    for name in offered:
        if name not in ALGORITHMS:
            raise ValueError(f"digest(algorithms=...): {name!r} is not one of {', '.join(ALGORITHMS)}")
    field = _FIELDS[kind]

    def flow(request: Request) -> Flow:
        claimed = request.headers.get("content-digest")
        if claimed is None and required and request.length:
            return problem(request, 400, NoBody.needs)
        try:
            stage = NoBody() if claimed is None and required else Verifier(claimed) if claimed and verify else None
        except BadRequest as error:
            return problem(request, error.status, error.reason)
        if stage is None:
            response: Response = yield request
        else:
            guard = Guard(stage)
            request.body.transform(guard, same=True)
            response = yield from guarded(request, guard)
        want = request.headers.get(f"want-{field}")
        algorithm = wanted_algorithm(want, offered) if always or want is not None else None
        described = response.status != 304 if kind == "content" else response.status == 200
        if algorithm and described:
            _describe(request, response, field, algorithm)
        return response

    return flow


def _describe(request: Request, response: Response, field: str, algorithm: str) -> None:
    """Put the digest before the body if that is at hand, else after it; a file that the server sends has none."""
    body = response.body
    hashed = ALGORITHMS[algorithm](body.whole or b"")
    if body.whole:
        response.headers.set(field, digest_field(algorithm, hashed.digest()))
    elif body.whole is None and not body.is_file and request.takes_trailers:
        body.observe(hashed.update)
        body.trailer(field, lambda: digest_field(algorithm, hashed.digest()))
