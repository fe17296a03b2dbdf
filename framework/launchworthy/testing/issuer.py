"""Who issues tokens in the simulated world? An authorization server on loopback, in a thread.

It is a believable one (discovery, rotation, client credentials by signed assertion, sign-in with PKCE,
token exchange, revocation), and one that lies and breaks on request: `mint` writes tokens that are wrong
in exactly one way, and `faults` breaks an endpoint. It listens on 127.0.0.1 only.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from launchworthy.testing.issuer_app import Realm, build_app
from launchworthy.testing.issuer_clients import Clients, FetchClientMetadata, SimulatedClient
from launchworthy.testing.issuer_device import DeviceSignIns
from launchworthy.testing.issuer_faults import Counts, Fault, Faults
from launchworthy.testing.issuer_grants import Grants
from launchworthy.testing.issuer_id_jag import ID_JAG_SECONDS, ID_JAG_TYPE, IdJags, id_jag_claims
from launchworthy.testing.issuer_keys import SigningKey, SigningKeys
from launchworthy.testing.issuer_minting import ABSENT, Grant, Minter
from launchworthy.testing.issuer_opaque import OpaqueTokens
from launchworthy.testing.issuer_sign_in import SignIn
from launchworthy.testing.issuer_workloads import Workload
from launchworthy.testing.listening import Listening
from launchworthy.testing.visitor import PERSON
from launchworthy.testing.waiting import free_port

__all__ = ["ABSENT", "PERSON", "Fault", "Grant", "SigningKey", "SimulatedClient", "SimulatedIssuer"]


class SimulatedIssuer:
    """One authorization server. Start it, or use it as a context manager; stop it and start it again.

    Attributes:
        issuer: its URL; there is a port, so it is known before `start`.
        jwks_uri: where its keys are.
        token_endpoint: where its tokens are.
        keys: what it signs with; rotate them here.
        faults: what is broken now.
        counts: how often each endpoint was asked.
        clients: whom it knows.
        opaque: its opaque tokens; `opaque.revoke` takes one back.
        device: where people say yes for a device, once `device.offered`.
        client: a registered client that can prove itself.
    """

    def __init__(
        self,
        resources: Mapping[str, tuple[str, ...]],
        *,
        algorithms: tuple[str, ...] = ("ES256",),
        path: str = "",
        clock: Callable[[], float] = time.time,
        fetch_client_metadata: FetchClientMetadata | None = None,
    ) -> None:
        """Take a free port and generate the keys.

        Args:
            resources: the resources it issues tokens for, and the scopes that each offers; the first one is
                what `mint` takes unless told otherwise.
            algorithms: what it signs with; the first is the default.
            path: the path of its issuer URL, such as `/tenant`.
            clock: seconds since the epoch.
            fetch_client_metadata: reads Client ID Metadata Documents. Without it the issuer says that it
                cannot, and clients register themselves: the simulated world has no network.
        """
        if not resources:
            raise ValueError("an issuer issues tokens for at least one resource")
        self._port = free_port()
        self._resources = dict(resources)
        self._clock = clock
        origin = f"http://127.0.0.1:{self._port}"
        self.issuer = f"{origin}{path}"
        self.jwks_uri = f"{origin}/keys"
        self.token_endpoint = f"{origin}/token"
        self.keys = SigningKeys(algorithms)
        self.faults = Faults()
        self.counts = Counts()
        self.clients = Clients(self.issuer, clock, fetch_client_metadata)
        self.opaque = OpaqueTokens()
        self.client = SimulatedClient("simulated-agent")
        self.clients.add(self.client.registration())
        self._minter = Minter(self.issuer, self.keys, clock)
        self._id_jags = IdJags(self.issuer, clock)
        grants = Grants(self._resources, self.keys, self._minter, clock, self._id_jags, vouch=self.vouch)
        self.device = DeviceSignIns(self.clients, grants, clock)
        self._realm = Realm(
            issuer=self.issuer,
            path=path,
            scopes=tuple(dict.fromkeys(scope for offered in resources.values() for scope in offered)),
            keys=self.keys,
            clients=self.clients,
            grants=grants,
            opaque=self.opaque,
            sign_in=SignIn(self.issuer, self.clients, grants, clock),
            device=self.device,
            faults=self.faults,
            counts=self.counts,
        )
        self._running: Listening | None = None

    def start(self) -> None:
        """Listen; returns when the first request can be answered."""
        if self._running is None:
            self._running = Listening(
                lambda ended: build_app(self._realm, ended, well_known_paths(self._realm.path)),
                self._port,
                name="simulated-issuer",
            )

    def stop(self) -> None:
        """Refuse connections from now on; keys, clients and counts stay."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def grant(
        self, *, resource: str | None = None, scopes: Sequence[str] | None = None, **more: Any
    ) -> Grant:
        """What `mint` issues: all scopes of the first resource, to the client itself, or what is said."""
        resource = next(iter(self._resources)) if resource is None else resource
        return Grant(
            **{
                "resource": resource,
                "scopes": self._resources.get(resource, ()) if scopes is None else tuple(scopes),
                "subject": self.client.client_id,
                "client": self.client.client_id,
                **more,
            }
        )

    def mint(self, grant: Grant | None = None, **changes: Any) -> str:
        """Write a good token and change exactly what is asked for; see `Minter.mint` for what that can be."""
        return self._minter.mint(self.grant() if grant is None else grant, **changes)

    def mint_opaque(self, grant: Grant | None = None, **changes: object) -> str:
        """Issue a token that says nothing, and change exactly what is said of it when it is asked about."""
        claims = self._minter.claims(self.grant() if grant is None else grant)
        return self.opaque.issue({**claims, **changes})

    def say_of_all(self, claims: Mapping[str, object]) -> None:
        """Have every access token say this from now on, as whose the caller is."""
        self._minter.says = claims

    def join(self, subject: str, *groups: str) -> None:
        """Put a person into groups; their ID tokens say so from now on."""
        self._realm.grants.groups[subject] = groups

    def say_of(self, subject: str, claims: Mapping[str, object]) -> None:
        """Have ID tokens say this of a person from now on; they sign in with one click."""
        self._realm.grants.said[subject] = claims

    def lie_about_sign_ins(self, changes: Mapping[str, object]) -> None:
        """Replace claims of good ID tokens from now on; `ABSENT` leaves one out."""
        self._realm.grants.id_changes = changes

    def trust(self, provider: "SimulatedIssuer") -> None:
        """Redeem the identity assertions of this identity provider from now on (ID-JAG)."""
        self._id_jags.trust(provider.issuer, provider.keys)

    def vouch(self, audience: str, grant: Grant, **changes: Any) -> str:
        """Write an identity assertion (ID-JAG) for another issuer, and change exactly what is asked for.

        Args:
            audience: the issuer that will redeem it.
            grant: for whom, for which client, resource and scopes.
            changes: as in `Minter.mint`.
        """
        said = id_jag_claims(audience=audience, resource=grant.resource, scopes=tuple(grant.scopes))
        ends = {"exp": int(self._clock()) + ID_JAG_SECONDS}
        claims = {**said, **ends, **changes.pop("claims", {})}
        header = {"typ": ID_JAG_TYPE, **changes.pop("header", {})}
        return self._minter.mint(grant, claims=claims, header=header, **changes)

    def admit(self, workload: Workload) -> None:
        """Know a workload by its identity: it may ask for tokens of its own, and act for callers."""
        self.clients.admit(workload)

    def offer(self, resource: str, scopes: Sequence[str], *, lifetime: int) -> None:
        """Issue tokens for one more resource, which live so many seconds, also to act for callers there."""
        self._resources[resource] = tuple(scopes)
        self._realm.grants.lifetimes[resource] = lifetime
        self._realm.grants.delegated.add(resource)

    def answers(self, changes: Mapping[str, Any]) -> None:
        """Replace members of good answers to token requests from now on; None leaves one out."""
        self._realm.grants.changes = changes

    def good_for(self, token: str, resource: str) -> str | None:
        """The `jti` of a token that is good for this resource now; None for any other."""
        return self._realm.grants.good_for(token, resource)

    def token_id(self, token: str) -> str | None:
        """The `jti` of a token of this issuer, whether it is still good or not."""
        return self._realm.grants.token_id(token)

    def revoked(self, token_id: str) -> bool:
        """Whether the token with this `jti` was revoked."""
        return token_id in self._realm.grants.revoked


def well_known_paths(path: str) -> tuple[str, ...]:
    """Where the metadata stand: RFC 8414 §3.1 with the path inserted, and both forms of OpenID Connect."""
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    return tuple(dict.fromkeys((f"{oauth}{path}", f"{openid}{path}", f"{path}{openid}")))
