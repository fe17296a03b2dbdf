"""Break-glass: is a rule lifted while this is promoted, or was one, without anybody having looked back?"""

from collections.abc import Iterator
from typing import Final

from launchworthy.approval.proved.grant import verify_grant
from launchworthy.approval.proved.keys import pinned_keys
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.trusted import end_of
from launchworthy.state.control import Action, Entry, parse_control
from launchworthy.state.control.reading import read_control_file
from launchworthy.vocabulary import ProblemError

_AZ_10: Final = "AZ-10"
FOLDER: Final = "grants/"


@registry.check(_AZ_10)
def no_rule_is_lifted_while_this_is_promoted(project: Project) -> Iterator[Assertion]:
    """Grants in `grants/` and in the control list: none is active, each that has ended was looked back on."""
    found = 0
    for where, text in _lists(project):
        try:
            entries = parse_control(where, text, source="file")
        except ProblemError as error:
            for problem in error.problems:
                yield broken(f"cannot be read as grants: {problem.what}", problem.where, *problem.fix)
            continue
        for entry in entries:
            if entry.grant is not None and entry.action is Action.GRANT:
                found += 1
                yield from _grant(project, entry, where)
    if not found:
        yield seen(f"no grant is in {FOLDER} or in a control list that can be read from here")


def _lists(project: Project) -> Iterator[tuple[str, bytes]]:
    """What is kept in the tree, and what is in force here, if this is where the server runs."""
    for path, text in project.texts():
        if path.startswith(FOLDER) and path.endswith(".toml"):
            yield path, text.encode()
    control = project.settings.control.file
    if control is not None and control.is_file():
        yield str(control), read_control_file(control)


def _grant(project: Project, entry: Entry, where: str) -> Iterator[Assertion]:
    if entry.grant is None or entry.grant.server != project.settings.server.resource:
        yield seen(f"the grant `{entry.id}` is for another server")
    elif project.now < entry.until:
        yield broken(
            f"the grant `{entry.id}` ({entry.grant.incident}) lifts {', '.join(entry.grant.lifts)} until it "
            "ends, and nothing is promoted meanwhile",
            where,
            f"launchworthy control revoke {entry.id}, or wait for its end",
        )
    elif not where.startswith(FOLDER):
        yield seen(f"the grant `{entry.id}` has ended, and lifts nothing")
    else:
        yield from _ended(project, entry, where)


def _ended(project: Project, entry: Entry, where: str) -> Iterator[Assertion]:
    people = project.book.break_glass
    if people is None:
        why = "the trust policy names nobody who approves grants"
        yield broken(f"nobody can tell who approved the grant `{entry.id}`: {why}", where, "--trust FILE")
        return
    try:
        found = verify_grant(
            entry,
            server=project.settings.server.resource,
            approvers=people,
            keys=pinned_keys(people),
            now=project.now,
        )
    except ProblemError as error:
        problem = error.problems[0]
        yield broken(f"the grant `{entry.id}` {problem.what}", where, *problem.fix)
        return
    names = ", ".join(sorted({each.name for each in found}))
    reviews = [
        piece
        for piece in project.trusted.evidence
        if piece.table.control == _AZ_10
        and entry.id in piece.table.says
        and project.now < end_of(piece.table.expires)
    ]
    if reviews:
        yield seen(
            f"the grant `{entry.id}`, approved by {names}, has ended; {reviews[0].table.file} says how"
        )
    else:
        yield broken(
            f"the grant `{entry.id}`, approved by {names}, has ended, and nobody has looked back on it",
            where,
            f"promotion.toml: [[evidence]] of {_AZ_10} whose `says` names `{entry.id}`, and its approval",
        )
