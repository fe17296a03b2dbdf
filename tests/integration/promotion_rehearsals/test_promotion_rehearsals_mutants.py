"""Break the installed runtime in one place, and see the gate hold exactly the control that is about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted_orders import PromotedOrders, environ

from launchworthy.promotion.building import build_and_install
from launchworthy.promotion.child import Asking
from launchworthy.promotion.finding import ControlId
from launchworthy.promotion.place import place_at
from launchworthy.promotion.project import Project, load_project
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.vocabulary import Environment

pytestmark = pytest.mark.slow

NEIGHBOURS = frozenset({"TOK-02", "TOK-03", "TOK-04", "TOK-05", "TOK-06", "TOK-07", "AZ-02", "AUD-01"})
"""What is asked beside the control that must fail: they must not."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One line of the runtime, broken."""

    control: str
    file: str
    before: str
    after: str


MUTANTS = (
    Mutant(
        control="TOK-04",
        file="tokens/claims.py",
        before="    if value == expected.audience:\n        return\n",
        after="    return\n",
    ),
    Mutant(
        control="TOK-05",
        file="tokens/claims.py",
        before="    if expires <= now - expected.leeway:\n",
        after="    if expires <= 0:\n",
    ),
    Mutant(
        control="AZ-02",
        file="manifest/scopes.py",
        before="    return tuple(scope for scope in target.scopes if scope not in granted)\n",
        after="    return ()\n",
    ),
    Mutant(
        control="AUD-01",
        file="enforcement/recorded_run.py",
        before="            self._audit.record(event, subject=subject)\n            return\n",
        after="            return\n",
    ),
    Mutant(
        control="ID-03",
        file="identity/phase.py",
        before="    if now >= holding.ends_at:\n        return Phase.EXPIRED\n",
        after="",
    ),
)


@pytest.fixture(scope="session")
def project(orders: PromotedOrders) -> Project:
    place = place_at(orders.root)
    python = orders.root / ".venv" / "bin" / "python"
    with Asking(python, place.package, place.root) as asking:
        return load_project(
            place,
            environment=Environment.REHEARSAL,
            python=python,
            now=1_795_000_000,
            environ=environ(),
            asking=asking,
        )


@pytest.fixture(scope="session")
def runtime(project: Project) -> Path:
    """The framework as it is installed where rehearsals run."""
    built = build_and_install(project.root, python=project.python, environ=environ())
    [installed] = built.python.parents[1].glob("lib/*/site-packages/launchworthy")
    return installed


@contextmanager
def broken(runtime: Path, mutant: Mutant) -> Iterator[None]:
    """Another file in its place: the old one may be a hard link into a cache."""
    file = runtime / mutant.file
    good = file.read_text()
    assert good.count(mutant.before) == 1
    file.unlink()
    file.write_text(good.replace(mutant.before, mutant.after))
    try:
        yield
    finally:
        file.write_text(good)


def held(project: Project, *wanted: str) -> set[str]:
    """Which of these controls do not hold or are undecided."""
    rehearsed = run_rehearsals(project, frozenset(map(ControlId, wanted)), lambda *_: None)
    failing = {
        control
        for control, assertions in rehearsed.assertions.items()
        if not all(assertion.holds for assertion in assertions)
    }
    return {str(control) for control in failing | set(rehearsed.errors)}


def test_the_runtime_as_it_is_holds_everything(project: Project, runtime: Path) -> None:
    assert runtime.is_dir()
    assert held(project, *NEIGHBOURS) == set()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.control)
def test_a_broken_runtime_is_held_by_its_own_control_alone(
    project: Project, runtime: Path, mutant: Mutant
) -> None:
    others = NEIGHBOURS if mutant.control in NEIGHBOURS else frozenset({"TR-02"})
    with broken(runtime, mutant):
        assert held(project, mutant.control, *others) == {mutant.control}
