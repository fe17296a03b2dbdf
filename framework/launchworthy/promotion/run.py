"""How does one run go? Checks and rehearsals, merged into one finding a control, into one result.

A check that raises, yields nothing, or belongs to no control is an error, and an error holds the promotion.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launchworthy._version import __version__
from launchworthy.attestation.tree import GitFacts
from launchworthy.promotion import checks as _checks  # noqa: F401 - registers them
from launchworthy.promotion.control import Control
from launchworthy.promotion.finding import (
    Assertion,
    ControlId,
    Finding,
    NotApplicable,
    Status,
    conclude,
    undecided,
    why_undecided,
)
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import Check, registry
from launchworthy.promotion.result import Replaced, Result
from launchworthy.promotion.waiving import waive
from launchworthy.vocabulary import ProblemError

Progress = Callable[[str, int, int], None]
"""Told what runs now, how many are done, and how many there are."""


@dataclass(slots=True)
class _Seen:
    """What was looked at for one control so far."""

    assertions: list[Assertion] = field(default_factory=list)
    error: str | None = None
    not_applicable: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What the rehearsals saw.

    Attributes:
        assertions: by control.
        errors: why a control could not be decided.
        seconds: by control.
        replaced: the settings that the simulated world replaced.
        facts: digests for a record, by its subject names.
        wheel: the one that was rehearsed, or None.
    """

    assertions: Mapping[ControlId, tuple[Assertion, ...]]
    errors: Mapping[ControlId, str]
    seconds: Mapping[ControlId, float]
    replaced: tuple[Replaced, ...]
    facts: Mapping[str, str]
    wheel: Path | None


NOTHING_REHEARSED = Rehearsed(assertions={}, errors={}, seconds={}, replaced=(), facts={}, wheel=None)


def run_checks(project: Project, wanted: frozenset[ControlId]) -> dict[ControlId, _Seen]:
    """Run every check of the wanted controls."""
    seen: dict[ControlId, _Seen] = {}
    for check in registry.checks:
        if check.control in wanted:
            _run(check, project, seen.setdefault(check.control, _Seen()))
    return seen


def findings_of(
    controls: Iterable[Control], checked: Mapping[ControlId, _Seen], rehearsed: Rehearsed | None
) -> tuple[Finding, ...]:
    """One finding a control, from all that was looked at.

    Args:
        controls: what was asked for.
        checked: what the checks saw.
        rehearsed: what the rehearsals saw; None where none were asked for, and then a control that only
            they decide is not among `controls`.
    """
    return tuple(_finding(control.id, checked.get(control.id), rehearsed) for control in controls)


def readable_controls() -> frozenset[ControlId]:
    """The controls that some check decides without a running server."""
    return frozenset(check.control for check in registry.checks)


def rehearsed_controls() -> frozenset[ControlId]:
    """The controls that some rehearsal is about."""
    return frozenset(control for rehearsal in registry.rehearsals for control in rehearsal.controls)


def make_result(  # noqa: PLR0913 - the parts of a result
    project: Project,
    controls: tuple[Control, ...],
    findings: tuple[Finding, ...],
    *,
    partial: bool,
    rehearsed: Rehearsed,
    version: str,
    began: float,
) -> Result:
    """Put a result together."""
    git = project.git
    return Result(
        project=project.manifests.server.name,
        project_version=version,
        framework_version=__version__,
        environment=project.environment,
        partial=partial,
        commit=git.commit if isinstance(git, GitFacts) else None,
        dirty=git.differing if isinstance(git, GitFacts) else (),
        controls=controls,
        findings=waive(findings, controls, project),
        replaced=rehearsed.replaced,
        facts=rehearsed.facts,
        started_at=project.now,
        seconds=time.monotonic() - began,
    )


def _run(check: Check, project: Project, seen: _Seen) -> None:
    began = time.monotonic()
    try:
        seen.assertions.extend(check.run(project))
    except NotApplicable as not_applicable:
        seen.not_applicable = str(not_applicable)
    except ProblemError as error:
        seen.error = why_undecided(error)
    except Exception as error:  # noqa: BLE001 - the check runner: what crashes is undecided, and holds
        seen.error = f"the check `{check.name}` ended in {type(error).__name__}"
    seen.seconds += time.monotonic() - began


def _finding(control: ControlId, checked: _Seen | None, rehearsed: Rehearsed | None) -> Finding:
    seen = checked or _Seen()
    is_rehearsed = rehearsed is not None and control in rehearsed_controls()
    assertions, error, seconds = tuple(seen.assertions), seen.error, seen.seconds
    if is_rehearsed and rehearsed is not None:
        live = rehearsed.assertions.get(control, ())
        assertions += live
        seconds += rehearsed.seconds.get(control, 0.0)
        error = error or rehearsed.errors.get(control)
        if not live and error is None and seen.not_applicable is None:
            error = "no rehearsal said anything about it"
    if any(not assertion.holds for assertion in assertions):
        return conclude(control, assertions, rehearsed=is_rehearsed, seconds=seconds)
    if error is not None:
        return undecided(control, error, rehearsed=is_rehearsed, seconds=seconds)
    if seen.not_applicable is not None and not assertions:
        return Finding(
            control=control,
            status=Status.NOT_APPLICABLE,
            message=seen.not_applicable,
            assertions=(),
            rehearsed=False,
            seconds=seconds,
        )
    return conclude(control, assertions, rehearsed=is_rehearsed, seconds=seconds)
