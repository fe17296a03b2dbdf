"""What does a workflow without a key sign with in the simulated world? A Sigstore on loopback.

A token service as CI systems have it, a Fulcio and a Rekor, on one port, and the two files that a trust
policy names. `seal` makes a record in process, as `launchworthy attest` makes it over the network.
"""

import base64
import hashlib
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launchworthy.attestation import Envelope
from launchworthy.attestation.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from launchworthy.attestation.svid import key_id
from launchworthy.testing.fulcio import LIFE, Run, SimulatedFulcio
from launchworthy.testing.listening import Listening
from launchworthy.testing.rekor import SimulatedRekor, answer_of, dsse_entry, hashed_entry
from launchworthy.testing.time_stamps import SimulatedTimeStamps

AUDIENCE: Final = "sigstore"
REQUEST_SECRET: Final = "simulated-secret-of-one-job"  # noqa: S105 - it opens nothing
_TOKEN_LIFE: Final = 300
_YEAR: Final = 365 * 86_400


class SimulatedSigstore:
    """An instance of Sigstore: use it as a context to have it listen.

    Attributes:
        fulcio: its certificate authority.
        rekor: its log.
        run: what the next token says; set it before signing over the network.
        url: of all its services.
    """

    def __init__(
        self, *, clock: Callable[[], float], run: Run, stamps: SimulatedTimeStamps | None = None
    ) -> None:
        """Make its keys.

        Args:
            clock: seconds since the epoch.
            run: what the next token says.
            stamps: that date signatures; the log is of the second version then, which does not.
        """
        self._stamps = stamps
        self._clock = clock
        self._tokens = ECKey.generate_key("P-256")
        self._start = int(clock())
        self.fulcio = SimulatedFulcio(now=clock())
        self.rekor = SimulatedRekor()
        self.run = run
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._listening: Listening | None = None

    def trusted_root(self, *, until: int | None = None) -> bytes:
        """What a trust policy pins.

        Args:
            until: when all of it was retired; None, while it is in force.
        """
        span = {"start": _moment(self._start - _YEAR)} | ({} if until is None else {"end": _moment(until)})
        chain = [{"rawBytes": _base64(each.public_bytes(Encoding.DER))} for each in self.fulcio.chain]
        members = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self.url, self.rekor.public_key, span)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "dev.invalid", "commonName": "simulated"},
                    "uri": self.url,
                    "certChain": {"certificates": chain},
                    "validFor": span,
                }
            ],
            "ctlogs": [_log(f"{self.url}/ct", self.fulcio.log_public_key, span)],
            "timestampAuthorities": self._authorities(span),
        }
        return json.dumps(members, indent=1).encode()

    @property
    def signing_config(self) -> bytes:
        """Where it signs."""
        service = {
            "url": self.url,
            "majorApiVersion": 1,
            "validFor": {"start": _moment(self._start - _YEAR)},
            "operator": "dev.invalid",
        }
        members = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [],
            "rekorTlogUrls": [service | {"majorApiVersion": 1 if self._stamps is None else 2}],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [] if self._stamps is None else [service | {"url": self._stamps.url}],
            "tsaConfig": {"selector": "ANY"},
        }
        return json.dumps(members, indent=1).encode()

    @property
    def environ(self) -> dict[str, str]:
        """The variables that a job with `id-token: write` gets."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_SECRET,
        }

    def certified(self, key: ec.EllipticCurvePrivateKey, *, at: int, **changes: Any) -> x509.Certificate:
        """A certificate for the run, issued now.

        Args:
            key: one-off.
            at: from when it lives.
            changes: of `SimulatedFulcio.certificate`.
        """
        return self.fulcio.certificate(key.public_key(), self.run, at=at, **changes)

    def seal(
        self,
        payload: bytes,
        *,
        at: int,
        logged_at: int | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        certificate: x509.Certificate | None = None,
    ) -> Envelope:
        """Sign a statement as a workflow would, and log it.

        Args:
            payload: the statement's bytes.
            at: from when the certificate lives.
            logged_at: when the log saw the signature; a second later, if it is not said.
            key: one-off; made now, if it is not said.
            certificate: of the key; issued now, if it is not said.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = certificate or self.certified(key, at=at, life=LIFE)
        signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload), ec.ECDSA(hashes.SHA256()))
        material = self._logged(
            payload, signature, certificate, at=at + 1 if logged_at is None else logged_at
        )
        return Envelope(
            payload=payload,
            key_id=key_id(certificate),
            signature=signature,
            certificates=(certificate.public_bytes(Encoding.DER),),
            stamp=None,
            material=json.dumps(material).encode(),
        )

    def _logged(
        self, payload: bytes, signature: bytes, certificate: x509.Certificate, *, at: int
    ) -> dict[str, Any]:
        """What a bundle says of a signature, beside the certificate."""
        if self._stamps is None:
            wire = {
                "payload": _base64(payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": _base64(signature)}],
            }
            return {"tlogEntries": [self.rekor.add(dsse_entry(wire, certificate), at=at)]}
        digest = hashlib.sha256(pre_authentication_encoding(PAYLOAD_TYPE, payload)).digest()
        verifier = {
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "x509Certificate": {"rawBytes": _base64(certificate.public_bytes(Encoding.DER))},
        }
        entry = hashed_entry(_base64(digest), {"content": _base64(signature), "verifier": verifier})
        stamp = {"signedTimestamp": _base64(self._stamps.stamp(signature))}
        return {
            "tlogEntries": [self.rekor.add(entry, at=None)],
            "timestampVerificationData": {"rfc3161Timestamps": [stamp]},
        }

    def _authorities(self, span: dict[str, str]) -> list[dict[str, Any]]:
        if self._stamps is None:
            return []
        chain = [{"rawBytes": _base64(each.public_bytes(Encoding.DER))} for each in self._stamps.chain]
        subject = {"organization": "dev.invalid", "commonName": "simulated"}
        return [
            {
                "subject": subject,
                "uri": self._stamps.url,
                "certChain": {"certificates": chain},
                "validFor": span,
            }
        ]

    def __enter__(self) -> Self:
        """Listen."""
        self._listening = Listening(lambda _: self._app(), self._port, name="Sigstore")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self._token),
                Route("/api/v2/signingCert", self._certify, methods=["POST"]),
                Route("/api/v1/log/entries", self._log, methods=["POST"]),
                Route("/api/v2/log/entries", self._log_hashed, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"bearer {REQUEST_SECRET}":
            return Response(status_code=403)
        now = int(self._clock())
        claims = {
            "iss": self.run.issuer,
            "sub": f"{self.run.repository}:{self.run.identity}",
            "aud": request.query_params.get("audience", ""),
            "iat": now,
            "exp": now + _TOKEN_LIFE,
            "identity": self.run.identity,
            "repository": self.run.repository,
            "sha": self.run.commit,
        }
        return JSONResponse({"value": jwt.encode({"alg": "ES256"}, claims, self._tokens)})

    async def _certify(self, request: Request) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, self._tokens, algorithms=["ES256"]).claims
            asked = await request.json()
            wanted = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is refused
            return Response(status_code=400)
        if kind != "Bearer" or claims["aud"] != AUDIENCE or claims["exp"] < self._clock():
            return Response(status_code=401)
        run = Run(
            identity=claims["identity"],
            issuer=claims["iss"],
            repository=claims["repository"],
            commit=claims["sha"],
        )
        leaf = self.fulcio.certificate(wanted.public_key(), run, at=int(self._clock()))
        chain = [each.public_bytes(Encoding.PEM).decode() for each in (leaf, *self.fulcio.chain)]
        return JSONResponse({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})

    async def _log(self, request: Request) -> Response:
        asked = (await request.json())["spec"]["proposedContent"]
        envelope = json.loads(asked["envelope"])
        [verifier] = asked["verifiers"]
        certificate = x509.load_pem_x509_certificate(base64.b64decode(verifier))
        entry = self.rekor.add(dsse_entry(envelope, certificate), at=int(self._clock()))
        return JSONResponse(answer_of(entry), status_code=201)

    async def _log_hashed(self, request: Request) -> Response:
        asked = (await request.json())["hashedRekordRequestV002"]
        entry = self.rekor.add(hashed_entry(asked["digest"], asked["signature"]), at=None)
        return JSONResponse(entry, status_code=201)


def _log(url: str, public_key: bytes, span: dict[str, str]) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(public_key),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": span,
        },
        "logId": {"keyId": _base64(hashlib.sha256(public_key).digest())},
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
