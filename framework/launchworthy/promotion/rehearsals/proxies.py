"""A proxy in front: what it strips, adds, merges, rewrites or swaps never makes anybody somebody else.

Each case goes through a simulated proxy that changes one thing, beside the same request through one that
changes nothing. That another good token came instead no server can know; the canary tells.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from launchworthy.audit.canary import HEADER, CanaryError, Shown, changed, decode, verify_signed
from launchworthy.probe.draft import plain_draft
from launchworthy.probe.probed import LEGACY, MODERN
from launchworthy.probe.running import Observation
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import OK, Seen, saw, status, told, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.proxy import Change, Passing, SimulatedProxy, unchanged

_TR_05 = "TR-05"
_FORGED = (
    ("X-Forwarded-User", "root"),
    ("X-Remote-User", "root"),
    ("X-Forwarded-Email", "root@probe.invalid"),
    ("X-Amzn-Oidc-Identity", "root"),
    ("X-Forwarded-Client-Cert", 'By=spiffe://probe.invalid/a;URI="spiffe://probe.invalid/root"'),
    ("Forwarded", "for=127.0.0.1;host=probe.invalid;proto=https"),
    ("X-Forwarded-Host", "probe.invalid"),
    ("X-Original-Authorization", "Bearer root"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a proxy does, and what must come of it."""

    name: str
    change: Change
    statuses: frozenset[int]


@registry.rehearsal(_TR_05)
def a_proxy_stands_in_front(stage: Stage) -> Iterator[Seen]:
    """One server, and one proxy that changes another thing each time."""
    with stage.scene() as scene, SimulatedProxy(scene.world.url, tls=scene.world.tls) as proxy:
        yield twin(_TR_05, _through(scene, proxy), "through a proxy that changes nothing a call goes through")
        for case in _cases(scene):
            proxy.change = case.change
            seen = _through(scene, proxy)
            yield saw(
                _TR_05,
                status(seen) in case.statuses and seen.runs == 0,
                f"a proxy {case.name}: {told(seen)}",
                f"a proxy {case.name}: {told(seen)}",
                requests=1,
                where=stage.where("server.tls"),
            )
        yield from _forged_identity(scene, proxy)
        yield from _canaries(scene, proxy)
        proxy.change = unchanged
        yield twin(_TR_05, _through(scene, proxy), "and in the end a call goes through again")


def _cases(scene: Scene) -> Iterator[_Case]:
    unauthorised, bad = frozenset({401}), frozenset({400})
    elsewhere = scene.probed.issuer.mint(
        scene.probed.issuer.grant(resource="https://probe.invalid/mcp", scopes=(), claims={}),
        claims={},
        header={},
    )
    yield _Case(name="strips the token", change=_stripped, statuses=unauthorised)
    yield _Case(
        name="gives an identity of its own instead of the token",
        change=lambda passing: _forging(_stripped(passing)),
        statuses=unauthorised,
    )
    yield _Case(
        name="swaps the token for one of another audience",
        change=lambda passing: passing.instead("Authorization", f"Bearer {elsewhere}"),
        statuses=unauthorised,
    )
    yield _Case(
        name="adds a second token",
        change=lambda passing: passing.having("Authorization", f"Bearer {elsewhere}"),
        statuses=bad,
    )
    yield _Case(name="merges two tokens into one field", change=_merged, statuses=frozenset({400, 401}))
    yield _Case(name="moves the token into the query", change=_in_the_query, statuses=frozenset({400, 401}))
    yield _Case(
        name="rewrites Host",
        change=lambda passing: passing.instead("Host", "orders.internal.invalid"),
        statuses=frozenset({421}),
    )
    yield _Case(name="sends a length and chunks", change=_two_lengths, statuses=bad)
    if scene.probed.revisions[0] == MODERN:
        yield _Case(
            name="downgrades the version",
            change=lambda passing: passing.instead("MCP-Protocol-Version", LEGACY),
            statuses=bad,
        )
        yield _Case(
            name="names another method",
            change=lambda passing: passing.instead("Mcp-Method", "tools/list"),
            statuses=bad,
        )


def _stripped(passing: Passing) -> Passing:
    return passing.without("Authorization")


def _forging(passing: Passing) -> Passing:
    for name, value in _FORGED:
        passing = passing.having(name, value)
    return passing


