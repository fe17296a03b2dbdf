"""What is fuzzed, with which bytes to begin with, and what must hold whatever bytes come.

A target takes bytes and returns nothing. A refusal of ours is an outcome; any other exception, and every
outcome that must not be (a caller out of a token that nobody issued), is a crash.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchworthy.audit.canonical import CanonicalError, canonical, parse_canonical
from launchworthy.enforcement.request import Row, endpoint_of, read_head, read_message, rows_of, settle
from launchworthy.enforcement.request.methods import row_of
from launchworthy.manifest import load_manifests
from launchworthy.settings import ProjectFiles, load_settings
from launchworthy.testing.issuer_keys import SigningKeys
from launchworthy.testing.issuer_minting import Grant, Minter
from launchworthy.tokens import (
    IntrospectionPolicy,
    IssuerPolicy,
    NobodyDenied,
    StrictJSONError,
    UnverifiedClaims,
    parse,
    parse_authorization,
    parse_object,
)
from launchworthy.tokens.algorithms import KEY_SHAPES
from launchworthy.tokens.claims import SignedClaims, look_before_signature, principal_of
from launchworthy.tokens.discovery import MetadataError
from launchworthy.tokens.discovery import endpoint_of as endpoint_in
from launchworthy.tokens.introspection import JWT_BEARER
from launchworthy.tokens.key_import import KeySetError, import_keys
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import BearerToken, Principal, ProblemError, Reason, Refused, Secret

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
EXAMPLE = ROOT / "examples" / "orders"
NOW = 1_800_000_000
ISSUER = "https://login.acme.example"
AUDIENCE = "https://orders.acme.example/mcp"
BOTH = ("2026-07-28", "2025-11-25")


class NoAssertions:
    """Nobody is asked while fuzzing: there is no network."""

    async def assertion(self, audience: str) -> Secret:
        raise Refused(Reason.KEYS_UNAVAILABLE, f"no proof for {audience} here")


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is fuzzed."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


class Court:
    """A verifier whose issuer's keys are known, so that it asks nobody."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        keys = SigningKeys(("ES256",))
        self.minter = Minter(ISSUER, keys, lambda: NOW)
        policy = IssuerPolicy(
            name="acme", issuer=ISSUER, algorithms=("ES256", "RS256"), max_lifetime=3600, leeway=30,
            jwks_uri=f"{ISSUER}/keys", scope_claim="scope", person_claim=None, tenant_claim=None,
            key_fresh=300, key_stale=900,
            key_spacing=10, allow_loopback_http=False, single_audience=True, exceptions=(),
            introspection=IntrospectionPolicy(
                endpoint=f"{ISSUER}/ask", client="orders", assertion_type=JWT_BEARER
            ),
        )  # fmt: skip
        self.verifier = TokenVerifier(
            [policy], AUDIENCE, {}, lambda _: None, lambda: 1000.0,
            deny=NobodyDenied(), assertions=NoAssertions(),
        )  # fmt: skip
        [self.issuer] = self.verifier._issuers.values()
        self.issuer.keys._ring = import_keys(keys.document(), ("ES256",))
        self.issuer.keys._fetched_at = 1000.0
        self.grant = Grant(resource=AUDIENCE, scopes=("orders:read",), subject="alice", client="agent")
        self.good = self.minter.mint(self.grant)

    def outcome(self, token: str) -> Principal | Refused:
        try:
            return self.runner.run(self.verifier.verify(BearerToken(token), NOW))
        except Refused as refused:
            if not refused.detail.isprintable():
                raise ValueError("a detail that cannot be printed") from None
            return refused

    def claims(self) -> bytes:
        return json.dumps(self.minter.claims(self.grant)).encode()


court = Court()
ENDPOINT = endpoint_of(
    AUDIENCE,
    documents=("/.well-known/oauth-protected-resource/mcp",),
    pages=(),
    allowed_origins=(),
    max_body=65536,
)


def fuzz_token(data: bytes) -> None:
    """Any text is refused, and says so in printable words."""
    text = data.decode("utf-8", "surrogateescape")
    if text not in ("", court.good) and isinstance(court.outcome(text), Principal):
        raise ValueError("a token that nobody issued is a caller")


def fuzz_signed(data: bytes) -> None:
    """A signed header or payload of any bytes is a caller of exactly this issuer, or a refusal."""
    part = {"raw_header": data[1:]} if data[:1] == b"h" else {"raw_payload": data[1:]}
    outcome = court.outcome(court.minter.mint(court.grant, **part))
    if isinstance(outcome, Principal):
        _check_caller(outcome)


