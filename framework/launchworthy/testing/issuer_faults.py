"""How does the simulated issuer fail when it is told to, and how often was it asked?

A fault is set on one endpoint (`faults.keys = Fault.HANG`) and holds until it is taken back.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from gzip import compress
from typing import Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

_HUGE_CHUNKS: Final = 1024
_CHUNK: Final = b" " * 64 * 1024
_DRIP_SECONDS: Final = 0.05


class Fault(StrEnum):
    """What an endpoint does instead of answering."""

    NONE = "none"
    STATUS_500 = "status-500"
    NOT_FOUND = "not-found"
    HANG = "hang"
    GARBAGE = "garbage"
    HTML = "html"
    EMPTY = "empty"
    REDIRECT = "redirect"
    HUGE = "huge"
    DRIP = "drip"
    GZIP = "gzip"
    DENIED = "denied"


class Faults:
    """What is broken now. Set from any thread; each attribute is read once a request.

    Attributes:
        discovery: the fault of the metadata endpoints.
        keys: the fault of the key set endpoint.
        token: the fault of the token endpoint.
        lending: the same, but people still sign in: codes are redeemed.
        introspection: the fault of the introspection endpoint.
        revocation: the fault of the revocation endpoint.
        missing_places: how many of the well-known places, in their order, have no metadata.
        metadata: members that replace those of good metadata: a wrong issuer, an http `jwks_uri`.
        key_document: served in place of the key set, whatever it is; None for the real one.
        introspection_document: said of every opaque token, whatever it is; None for the real answer.
    """

    def __init__(self) -> None:
        """Nothing is broken."""
        self.discovery = Fault.NONE
        self.keys = Fault.NONE
        self.token = Fault.NONE
        self.lending = Fault.NONE
        self.introspection = Fault.NONE
        self.revocation = Fault.NONE
        self.missing_places = 0
        self.metadata: Mapping[str, Any] = {}
        self.key_document: object = None
        self.introspection_document: object = None

    def clear(self) -> None:
        """Nothing is broken any more."""
        self.__init__()  # type: ignore[misc]


class Counts:
    """How often each endpoint was asked: `discovery`, `keys`, `token`, `introspect`, `redirected`."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self._counts = Counter[str]()

    def __getitem__(self, endpoint: str) -> int:
        """How often this endpoint was asked, whatever it answered."""
        return self._counts[endpoint]

    def add(self, endpoint: str) -> None:
        """One more."""
        self._counts[endpoint] += 1


async def answer(fault: Fault, good: object, ended: asyncio.Event) -> Response:
    """Answer with a document, or fail as told.

    Args:
        fault: what to do.
        good: the document of a healthy endpoint.
        ended: set when the issuer stops; whatever hangs lets go then.
    """
    match fault:
        case Fault.NONE:
            return JSONResponse(good)
        case Fault.HANG:
            await ended.wait()
            return Response(status_code=503)
        case Fault.REDIRECT:
            return RedirectResponse("/elsewhere", status_code=302)
        case Fault.HUGE:
            return StreamingResponse(_huge(good), media_type="application/json")
        case Fault.DRIP:
            return StreamingResponse(_drip(good, ended), media_type="application/json")
        case _:
            return _plain(fault, good)


def _plain(fault: Fault, good: object) -> Response:  # noqa: PLR0911 - one arm a fault
    """The faults that are over at once."""
    text = json.dumps(good).encode()
    match fault:
        case Fault.STATUS_500:
            return Response("broken", status_code=500)
        case Fault.NOT_FOUND:
            return Response("not found", status_code=404)
        case Fault.GARBAGE:
            return Response(b'{"keys": [\x00', media_type="application/json")
        case Fault.HTML:
            return Response(text, media_type="text/html")
        case Fault.DENIED:
            return JSONResponse({"error": "access_denied"}, status_code=400)
        case Fault.EMPTY:
            return Response(b'{"keys": []}', media_type="application/json")
        case _:
            encoded = {"content-encoding": "gzip"}
            return Response(compress(text), media_type="application/json", headers=encoded)


async def _huge(good: object) -> AsyncIterator[bytes]:
    """The good document, and then 64 MiB of white space, which JSON allows."""
    yield json.dumps(good).encode()
    for _ in range(_HUGE_CHUNKS):
        yield _CHUNK


async def _drip(good: object, ended: asyncio.Event) -> AsyncIterator[bytes]:
    """The good document, byte by byte, and white space for ever after."""
    for byte in json.dumps(good).encode():
        yield bytes((byte,))
        try:
            await asyncio.wait_for(ended.wait(), _DRIP_SECONDS)
        except TimeoutError:
            continue
        return
