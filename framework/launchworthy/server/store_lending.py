"""How is a store of dynamic secrets asked? Imported only where a credential names one."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from launchworthy.credentials import CredentialBroker
from launchworthy.credentials.brokers.openbao import MAX_ANSWER_BYTES, DynamicSecret, OpenBao
from launchworthy.credentials.one_host import OneHost
from launchworthy.identity import WorkloadIdentity
from launchworthy.identity.host_tls import host_tls
from launchworthy.server.parts import Parts
from launchworthy.settings import CredentialSettings
from launchworthy.tokens.fetch import Network
from launchworthy.vocabulary import Problem, ProblemError


def store(
    parts: Parts, network: Network, name: str, credential: CredentialSettings, *, new_id: Callable[[], str]
) -> CredentialBroker:
    """The broker of one table.

    Raises:
        EndpointError: the address is one that we do not connect to.
        ProblemError: there is no certificate to log in with, or `ca` is no file of certificates.
    """
    by_certificate = credential.login == "cert"
    if by_certificate and parts.settings.identity.kind != "spiffe":
        raise ProblemError(
            Problem(
                reason="credential-unfit",
                what=f"[credentials.{name}] logs in by a certificate, and this identity has none",
                fix=('take `login = "cert"` out: the platform\'s token logs in by JWT', 'or kind = "spiffe"'),
                field=f"credentials.{name}.login",
            )
        )
    address = str(credential.address)
    identity = parts.identity if by_certificate else None
    host = OneHost(
        address,
        replace(network, tls=_tls(name, credential.ca, identity)),
        simulated=parts.settings.environment.simulated,
        max_bytes=MAX_ANSWER_BYTES,
        keep_alive=not by_certificate,  # each login shows the SVID that is in force by then
    )
    return OpenBao(
        host,
        address,
        DynamicSecret(
            mount=credential.mount or credential.login,
            by_certificate=by_certificate,
            role=str(credential.role),
            path=str(credential.path),
            part=credential.part,
        ),
        identity=parts.identity,
        clock=parts.surroundings.clock,
        new_id=new_id,
    )


def _tls(name: str, authorities: Path | None, identity: WorkloadIdentity | None) -> ssl.SSLContext:
    try:
        if identity is not None:
            return host_tls(identity, authorities=authorities)
        return ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    except OSError as error:
        problem = Problem(
            reason="store-unfit",
            where=str(authorities),
            what=f"is no file of certificates ({type(error).__name__})",
            fix=("name the authority that signed the store's certificate, in PEM",),
            field=f"credentials.{name}.ca",
        )
        raise ProblemError(problem) from None
