"""Does an upstream ever see the caller's token? Looked for in all that it got, whole and in parts.

A mock that looks at `Authorization` alone misses the token in another header, in the query or in the body:
so everything that came is searched, also what came without a credential that is any good.
"""

import json
from collections.abc import Iterator

from joserfc.util import urlsafe_b64decode

from launchworthy.manifest import TargetManifest
from launchworthy.promotion.rehearsals.seen import Seen, saw
from launchworthy.promotion.rehearsals.stage import Scene
from launchworthy.testing.upstream import UpstreamRequest

ID_06 = "ID-06"


def passed_through(scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    """Look for every token of this world in all that the upstreams of a target have seen."""
    upstreams = [
        scene.world.lending.upstreams[name]
        for name in target.credentials
        if name in scene.world.lending.upstreams
    ]
    if not upstreams:
        yield saw(ID_06, True, f"what `{target.name}` borrows opens no URL: nothing is sent to one", "")
        return
    requests = [request for upstream in upstreams for request in upstream.everything]
    parts = {part for token in scene.world.given for part in parts_of(token.reveal())}
    shown = sorted({place for request in requests for place in places_of(request, parts)})
    yield saw(
        ID_06,
        bool(requests) and bool(parts) and not shown,
        f"of {len(scene.world.given)} callers' tokens no part is in {len(requests)} requests to what "
        f"`{target.name}` borrows for",
        f"a part of a caller's token is in the {', '.join(shown)} of a request to what `{target.name}` "
        "borrows for"
        if shown
        else f"nothing was sent to what `{target.name}` borrows for: its example must reach it",
        requests=len(requests),
        where=target.where,
    )


def parts_of(token: str) -> Iterator[str]:
    """What a token is known by: itself, its payload, its signature, and its id; all tokens share a header."""
    yield token
    _, payload, signature = token.split(".")
    yield payload
    yield signature
    token_id = json.loads(urlsafe_b64decode(payload.encode())).get("jti")
    if isinstance(token_id, str) and token_id:
        yield token_id


def places_of(request: UpstreamRequest, parts: set[str]) -> Iterator[str]:
    """Where in a request one of these texts stands."""
    texts = {"path": request.path, "query": request.query, "body": request.body.decode("latin-1")}
    texts |= {f"header `{name}`": value for name, value in request.headers.items()}
    for place, text in texts.items():
        if any(part in text for part in parts):
            yield place
