"""What does production ask here, and how is it proved? The page of a control, and the list of all."""

from collections.abc import Iterator

from launchworthy.cli.pages.layout import labelled, wrapped
from launchworthy.promotion.control import FAMILIES, Control, load_catalogue, to_come
from launchworthy.promotion.registry import Check, whole_registry
from launchworthy.vocabulary import Environment

_ORDER = tuple(each for each in Environment if each is not Environment.REHEARSAL)


def control_page(name: str) -> str:
    """The page of a control of this release, or of one that is to come."""
    for control in load_catalogue():
        if control.id == name:
            return "\n".join(_page(control)).rstrip()
    return "\n".join(_to_come(name))


def catalogue_page() -> str:
    """Every control of this release by family, and which are to come."""
    return "\n".join(_catalogue()).rstrip()


def _page(control: Control) -> Iterator[str]:
    environments = " ".join(each.value for each in _ORDER if each in control.environments)
    yield from wrapped(control.title, f" {control.id}  ", " " * (len(control.id) + 3))
    yield f"         {environments} · {'waivable' if control.waivable else 'never waivable'}"
    yield ""
    yield from labelled("Why", control.why)
    yield from labelled("Holds", control.holds)
    yield from labelled("Proved", *_proofs(control))
    yield from labelled("Fix", control.fix)
    if control.cannot_see is not None:
        yield from labelled("Cannot see", control.cannot_see)
    yield from labelled("Sources", " · ".join(control.references))


def _proofs(control: Control) -> Iterator[str]:
    registry = whole_registry()
    for check in registry.checks:
        if check.control == control.id:
            yield f"by reading: {_says(check)}"
    if any(control.id in rehearsal.controls for rehearsal in registry.rehearsals):
        yield "by rehearsing: attacks on the running server, each beside its unchanged twin"
        yield f"see them: launchworthy check {control.id} --rehearse --format json"


def _says(check: Check) -> str:
    """The first sentence of what the function says of itself."""
    return (check.run.__doc__ or check.name.replace("_", " ")).strip().splitlines()[0].rstrip(".")


def _to_come(name: str) -> Iterator[str]:
    yield f" {name}  is still to come: nothing of this release decides it, and no record says that it holds"
    yield ""
    yield " all controls of this release: launchworthy explain controls"


def _catalogue() -> Iterator[str]:
    catalogue = load_catalogue()
    coming = to_come()
    yield f" {len(catalogue)} controls are decided by this release, {len(coming) or 'none'} still to come"
    yield ""
    for family in FAMILIES:
        yield f" {family}"
        for control in (each for each in catalogue if each.family == family):
            yield from wrapped(control.title, f"   {control.id:<8}", " " * 11)
        yield ""
    if coming:
        yield from labelled("To come", " ".join(coming))