def fuzz_claims(data: bytes) -> None:
    """Claims of any kind, as an issuer that is asked may answer too."""
    with suppress(StrictJSONError, Refused):
        claims = UnverifiedClaims(parse_object(data, max_depth=16, max_bytes=65536))
        expected = court.issuer.expected(NOW).claims
        with suppress(Refused):
            look_before_signature(claims, expected, NOW)
        _check_caller(principal_of(SignedClaims(claims), expected, NOW))


def _check_caller(caller: Principal) -> None:
    texts = (caller.subject, caller.client, caller.token_id, *caller.actors)
    wrong = (
        caller.issuer != ISSUER
        or not all(0 < len(text) <= 512 and text.isprintable() for text in texts)
        or not NOW - 30 < caller.expires_at <= NOW + 30 + 3600
        or len(caller.actors) > 4
    )
    if wrong:
        raise ValueError("a caller that breaks a rule")


def fuzz_head(data: bytes) -> None:
    """A request's line and fields; what is let through has one host and one path."""
    line, *lines = data.split(b"\n")
    method, _, target = line.partition(b" ")
    path, _, query = target.partition(b"?")
    fields = [(name.strip().lower(), value) for name, _, value in (each.partition(b":") for each in lines)]
    with suppress(Refused):
        head = read_head(ENDPOINT, method=method.decode("latin-1"), raw_path=path, headers=fields)
        if path not in (ENDPOINT.path, *ENDPOINT.documents):
            raise ValueError("another path was let through")
        parse_authorization(head.authorization, query)


def fuzz_body(data: bytes) -> None:
    """A body: parsed once, narrowed, its revision settled under fields of its own first line."""
    fields, _, body = data.partition(b"\n")
    headers = [(b"host", b"orders.acme.example"), (b"content-type", b"application/json"),
               (b"accept", b"application/json, text/event-stream")]  # fmt: skip
    names = (b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"mcp-param-x")
    headers += [(name, value) for name, value in zip(names, fields.split(b"|"), strict=False) if value]
    with suppress(Refused, StrictJSONError):
        head = read_head(ENDPOINT, method="POST", raw_path=ENDPOINT.path, headers=headers)
        message = read_message(parse(body, max_depth=32, max_bytes=65536))
        settled = settle(message, head.routing, BOTH)
        row = row_of(settled, rows_of(()))
        if row is Row.TOOL and head.routing.name is not None and message.id is None:
            raise ValueError("a call without an id")


def fuzz_keys(data: bytes) -> None:
    """A key set; what is used of it is public."""
    with suppress(StrictJSONError, KeySetError):
        ring = import_keys(parse_object(data, max_depth=16, max_bytes=65536), KEY_SHAPES)
        for key in ring.usable.values():
            if key.public.is_private or not key.algorithms <= KEY_SHAPES.keys():
                raise ValueError("a key that must not be used")


def fuzz_discovery(data: bytes) -> None:
    """An issuer's metadata; what comes of them is https on its own host."""
    with suppress(StrictJSONError, MetadataError):
        document = parse_object(data, max_depth=16, max_bytes=65536)
        for member in ("jwks_uri", "introspection_endpoint"):
            with suppress(MetadataError):
                uri = endpoint_in(document, member, ISSUER, allow_loopback_http=False)
                rest = uri.lower().removeprefix(ISSUER)
                if rest and not rest.startswith(("/", "?", ":443")):
                    raise ValueError("an endpoint elsewhere")


def fuzz_canonical(data: bytes) -> None:
    """A line of the audit: read only as it would be written."""
    with suppress(CanonicalError):
        if canonical(parse_canonical(data)) != data:
            raise ValueError("two ways to write one record")


def fuzz_settings(data: bytes) -> None:
    """A settings file: settings, or problems that can be printed."""
    files = ProjectFiles(
        root=Path("/srv/orders"), installed=False, package="orders", files={"config/production.toml": data}
    )
    with _problems():
        load_settings({"LAUNCHWORTHY_ENVIRONMENT": "production"}, files, None)


def fuzz_manifests(data: bytes) -> None:
    """Two manifests, `tools.toml` after a line of its own: manifests, or problems that can be printed."""
    server, _, tools = data.partition(b"\n### tools\n")
    with _problems():
        load_manifests({"manifests/server.toml": server, "manifests/tools.toml": tools})


