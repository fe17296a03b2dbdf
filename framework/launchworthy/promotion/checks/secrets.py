"""Secrets: can no setting hold one, is there none in the tree, and was every one that ever was rotated?"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from secrets import token_hex

from launchworthy.attestation.git import Git
from launchworthy.detection import Finding, fingerprint
from launchworthy.promotion.chain import forgotten, unverified_link
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.scanning.history import History
from launchworthy.promotion.scanning.leaks import Leak, Scanner, found_in
from launchworthy.promotion.scanning.texts import MAX_TEXT
from launchworthy.promotion.trusted import FILE, Entry, RotationTable
from launchworthy.vocabulary import ProblemError


@registry.check("SEC-01")
def settings_cannot_hold_a_secret(project: Project) -> Iterator[Assertion]:
    """The team's settings class has closed types only; the framework's own are checked at definition."""
    for what in project.answer.weak:
        yield broken(
            what, f"src/{project.package}/server.py", "use the closed types of launchworthy.settings"
        )
    if not project.answer.weak:
        yield seen("no field of the settings class can hold a secret")
    yield seen(f"no secret in config/{project.rehearsed}.toml: it was read")
    for environment, other in project.others.items():
        for problem in other if isinstance(other, tuple) else ():
            if problem.reason == "secret-by-value":
                yield broken(problem.what, problem.where or f"config/{environment}.toml", *problem.fix)


@registry.check("SEC-02")
def there_is_no_secret_in_the_tree(project: Project) -> Iterator[Assertion]:
    """Every file below the root, tracked or not, holds no secret by name, shape or checksum."""
    for one in project.tree:
        if not one.whole:
            yield broken(
                f"the file is longer than the {MAX_TEXT // 1024**2} MiB that are looked at",
                one.path,
                "split it, or keep it elsewhere",
            )
        for finding in found_in(one):
            if _ruled_out(project, finding):
                yield seen(f"{one.path} holds what was approved to be no secret")
                continue
            yield broken(
                _what(finding),
                one.path if one.binary else f"{one.path}:{finding.line}",
                "rotate it first: whoever can read the tree has it by now; then take it out",
            )
    yield seen(
        f"{len(project.tree)} files of the tree hold no secret that is known by name, shape or checksum"
    )


@registry.check("SEC-03")
def what_was_ever_found_is_rotated(project: Project) -> Iterator[Assertion]:
    """Every secret that git still leads to is recorded as rotated, destroyed or none, with an approval."""
    history = History(Git(project.root, {"PATH": os.defpath, **project.environ}), below=project.root)
    scanner = Scanner(project.trusted.salt)
    scanner.history(history, _no_progress)
    found = scanner.scan()
    for path in found.too_long:
        yield broken(
            "a version of it is longer than what is looked at", path, "rewrite the history without it"
        )
    for leak in found.leaks:
        yield _leak(project, history, leak)
    if not found.leaks:
        yield seen(f"{found.texts} texts of the whole history hold no secret")


@registry.check("SEC-03")
def nothing_that_was_ever_found_is_forgotten(project: Project) -> Iterator[Assertion]:
    """What the record before names as found stands in promotion.toml still, whatever history says today."""
    link = unverified_link(project.root, project.environment)
    for name in forgotten(project.trusted.rotations, link):
        what = f"{name} was found once, and nobody says any more what became of it"
        yield broken(what, FILE, "put its [[rotations]] back: what was found once is never forgotten")
    if link.secrets:
        yield seen(f"{len(link.secrets)} secrets that earlier records name are looked for in {FILE}")


def _leak(project: Project, history: History, leak: Leak) -> Assertion:
    place = leak.places[0]
    since = history.first_commit(place.version) if place.version is not None else None
    what = f"the history holds a secret: {leak.kind.replace('-', ' ')} in {place}"
    what += f", since {since}" if since is not None else ""
    if leak.fingerprint is None:
        salt = f'salt = "{token_hex(8)}"'
        return broken(what, FILE, "give secrets names: add this to the top of promotion.toml", salt)
    for rotation in project.trusted.rotations:
        if rotation.table.finding == leak.fingerprint and _is_approved(project, rotation):
            return seen(f"{leak.fingerprint} of the history is {rotation.table.action}")
    return broken(
        f"{what}, and nobody says with an approval that it is worthless by now",
        FILE,
        "rotate it where it opens something; then write it down, and have that approved:",
        "[[rotations]]",
        f'finding = "{leak.fingerprint}"',
        'action  = "rotated"   # or destroyed; not-a-secret with a reason in the place of proof',
        f"on      = {datetime.fromtimestamp(project.now, UTC).date()}",
        f'by      = "{project.manifests.server.ownership.owner}"',
        'proof   = "where that can be seen"',
    )


def _ruled_out(project: Project, finding: Finding) -> bool:
    """Whether it was approved that this is no secret; a fingerprint costs time, so only then."""
    none = [each for each in project.trusted.rotations if each.table.action == "not-a-secret"]
    if not none or project.trusted.salt is None:
        return False
    name = fingerprint(finding, project.trusted.salt)
    return any(each.table.finding == name and _is_approved(project, each) for each in none)


def _no_progress(done: int, of: int) -> None:
    """Checks tell none."""
    del done, of


def _is_approved(project: Project, rotation: Entry[RotationTable]) -> bool:
    try:
        project.book.require(rotation.matter)
    except ProblemError:
        return False
    return True


def _what(finding: Finding) -> str:
    under = f" in `{finding.field}`" if finding.field is not None else ""
    return f"the tree holds a secret{under}: {finding.kind.replace('-', ' ')}"
