"""Who lends what to the server under test? The simulated brokers and upstreams of one world.

Which credentials there are is read from the project: what its manifests borrow, and which broker its settings
name. Tokens come from the world's first issuer, whatever the settings call theirs.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from launchworthy.testing.cloud import SimulatedSts
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_faults import Fault
from launchworthy.testing.issuer_workloads import Workload
from launchworthy.testing.projected_token import AUDIENCE
from launchworthy.testing.store import PATH, ROLE, SimulatedStore, StoreTls
from launchworthy.testing.upstream import SimulatedUpstream

_OF_AN_ISSUER: Final = frozenset({"token-exchange", "client-credentials", "jwt-bearer", "id-jag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCredential:
    """One credential that the server borrows.

    Attributes:
        name: its table in the settings.
        broker: as the settings have it.
        scopes: all that the manifests ask for.
        ttl: the shortest time that they allow, in seconds.
        fields: what the settings name, besides the broker.
        login: what a store is logged in to with: `jwt` or `cert`.
    """

    name: str
    broker: str
    scopes: tuple[str, ...]
    ttl: int
    fields: frozenset[str]
    login: str


def joined(one: SimulatedCredential | None, other: SimulatedCredential) -> SimulatedCredential:
    """What two targets borrow together: all scopes, the shorter time."""
    if one is None:
        return other
    scopes = tuple(dict.fromkeys((*one.scopes, *other.scopes)))
    return replace(other, scopes=scopes, ttl=min(one.ttl, other.ttl))


class Lending:
    """The brokers and upstreams of one world. Enter it after the issuer has started.

    Attributes:
        upstreams: by the name of the table in the settings.
        store: the simulated OpenBao, if one is named.
        sts: the simulated STS, if one is named.
        directory: where the mounted secrets are.
    """

    def __init__(
        self,
        credentials: Sequence[SimulatedCredential],
        apps: Mapping[str, Any],
        *,
        issuer: SimulatedIssuer,
        workload: Workload,
        directory: Path,
    ) -> None:
        """Lay them out; nothing listens yet.

        Args:
            credentials: what the server borrows.
            apps: what upstreams answer, by name; the others answer `{}`.
            issuer: of all tokens.
            workload: the server, as issuers and stores know it.
            directory: an existing folder for mounted secrets.
        """
        self._credentials = tuple(credentials)
        self._issuer = issuer
        self._workload = workload
        self.directory = directory
        self.upstreams: dict[str, SimulatedUpstream] = {}
        self._files: dict[str, str] = {}
        brokers = {each.broker for each in self._credentials}
        by_certificate = any(each.login == "cert" for each in self._credentials)
        self._store_tls = (
            StoreTls(directory.parent / "store-ca.pem", workload.roots) if by_certificate else None
        )
        self.store = None
        if "openbao" in brokers:
            self.store = SimulatedStore(workload.subject, workload.keys, self._store_tls)
        self.sts = SimulatedSts() if "aws-sts" in brokers else None
        for each in self._credentials:
            if each.broker == "aws-sts" or (each.broker not in _OF_AN_ISSUER and "url" not in each.fields):
                continue
            upstream = SimulatedUpstream(each.name, self._lender(each), apps.get(each.name))
            self.upstreams[each.name] = upstream

    @property
    def audience(self) -> str:
        """The one audience that a platform's token is for, where that is all the identity there is."""
        if self.store is not None and not any(each.broker in _OF_AN_ISSUER for each in self._credentials):
            return self.store.address
        if any(each.broker in _OF_AN_ISSUER for each in self._credentials):
            return self._issuer.issuer
        return AUDIENCE

    def enter(self, stack: ExitStack) -> None:
        """Start them all."""
        if not self._credentials:
            return
        self._issuer.admit(self._workload)
        self._issuer.trust(self._issuer)  # of an ID-JAG it is both issuers
        for upstream in self.upstreams.values():
            stack.enter_context(upstream)
        for started in (self.store, self.sts):
            if started is not None:
                stack.enter_context(started)
        for each in self._credentials:
            self._fill(each)

    def _fill(self, each: SimulatedCredential) -> None:
        if each.broker in _OF_AN_ISSUER:
            self._issuer.offer(self.upstreams[each.name].url, each.scopes, lifetime=each.ttl)
        if each.broker == "openbao" and self.store is not None:
            self.store.lifetime = min(self.store.lifetime, each.ttl)
        if each.broker == "file":
            self._mount(each.name)

    def fail(self, fault: Fault) -> None:
        """Break whoever lends, all of them at once; `Fault.NONE` mends them."""
        self._issuer.faults.lending = fault
        if self.store is not None:
            self.store.login = fault
        if self.sts is not None:
            self.sts.fault = fault

    def tables(self, *, whole: bool) -> dict[str, dict[str, object]]:
        """What the world file says of them.

        Args:
            whole: whether the settings name none of them: `development` needs not.
        """
        return {f"credentials.{each.name}": self._table(each, whole=whole) for each in self._credentials}

    def _table(self, each: SimulatedCredential, *, whole: bool) -> dict[str, object]:
        table: dict[str, object] = {"broker": each.broker} if whole else {}
        if each.name in self.upstreams:
            table["url"] = self.upstreams[each.name].url
            if "resource" in each.fields:
                table["resource"] = table["url"]
        if each.broker in _OF_AN_ISSUER:
            table["issuer"] = self._issuer.issuer
            if "endpoint" in each.fields:
                table["endpoint"] = self._issuer.token_endpoint
            if each.broker == "id-jag":
                table["authorization_server"] = self._issuer.issuer
            if "client" in each.fields:
                table["client"] = self._workload.client_id
        return {**table, **self._others(each, whole=whole)}

    def _others(self, each: SimulatedCredential, *, whole: bool) -> Mapping[str, object]:
        if each.broker == "openbao" and self.store is not None:
            found = {"address": self.store.address} | ({"role": ROLE, "path": PATH} if whole else {})
            if self._store_tls is not None:
                found["ca"] = str(self._store_tls.ca)
            return found | ({"login": each.login} if whole and each.login != "jwt" else {})
        if each.broker == "aws-sts" and self.sts is not None:
            arn = {"role_arn": "arn:aws:iam::000000000000:role/simulated"} if whole else {}
            return {"address": self.sts.address} | arn
        if each.broker == "file":
            return {"reference": f"file:{self.directory / each.name}"}
        return {}

    def _mount(self, name: str) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        place = self.directory / name
        self._files[name] = secrets.token_urlsafe(24)
        place.write_text(self._files[name])
        place.chmod(0o600)

    def _lender(self, each: SimulatedCredential) -> Any:
        if each.broker == "openbao":
            return self.store
        return _Mounted(self, each.name) if each.broker == "file" else _Tokens(self._issuer)

    def mounted(self, name: str) -> str:
        """The mounted secret of this name, as it was made."""
        return self._files.get(name, "")


class _Tokens:
    """Tokens of the world's issuer."""

    def __init__(self, issuer: SimulatedIssuer) -> None:
        self._issuer = issuer

    def good_for(self, credential: str, resource: str) -> bool:
        return self._issuer.good_for(credential, resource) is not None

    def revoked(self, credential: str) -> bool:
        token_id = self._issuer.token_id(credential)
        return token_id is not None and self._issuer.revoked(token_id)


class _Mounted:
    """A mounted secret; nobody takes it back."""

    def __init__(self, lending: Lending, name: str) -> None:
        self._lending = lending
        self._name = name

    def good_for(self, credential: str, resource: str) -> bool:
        del resource
        return credential == self._lending.mounted(self._name)

    def revoked(self, credential: str) -> bool:
        del credential
        return False
