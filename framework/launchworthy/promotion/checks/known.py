"""Is the server known outside of its repository? In the inventory, and to somebody who never worked on it."""

from collections.abc import Callable, Iterator
from typing import Final

from pydantic import ValidationError

from launchworthy.attestation.git import Git
from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.evidence.entry import NotOurs, read_entry
from launchworthy.promotion.evidence.handover import HandoverEvidence
from launchworthy.promotion.evidence.pieces import Piece, how_to_show, not_of_now, pieces
from launchworthy.promotion.finding import Assertion, NotApplicable
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.vocabulary import Environment, ProblemError

_DAYS: Final = 90
_ENTRY: Final = "docs/evidence/registry-entry.json"
_HANDOVER: Final = "docs/evidence/handover.json"


@registry.check("GOV-03")
def it_is_in_the_inventory(project: Project) -> Iterator[Assertion]:
    """An approved copy of the inventory's entry, which holds our resource and an id."""
    name, resource = project.manifests.server.name, project.settings.server.resource

    def mistakes(piece: Piece) -> list[str]:
        try:
            read_entry(piece.content, name=name, resource=resource)
        except NotOurs as error:
            return [f"the entry {error}"]
        return []

    what = "no approved entry of an inventory names this server"
    yield from _judged(project, "GOV-03", mistakes, what, _how_to_register(project))


@registry.check("GOV-07")
def somebody_else_can_take_it_over(project: Project) -> Iterator[Assertion]:
    """Somebody who did not write it installed, checked and rehearsed it on a clean machine, lately."""

    def mistakes(piece: Piece) -> list[str]:
        try:
            said = HandoverEvidence.model_validate_json(piece.content)
        except ValidationError:
            return ["it is not what `launchworthy handover` writes"]
        return [*_of_another(project, said), *said.mistakes()]

    what = "nobody but its authors has shown that it can be taken over"
    yield from _judged(project, "GOV-07", mistakes, what, _how_to_hand_over(project))


def _judged(
    project: Project,
    control: str,
    mistakes: Callable[[Piece], list[str]],
    nothing: str,
    fix: tuple[str, ...],
) -> Iterator[Assertion]:
    """What each piece of evidence shows; without one that counts, a deployment is held.

    Raises:
        NotApplicable: this wheel starts in a rehearsal and nowhere else.
    """
    counted = held = False
    for piece in pieces(project, control):
        wrong = mistakes(piece)
        held = held or bool(wrong)
        for each in wrong:
            yield broken(f"{piece.table.file}: {each}", piece.where, *fix)
        if not wrong and piece.approved_by is not None:
            counted = True
            yield seen(f"{piece.table.file} shows it, approved by {piece.approved_by}")
    if counted or held:
        return
    if project.environment is Environment.REHEARSAL:
        raise NotApplicable("a wheel for rehearsals is deployed nowhere")
    yield broken(nothing, "promotion.toml", *fix)


def _of_another(project: Project, said: HandoverEvidence) -> Iterator[str]:
    yield from not_of_now(project, server=said.server, made_at=said.made_at, days=_DAYS)
    try:
        hands = Git(project.root, project.environ).hands(said.commit)
    except ProblemError:
        yield f"its commit {said.commit[:12]} is not in this repository"
        return
    if said.operator.casefold() in hands:
        yield f"{said.operator} wrote or committed what was handed over"


def _how_to_register(project: Project) -> tuple[str, ...]:
    return (
        f"register it in your inventory, and keep the entry as {_ENTRY}: JSON with its id and this url:",
        project.settings.server.resource,
        *how_to_show(project, "GOV-03", "the inventory's entry of this server", _ENTRY, days=_DAYS),
    )


def _how_to_hand_over(project: Project) -> tuple[str, ...]:
    return (
        "let somebody who has not worked on it run, in a clone:",
        f"launchworthy handover --operator THEIR-MAIL --output {_HANDOVER}",
        *how_to_show(
            project, "GOV-07", "somebody else has installed, checked and rehearsed it", _HANDOVER, days=_DAYS
        ),
    )
