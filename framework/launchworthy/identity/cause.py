"""What can keep a workload from its identity, and what follows from each?

One table, `TRAITS`, instead of branches: the supervisor asks it whether to give up, the status which reason
to name, the start and the doctor what to say and what to do next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from launchworthy.vocabulary import Reason

MAX_DETAIL = 300


class Cause(StrEnum):
    """Why there is no (new) identity."""

    ENDPOINT = "endpoint"
    NO_RUNNER = "no-runner"
    NOTHING_LISTENS = "nothing-listens"
    NO_ACCESS = "no-access"
    UNTRUSTED_SOURCE = "untrusted-source"
    NO_ANSWER = "no-answer"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    NO_ENTRY = "no-entry"
    STREAM_ENDED = "stream-ended"
    UNREADABLE = "unreadable"
    OTHER_IDENTITY = "other-identity"
    OTHER_TRUST_DOMAIN = "other-trust-domain"
    KEY_MISMATCH = "key-mismatch"
    UNTRUSTED_CHAIN = "untrusted-chain"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    NO_FILE = "no-file"
    OTHER_ISSUER = "other-issuer"
    NOT_A_TOKEN = "not-a-token"  # noqa: S105 - the name of a cause
    OTHER_AUDIENCE = "other-audience"
    NOT_RENEWED = "not-renewed"
    NO_BUNDLE = "no-bundle"
    INTERNAL = "internal"


class Step(StrEnum):
    """What `launchworthy identity doctor` looks at, in this order."""

    ENDPOINT = "endpoint"
    SOCKET = "socket"
    FILE = "file"
    AGENT = "agent"
    ENTRY = "entry"
    IDENTITY = "identity"
    TRUST = "trust"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One attempt to get an identity that did not work.

    Attributes:
        cause: which one of the known kinds.
        detail: one sentence for the operator; lower case, no full stop, never a token or a key.
        code: the gRPC status where the agent answered with one: `PERMISSION_DENIED`.
    """

    cause: Cause
    detail: str
    code: str | None = None


class SourceError(Exception):
    """The source of the identity failed, or what it gave cannot be used."""

    def __init__(self, cause: Cause, detail: str, *, code: str | None = None) -> None:
        """Hold the failure; what others wrote is cut and made printable."""
        self.failure = Failure(cause=cause, detail=printable(detail), code=code)
        super().__init__(f"{cause.value}: {self.failure.detail}")


def printable(text: str) -> str:
    """Text of an agent, a certificate or a library, fit for one line of a log."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What follows from a cause.

    Attributes:
        reason: the coarse reason of the audit and of readiness.
        problem: the reason that a refused start prints, a page of `launchworthy explain`.
        step: the step of the doctor that is at fault.
        fix: what to do, a line each.
        at_once: a start does not wait for its deadline: only a change can help.
        withdraws: the source says that the identity is no longer ours: what was held is dropped at once.
        local: found without asking the agent, so looking again is cheap.
    """

    reason: Reason
    problem: str
    step: Step
    fix: tuple[str, ...]
    at_once: bool = False
    withdraws: bool = False
    local: bool = False


_DOCTOR = "launchworthy identity doctor"

