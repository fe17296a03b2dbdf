"""Which workload is at the other end of the connection, and for whom does it say that it speaks?

A peer is context for policy and audit, never a caller: it adds no principal, no scope and no token. Only of a
proxy that the settings name, whose own certificate was verified in this connection's handshake, is it read
for whom it forwards (`X-Forwarded-Client-Cert`); from anybody else such headers mean nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from launchworthy.identity.peer_session import PeerSession
from launchworthy.identity.peers import PeerRejected, parse_spiffe_id
from launchworthy.vocabulary import Reason, Refused

STATE: Final = "launchworthy.peer"
"""Where the protocol leaves the session in `scope["state"]`."""
FORWARDED: Final = b"x-forwarded-client-cert"
_PAIR = re.compile(r'(?P<key>[A-Za-z]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^;,"]*))')
_MAX_VALUE = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Peering:
    """Who is connected.

    Attributes:
        peer: the SPIFFE ID that was verified.
        forwarded: the SPIFFE ID for which a trusted proxy speaks; None where it names none.
        session: of the connection.
    """

    peer: str
    forwarded: str | None
    session: PeerSession = field(repr=False)

    def require(self) -> None:
        """Return if the peer would be let in now; streams live longer than certificates.

        Raises:
            Refused: `peer.*`: it would not.
        """
        _require(self.session)


def peering_of(
    scope: Mapping[str, Any], headers: Iterable[tuple[bytes, bytes]], proxies: frozenset[str]
) -> Peering:
    """The peer of a request's connection, as it stands now.

    Args:
        scope: ASGI's.
        headers: every field as it came; names in lower case.
        proxies: SPIFFE IDs whose word about their own peers counts.

    Raises:
        Refused: `peer.*`: there is none, it would not be let in any more, or a proxy's word is no word.
    """
    session = scope.get("state", {}).get(STATE)
    if not isinstance(session, PeerSession):
        raise Refused(Reason.PEER_MISSING, "the connection has no verified peer")
    peer = _require(session)
    forwarded = forwarded_by(headers) if peer in proxies else None
    return Peering(peer=peer, forwarded=forwarded, session=session)


def forwarded_by(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """For whom a trusted proxy says that it speaks; None where it says nothing, or names no workload.

    Raises:
        Refused: `peer.forwarded`: it says several things, or nothing that can be read. A proxy that appends
            instead of replacing hands on what strangers wrote.
    """
    values = [value for name, value in headers if name == FORWARDED]
    if len(values) == 0:
        return None
    if len(values) > 1 or len(values[0]) > _MAX_VALUE:
        raise _unreadable("there are several, or it is too long")
    uris = [value for key, value in _pairs(values[0].decode("latin-1")) if key == "uri"]
    if len(uris) == 0:
        return None
    if len(uris) > 1:
        raise _unreadable("it names several URIs")
    try:
        parse_spiffe_id(uris[0])
    except ValueError:
        raise _unreadable("its URI is no workload's SPIFFE ID") from None
    return uris[0]


def _require(session: PeerSession) -> str:
    try:
        return session.require().spiffe_id
    except PeerRejected as rejected:
        raise Refused(rejected.reason, rejected.detail) from None


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of the one element (Envoy, `x-forwarded-client-cert`).

    Raises:
        Refused: it is written otherwise, or has several elements.
    """
    found, place = [], 0
    while True:
        match = _PAIR.match(text, place)
        if match is None:
            raise _unreadable("it is not a list of `key=value`")
        quoted = match["quoted"]
        found.append((match["key"].lower(), match["plain"] if quoted is None else quoted))
        place = match.end()
        if place == len(text):
            return found
        if text[place] != ";":
            raise _unreadable("it has several elements: let the proxy replace it, not append to it")
        place += 1


def _unreadable(why: str) -> Refused:
    return Refused(Reason.PEER_FORWARDED, f"the proxy's X-Forwarded-Client-Cert cannot be used: {why}")
