"""How does a client get tokens of a real authorization server, without a shared secret?

It reads the issuer's metadata, comes to a client in the order that MCP gives (a Client ID Metadata Document,
dynamic registration, one that was registered before), and asks with `resource`: for client credentials, or,
where somebody is there to sign in, for a code. What it registered it takes back (RFC 7592) where the server
lets it. A client has `private_key_jwt`, or is a person's and public.
"""

import json
import ssl
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from launchworthy.probe.issuing import CannotMint
from launchworthy.promotion.live.sign_in import GRANT, REDIRECT, SignIn
from launchworthy.testing.issuer_clients import SimulatedClient
from launchworthy.testing.issuer_workloads import ASSERTION_TYPE
from launchworthy.tokens.discovery import MetadataError, endpoint_of, well_known_urls
from launchworthy.vocabulary import Problem, ProblemError, printable

_SECONDS: Final = 10.0
_MOST: Final = 256 * 1024
_SHOWN: Final = 80
_GRANT: Final = "client_credentials"
_OK, _CREATED = 200, 201


class Unusable(Exception):
    """The authorization server cannot be used in this way; the text says why.

    Attributes:
        person: what only a person can do about it.
    """

    def __init__(self, what: str, *, person: str | None = None) -> None:
        """Say why."""
        super().__init__(what)
        self.person = person


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """A client that the operator names, with its key.

    Attributes:
        client_id: as the authorization server knows it; a URL is a Client ID Metadata Document.
        key: its private key; None for a public client, by which only a person can sign in.
    """

    client_id: str
    key: ECKey | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status_code: int
    content: bytes = field(repr=False)


