"""What does OpenBao look like to a workload? Login, a dynamic secret, revocation; and faults of each.

Logins are by JWT, or by the certificate of the connection where it speaks TLS.
As much of its API as the broker uses, with its status codes: 403 for a token that is none (any more), 204
for what is done, 400 for what is malformed. Revoking a login revokes what was lent with it.
"""

import asyncio
import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    Certificate,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_der_x509_certificate,
)
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launchworthy.testing.host_certificate import localhost_certificate
from launchworthy.testing.issuer_faults import Fault, answer
from launchworthy.testing.listening import Listening, Listens
from launchworthy.testing.waiting import free_port

ROLE: Final = "simulated"
PATH: Final = "simulated/creds/role"
_PERMISSION_DENIED: Final = {"errors": ["permission denied"]}


@dataclass(slots=True, kw_only=True)
class _Lent:
    login: str
    secret: str
    ends: float
    revoked: bool = False


class StoreTls:
    """What a store needs for TLS: a certificate for `localhost`, and whose workloads may show theirs.

    Attributes:
        ca: who vouches for the store, in PEM.
    """

    def __init__(self, ca: Path, roots: Callable[[], Iterable[Certificate]]) -> None:
        """Make an authority and a certificate.

        Args:
            ca: where the authority is written.
            roots: the authorities of the workloads.
        """
        self.ca = ca
        self._roots = roots
        key, certificate = localhost_certificate()
        self._pem = ca.with_suffix(".key.pem")
        ca.write_bytes(certificate)
        self._pem.touch(mode=0o600)
        self._pem.write_bytes(key + certificate)

    def context(self) -> ssl.SSLContext:
        """For the listener: who shows a certificate shows one of a workload."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(
            cadata=b"".join(root.public_bytes(Encoding.DER) for root in self._roots())
        )
        return context


class SimulatedStore(Listens):
    """One store. A context manager.

    Attributes:
        address: where it is, and the audience of logins.
        lifetime: seconds that a dynamic secret lives.
        login: the fault of logins.
        read: the fault of reading the secret.
        revocation: the fault of taking it back.
        certificates: with which the workload has logged in, in order.
        answer: replaces members of a good answer to a read; None leaves one out.
    """

    def __init__(self, subject: str, keys: Callable[[], Any], tls: StoreTls | None = None) -> None:
        """Let this workload in, whose tokens verify with these keys; over TLS, its certificate does too."""
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}" if tls is None else f"https://localhost:{self._port}"
        self._tls = tls
        self.lifetime = 60
        self.login = self.read = self.revocation = Fault.NONE
        self.answer: dict[str, Any] = {}
        self._subject = subject
        self._keys = keys
        self._logins: set[str] = set()
        self._lent: dict[str, _Lent] = {}
        self.certificates: list[bytes] = []

    def _listen(self) -> Listening:
        tls = None if self._tls is None else self._tls.context()
        return Listening(self._build, self._port, name="simulated-store", tls=tls)

    @property
    def unrevoked(self) -> int:
        """How many secrets were lent and not taken back."""
        return sum(not each.revoked for each in self._lent.values())

    @property
    def lent(self) -> int:
        """How many secrets were ever lent."""
        return len(self._lent)

    @property
    def logged_in(self) -> int:
        """How many logins have not ended."""
        return len(self._logins)

    def good_for(self, credential: str, resource: str) -> bool:
        """Whether a secret is good now, for whatever it opens."""
        del resource
        return any(
            each.secret == credential and not each.revoked and time.time() < each.ends
            for each in self._lent.values()
        )

    def revoked(self, credential: str) -> bool:
        """Whether a secret was taken back."""
        return any(each.secret == credential and each.revoked for each in self._lent.values())

    def _build(self, ended: asyncio.Event) -> Starlette:
        async def log_in(request: Request) -> Response:
            body, shown = await request.body(), request.scope["state"]["certificate"]
            by_token = b'"jwt"' in body  # the settings say where each is mounted, so the path says nothing
            return await self._or_fault(self.login, ended) or (
                self._log_in(body) if by_token else self._log_in_by(shown, body)
            )

        async def read(request: Request) -> Response:
            return await self._or_fault(self.read, ended) or self._lend(_login_of(request))

        async def revoke(request: Request) -> Response:
            return await self._or_fault(self.revocation, ended) or self._revoke(
                _login_of(request), await request.body()
            )

        async def log_out(request: Request) -> Response:
            return self._log_out(_login_of(request))

        return Starlette(
            routes=[
                Route("/v1/auth/{mount}/login", log_in, methods=["POST"]),
                Route("/v1/sys/leases/revoke", revoke, methods=["PUT"]),
                Route("/v1/auth/token/revoke-self", log_out, methods=["POST"]),
                Route("/v1/{path:path}", read, methods=["GET"]),
            ]
        )

    async def _or_fault(self, fault: Fault, ended: asyncio.Event) -> Response | None:
        return None if fault is Fault.NONE else await answer(fault, {}, ended)

    def _revoke(self, login: str, body: bytes) -> Response:
        if login not in self._logins:
            return JSONResponse(_PERMISSION_DENIED, status_code=403)
        lent = self._lent.get(json.loads(body)["lease_id"])
        if lent is not None:
            lent.revoked = True
        return Response(status_code=204)

    def _log_out(self, login: str) -> Response:
        if login not in self._logins:
            return JSONResponse(_PERMISSION_DENIED, status_code=403)
        self._logins.discard(login)
        for lent in self._lent.values():
            lent.revoked = lent.revoked or lent.login == login
        return Response(status_code=204)

    def _log_in(self, body: bytes) -> Response:
        try:
            asked = json.loads(body)
            keys = KeySet.import_key_set(self._keys())
            claims = json.loads(jws.deserialize_compact(asked["jwt"], keys, ["ES256"]).payload)
        except (JoseError, ValueError, TypeError, KeyError):
            return JSONResponse({"errors": ["error validating token"]}, status_code=400)
        if claims.get("sub") != self._subject or claims.get("aud") not in (self.address, [self.address]):
            return JSONResponse(_PERMISSION_DENIED, status_code=403)
        return self._welcome()

    def _log_in_by(self, certificate: bytes | None, body: bytes) -> Response:
        """The handshake has verified it to the SPIFFE authorities; the role lets one URI name in."""
        if certificate is None:
            return JSONResponse({"errors": ["client certificate must be supplied"]}, status_code=400)
        names = load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            SubjectAlternativeName
        )
        uris = names.value.get_values_for_type(UniformResourceIdentifier)
        if uris != [self._subject] or not json.loads(body).get("name"):
            return JSONResponse(_PERMISSION_DENIED, status_code=403)
        self.certificates.append(certificate)
        return self._welcome()

    def _welcome(self) -> Response:
        login = secrets.token_urlsafe(24)
        self._logins.add(login)
        return JSONResponse({"auth": {"client_token": login, "lease_duration": 300, "renewable": True}})

    def _lend(self, login: str) -> Response:
        if login not in self._logins:
            return JSONResponse(_PERMISSION_DENIED, status_code=403)
        handle = f"{PATH}/{secrets.token_hex(12)}"
        secret = secrets.token_urlsafe(24)
        self._lent[handle] = _Lent(login=login, secret=secret, ends=time.time() + self.lifetime)
        good: dict[str, Any] = {
            "lease_id": handle,
            "renewable": False,
            "lease_duration": self.lifetime,
            "data": {"token": secret},
        }
        said = {name: value for name, value in (good | self.answer).items() if value is not None}
        return JSONResponse(said)


def _login_of(request: Request) -> str:
    return request.headers.get("x-vault-token", "")
