"""How are the rehearsals of one run played? Built once, installed once, then some worlds at a time.

What a rehearsal says is kept as it says it; one that crashes, hangs or cannot start is an error for every
control it is about. Whatever happens, nothing that was started is left running and nothing half written.
"""

import logging
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from launchworthy.attestation.statement import Subject
from launchworthy.promotion import rehearsals as _rehearsals  # noqa: F401 - registers them
from launchworthy.promotion.building import Built, build_and_install
from launchworthy.promotion.finding import Assertion, ControlId, why_undecided
from launchworthy.promotion.judges.installed import installed
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import Rehearsal, registry
from launchworthy.promotion.rehearsals.judges import META_02
from launchworthy.promotion.rehearsals.stage import Stage
from launchworthy.promotion.result import Replaced
from launchworthy.promotion.run import Rehearsed
from launchworthy.settings import load_framework_settings
from launchworthy.testing.process import NotStarted
from launchworthy.vocabulary import ProblemError

Progress = Callable[[str, int, int], None]
AT_ONCE = 5
"""Worlds at a time: most of the time of most of them is waiting."""
_LONG = (
    "others_judge",
    "what_is_borrowed",
    "references_that_lead_elsewhere",
    "the_metadata_turn_bad",
    "the_identity_ends",
    "the_issuer_is_down",
    "several_issuers",
    "the_key_set_is_no_key_set",
    "the_issuer_hangs",
    "a_call_that_takes_too_long",
    "cases_beside_their_twins",
)
"""Begun first, the longest before the others, so that the run does not wait for one of them in the end."""
_SECONDS, _FOR_JUDGES = 240.0, 120.0
"""For all of them, and besides where second judges are installed; what is not done by then is undecided."""


@dataclass(slots=True)
class _Seen:
    """What came of the rehearsals so far."""

    assertions: dict[ControlId, list[Assertion]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[ControlId, str] = field(default_factory=dict)
    seconds: dict[ControlId, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """What one rehearsal said, and how it ended."""

    said: tuple[tuple[ControlId, Assertion], ...]
    error: str | None
    seconds: float


def run_rehearsals(project: Project, controls: frozenset[ControlId] | None, progress: Progress) -> Rehearsed:
    """Rehearse a project.

    Args:
        project: as it lies there.
        controls: which are asked about; None is all.
        progress: told what was just done, how many are done, and how many there are.
    """
    wanted = controls if controls is not None else frozenset(registry.decided())
    chosen = sorted(
        (each for each in registry.rehearsals if wanted.intersection(each.controls)),
        key=lambda each: _LONG.index(each.name) if each.name in _LONG else len(_LONG),
    )
    seen = _Seen()
    if not chosen:
        return _rehearsed(seen, (), {}, None)
    of = len(chosen) + 1
    progress("building the wheel", 0, of)
    try:
        built = build_and_install(project.root, python=project.python, environ=dict(os.environ))
    except ProblemError as error:
        _undecided(seen, chosen, why_undecided(error))
        return _rehearsed(seen, (), {}, None)
    with tempfile.TemporaryDirectory(prefix="lw-") as directory, _quiet():
        stage = Stage(project, built, directory=Path(directory), wanted=wanted)
        replaced = _replaced(stage)
        _play_all(stage, chosen, seen, lambda name, done: progress(name, done + 1, of))
    facts = {Subject.WHEEL.value: built.digest, "version": built.version}
    return _rehearsed(seen, replaced, facts, built)


def _play_all(
    stage: Stage, chosen: list[Rehearsal], seen: _Seen, progress: Callable[[str, int], None]
) -> None:
    seconds = _SECONDS + (_FOR_JUDGES if META_02 in stage.wanted and installed() else 0.0)
    deadline = time.monotonic() + seconds
    players = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rehearsal")
    waiting: dict[Future[_Played], Rehearsal] = {players.submit(_play, each, stage): each for each in chosen}
    progress("rehearsing", 0)
    try:
        while waiting and time.monotonic() < deadline:
            done, _ = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
            for each in done:
                _keep(seen, stage, waiting.pop(each), each.result())
                progress("rehearsing", len(chosen) - len(waiting))
        _undecided(seen, list(waiting.values()), f"not done within {seconds:.0f} s")
    finally:
        for each in waiting:
            each.cancel()
        stage.end()
        players.shutdown(wait=True, cancel_futures=True)


def _play(rehearsal: Rehearsal, stage: Stage) -> _Played:
    """Play one rehearsal; once more where its server did not come up, since nothing was rehearsed then."""
    began = time.monotonic()
    said: list[tuple[ControlId, Assertion]] = []
    error = None
    for last in (False, True):
        said.clear()
        try:
            said.extend(rehearsal.run(stage))
        except ProblemError as problem:
            error = why_undecided(problem)
        except NotStarted as failure:
            error = f"the server did not start in a rehearsal (`{rehearsal.name}`): {str(failure)[:500]}"
            if not last:
                continue
        except Exception as failure:  # noqa: BLE001 - the check runner: what crashes is undecided, and holds
            error = (
                f"the rehearsal `{rehearsal.name}` ended in {type(failure).__name__}: {str(failure)[:300]}"
            )
        else:
            error = None
        break
    return _Played(said=tuple(said), error=error, seconds=time.monotonic() - began)


def _keep(seen: _Seen, stage: Stage, rehearsal: Rehearsal, played: _Played) -> None:
    asked = [control for control in rehearsal.controls if control in stage.wanted]
    for control, assertion in played.said:
        if control not in rehearsal.controls:
            for each in asked:
                seen.errors.setdefault(each, f"the rehearsal `{rehearsal.name}` speaks of {control}")
        elif control in stage.wanted:
            seen.assertions[control].append(assertion)
    for control in asked:
        seen.seconds[control] += played.seconds / len(asked)
        if played.error is not None:
            seen.errors.setdefault(control, played.error)


def _undecided(seen: _Seen, rehearsals: list[Rehearsal], why: str) -> None:
    for rehearsal in rehearsals:
        for control in rehearsal.controls:
            seen.errors.setdefault(control, why)


@contextmanager
def _quiet() -> Iterator[None]:
    """Simulated issuers that break off and hang make their libraries talk; nobody reads it."""
    silence, root = logging.NullHandler(), logging.getLogger()
    root.addHandler(silence)
    try:
        yield
    finally:
        root.removeHandler(silence)


def _replaced(stage: Stage) -> tuple[Replaced, ...]:
    """What the world file replaces, with both values, as the server's own resolution tells it."""
    with stage.world() as world:
        settings = load_framework_settings(world.environ, stage.project.files)
    return tuple(
        Replaced(field=each.field, promoted=each.promoted, rehearsed=each.rehearsed)
        for each in settings.replaced
    )


def _rehearsed(
    seen: _Seen, replaced: tuple[Replaced, ...], facts: dict[str, str], built: Built | None
) -> Rehearsed:
    return Rehearsed(
        assertions={control: tuple(found) for control, found in seen.assertions.items()},
        errors=seen.errors,
        seconds=dict(seen.seconds),
        replaced=replaced,
        facts=facts,
        wheel=None if built is None else built.wheel,
    )
