"""In which order does a server start? All or nothing, one stage after the other.

Every stage either leaves its part in `Parts` or raises. What was opened is owned by one exit stack, so a
refusal at any stage closes everything, in reverse. The order is the security argument:

1. settings: environment explicit, worlds apart, no secret by value
2. audit: open, and `server.starting` written, before anything else is trusted
3. record: manifests read, policy compiled, and a promotion record for exactly these and this environment
   (in the real world; in rehearsals that name a trust policy)
4. manifests: every tool declared, every declaration implemented; what the class of the data demands
5. policy: self-tested
6. identity: obtained within its deadline, and the audit key bound to it
7. keys and state: the framework's own keys, by reference (nothing before is HMACed); the control list read,
   and read again from now on
8. issuers: metadata equal byte for byte, one usable key at least
9. credentials: whoever lends them is known, and where people sign in to approve calls; nobody is asked
10. listen: application assembled, sockets bound
"""

from collections.abc import Awaitable, Callable
from typing import Final

from launchworthy.audit import AuditUnwritable, events
from launchworthy.credentials.allowances import check_credentials
from launchworthy.manifest import load_manifests, match
from launchworthy.policy import CachedPolicy, compile_policy
from launchworthy.server import (
    approval_page,
    approvals,
    auditing,
    control,
    issuers,
    lending,
    own_keys,
    record,
    state,
    wiring,
)
from launchworthy.server.parts import Parts
from launchworthy.settings import bounded_by_class, find_project, load_settings, require_tenant_claims
from launchworthy.vocabulary import EX_TEMPFAIL, Problem, ProblemError, StartupRefused

Stage = Callable[[Parts], Awaitable[None]]


async def settings_stage(parts: Parts) -> None:
    """Read what the operator configured."""
    parts.project = find_project(parts.definition.package)
    parts.settings = load_settings(parts.surroundings.environ, parts.project, parts.definition.settings)


async def audit_stage(parts: Parts) -> None:
    """Open the stream, and write that a start was tried, by what and with which settings."""
    try:
        auditing.open_audit(parts)
        parts.audit.record(wiring.server_starting(parts))
    except AuditUnwritable as error:
        raise StartupRefused("audit", _audit_unwritable(error), exit_code=EX_TEMPFAIL) from None


async def record_stage(parts: Parts) -> None:
    """Read manifests and policy, and demand the promotion record of the real world for exactly these."""
    parts.manifests = load_manifests(parts.project.manifests())
    parts.compiled = compile_policy(parts.manifests, parts.rehearsed, parts.project.policy(parts.rehearsed))
    parts.record = record.verify(parts)
    if parts.record is not None:
        parts.audit.record(wiring.trust_loaded(parts.record))


async def manifest_stage(parts: Parts) -> None:
    """Match what is declared with what is implemented, both ways; bound what the data's class bounds."""
    parts.served = match(parts.manifests, parts.definition.marks())
    check_credentials(parts.manifests, parts.settings.credentials)
    parts.settings = bounded_by_class(parts.settings, parts.manifests)
    require_tenant_claims(parts.settings, parts.manifests)


async def policy_stage(parts: Parts) -> None:
    """See the policy deny what it must."""
    parts.compiled.self_test()
    parts.policy = CachedPolicy(parts.compiled)
    parts.audit.record(wiring.config_loaded(parts))


async def identity_stage(parts: Parts) -> None:
    """Get the workload's identity, and bind the audit stream's key to it."""
    parts.identity = wiring.workload_identity(parts)
    parts.stack.push_async_callback(parts.identity.aclose)
    parts.identity.on_change(wiring.identity_auditor(parts))
    await parts.identity.start(parts.settings.identity.start_deadline)
    await auditing.bind_audit(parts)


async def keys_stage(parts: Parts) -> None:
    """Read the framework's own keys, now that there is an identity."""
    parts.own_keys = own_keys.read_own_keys(parts.settings)
    auditing.framework_keys(parts)
    auditing.keep_in_order(parts)


async def state_stage(parts: Parts) -> None:
    """Open what replicas agree on, read what is stopped and denied, and go on reading it."""
    await state.open_store(parts)
    approvals.open_approvals(parts)
    await control.open_control(parts)


async def issuer_stage(parts: Parts) -> None:
    """Fetch each issuer's metadata and keys."""
    parts.verifier = issuers.token_verifier(parts)
    parts.stack.push_async_callback(parts.verifier.aclose)
    await parts.verifier.start(parts.settings.identity.start_deadline)


async def credentials_stage(parts: Parts) -> None:
    """Have whoever lends credentials ready, and the page where calls are approved; nobody is asked yet."""
    parts.tellers = lending.tellers(parts)
    parts.stack.push_async_callback(parts.tellers.aclose)
    parts.control.on_change(lambda _: parts.tellers.end_stopped(parts.control.in_force.stops))
    approval_page.open_page(parts)


async def listen_stage(parts: Parts) -> None:
    """Open the team's app, assemble the gate, bind the sockets."""
    await wiring.assemble(parts)


STAGES: Final[tuple[tuple[str, Stage], ...]] = (
    ("settings", settings_stage),
    ("audit", audit_stage),
    ("record", record_stage),
    ("manifest", manifest_stage),
    ("policy", policy_stage),
    ("identity", identity_stage),
    ("keys", keys_stage),
    ("state", state_stage),
    ("issuer", issuer_stage),
    ("credentials", credentials_stage),
    ("listen", listen_stage),
)


async def start(parts: Parts) -> None:
    """Run every stage.

    Raises:
        StartupRefused: with the stage that refused; what was opened belongs to the exit stack.
    """
    for name, stage in STAGES:
        try:
            await stage(parts)
        except ProblemError as error:
            refused = error if isinstance(error, StartupRefused) else StartupRefused(name, *error.problems)
            _leave_word(parts, refused)
            raise refused from None


def _leave_word(parts: Parts, refused: StartupRefused) -> None:
    """Write `server.refused` if there is a stream by now; the message on stderr comes in any case."""
    try:
        stream = parts.audit
    except AttributeError:
        return
    first = refused.problems[0]
    try:
        stream.record(
            events.ServerRefused(
                stage=refused.stage, reason=first.reason, detail=first.what, exit_code=refused.exit_code
            ),
            critical=True,
        )
    except AuditUnwritable:
        return


def _audit_unwritable(error: AuditUnwritable) -> Problem:
    return Problem(
        reason="audit-unwritable",
        what=f"the audit cannot be written: {error}",
        fix=("give `audit.directory` room, and to this user alone",),
        field="audit.directory",
    )