TRAITS: Final[Mapping[Cause, Traits]] = MappingProxyType(
    {
        Cause.ENDPOINT: Traits(
            reason=Reason.IDENTITY_SOURCE,
            problem="identity-endpoint",
            step=Step.ENDPOINT,
            fix=(
                "write `identity.endpoint` as an absolute path: unix:///spiffe-workload-api/spire-agent.sock",
                "for a token file, such as /var/run/secrets/launchworthy/token",
            ),
            at_once=True,
        ),
        Cause.NO_RUNNER: Traits(
            reason=Reason.IDENTITY_SOURCE,
            problem="no-job-tokens",
            step=Step.ENDPOINT,
            fix=(
                "let the job have them: permissions: {id-token: write}",
                "or set `identity.kind` to what gives identities where this runs",
                _DOCTOR,
            ),
            at_once=True,
        ),
        Cause.NOTHING_LISTENS: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.SOCKET,
            fix=(
                "the SPIRE agent of this node is down, or its socket is not mounted into this container",
                _DOCTOR,
            ),
            local=True,
        ),
        Cause.NO_ACCESS: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.SOCKET,
            fix=("let the user of this process reach it: its mode, its group, or `runAsUser`", _DOCTOR),
            local=True,
        ),
        Cause.UNTRUSTED_SOURCE: Traits(
            reason=Reason.IDENTITY_SOURCE,
            problem="untrusted-identity-source",
            step=Step.SOCKET,
            fix=(
                "whoever can replace it can hand out identities and roots of trust",
                "move it to where only root can write, or name its owner in `identity.socket_owner_uids`",
                _DOCTOR,
            ),
            at_once=True,
            local=True,
        ),
        Cause.NO_ANSWER: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.AGENT,
            fix=("the agent accepts connections and says nothing: look at its log, restart it", _DOCTOR),
        ),
        Cause.UNAVAILABLE: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.AGENT,
            fix=("the agent cannot serve now: look at its log, and whether it reaches its server", _DOCTOR),
        ),
        Cause.REJECTED: Traits(
            reason=Reason.IDENTITY_SOURCE,
            problem="no-workload-api",
            step=Step.AGENT,
            fix=("what listens there is no SPIFFE Workload API: correct `identity.endpoint`", _DOCTOR),
            at_once=True,
        ),
        Cause.NO_ENTRY: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.ENTRY,
            fix=("register this workload, or correct the selectors of its entry", _DOCTOR),
            withdraws=True,
        ),
        Cause.STREAM_ENDED: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.AGENT,
            fix=("the agent hangs up: look at its log, restart it", _DOCTOR),
        ),
        Cause.UNREADABLE: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="unreadable-identity",
            step=Step.IDENTITY,
            fix=("what came is no identity: look at the log of what issues it", _DOCTOR),
        ),
        Cause.OTHER_IDENTITY: Traits(
            reason=Reason.IDENTITY_UNEXPECTED,
            problem="unexpected-identity",
            step=Step.IDENTITY,
            fix=("correct the registration of this workload, or `identity.expected_id` and promote", _DOCTOR),
            at_once=True,
            withdraws=True,
        ),
        Cause.OTHER_TRUST_DOMAIN: Traits(
            reason=Reason.IDENTITY_UNEXPECTED,
            problem="unexpected-trust-domain",
            step=Step.IDENTITY,
            fix=(
                "this node belongs to another trust domain: deploy where `identity.expected_id` lives",
                _DOCTOR,
            ),
            at_once=True,
            withdraws=True,
        ),
        Cause.KEY_MISMATCH: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="identity-key-mismatch",
            step=Step.IDENTITY,
            fix=("the agent mixes up its answers: restart it, and look at its version", _DOCTOR),
        ),
        Cause.UNTRUSTED_CHAIN: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="untrusted-identity",
            step=Step.TRUST,
            fix=(
                "the agent's certificates and its trust bundle do not belong together: look at its server",
                _DOCTOR,
            ),
        ),
        Cause.EXPIRED: Traits(
            reason=Reason.IDENTITY_EXPIRED,
            problem="expired-identity",
            step=Step.CLOCK,
            fix=("compare the clock of this host, and look whether the issuer still renews", _DOCTOR),
        ),
        Cause.NOT_YET: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="identity-not-yet-valid",
            step=Step.CLOCK,
            fix=("the clock of this host is behind: synchronise it", _DOCTOR),
        ),
        Cause.NO_FILE: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-identity",
            step=Step.FILE,
            fix=("project the token into this container, or correct `identity.endpoint`", _DOCTOR),
            local=True,
        ),
        Cause.OTHER_ISSUER: Traits(
            reason=Reason.IDENTITY_UNEXPECTED,
            problem="unexpected-trust-domain",
            step=Step.TRUST,
            fix=(
                "name the issuer of the platform's tokens in `identity.trust_domains`, and promote",
                _DOCTOR,
            ),
            at_once=True,
            withdraws=True,
        ),
        Cause.NOT_A_TOKEN: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="not-an-identity-token",
            step=Step.IDENTITY,
            fix=("what lies there is no token: look at what writes it, and at `identity.endpoint`", _DOCTOR),
        ),
        Cause.OTHER_AUDIENCE: Traits(
            reason=Reason.IDENTITY_UNEXPECTED,
            problem="identity-token-audience",
            step=Step.IDENTITY,
            fix=("let the platform issue it for one audience: the issuer that it is shown to", _DOCTOR),
        ),
        Cause.NOT_RENEWED: Traits(
            reason=Reason.IDENTITY_EXPIRED,
            problem="identity-token-not-renewed",
            step=Step.CLOCK,
            fix=(
                "the platform no longer rewrites the file: look at the kubelet (`subPath` never changes)",
                "or the clock of this host is ahead: compare it",
                _DOCTOR,
            ),
        ),
        Cause.NO_BUNDLE: Traits(
            reason=Reason.IDENTITY_MISSING,
            problem="no-trust-bundle",
            step=Step.TRUST,
            fix=("the agent gives no authority of its own trust domain: look at its server", _DOCTOR),
        ),
        Cause.INTERNAL: Traits(
            reason=Reason.INTERNAL,
            problem="internal",
            step=Step.AGENT,
            fix=("this is a defect of launchworthy: report it with the line above",),
        ),
    }
)