@contextmanager
def _problems() -> Iterator[None]:
    """Let a refusal pass whose every problem can be printed."""
    try:
        yield
    except ProblemError as error:
        for problem in error.problems:
            json.dumps(problem.as_json()).encode()


def _token_seeds() -> Iterator[bytes]:
    yield court.good.encode()
    for token in ("sim-opaque", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", court.good + "=", court.good[:-1]):
        yield token.encode()


def _signed_seeds() -> Iterator[bytes]:
    yield b"p" + court.claims()
    yield b"h" + json.dumps({"alg": "ES256", "kid": "k", "typ": "at+jwt", "crit": ["b64"]}).encode()
    for case in _vector_cases("tokens.json"):
        if "raw_payload" in case:
            yield b"p" + case["raw_payload"].encode()
        if "raw_header" in case:
            yield b"h" + case["raw_header"].encode()


def _claims_seeds() -> Iterator[bytes]:
    yield court.claims()
    good = json.loads(court.claims())
    for case in _vector_cases("tokens.json"):
        if case.get("claims"):
            yield json.dumps({**good, **case["claims"]}).encode()


def _vector_cases(name: str) -> Iterator[dict[str, Any]]:
    document = json.loads((VECTORS / name).read_text())
    for family in document.get("families", [document]):
        yield from family["cases"]


def _head_seeds() -> Iterator[bytes]:
    good = (
        b"POST /mcp\nhost:orders.acme.example\ncontent-type:application/json\n"
        b"accept:application/json, text/event-stream\nauthorization:Bearer abc\ncontent-length:2"
    )
    yield good
    yield good + b"\nauthorization:Bearer def"
    yield good.replace(b"/mcp", b"/mcp?access_token=x")
    yield b"GET /.well-known/oauth-protected-resource/mcp\nhost:orders.acme.example"


def _body_seeds() -> Iterator[bytes]:
    meta = {"io.modelcontextprotocol/protocolVersion": BOTH[0],
            "io.modelcontextprotocol/clientCapabilities": {}}  # fmt: skip
    params = {"name": "find_orders", "arguments": {"customer": "c-17"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    modern = {**call, "params": {**params, "_meta": meta}}
    yield b"2026-07-28|tools/call|find_orders\n" + json.dumps(modern).encode()
    yield b"2025-11-25\n" + json.dumps(call).encode()
    yield b"\n" + json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}).encode()
    yield b"2026-07-28|tools/call|=?base64?ZmluZF9vcmRlcnM=?=\n" + json.dumps(modern).encode()


def _keys_seeds() -> Iterator[bytes]:
    document = json.loads((VECTORS / "tokens_key_sets.json").read_text())
    good = SigningKeys(("ES256", "RS256", "Ed25519")).document()
    yield json.dumps(good).encode()
    for case in document["documents"]:
        yield json.dumps(case["document"]).encode()
    for case in document["keys"]:
        yield json.dumps({"keys": [{**good["keys"][0], **case["change"]}]}).encode()


def _discovery_seeds() -> Iterator[bytes]:
    for uri in (f"{ISSUER}/keys", f"{ISSUER}:443/keys?x", "https://login.acme.example@evil.example/"):
        yield json.dumps({"issuer": ISSUER, "jwks_uri": uri, "introspection_endpoint": uri}).encode()


def _canonical_seeds() -> Iterator[bytes]:
    yield canonical({"type": "launchworthy.stream.open.v1", "data": {"a": [1, None, True, "é"]}, "seq": 0})
    yield b'{"b":1,"a":2}'


def _settings_seeds() -> Iterator[bytes]:
    for path in sorted((EXAMPLE / "config").glob("*.toml")):
        yield path.read_bytes()


def _manifest_seeds() -> Iterator[bytes]:
    server, tools = (EXAMPLE / "manifests" / name for name in ("server.toml", "tools.toml"))
    yield server.read_bytes() + b"\n### tools\n" + tools.read_bytes()


TARGETS = {
    target.name: target
    for target in (
        Target("token", fuzz_token, _token_seeds),
        Target("signed", fuzz_signed, _signed_seeds),
        Target("claims", fuzz_claims, _claims_seeds),
        Target("head", fuzz_head, _head_seeds),
        Target("body", fuzz_body, _body_seeds),
        Target("keys", fuzz_keys, _keys_seeds),
        Target("discovery", fuzz_discovery, _discovery_seeds),
        Target("canonical", fuzz_canonical, _canonical_seeds),
        Target("settings", fuzz_settings, _settings_seeds),
        Target("manifests", fuzz_manifests, _manifest_seeds),
    )
}
