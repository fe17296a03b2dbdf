"""How are settings turned into parts? One function a part; the stages of `startup` call them in order."""

import os
import platform
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from launchworthy._version import __version__
from launchworthy.attestation import Subject, VerifiedRecord
from launchworthy.audit import AuditUnwritable, events
from launchworthy.egress.guard import install as install_egress_guard
from launchworthy.enforcement.exchange import build_exchange
from launchworthy.enforcement.gate import Gate
from launchworthy.enforcement.gate_config import GateConfig
from launchworthy.enforcement.newcomers import Newcomers
from launchworthy.enforcement.protocol import report_nothing
from launchworthy.enforcement.rehearsing import NOT_REHEARSED, Rehearsing
from launchworthy.identity import WorkloadIdentity
from launchworthy.identity.cause import SourceError
from launchworthy.identity.peers import PeerRule
from launchworthy.identity.refusal import refused_at_once
from launchworthy.identity.status import ChangeKind, IdentityChange
from launchworthy.identity.tls import TlsTerms, server_tls
from launchworthy.server import approval_page, lending
from launchworthy.server.application import open_app
from launchworthy.server.listening import Listener
from launchworthy.server.observing import observed_audit
from launchworthy.server.parts import Parts
from launchworthy.server.readiness import HealthApp, Readiness
from launchworthy.server.terminal import refusal_printer
from launchworthy.server.witnessing import IdentityWitness
from launchworthy.settings import Settings, listed_exceptions, waits_for_disk
from launchworthy.vocabulary import Environment

_IDENTITY_EVENTS: dict[ChangeKind, type[events.IdentityEvent]] = {
    ChangeKind.ACQUIRED: events.IdentityAcquired,
    ChangeKind.ROTATED: events.IdentityRotated,
    ChangeKind.BUNDLE_CHANGED: events.IdentityBundleChanged,
    ChangeKind.REFRESH_FAILED: events.IdentityRefreshFailed,
    ChangeKind.EXPIRED: events.IdentityExpired,
    ChangeKind.REVOKED: events.IdentityRevoked,
}


def server_starting(parts: Parts) -> events.ServerStarting:
    """That a start was tried, by what."""
    return events.ServerStarting(
        environment=parts.settings.environment.value,
        version=__version__,
        name=parts.definition.package,
        instance=platform.node(),
        process=os.getpid(),
        python=platform.python_version(),
        settings_digest=parts.settings.digest,
        exceptions=tuple(_exception_lines(parts.settings)),
    )


def config_loaded(parts: Parts) -> events.ConfigLoaded:
    """What is in force, by digests and names, and who answers for it."""
    ownership = parts.manifests.server.ownership
    return events.ConfigLoaded(
        settings_digest=parts.settings.digest,
        manifest_digest=parts.manifests.digest,
        policy_digest=parts.compiled.digest,
        tools=tuple(sorted(one.manifest.name for one in parts.served)),
        issuers=tuple(issuer.issuer for issuer in parts.settings.issuers.values()),
        owner=ownership.owner,
        on_call=ownership.on_call,
        runbook=ownership.runbook,
    )


def trust_loaded(record: VerifiedRecord) -> events.TrustLoaded:
    """Which record was accepted, and whose."""
    return events.TrustLoaded(
        trust_digest=record.trust_policy_sha256,
        record_digest=record.reference.sha256,
        signer=str(record.signer),
        commit=record.digests[Subject.COMMIT],
        detail=record.where,
    )


def workload_identity(parts: Parts) -> WorkloadIdentity:
    """The provider that the settings name; its library is loaded here and not before."""
    settings = parts.settings.identity
    owners = settings.socket_owner_uids
    if parts.settings.environment.simulated:
        owners = (*owners, os.getuid())  # the simulated agent runs as whoever started it
    if settings.kind == "spiffe":
        from launchworthy.identity.spiffe import SpiffeIdentity  # noqa: PLC0415 - 350 ms and 42 MiB

        return SpiffeIdentity(
            endpoint=settings.endpoint,
            expected_id=settings.expected_id,
            trust_domains=settings.trust_domains,
            socket_owner_uids=owners,
            call_timeout=settings.call_timeout,
            revocation_grace=settings.revocation_grace or 0.0,
            clock=parts.surroundings.clock,
        )
    if settings.kind == "github":
        return _github_identity(parts)
    from launchworthy.identity.token_file import TokenFileIdentity  # noqa: PLC0415 - the other one

    return TokenFileIdentity(
        path=Path(settings.endpoint),
        expected_id=settings.expected_id,
        trust_domains=settings.trust_domains,
        owner_uids=owners,
        clock=parts.surroundings.clock,
    )


def _github_identity(parts: Parts) -> WorkloadIdentity:
    """Tokens about the job that this is.

    Raises:
        StartupRefused: it is none that may have any.
    """
    from launchworthy.identity.github import github_mint  # noqa: PLC0415 - only where it is used
    from launchworthy.identity.minting import MintingIdentity  # noqa: PLC0415

    settings = parts.settings.identity
    try:
        mint = github_mint(
            parts.surroundings.environ,
            timeout=settings.call_timeout,
            allow_loopback_http=parts.settings.environment.simulated,
        )
    except SourceError as error:
        raise refused_at_once(error.failure) from None
    return MintingIdentity(
        mint,
        expected_id=settings.expected_id,
        trust_domains=settings.trust_domains,
        clock=parts.surroundings.clock,
    )


