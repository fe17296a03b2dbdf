"""Everything at once, for one environment: checks, rehearsals, verdict, and the facts that a record names.

The report that comes of it is a claim like any other: `attesting` computes every digest anew and signs only
what it finds again.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from launchworthy.attestation.content import wheel_content_digest
from launchworthy.attestation.project_files import read_tree_facts
from launchworthy.attestation.records import RECORD_DIRECTORY
from launchworthy.attestation.statement import Subject
from launchworthy.attestation.tree import GitFacts
from launchworthy.promotion.building import WORKSHOP
from launchworthy.promotion.control import controls_for
from launchworthy.promotion.interruption import undisturbed
from launchworthy.promotion.project import Project
from launchworthy.promotion.rehearsals.engine import run_rehearsals
from launchworthy.promotion.reports.junit import render_junit
from launchworthy.promotion.reports.markdown import render_markdown
from launchworthy.promotion.reports.page import render_page
from launchworthy.promotion.reports.sarif import promotion_sarif
from launchworthy.promotion.result import Result, render_report
from launchworthy.promotion.run import findings_of, make_result, run_checks
from launchworthy.promotion.tree_digests import catalogue_digest
from launchworthy.vocabulary import Problem, ProblemError

Progress = Callable[[str, int, int], None]


def promote(project: Project, *, progress: Progress, began: float) -> Result:
    """Judge a project by every control that counts in its environment.

    Args:
        project: as it lies there.
        progress: told what runs now.
        began: of `time.monotonic`.
    """
    controls = controls_for(project.environment)
    wanted = frozenset(control.id for control in controls)
    rehearsed = run_rehearsals(project, wanted, progress)
    checked = run_checks(project, wanted)
    facts = {**rehearsed.facts, **declared_facts(project), **tree_facts(project)}
    version = facts.pop("version", project.version)
    return make_result(
        project,
        controls,
        findings_of(controls, checked, rehearsed),
        partial=False,
        rehearsed=replace(rehearsed, facts=facts),
        version=version,
        began=began,
    )


def declared_facts(project: Project) -> dict[str, str]:
    """What manifests, policy and settings come to, as a start will compute it, and our own catalogue."""
    return {
        Subject.MANIFESTS.value: project.manifests.digest,
        Subject.POLICY.value: project.policy.digest,
        Subject.SETTINGS.value: project.settings.digest,
        Subject.CATALOGUE.value: catalogue_digest(),
    }


def tree_facts(project: Project) -> dict[str, str]:
    """What the tree comes to; nothing where it is not its commit, or lacks a lock."""
    if not isinstance(project.git, GitFacts):
        return {}
    with contextlib.suppress(ProblemError):
        found = read_tree_facts(project.root, project.git, environment=project.environment)
        return {subject.value: digest for subject, digest in found.digests.items()}
    return {}


def not_recordable(project: Project) -> Problem | None:
    """Why no record can come of this tree, whatever is found; None where one can."""
    if isinstance(project.git, Problem):
        return project.git
    try:
        project.git.require_clean()
    except ProblemError as error:
        return error.problems[0]
    return None


def write_reports(result: Result, folder: Path) -> tuple[Path, ...]:
    """Write every rendering of a result: all of them, or none.

    Raises:
        ProblemError: `report-not-written`.
    """
    contents = {
        "report.json": render_report(result),
        "report.xml": render_junit(result).encode(),
        "report.sarif": promotion_sarif(result).encode(),
        "report.md": render_markdown(result).encode(),
        "report.html": render_page(result).encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with undisturbed():
            return tuple(write_whole(folder / name, content) for name, content in contents.items())
    except OSError as error:
        problem = Problem(
            reason="report-not-written",
            where=str(folder),
            what=f"the reports cannot be written there ({error.strerror})",
            fix=("say where: launchworthy promote --output DIRECTORY",),
        )
        raise ProblemError(problem) from None


def hand_on_wheel(result: Result, project: Project, folder: Path) -> Path | None:
    """Put the wheel that was rehearsed beside its report, for who signs; None where none was.

    Args:
        result: names its digest.
        project: in whose workshop it lies.
        folder: of the reports; other wheels in it are taken away.
    """
    for old in folder.glob("*.whl"):
        old.unlink()
    for wheel in sorted((project.root / WORKSHOP).glob("*.whl")):
        if wheel_content_digest(wheel) == result.facts.get(Subject.WHEEL.value):
            return write_whole(folder / wheel.name, wheel.read_bytes())
    return None


def write_whole(path: Path, content: bytes) -> Path:
    """Replace a file whole: what is interrupted leaves the old one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def output_folder(project: Project) -> Path:
    """Where reports and records go, if nothing is said: `dist/promotion`."""
    return project.root / RECORD_DIRECTORY