def _merged(passing: Passing) -> Passing:
    [token] = passing.values("Authorization")
    return passing.instead("Authorization", f"{token}, {token}")


def _in_the_query(passing: Passing) -> Passing:
    [token] = passing.values("Authorization")
    method, path, version = passing.line.split(" ")
    line = f"{method} {path}?access_token={token.removeprefix('Bearer ')} {version}"
    stripped = _stripped(passing)
    return Passing(line=line, fields=stripped.fields, body=stripped.body)


def _two_lengths(passing: Passing) -> Passing:
    chunked = passing.having("Transfer-Encoding", "chunked")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(passing.body), passing.body)
    return Passing(line=chunked.line, fields=chunked.fields, body=body)


def _forged_identity(scene: Scene, proxy: SimulatedProxy) -> Iterator[Seen]:
    """With a token, whatever else says who is calling changes nothing in the records."""
    proxy.change = _forging
    subject = f"caller-{secrets.token_hex(8)}"
    draft = scene.prober.draft(scene.probed.revisions[0])
    draft.claims["sub"] = subject
    token = draft.token()
    seen = scene.prober.send_request(_readdressed(draft.request(token), proxy), token)
    attempts = [each.data for each in scene.records() if each.type == "tool.attempt"]
    callers = {str(each.get("subject")) for each in attempts[-1:]}
    yield saw(
        _TR_05,
        status(seen) == OK and callers == {subject},
        "a proxy adds identities of its own: the caller is whom the token says",
        f"a proxy adds identities of its own: {told(seen)}, recorded as {', '.join(callers) or 'nobody'}",
        requests=1,
    )


def _canaries(scene: Scene, proxy: SimulatedProxy) -> Iterator[Seen]:
    """The server says what it saw, signed; nobody who shows no token hears anything."""
    for name, change, expected in (
        ("changes nothing", unchanged, ()),
        ("swaps the token for another caller's", _swapping(scene), ("token",)),
    ):
        proxy.change = change
        found = _canary(scene, proxy)
        yield saw(
            _TR_05,
            found == expected,
            f"a proxy {name}: the canary says so",
            f"a proxy {name}: the canary says {found}",
            requests=1,
        )
    proxy.change = _stripped
    stranger = _canary(scene, proxy)
    yield saw(
        _TR_05,
        stranger == "nothing",
        "a canary without a token learns nothing",
        f"a canary without a token learns {stranger}",
        requests=1,
    )


def _swapping(scene: Scene) -> Callable[[Passing], Passing]:
    other = scene.world.token(*scene.probed.target.scopes).reveal()
    return lambda passing: passing.instead("Authorization", f"Bearer {other}")


def _canary(scene: Scene, proxy: SimulatedProxy) -> tuple[str, ...] | str:
    """What the server saw otherwise than it was sent; a text where there is no good sighting."""
    revision = scene.probed.revisions[0]
    draft = plain_draft(scene.probed, "server/discover" if revision == MODERN else "ping", revision, 1)
    nonce = secrets.token_urlsafe(24)
    draft.headers.append((HEADER, nonce))
    token = draft.token()
    seen = scene.prober.send_request(_readdressed(draft.request(token), proxy), token)
    if seen.answer is None or HEADER not in seen.answer.headers:
        return "nothing"
    headers = dict(draft.headers)
    shown = Shown(
        token=hashlib.sha256(token.encode()).hexdigest(),
        revision=headers.get("mcp-protocol-version"),
        method=headers.get("mcp-method"),
        name=headers.get("mcp-name"),
    )
    try:
        sighting = decode(seen.answer.headers[HEADER])
        if scene.world.workload_api is not None:
            verify_signed(sighting, source=scene.world.subject, roots=scene.world.authority.roots)
        return changed(sighting, nonce, shown)
    except CanaryError as error:
        return str(error)


def _through(scene: Scene, proxy: SimulatedProxy) -> Observation:
    draft = scene.prober.draft(scene.probed.revisions[0])
    token = draft.token()
    return scene.prober.send_request(_readdressed(draft.request(token), proxy), token)


def _readdressed(request: httpx2.Request, proxy: SimulatedProxy) -> httpx2.Request:
    """The same request, to the proxy; Host names the server, as a public name would."""
    to = urlsplit(proxy.url)
    url = request.url.copy_with(scheme="http", host=to.hostname, port=to.port)
    return httpx2.Request(request.method, url, headers=request.headers, content=request.content)