def identity_auditor(parts: Parts) -> Callable[[IdentityChange], None]:
    """Record every change of the identity; one that cannot be recorded makes the audit unwritable anyway."""

    def record(change: IdentityChange) -> None:
        event = _IDENTITY_EVENTS[change.kind](
            identity=parts.identity.status().subject,
            detail=change.detail,
            serial=change.serial,
            not_after=change.not_after,
        )
        record_or_degrade(parts, event)

    return record


async def assemble(parts: Parts) -> None:
    """Open the team's app, put the gate in front of it, and bind the sockets.

    Raises:
        StartupRefused: an address is taken.
        ProblemError: a function cannot be served.
    """
    settings = parts.settings
    app = await open_app(parts)
    install_egress_guard(at.host for one in parts.served for at in one.manifest.egress)
    exchange = build_exchange(
        parts.definition,
        parts.manifests,
        parts.served,
        settings.environment,
        app,
        _rehearsing(parts),
        structlog.get_logger(),
        parts.tellers,
    )
    parts.control.on_change(lambda _: exchange.changes.tell_lists())
    readiness = Readiness(parts)
    gate = parts.gate = Gate(
        GateConfig(
            resource=settings.server.resource,
            name=parts.manifests.server.title,
            issuers=tuple(issuer.issuer for issuer in settings.issuers.values()),
            entry_scopes=parts.manifests.server.scopes.entry,
            allowed_origins=settings.server.allowed_origins,
            revisions=settings.server.revisions,
            max_body=settings.server.max_body,
            durable=waits_for_disk(settings, parts.manifests),
            mutual_tls=settings.server.tls == "spiffe",
            proxies=frozenset(settings.server.proxies),
            pages=approval_page.routes(parts),
            exchanging=lending.exchanging(parts),
        ),
        verifier=parts.verifier,
        policy=parts.policy,
        stops=parts.control,
        limits=parts.limits,
        audit=observed_audit(parts),
        redactor=parts.redactor,
        readiness=readiness.require,
        served=parts.served,
        exchange=exchange,
        approvals=parts.approvals,
        on_page=parts.on_page,
        page=parts.page,
        witness=_witness(parts),
        newcomers=_newcomers(parts),
        clock=parts.surroundings.clock,
        random_bits=parts.surroundings.random_bits,
        environment=parts.rehearsed,
        on_refusal=refusal_printer() if settings.environment is Environment.DEVELOPMENT else None,
    )
    grace = settings.server.grace_seconds
    parts.stack.callback(_finish_strangers, gate)
    parts.listener = Listener(
        gate,
        settings.server.listen,
        name="server.listen",
        grace_seconds=grace,
        report=gate.turned_away,
        tls=_mutual_tls(parts, gate) if settings.server.tls == "spiffe" else None,
    )
    parts.health = Listener(
        HealthApp(readiness),
        settings.server.health_bind,
        name="server.health_bind",
        grace_seconds=0,
        report=report_nothing,
        tls=None,
    )


def _witness(parts: Parts) -> IdentityWitness:
    settings = parts.settings
    return IdentityWitness(
        parts.identity,
        settings.server.resource,
        signs=settings.identity.kind == "spiffe",
        clock=parts.surroundings.clock,
        random_bits=parts.surroundings.random_bits,
    )


def _newcomers(parts: Parts) -> Newcomers | None:
    """What one peer may ask of the verifier; behind an ingress nobody can tell one source from another."""
    server = parts.settings.server
    if server.tls != "spiffe":
        return None
    return Newcomers(server.new_tokens_per_minute, frozenset(server.proxies), clock=time.monotonic)


def _mutual_tls(parts: Parts, gate: Gate) -> ssl.SSLContext:
    """TLS with our SVID, for the peers that the settings name."""
    settings = parts.settings
    return server_tls(
        TlsTerms(
            identity=parts.identity,
            trust_domains=settings.identity.trust_domains,
            rule=PeerRule.of(settings.server.peers),
            clock=parts.surroundings.clock,
            told=gate.peer_rejected,
        )
    )


def record_or_degrade(parts: Parts, event: events.Event) -> None:
    """Record what nobody waits for; a stream that cannot be written makes every call a 503 by itself."""
    try:
        parts.audit.record(event, critical=True)
    except AuditUnwritable:
        return


def _rehearsing(parts: Parts) -> Rehearsing:
    world = parts.settings.world
    if world is None:
        return NOT_REHEARSED
    pipe = None
    if world.execution_pipe is not None:
        pipe = os.open(world.execution_pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        parts.stack.callback(os.close, pipe)
    return Rehearsing(execution_pipe=pipe, hold=world.hold, reach=world.reach, longest=world.longest_call)


def _exception_lines(settings: Settings) -> Iterator[str]:
    for name, issuer in settings.issuers.items():
        yield from (f"{name}: {each.line()}" for each in listed_exceptions(issuer.exceptions))


def _finish_strangers(gate: Gate) -> None:
    """Write what was counted and not yet told, while there is a stream to write it to."""
    with suppress(AuditUnwritable):
        gate.strangers.finish()
