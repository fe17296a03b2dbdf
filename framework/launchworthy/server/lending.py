"""How do `[credentials.<name>]` become whoever lends? A broker's library is loaded only where it is named."""

import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from launchworthy.credentials import CredentialBroker
from launchworthy.credentials.one_host import OneHost
from launchworthy.credentials.tellers import Tellers
from launchworthy.credentials.upstream import MAX_ANSWER_BYTES
from launchworthy.manifest import TargetKey
from launchworthy.server.parts import Parts
from launchworthy.settings import EXCHANGES, CredentialSettings
from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.fetch import Network, system_network
from launchworthy.vocabulary import Problem, ProblemError, SecretRef

_ID_BITS = 64
_ROOTS = (Path("/run/secrets"), Path("/run/credentials"))


def tellers(parts: Parts) -> Tellers:
    """Whoever lends in this server.

    Raises:
        ProblemError: an address of the settings is one that we do not connect to.
    """
    network = system_network() if parts.settings.credentials else None
    brokers: dict[str, CredentialBroker] = {}
    hosts: dict[str, OneHost] = {}
    for name, credential in parts.settings.credentials.items():
        if network is None:
            break
        try:
            brokers[name] = _Lending(parts, network).broker(name, credential)
            if credential.url is not None:
                hosts[name] = _Lending(parts, network).upstream(credential, credential.url)
        except EndpointError as error:
            raise ProblemError(_no_address(name, error)) from None
    return Tellers(brokers, hosts, audit=parts.audit, clock=parts.surroundings.clock)


def exchanging(parts: Parts) -> frozenset[TargetKey]:
    """The targets whose caller's token may be exchanged; for no other one is it kept."""
    names = {name for name, one in parts.settings.credentials.items() if one.broker in EXCHANGES}
    return frozenset(
        served.manifest.key for served in parts.served if names & served.manifest.credentials.keys()
    )


class _Lending:
    """Makes the broker of one table."""

    def __init__(self, parts: Parts, network: Network) -> None:
        self._parts = parts
        self._network = network
        self._simulated = parts.settings.environment.simulated
        self._clock: Callable[[], float] = parts.surroundings.clock

    def host(self, url: str, *, max_bytes: int, keep_alive: bool, simulated: bool) -> OneHost:
        return OneHost(
            url,
            self._network,
            simulated=simulated,
            max_bytes=max_bytes,
            keep_alive=keep_alive,
        )

    def upstream(self, credential: CredentialSettings, url: str) -> OneHost:
        """The host that a credential opens; a developer's sandbox may be real in a simulated world."""
        simulated = self._simulated
        if credential.broker == "developer":
            from launchworthy.server.developer_lending import sandbox_is_local  # noqa: PLC0415 - likewise

            simulated = sandbox_is_local(url)
        return self.host(url, max_bytes=MAX_ANSWER_BYTES, keep_alive=True, simulated=simulated)

    def broker(self, name: str, credential: CredentialSettings) -> CredentialBroker:
        match credential.broker:
            case "token-exchange" | "client-credentials" | "jwt-bearer" | "id-jag":
                return self._at_an_issuer(credential)
            case "openbao":
                return self._openbao(name, credential)
            case "aws-sts":
                return self._aws_sts(credential)
            case "file":
                return self._file(credential)
            case "developer":
                return self._developer(name, credential)

    def _at_an_issuer(self, credential: CredentialSettings) -> CredentialBroker:
        from launchworthy.server.issuers_lending import IssuersLending  # noqa: PLC0415 - loads authlib

        return IssuersLending(
            self._parts, self._network, clock=self._clock, monotonic=time.monotonic, new_id=self._new_id
        ).broker(credential)

    def _developer(self, name: str, credential: CredentialSettings) -> CredentialBroker:
        from launchworthy.server.developer_lending import developer  # noqa: PLC0415 - development only

        return developer(self._parts, self._network, name, credential, new_id=self._new_id)

    def _openbao(self, name: str, credential: CredentialSettings) -> CredentialBroker:
        from launchworthy.server.store_lending import store  # noqa: PLC0415 - only where it is named

        return store(self._parts, self._network, name, credential, new_id=self._new_id)

    def _aws_sts(self, credential: CredentialSettings) -> CredentialBroker:
        from launchworthy.credentials.brokers.aws_sts import (  # noqa: PLC0415 - only where it is named
            MAX_ANSWER_BYTES as LONGEST,
        )
        from launchworthy.credentials.brokers.aws_sts import AwsSts  # noqa: PLC0415

        address = str(credential.address)
        return AwsSts(
            self.host(address, max_bytes=LONGEST, keep_alive=False, simulated=self._simulated),
            address,
            str(credential.role_arn),
            identity=self._parts.identity,
            clock=self._clock,
            new_id=self._new_id,
        )

    def _file(self, credential: CredentialSettings) -> CredentialBroker:
        from launchworthy.credentials.brokers.mounted_file import MountedFile  # noqa: PLC0415 - only if named

        reference = credential.reference
        if reference is None:
            raise RuntimeError("the settings demand a reference here")
        return MountedFile(reference, self._root(reference), clock=self._clock, new_id=self._new_id)

    def _root(self, reference: SecretRef) -> Path:
        """The folder that no link may lead out of: the one that the reference's grammar found it below."""
        given = self._parts.surroundings.environ.get("CREDENTIALS_DIRECTORY", "")
        roots = (*_ROOTS, *([Path(given)] if given.startswith("/") else []))
        place = PurePosixPath(reference.locator)
        return next(root for root in roots if place.is_relative_to(root))

    def _new_id(self) -> str:
        return f"{self._parts.surroundings.random_bits(_ID_BITS):016x}"


def _no_address(name: str, error: EndpointError) -> Problem:
    return Problem(
        reason="credential-address",
        what=f"[credentials.{name}] names an address that we do not connect to: {error}",
        fix=("name an https address by a plain host name",),
        field=f"credentials.{name}",
    )
