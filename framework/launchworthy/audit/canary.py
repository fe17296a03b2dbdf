"""What did the server see of this very request, provably? For whoever wants to know what a proxy makes of it.

A verified caller may send a nonce of its own in `Launchworthy-Canary`. The answer to a request that calls
nothing (`server/discover`, `ping`, `initialize`) then carries a sighting in the same header:

1. the caller's nonce and one of the server, the instant, the call id and the resource
2. a digest of each thing that identity hangs on, as the server saw it: the token, the revision, the method
   and the name in the headers. Both nonces go into each digest, so that no digest says anything to anybody
   who does not know what was sent, and none fits another request
3. a signature over all of it by the server's own identity, where that has a key (an X.509-SVID)

The caller knows what it sent and compares. A proxy that takes part in this knows the token anyway; it has no
key of the server's identity, so it cannot answer in its place.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from cryptography.x509 import Certificate
from pydantic import BaseModel, ConfigDict, Field

from launchworthy.audit.binding import BindingError, BindingProof, Proof, verify_binding

HEADER: Final = "launchworthy-canary"
"""Of the request and of its answer."""
FORMAT: Final = "launchworthy-canary/1"
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)
_LONGEST: Final = 16 * 1024
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class CanaryError(ValueError):
    """The answer is no sighting of this request; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What identity hangs on, as it was sent or as it was seen.

    Attributes:
        token: hex SHA-256 of the bearer token.
        revision: the `MCP-Protocol-Version` header, if there is one.
        method: the `Mcp-Method` header, if there is one.
        name: the `Mcp-Name` header, if there is one.
    """

    token: str
    revision: str | None
    method: str | None
    name: str | None

    def digests(self, nonce: str, server_nonce: str) -> Iterator[tuple[str, str]]:
        """A digest of each, by its name; one that is absent differs from an empty one."""
        for field in ("token", "revision", "method", "name"):
            value = getattr(self, field)
            said = "absent" if value is None else f"is {value}"
            text = f"{FORMAT}\n{nonce}\n{server_nonce}\n{field}\n{said}\n"
            yield field, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Seen(_Wire):
    """The digests of what the server saw."""

    token: _Digest
    revision: _Digest
    method: _Digest
    name: _Digest


class Signature(_Wire):
    """The server's identity, behind a sighting."""

    chain: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    signature: Annotated[str, Field(max_length=1024)]
    algorithm: Literal["ES256", "ES384", "RS256"]


class Sighting(_Wire):
    """What a server says that it saw.

    Attributes:
        nonce: the caller's.
        server_nonce: the server's, 128 bits in hex.
        at: seconds since the epoch, by the server's clock.
        call: the call id, which its audit has too.
        resource: the server.
        seen: digests.
        signed: by the server's identity; None where that has no key.
    """

    nonce: Annotated[str, Field(pattern=_NONCE.pattern)]
    server_nonce: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    at: Annotated[int, Field(ge=0, le=2**53)]
    call: Annotated[str, Field(pattern="^[0-9A-Z-]{1,32}$")]
    resource: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,2048}$")]
    seen: Seen
    signed: Signature | None

    def payload(self) -> bytes:
        """What the identity signs: one line each, of which none can hold a line break."""
        seen = (self.seen.token, self.seen.revision, self.seen.method, self.seen.name)
        lines = (FORMAT, self.nonce, self.server_nonce, str(self.at), self.call, self.resource, *seen)
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def is_nonce(text: str | None) -> bool:
    """Whether a request asks for a sighting; anything else in the header asks for nothing."""
    return text is not None and _NONCE.fullmatch(text) is not None


def new_sighting(
    nonce: str, shown: Shown, *, server_nonce: str, at: int, call: str, resource: str
) -> Sighting:
    """What to say of a request; nobody has signed it yet.

    Raises:
        ValueError: one of these is not of its form.
    """
    seen = Seen(**dict(shown.digests(nonce, server_nonce)))
    return Sighting(
        nonce=nonce, server_nonce=server_nonce, at=at, call=call, resource=resource, seen=seen, signed=None
    )


def signed_by(sighting: Sighting, proof: Proof) -> Sighting:
    """The same with the proof of the server's identity; a token proves nothing afterwards and is left out."""
    if proof.kind != "x509":
        return sighting
    signed = Signature.model_validate(
        {"chain": proof.chain, "signature": proof.signature, "algorithm": proof.algorithm}
    )
    return sighting.model_copy(update={"signed": signed})


def encode(sighting: Sighting) -> bytes:
    """The value of the answer's header."""
    return base64.urlsafe_b64encode(sighting.model_dump_json().encode("ascii")).rstrip(b"=")


def decode(header: str) -> Sighting:
    """Read the value of an answer's header.

    Raises:
        CanaryError: it is none.
    """
    try:
        if len(header) > _LONGEST:
            raise CanaryError("it is longer than a sighting is")
        text = base64.b64decode(header + "=" * (-len(header) % 4), altchars=b"-_", validate=True)
        return Sighting.model_validate_json(text)
    except ValueError:  # no base64, or not of that form
        raise CanaryError("it is no sighting") from None


def changed(sighting: Sighting, nonce: str, shown: Shown) -> tuple[str, ...]:
    """What the server saw otherwise than it was sent, by name; empty where nothing.

    Raises:
        CanaryError: it is a sighting of another request.
    """
    if sighting.nonce != nonce:
        raise CanaryError("it is of another request")
    seen = sighting.seen.model_dump()
    return tuple(
        field for field, digest in shown.digests(nonce, sighting.server_nonce) if seen[field] != digest
    )


def verify_signed(sighting: Sighting, *, source: str, roots: Sequence[Certificate]) -> None:
    """See that the server's own identity said this, when it says it did.

    Args:
        sighting: what it says.
        source: the SPIFFE ID that the server must have.
        roots: of its trust domain.

    Raises:
        CanaryError: nobody signed it, or somebody else.
    """
    if sighting.signed is None:
        raise CanaryError("the server's identity has not signed it")
    signed = sighting.signed
    proof = BindingProof(
        kind="x509",
        chain=signed.chain,
        bundle=(),
        signature=signed.signature,
        algorithm=signed.algorithm,
        token=None,
    )
    try:
        at = datetime.fromtimestamp(sighting.at, UTC)
        verify_binding(proof, sighting.payload(), source=source, at=at, roots=tuple(roots))
    except (BindingError, OverflowError, ValueError) as error:
        raise CanaryError(str(error)) from None
