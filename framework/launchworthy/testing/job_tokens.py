"""What does the runner of a CI job do, well and badly? Its token endpoint on loopback, with faults."""

import json
import threading
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN

REQUEST_SECRET = "simulated-secret-of-one-job"  # noqa: S105 - it opens nothing
ISSUER = f"https://{SIMULATED_TRUST_DOMAIN}"


class JobFault(StrEnum):
    """What is wrong with the runner's service."""

    NONE = "none"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    HANG = "hang"
    GARBAGE = "garbage"
    REDIRECT = "redirect"
    OTHER_AUDIENCE = "other_audience"
    OTHER_SUBJECT = "other_subject"
    HUGE = "huge"


class JobTokens:
    """A runner's token service. Use it as a context manager."""

    def __init__(self, *, subject: str, ttl: float = 300.0) -> None:
        """Issue tokens about this subject."""
        self.subject = subject
        self.ttl = ttl
        self.fault = JobFault.NONE
        self.audiences: list[str] = []
        self.secrets: list[str | None] = []
        self._authority = SimulatedAuthority(clock=time.time)
        self._released = threading.Event()
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that a job gets."""
        port = self._server.server_address[1]
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{port}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_SECRET,
        }

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, audience: str, secret: str | None) -> tuple[int, bytes, str]:
        """Status, body and location of one answer."""
        self.audiences.append(audience)
        self.secrets.append(secret)
        if self.fault is JobFault.HANG:
            self._released.wait(10)
        elsewhere = self.environ["ACTIONS_ID_TOKEN_REQUEST_URL"].replace("/token", "/elsewhere")
        faults = {
            JobFault.DENIED: (403, b"{}", ""),
            JobFault.UNAVAILABLE: (503, b"", ""),
            JobFault.HANG: (503, b"", ""),
            JobFault.GARBAGE: (200, b'{"value": 7}', ""),
            JobFault.HUGE: (200, b'{"value": "' + b"a" * 100_000 + b'"}', ""),
            JobFault.REDIRECT: (302, b"", elsewhere),
        }
        good = (200, json.dumps({"value": self._mint(audience)}).encode(), "")
        return faults.get(self.fault, good)

    def _mint(self, audience: str) -> str:
        claims: dict[str, Any] = {"iss": ISSUER}
        subject = "somebody:else" if self.fault is JobFault.OTHER_SUBJECT else self.subject
        wanted = "https://other.example" if self.fault is JobFault.OTHER_AUDIENCE else audience
        return self._authority.mint_jwt(subject, (wanted,), ttl=self.ttl, **claims)


class _Handler(BaseHTTPRequestHandler):
    service: JobTokens

    def do_GET(self) -> None:
        """Answer one request."""
        parts = urlsplit(self.path)
        audience = parse_qs(parts.query).get("audience", [""])[0]
        status, body, location = self.service.answer(audience, self.headers.get("authorization"))
        self.send_response(status)
        if location:
            self.send_header("location", location)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Write nothing on stderr."""
