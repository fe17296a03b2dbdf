"""What does a server say about its tokens? Its protected resource metadata, and the challenge before it.

Nothing here needs a token. The documents are read where the challenge says and at the two well-known
places, from the server itself only: what a challenge names elsewhere is not fetched.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from launchworthy.probe.answer import Answer
from launchworthy.probe.challenge import MALFORMED
from launchworthy.probe.remote_issuer import is_loopback
from launchworthy.probe.report import Finding, Seen
from launchworthy.probe.row import Row, seen_of
from launchworthy.probe.wire import Heard, Wire
from launchworthy.tokens.metadata import metadata_paths

_9728 = "RFC 9728 §3 and §5.1, MCP authorization"
_6750 = "RFC 6750 §3, MCP authorization"
_UNAUTHORISED = 401

PRESENT = Row(
    id="metadata.present",
    title="where clients learn who issues tokens",
    right="a JSON document where the challenge says, or at a well-known place",
    why="clients cannot find out where to get a token",
    source=_9728,
)
RESOURCE = Row(
    id="metadata.resource",
    title="whom tokens are for",
    right="`resource` is the URL that was asked, byte for byte",
    why="clients ask for tokens for somebody else, or must refuse the document (RFC 9728 §3.3)",
    source=_9728,
)
SERVERS = Row(
    id="metadata.servers",
    title="who issues tokens",
    right="`authorization_servers` names at least one issuer, by https (or on this machine)",
    why="clients cannot find out where to get a token, or are sent somewhere that can be overheard",
    source="RFC 9728 §2, RFC 8414 §2, MCP authorization",
)
ISSUER = Row(
    id="metadata.issuer",
    title="the issuer whose tokens are accepted",
    right="`authorization_servers` names it as it calls itself, byte for byte",
    why="clients compare issuers as strings, and refuse one that has a slash too many",
    source="RFC 8414 §3.3, RFC 9207 §2.4",
)
BEARER = Row(
    id="metadata.bearer",
    title="where tokens are taken from",
    right="`bearer_methods_supported`, where it is there, names the header and nothing else",
    why="a token in a URL is in every log on the way",
    source="RFC 9728 §2, MCP authorization",
)
OFFLINE = Row(
    id="metadata.offline",
    title="scopes that clients will ask for",
    right="`scopes_supported` does not name `offline_access`",
    why="every client asks for refresh tokens, which the server has no use for",
    source="MCP authorization",
)
CHALLENGE = Row(
    id="challenge.present",
    title="a request without a token, and its challenge",
    right="401 with one Bearer challenge that can be read",
    why="clients do not know that a token would help",
    source=_6750,
)
NO_ERROR = Row(
    id="challenge.no-error",
    title="what the challenge says is wrong, where nobody showed a token",
    right="it names no error",
    why="clients that were never wrong throw tokens away, or register again",
    source="RFC 6750 §3.1",
)
SCOPE = Row(
    id="challenge.scope",
    title="the scopes in the challenge",
    right="the challenge names the scopes that a first request needs",
    why="clients ask for every scope there is, or for none",
    source="MCP authorization, RFC 6750 §3",
)
NAMED = Row(
    id="challenge.metadata",
    title="the document that the challenge names",
    right="a document of the server itself, by https (or on this machine), and it is there",
    why="clients are sent elsewhere, or nowhere",
    source=_9728,
)
FORWARDED = Row(
    id="challenge.forwarded",
    title="a request that says it was forwarded for another host",
    right="the challenge names the same document as before",
    why="who can set a header sends clients to an issuer of theirs",
    source="RFC 9728 §7.3, RFC 7239 §8.1",
)
ROWS = (PRESENT, RESOURCE, SERVERS, ISSUER, BEARER, OFFLINE, CHALLENGE, NO_ERROR, SCOPE, NAMED, FORWARDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What a server says before anybody has shown a token.

    Attributes:
        first: the answer to a request without a token.
        forwarded: the same, to a request that says it was forwarded.
        named: the URL that the challenge names; None where it names none.
        document: the metadata; None where there is none.
        seen: where it was found, or what stood there instead.
        named_there: whether it was where the challenge says.
    """

    first: Heard
    forwarded: Heard
    named: str | None
    document: Mapping[str, Any] | None
    seen: Seen
    named_there: bool

    @property
    def resource(self) -> object:
        """Whom tokens are for, as the document says."""
        return None if self.document is None else self.document.get("resource")


def read_documents(wire: Wire, url: str, first: Heard, forwarded: Heard) -> Documents:
    """Read the metadata of the server at a URL.

    Raises:
        Ended: no more requests are sent.
    """
    challenge = _challenge(first.answer)
    named = challenge.get("resource_metadata")
    origin = "://".join(urlsplit(url)[:2])
    places = [f"{origin}{path}" for path in metadata_paths(url)]
    if named is not None and _is_of(named, url):
        places.insert(0, named)
    document, seen = None, Seen(status=None, summary="it was not looked for", body_sha256=None, body_bytes=0)
    found_at = None
    for place in dict.fromkeys(places):
        heard = wire.send(httpx2.Request("GET", place, headers={"accept": "application/json"}))
        seen = seen_of(heard.answer, heard.why)
        document = _document(heard.answer)
        if document is not None:
            found_at = place
            break
    return Documents(
        first=first,
        forwarded=forwarded,
        named=named,
        document=document,
        seen=seen,
        named_there=found_at is not None and found_at == named,
    )


