"""What identity would this process get here, and if none, exactly why? The facts; `doctor_page` prints them.

Each step rests on the one before, so the first that fails is the one at fault, and what follows was not
tried. The agent's selectors stay unknown: the Workload API does not say them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from launchworthy.identity.advice import advise
from launchworthy.identity.cause import TRAITS, Cause, Failure, SourceError, Step
from launchworthy.identity.minting import OWN_AUDIENCE
from launchworthy.identity.projected import MAX_TOKEN_BYTES, read_projected
from launchworthy.identity.source_checks import Listener, check_file, check_socket, socket_path
from launchworthy.identity.surroundings import ThisPod, ThisProcess, this_pod, this_process
from launchworthy.identity.svid import Update, own_trust_domain, trust_domain_of, verify_update

SPIFFE_STEPS = (Step.ENDPOINT, Step.SOCKET, Step.AGENT, Step.ENTRY, Step.IDENTITY, Step.TRUST, Step.CLOCK)
RUNNER_STEPS = (Step.ENDPOINT, Step.AGENT, Step.ENTRY, Step.IDENTITY, Step.TRUST, Step.CLOCK)
FILE_STEPS = (Step.ENDPOINT, Step.FILE, Step.IDENTITY, Step.TRUST, Step.CLOCK)

Told = Callable[[Step, str], None]


class Mark(StrEnum):
    """How a step ended."""

    GOOD = "✓"
    BAD = "✗"
    UNTRIED = "·"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFound:
    """One step and what it found.

    Attributes:
        step: which.
        mark: how it ended.
        says: one sentence.
    """

    step: Step
    mark: Mark
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityQuestion:
    """What is configured, and from where the question is asked.

    Attributes:
        kind: `spiffe`, `file` or `github`.
        endpoint: `unix:///…`, or the path of the file.
        endpoint_from: where that is configured: a file and line, or a variable.
        expected_id: the SPIFFE ID or `sub` that must come.
        trust_domains: as in the settings.
        owner_uids: `socket_owner_uids` of the settings.
        call_timeout: seconds for an answer.
        process: this process.
        pod: this pod, if it is one.
        environ: the variables of this process, for what a CI system says in them; never shown.
    """

    kind: Literal["spiffe", "file", "github"]
    endpoint: str
    endpoint_from: str
    expected_id: str
    trust_domains: tuple[str, ...]
    owner_uids: tuple[int, ...]
    call_timeout: float
    process: ThisProcess
    pod: ThisPod | None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found.

    Attributes:
        question: what was asked.
        steps: in order.
        gets: the identity that this process would get, or None.
        failure: what is at fault, or None.
        advice: what to do next, a line each; empty where nothing is wrong.
    """

    question: IdentityQuestion
    steps: tuple[StepFound, ...]
    gets: str | None
    failure: Failure | None
    advice: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 where a server would get its identity, else 1."""
        return 0 if self.failure is None else 1


def diagnose(  # noqa: PLR0913 - the fields of `[identity]`
    *,
    kind: Literal["spiffe", "file", "github"],
    endpoint: str,
    endpoint_from: str,
    expected_id: str,
    trust_domains: tuple[str, ...],
    socket_owner_uids: tuple[int, ...],
    call_timeout: float,
    clock: Callable[[], float],
    environ: Mapping[str, str],
) -> Diagnosis:
    """Ask for this process, here and now. The arguments are those of `IdentityQuestion`; blocks."""
    question = IdentityQuestion(
        kind=kind,
        endpoint=endpoint,
        endpoint_from=endpoint_from,
        expected_id=expected_id,
        trust_domains=trust_domains,
        owner_uids=socket_owner_uids,
        call_timeout=call_timeout,
        process=this_process(),
        pod=this_pod(),
        environ=environ,
    )
    return answer(question, clock=clock)


def answer(question: IdentityQuestion, *, clock: Callable[[], float]) -> Diagnosis:
    """Try each step; blocks for at most a few times `call_timeout`."""
    order, look = _WAYS[question.kind]
    good: dict[Step, str] = {}
    failure: Failure | None = None
    try:
        look(question, clock, good.__setitem__)
    except SourceError as error:
        failure = error.failure
    at_fault = _step_of(failure, order)
    return Diagnosis(
        question=question,
        steps=tuple(_found(step, good, failure if step is at_fault else None) for step in order),
        gets=question.expected_id if failure is None else None,
        failure=failure,
        advice=advise(failure, question.expected_id, question.process, question.pod)
        if failure is not None
        else (),
    )


def _look_at_agent(question: IdentityQuestion, clock: Callable[[], float], told: Told) -> None:
    socket_path(question.endpoint)
    told(Step.ENDPOINT, f"{question.endpoint}   from {question.endpoint_from}")
    listener = check_socket(question.endpoint, question.owner_uids, question.call_timeout)
    told(Step.SOCKET, _whose(listener))
    began = time.monotonic()
    try:
        update = _ask(question)
    except SourceError as error:
        if TRAITS[error.failure.cause].step is not Step.AGENT:
            told(Step.AGENT, _answers(began, listener))
        raise
    told(Step.AGENT, _answers(began, listener))
    own_trust_domain(question.expected_id, question.trust_domains)
    told(Step.ENTRY, "for this process: " + ", ".join(svid.unverified_id for svid in update.svids))
    _look_at_update(question, update, clock(), told)


def _look_at_update(question: IdentityQuestion, update: Update, now: float, told: Told) -> None:
    try:
        identity = verify_update(update, expected_id=question.expected_id, now=now)
    except SourceError as error:
        if TRAITS[error.failure.cause].step in (Step.TRUST, Step.CLOCK):
            told(Step.IDENTITY, f"{question.expected_id}, with its own key")
        if error.failure.cause is Cause.UNTRUSTED_CHAIN:
            told(Step.CLOCK, "within the certificate's time")
        raise
    told(Step.IDENTITY, f"{identity.spiffe_id}, with its own key")
    missing = [name for name in question.trust_domains if name not in update.bundles]
    without = f"; without a bundle of {', '.join(missing)}" if missing else ""
    told(Step.TRUST, f"verifies to the bundle of {trust_domain_of(identity.spiffe_id)}{without}")
    told(Step.CLOCK, f"valid from {_instant(identity.not_before)} to {_instant(identity.not_after)}")


def _look_at_file(question: IdentityQuestion, clock: Callable[[], float], told: Told) -> None:
    path = Path(question.endpoint)
    if not path.is_absolute():
        raise SourceError(Cause.ENDPOINT, f"`{question.endpoint}` is no absolute path")
    told(Step.ENDPOINT, f"{question.endpoint}   from {question.endpoint_from}")
    found = check_file(path, (*question.owner_uids, question.process.uid))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TOKEN_BYTES + 1)
    except OSError:
        raise SourceError(Cause.NO_ACCESS, f"this process may not read `{path}`") from None
    told(Step.FILE, f"there; uid {found.st_uid} owns it, nobody else can write")
    try:
        _look_at_token(question, content, clock(), told)
    except SourceError as error:
        if error.failure.cause is not Cause.EXPIRED:
            raise
        written = f"the file was last written at {_instant(int(found.st_mtime))}"
        raise SourceError(Cause.NOT_RENEWED, f"{error.failure.detail}, and {written}") from None


def _look_at_token(question: IdentityQuestion, content: bytes, now: float, told: Told) -> None:
    try:
        token = read_projected(
            content,
            expected_id=question.expected_id,
            trust_domains=question.trust_domains,
            now=now,
            min_left=0,
        )
    except SourceError as error:
        if TRAITS[error.failure.cause].step in (Step.TRUST, Step.CLOCK):
            told(Step.IDENTITY, f"{question.expected_id}  (not verified)")
        if TRAITS[error.failure.cause].step is Step.CLOCK:
            told(Step.TRUST, "of a configured issuer  (not verified)")
        raise
    told(Step.IDENTITY, f"{token.subject}, for {token.audience}  (not verified)")
    told(Step.TRUST, f"of {token.issuer}  (not verified)")
    told(Step.CLOCK, f"valid to {_instant(token.expires_at)}")


def _look_at_runner(question: IdentityQuestion, clock: Callable[[], float], told: Told) -> None:
    from launchworthy.identity.github import github_mint  # noqa: PLC0415 - only where it is used

    mint = github_mint(question.environ, timeout=question.call_timeout, allow_loopback_http=False)
    told(Step.ENDPOINT, f"the runner's own   from {question.endpoint_from}")
    began = time.monotonic()
    content = mint(OWN_AUDIENCE)
    told(Step.AGENT, f"answers in {(time.monotonic() - began) * 1000:.0f} ms")
    told(Step.ENTRY, "this job may have tokens")
    _look_at_token(question, content, clock(), told)


def _ask(question: IdentityQuestion) -> Update:
    from launchworthy.identity.workload_api import fetch_update  # noqa: PLC0415 - loads gRPC

    return fetch_update(question.endpoint, question.call_timeout)


def _step_of(failure: Failure | None, order: tuple[Step, ...]) -> Step | None:
    if failure is None:
        return None
    step = TRAITS[failure.cause].step
    if step in order:
        return step
    return Step.FILE if step is Step.SOCKET else Step.ENDPOINT


def _found(step: Step, good: dict[Step, str], failure: Failure | None) -> StepFound:
    if failure is not None:
        return StepFound(step=step, mark=Mark.BAD, says=failure.detail)
    if step in good:
        return StepFound(step=step, mark=Mark.GOOD, says=good[step])
    return StepFound(step=step, mark=Mark.UNTRIED, says="not tried")


def _whose(listener: Listener) -> str:
    owner = "root owns" if listener.owner_uid == 0 else f"uid {listener.owner_uid} owns"
    return f"there; {owner} it, and nobody else can replace it"


def _answers(began: float, listener: Listener) -> str:
    return f"answers in {(time.monotonic() - began) * 1000:.0f} ms, as uid {listener.peer_uid}"


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


_WAYS = {
    "spiffe": (SPIFFE_STEPS, _look_at_agent),
    "file": (FILE_STEPS, _look_at_file),
    "github": (RUNNER_STEPS, _look_at_runner),
}