def read_client(client_id: str, file: Path) -> KnownClient:
    """Take a client's key from a file: PEM or JWK, elliptic-curve P-256.

    Raises:
        ProblemError: `live-client`: it cannot be read, others can read it, or it is no such key.
    """
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        content = file.read_bytes()
    except OSError as error:
        raise _no_client(f"`{file}` cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise _no_client(f"`{file}` can be read by others (mode {mode:04o}): chmod 600")
    try:
        key = ECKey.import_key(json.loads(content) if content.lstrip().startswith(b"{") else content)
    except (JoseError, ValueError, TypeError):
        key = None
    if key is None or not key.is_private or key.curve_name != "P-256":
        raise _no_client(f"`{file}` holds no private key on the curve P-256")
    key.ensure_kid()  # where the file names none: its thumbprint (RFC 7638)
    return KnownClient(client_id=client_id, key=key)


def _no_client(what: str) -> ProblemError:
    fix = ("--client ID --client-key FILE: a client of private_key_jwt that the authorization server knows",)
    return ProblemError(Problem(reason="live-client", what=what, fix=fix))


class AuthorizationServer:
    """One issuer, asked as a client asks it. Close it: that takes back what was registered.

    Attributes:
        issuer: its URL, byte for byte as the server's settings name it.
        metadata: its own word about itself.
    """

    def __init__(
        self,
        issuer: str,
        *,
        verify: ssl.SSLContext,
        simulated: bool,
        clock: Callable[[], float],
        sign_in: SignIn | None,
    ) -> None:
        """Ask nothing yet.

        Args:
            issuer: its URL.
            verify: whose certificates are believed.
            simulated: whether it is one of this machine.
            clock: seconds since the epoch.
            sign_in: who signs in; None where the client asks for itself.
        """
        self.issuer = issuer
        self.metadata: Mapping[str, Any] = {}
        self._simulated = simulated
        self._clock = clock
        self._sign_in = sign_in
        self._client_id: str | None = None
        self._prover: SimulatedClient | None = None
        self._registered: tuple[str, str] | None = None
        self._http = httpx2.Client(verify=verify, trust_env=False, follow_redirects=False, timeout=_SECONDS)

    def discover(self) -> str:
        """Read its metadata; returns in words what they are.

        Raises:
            Unusable: there are none, or they are not its own.
        """
        unusable: MetadataError | None = None
        for place in well_known_urls(self.issuer):
            found = self._json("GET", place)
            if found is None:
                continue
            try:
                for member in ("jwks_uri", "token_endpoint"):
                    endpoint_of(found, member, self.issuer, allow_loopback_http=self._simulated)
            except MetadataError as error:
                unusable = unusable or error
                continue
            self.metadata = found
            return f"{place} is the issuer's own, byte for byte, and its endpoints are on its host"
        raise Unusable(
            str(unusable) if unusable is not None else "it has no metadata at any well-known place"
        )

    def weaknesses(self) -> tuple[str, ...]:
        """What clients of people need of it and do not get; no matter for the server."""
        found = []
        if "S256" not in self._named("code_challenge_methods_supported"):
            found.append("it does not say that it verifies PKCE (S256): clients of people refuse to go on")
        if not self.reads_documents and "registration_endpoint" not in self.metadata:
            found.append("it registers no clients: each one is somebody's work")
        return tuple(found)

    @property
    def reads_documents(self) -> bool:
        """Whether a client may be named by the URL of its metadata."""
        return self.metadata.get("client_id_metadata_document_supported") is True

    def come_to_client(self, known: KnownClient | None, scopes: tuple[str, ...]) -> str:
        """Become a client: by document, by registration, or as one that is known; returns how.

        Raises:
            Unusable: there is no way to a client, or none without a person.
        """
        self._require_grant()
        if known is not None:
            if known.client_id.startswith("https://") and not self.reads_documents:
                raise Unusable("it reads no Client ID Metadata Documents, and --client names one")
            self._client_id = known.client_id
            self._prover = None if known.key is None else SimulatedClient(known.client_id, known.key)
            by_document = known.client_id.startswith("https://")
            how = f"the document {known.client_id} (CIMD)" if by_document else f"`{known.client_id}`"
            return how if by_document else f"{how} was registered before"
        if isinstance(self.metadata.get("registration_endpoint"), str):
            self._register(scopes)
            kept = "" if self._registered is not None else "; it gives no way to take it back (RFC 7592)"
            return f"registered itself (RFC 7591){kept}"
        raise Unusable(
            "it registers no clients, and none was named",
            person="register a client of private_key_jwt there: --client ID --client-key FILE",
        )

    def _require_grant(self) -> None:
        """See that tokens are given in the way that was chosen.

        Raises:
            Unusable: they are not.
        """
        grants = self._named("grant_types_supported", unsaid=(GRANT,))
        if self._sign_in is None:
            if _GRANT not in grants:
                raise Unusable(
                    "it gives no client credentials, so a person has to sign in",
                    person="sign in: --sign-in, or with a client of yours: --token-command CMD",
                )
            return
        if GRANT not in grants:
            raise Unusable("it gives no tokens for codes, so nobody can sign in for one")
        if "S256" not in self._named("code_challenge_methods_supported"):
            raise Unusable("it does not say that it verifies PKCE (S256), so a client must not go on")
        self._endpoint("authorization_endpoint")

    def _named(self, member: str, *, unsaid: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What a list of its metadata names; nothing, if it is there and no list."""
        names = self.metadata.get(member, unsaid)
        return (
            tuple(each for each in names if isinstance(each, str)) if isinstance(names, list | tuple) else ()
        )

    def token(self, resource: str, scope: str) -> str:
        """A token for a resource: by client credentials, or for the code that a person brings.

        Raises:
            CannotMint: it gave none, or the answer is not what a client may use.
        """
        client = self._client_id
        if client is None:
            raise CannotMint("there is no client")
        asked = {"resource": resource, "scope": scope}
        if self._sign_in is None:
            form = {"grant_type": _GRANT, "client_id": client, **asked}
        else:
            code = self._sign_in.code(self.metadata, issuer=self.issuer, client=client, asked=asked)
            form = {**code, "resource": resource}
        if self._prover is not None:
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self._prover.assertion(self.issuer, int(self._clock()))
        answer = self._send("POST", str(self.metadata["token_endpoint"]), data=form)
        said = _object(answer)
        if answer is None or said is None or answer.status_code != _OK:
            error = None if said is None else said.get("error")
            named = f" ({printable(error[:_SHOWN])})" if isinstance(error, str) else ""
            raise CannotMint(f"the authorization server gave no token for {resource}{named}")
        token, lifetime = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or str(said.get("token_type")).lower() != "bearer":
            raise CannotMint("the authorization server gave something else than a bearer token")
        if isinstance(lifetime, bool) or not isinstance(lifetime, int) or lifetime <= 0:
            raise CannotMint("the authorization server does not say in seconds how long its token lives")
        return token

    def close(self) -> str | None:
        """Take back what was registered, and close the connections; returns what is left, if anything is."""
        left = None
        if self._registered is not None:
            where, access = self._registered
            answer = self._send("DELETE", where, headers={"authorization": f"Bearer {access}"})
            if answer is None or answer.status_code != 204:  # noqa: PLR2004 - RFC 7592 §2.3
                left = "the client that was registered could not be taken back"
        self._http.close()
        return left

    def _register(self, scopes: tuple[str, ...]) -> None:
        endpoint = self._endpoint("registration_endpoint")
        key = ECKey.generate_key("P-256", {"kid": "launchworthy-live"})
        metadata = _of_machine(key) if self._sign_in is None else _OF_PERSON
        metadata = {"client_name": "launchworthy promote --live", "scope": " ".join(scopes), **metadata}
        answer = self._send("POST", endpoint, json=metadata)
        said = _object(answer)
        if answer is None or said is None or answer.status_code not in {_OK, _CREATED}:
            status = "no answer" if answer is None else str(answer.status_code)
            raise Unusable(
                f"it offers registration, and answers it with {status}",
                person="register a client of private_key_jwt there: --client ID --client-key FILE",
            )
        if not isinstance(said.get("client_id"), str):
            raise Unusable("its answer to a registration names no client")
        self._client_id = said["client_id"]
        self._prover = SimulatedClient(said["client_id"], key) if self._sign_in is None else None
        where, access = said.get("registration_client_uri"), said.get("registration_access_token")
        if (
            isinstance(where, str)
            and isinstance(access, str)
            and where.startswith(f"{_origin(self.issuer)}/")
        ):
            self._registered = (where, access)

    def _endpoint(self, member: str) -> str:
        try:
            return endpoint_of(dict(self.metadata), member, self.issuer, allow_loopback_http=self._simulated)
        except MetadataError as error:
            raise Unusable(str(error)) from None

    def _json(self, method: str, url: str) -> dict[str, object] | None:
        answer = self._send(method, url, headers={"accept": "application/json"})
        return _object(answer) if answer is not None and answer.status_code == _OK else None

    def _send(self, method: str, url: str, **options: Any) -> _Answer | None:
        """What was answered; None where nothing was, or more than such an answer has."""
        try:
            with self._http.stream(method, url, **options) as answer:
                content = bytearray()
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _MOST:
                        return None
                return _Answer(status_code=answer.status_code, content=bytes(content))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
            return None


def _of_machine(key: ECKey) -> dict[str, Any]:
    """What is registered for a client that asks for itself."""
    return {
        "grant_types": [_GRANT],
        "response_types": [],
        "redirect_uris": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]},
    }


_OF_PERSON: Final[Mapping[str, Any]] = {
    "application_type": "native",
    "grant_types": [GRANT],
    "response_types": ["code"],
    "redirect_uris": [REDIRECT],
    "token_endpoint_auth_method": "none",
}
"""What is registered for one by which somebody signs in: public, and only PKCE says that it is the same."""


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _object(answer: _Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    try:
        said = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
