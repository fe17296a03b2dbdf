"""How does a probe get wrong tokens from a simulated issuer of another process? It writes, the issuer signs.

On loopback only, and only an issuer that says in its metadata that it signs what it is told to: no real
one does. The probe registers as a client of its own for it.
"""

import base64
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc.jwk import ECKey

from launchworthy.probe.issuing import CannotMint
from launchworthy.testing.issuer_app import SIGNING_ENDPOINT
from launchworthy.testing.issuer_clients import SimulatedClient
from launchworthy.testing.issuer_minting import Grant, Minter
from launchworthy.testing.issuer_workloads import ASSERTION_TYPE
from launchworthy.vocabulary import Problem, ProblemError

_SECONDS = 5.0


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, and to nothing that a name server says is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _RemoteKey:
    kid: str
    algorithm: str
    jwk: dict[str, Any]
    ask: Callable[[bytes], dict[str, Any]]

    def sign(self, signing_input: bytes) -> bytes:
        signature = str(self.ask(signing_input)["signature"])
        return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))

    def public(self) -> dict[str, Any]:
        return self.jwk


class RemoteKeys:
    """The signing keys of a simulated issuer of another process."""

    def __init__(self, ask: Callable[[bytes], dict[str, Any]]) -> None:
        """Ask which one signs now."""
        said = ask(b"")
        self._key = _RemoteKey(
            kid=str(said["kid"]), algorithm=str(said["alg"]), jwk=dict(said["jwk"]), ask=ask
        )

    def active(self, algorithm: str | None = None) -> _RemoteKey:
        """The one that signs now, whatever is asked for."""
        del algorithm
        return self._key


class RemoteIssuer:
    """A simulated issuer of another process. Close it.

    Attributes:
        issuer: its URL, as it calls itself.
        scopes: all that its resources offer.
        keys: what it signs with.
        client: the probe itself, as it is registered there.
    """

    def __init__(self, url: str) -> None:
        """Register there.

        Raises:
            ProblemError: `probe-issuer`: it is not on loopback, does not answer, or signs nothing.
        """
        if not is_loopback(url):
            raise _refused(
                url, "is not on this machine, and only a simulated issuer signs what it is told to"
            )
        self._http = httpx2.Client(timeout=_SECONDS, trust_env=False, follow_redirects=False)
        try:
            metadata = self._metadata(url)
            self.issuer = str(metadata["issuer"])
            self.scopes = tuple(str(scope) for scope in metadata.get("scopes_supported", ()))
            self._endpoint = str(metadata.get(SIGNING_ENDPOINT, ""))
            if not is_loopback(self._endpoint):
                raise _refused(url, "is no simulated issuer: it does not sign what it is told to")
            self.client = self._register(str(metadata["registration_endpoint"]))
            self.keys = RemoteKeys(self._sign)
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, CannotMint):
            self.close()
            raise _refused(url, "does not answer as an issuer") from None
        except ProblemError:
            self.close()
            raise
        self._minter = Minter(self.issuer, self.keys, time.time)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def grant(self, **given: Any) -> Grant:
        """What a token is for: the probe itself, where nothing else is said."""
        return Grant(**{"subject": self.client.client_id, "client": self.client.client_id, **given})

    def mint(self, grant: Grant, **changes: Any) -> str:
        """Write a good token and change what is asked for; see `Minter.mint`.

        Raises:
            CannotMint: the issuer does not sign it.
        """
        return self._minter.mint(grant, **changes)

    def _metadata(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        place = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}"
        return dict(self._http.get(place).raise_for_status().json())

    def _register(self, endpoint: str) -> SimulatedClient:
        if not is_loopback(endpoint):
            raise ValueError("the registration endpoint is elsewhere")
        key = ECKey.generate_key("P-256", {"kid": "probe"})
        metadata = {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.as_dict(private=False)]},
            "client_name": "launchworthy probe",
        }
        answer = self._http.post(endpoint, json=metadata).raise_for_status().json()
        return SimulatedClient(str(answer["client_id"]), key)

    def _sign(self, signing_input: bytes) -> dict[str, Any]:
        form = {
            "client_id": self.client.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.client.assertion(self.issuer, int(time.time())),
            "input": signing_input.decode("ascii"),
        }
        try:
            return dict(self._http.post(self._endpoint, data=form).raise_for_status().json())
        except (httpx2.HTTPError, ValueError, TypeError):
            raise CannotMint("the issuer did not sign it") from None


def _refused(url: str, what: str) -> ProblemError:
    fix = ("name the issuer of `launchworthy dev`, or get tokens by --token-command",)
    return ProblemError(Problem(reason="probe-issuer", what=f"`{url[:200]}` {what}", fix=fix))
