"""What does a file ask a person for, and where is the answer kept?

What is shown of a report holds nothing that would change what a person sees: the project's own code ran where
the report was made.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from launchworthy.approval.proved.grant import grant_matter
from launchworthy.approval.proved.matter import Kind, Matter, matter_of_bytes
from launchworthy.audit.sanitiser import sanitise, sanitise_label
from launchworthy.promotion.approvals.book import FOLDER
from launchworthy.promotion.approvals.exceptions import issuer_exceptions
from launchworthy.promotion.approvals.locked import LOCK, lock_matter
from launchworthy.promotion.chain import needs_two, unverified_link
from launchworthy.promotion.place import place_at
from launchworthy.promotion.promoting import write_whole
from launchworthy.promotion.report_file import REPORT_LIMIT, read_report
from launchworthy.promotion.trusted import FILE, parse_trusted, project_name
from launchworthy.settings import Settings, inspect_settings, read_project
from launchworthy.state.control.writing import read_request, write_entries
from launchworthy.vocabulary import Environment, Problem, ProblemError

CONFIG = "config"

REAL = (Environment.STAGING, Environment.PRODUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What waits for an approval.

    Attributes:
        matters: one by one.
        folder: where proofs of them are kept.
        grant: the request for a grant that keeps them itself, so that it is one file to hand on.
    """

    matters: tuple[Matter, ...]
    folder: Path
    grant: Path | None = None


def approvable(file: Path, *, environment: Environment) -> Asked:
    """What a file asks a person for; of `promotion.toml`, the entries of which no proof is kept yet.

    Args:
        file: a report, `promotion.toml`, `launchworthy.lock`, settings with exceptions, or a request for a
            grant.
        environment: for which the report must be.

    Raises:
        ProblemError: it cannot be read, or is none of these.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(REPORT_LIMIT + 1)
    except OSError as error:
        raise ProblemError(_not_approvable(file, f"cannot be read: {error.strerror}")) from None
    if len(content) > REPORT_LIMIT:
        raise ProblemError(_not_approvable(file, f"has more than {REPORT_LIMIT} bytes"))
    folder = file.resolve().parent
    if file.name == FILE:
        kept = folder / FOLDER
        trusted = parse_trusted(content, project=project_name(folder))
        link = unverified_link(folder, environment)
        twice = {each.matter for each in trusted.waivers if needs_two(each.table, link)}
        waiting = (each for each in trusted.matters if _is_waiting(each, kept, twice=each in twice))
        return Asked(matters=tuple(waiting), folder=kept)
    if folder.name == CONFIG and file.suffix == ".toml":
        found = tuple(each.matter for each in issuer_exceptions(_settings(file)))
        kept = folder.parent / FOLDER
        return Asked(
            matters=tuple(each for each in found if not (kept / each.file_name).is_file()), folder=kept
        )
    if file.name == LOCK:
        return Asked(matters=(lock_matter(content),), folder=folder / FOLDER)
    if file.suffix == ".toml":
        return Asked(matters=(grant_matter(read_request(file)),), folder=folder, grant=file)
    return Asked(matters=(report_matter(content, file, environment),), folder=folder)


def report_matter(content: bytes, file: Path, environment: Environment) -> Matter:
    """A report, whole.

    Raises:
        ProblemError: it is none, or for another environment.
    """
    if file.suffix != ".json":
        raise ProblemError(_not_approvable(file, "is nothing that a person can approve"))
    report = read_report(content, where=str(file))
    if report.environment is not environment:
        what = f"is a report for `{report.environment}`, and `{environment}` was said"
        raise ProblemError(_not_approvable(file, what))
    commit = (report.commit or "no commit")[:12]
    project, version = sanitise(report.project), sanitise_label(report.project_version)
    says = (
        f"{project} {version}, commit {sanitise_label(commit)}, for {report.environment}: "
        f"{report.verdict.value}, {len(report.findings)} controls, {report.requests} requests"
    )
    return matter_of_bytes(Kind.REPORT, content, says)


def _settings(file: Path) -> Settings:
    """The settings of one file.

    Raises:
        ProblemError: they cannot be read, or are of no real environment.
    """
    place = place_at(file.resolve().parent.parent)
    if file.stem not in {each.value for each in REAL}:
        raise ProblemError(_not_approvable(file, "are settings of no environment that is promoted"))
    return inspect_settings(read_project(place.root, place.package), Environment(file.stem))


def _is_waiting(matter: Matter, kept: Path, *, twice: bool) -> bool:
    """Whether a proof is missing: of one person, or of another one too."""
    return not (kept / matter.file_name).is_file() or (
        twice and not (kept / matter.second_file_name).is_file()
    )


def keep(asked: Asked, matter: Matter, content: bytes) -> Path:
    """Write a proof where it will be looked for; returns where.

    Raises:
        ProblemError: a request says something else by now, or cannot be written.
    """
    if asked.grant is None:
        asked.folder.mkdir(parents=True, exist_ok=True)
        first = not (asked.folder / matter.file_name).is_file() or matter.kind is not Kind.WAIVER
        return write_whole(asked.folder / (matter.file_name if first else matter.second_file_name), content)
    entry = read_request(asked.grant)
    if entry.grant is None or grant_matter(entry) != matter:
        raise ProblemError(_not_approvable(asked.grant, "says something else than was shown"))
    approvals = (*entry.grant.approvals, content.decode())
    write_entries(asked.grant, (replace(entry, grant=replace(entry.grant, approvals=approvals)),))
    return asked.grant


def _not_approvable(file: Path, what: str) -> Problem:
    fix = (
        "name dist/promotion/report.json, promotion.toml, launchworthy.lock, config/production.toml,",
        "or what `launchworthy control request FILE` has written",
    )
    return Problem(reason="not-approvable", where=str(file), what=what, fix=fix)