def document_findings(said: Documents, url: str, issuer: str | None, *, is_open: bool) -> Iterator[Finding]:
    """What is right and wrong about them.

    Args:
        said: the documents.
        url: which server was asked.
        issuer: whose tokens it is to accept; None where that is not known.
        is_open: whether the server answers without a token, and so owes nobody a document.
    """
    if is_open:
        for row in ROWS:
            yield row.found(not_run="the server asks nobody for a token (credentials.none)")
        return
    yield from _of_document(said, url, issuer)
    yield from _of_challenge(said)


def _of_document(said: Documents, url: str, issuer: str | None) -> Iterator[Finding]:
    if said.document is None:
        yield PRESENT.found(seen=said.seen, wrong=(f"there is none: {said.seen.summary}",))
        for row in (RESOURCE, SERVERS, ISSUER, BEARER, OFFLINE):
            yield row.found(not_run="there is no document (metadata.present)")
        return
    yield PRESENT.found(seen=said.seen)
    differs = () if said.resource == url else (f"it is `{_short(said.resource)}`",)
    yield RESOURCE.found(seen=said.seen, wrong=differs)
    yield SERVERS.found(seen=said.seen, wrong=tuple(_wrong_servers(said.document)))
    if issuer is None:
        yield ISSUER.found(not_run="it is not known whose tokens are accepted (--issuer)")
    else:
        servers = said.document.get("authorization_servers")
        is_named = isinstance(servers, list) and issuer in servers
        yield ISSUER.found(seen=said.seen, wrong=() if is_named else (f"it names {_short(servers)}",))
    methods = said.document.get("bearer_methods_supported", ["header"])
    yield BEARER.found(
        seen=said.seen, wrong=() if methods == ["header"] else (f"it names {_short(methods)}",)
    )
    scopes = said.document.get("scopes_supported", [])
    offline = isinstance(scopes, list) and "offline_access" in scopes
    yield OFFLINE.found(seen=said.seen, wrong=("it does",) if offline else ())


def _wrong_servers(document: Mapping[str, Any]) -> Iterator[str]:
    servers = document.get("authorization_servers")
    if not isinstance(servers, list) or not servers or not all(isinstance(each, str) for each in servers):
        yield "it names none"
        return
    for each in servers:
        if not _is_private(each):
            yield f"it names `{_short(each)}`, which can be overheard"


def _of_challenge(said: Documents) -> Iterator[Finding]:
    answer = said.first.answer
    seen = seen_of(answer, said.first.why)
    challenge = answer.challenge if answer is not None else None
    if answer is None or answer.status != _UNAUTHORISED or challenge is None or MALFORMED in challenge:
        what = (
            "the challenge cannot be read"
            if challenge and MALFORMED in challenge
            else "there is no Bearer challenge"
        )
        wrong = (
            what
            if answer is not None and answer.status == _UNAUTHORISED
            else f"it was answered with {seen.summary}"
        )
        yield CHALLENGE.found(seen=seen, wrong=(wrong,))
        for row in (NO_ERROR, SCOPE, NAMED, FORWARDED):
            yield row.found(not_run="there is no challenge to look into (challenge.present)")
        return
    yield CHALLENGE.found(seen=seen)
    error = (f"it names `{_short(challenge['error'])}`",) if "error" in challenge else ()
    yield NO_ERROR.found(seen=seen, wrong=error)
    yield SCOPE.found(seen=seen, wrong=() if challenge.get("scope") else ("it names none",))
    yield NAMED.found(**_named(said, seen))
    other = _challenge(said.forwarded.answer).get("resource_metadata")
    if said.forwarded.answer is None or said.named is None:
        yield FORWARDED.found(not_run="the challenge names no document")
    else:
        moved = () if other == said.named else (f"it names `{_short(other)}`",)
        yield FORWARDED.found(seen=seen_of(said.forwarded.answer, said.forwarded.why), twin=seen, wrong=moved)


def _named(said: Documents, seen: Seen) -> dict[str, Any]:
    if said.named is None:
        if said.document is not None:
            return {"not_run": "the challenge names none; the document is at a well-known place"}
        return {"seen": seen, "wrong": ("it names none, and none is at a well-known place",)}
    if not _is_private(said.named):
        return {"seen": seen, "wrong": (f"it names `{_short(said.named)}`, which can be overheard",)}
    if not said.named_there:
        return {
            "seen": seen,
            "wrong": (f"it names `{_short(said.named)}`, where no document of the server's is",),
        }
    return {"seen": seen}


def _document(answer: Answer | None) -> Mapping[str, Any] | None:
    if answer is None or answer.status != httpx2.codes.OK:
        return None
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "resource" in found else None


def _challenge(answer: Answer | None) -> Mapping[str, str]:
    return (answer.challenge if answer is not None else None) or {}


def _is_of(named: str, url: str) -> bool:
    """Whether it is of the same server; nothing else is asked for anything."""
    try:
        return urlsplit(named)[:2] == urlsplit(url)[:2]
    except ValueError:
        return False


def _is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what is fetched there."""
    try:
        return urlsplit(url).scheme == "https" or is_loopback(url)
    except ValueError:
        return False


def _short(value: object) -> str:
    return str(value)[:160]
