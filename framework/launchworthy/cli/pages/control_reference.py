"""Every control on one page of the documentation, and which source asks for what: `nox -s references`."""

from collections.abc import Iterator

from launchworthy.promotion.control import FAMILIES, Control, load_catalogue, to_come
from launchworthy.promotion.registry import whole_registry
from launchworthy.vocabulary import Environment

_ORDER = (Environment.DEVELOPMENT, Environment.STAGING, Environment.PRODUCTION)
SOURCES = (
    "MCP",
    "OWASP AISVS",
    "OWASP MCP",
    "OWASP NHI",
    "OWASP ASI",
    "CoSAI",
    "NIST",
    "SLSA",
    "OpenSSF",
    "RFC",
    "CWE",
)
"""The sources that have a table of their own; a reference begins with one of these words, or is `other`."""


def control_reference() -> str:
    """The page."""
    return "\n".join(_page()) + "\n"


def source_of(reference: str) -> str:
    """Which table a reference belongs to."""
    spelt = {"AISVS": "OWASP AISVS", "OWASP guide": "OWASP MCP"}
    for start, source in spelt.items():
        if reference.startswith(start):
            return source
    return next((each for each in SOURCES if reference.startswith(each)), "other")


def _page() -> Iterator[str]:
    controls = load_catalogue()
    yield "# Controls"
    yield ""
    yield "What production asks of a server, and how each of it is proved. Generated; the same on a terminal:"
    yield "`launchworthy explain controls`, `launchworthy explain TOK-04`."
    yield ""
    coming = ", ".join(to_come())
    decided = f"This release decides {len(controls)} of 70 controls."
    yield (
        f"{decided} Still to come, and decided by nothing: {coming}."
        if coming
        else f"{decided} None is still to come."
    )
    yield ""
    yield "*Read* is decided from the project's files and from what its code says of itself; *rehearsed* is"
    yield "seen on the running server, each attack beside an unchanged request that must pass."
    for family in FAMILIES:
        yield ""
        yield f"## {family.capitalize()}"
        for control in controls:
            if control.family == family:
                yield ""
                yield from _control(control)
    yield ""
    yield "## By source"
    yield ""
    yield "Which control answers to what. A source that is named here is one that a control was written for;"
    yield "that no control names a requirement says that nothing is claimed for it."
    for source in (*SOURCES, "other"):
        named = list(_named(controls, source))
        if named:
            yield ""
            yield f"### {source}"
            yield ""
            yield "| reference | controls |"
            yield "|---|---|"
            yield from (f"| {reference} | {ids} |" for reference, ids in named)


def _control(control: Control) -> Iterator[str]:
    environments = ", ".join(each.value for each in _ORDER if each in control.environments)
    yield f"### {control.id}: {control.title}"
    yield ""
    waivable = "may be waived" if control.waivable else "never waived"
    yield f"{environments} · {' and '.join(_proofs(control))} · {waivable}"
    yield ""
    yield f"{_line(control.why)}"
    yield ""
    yield f"**Holds.** {_line(control.holds)}"
    yield ""
    yield f"**To do.** {_line(control.fix)}"
    if control.cannot_see is not None:
        yield ""
        yield f"**Cannot see.** {_line(control.cannot_see)}"
    yield ""
    yield f"**Sources.** {' · '.join(control.references)}"


def _proofs(control: Control) -> Iterator[str]:
    registry = whole_registry()
    if any(check.control == control.id for check in registry.checks):
        yield "read"
    if any(control.id in rehearsal.controls for rehearsal in registry.rehearsals):
        yield "rehearsed"


def _named(controls: tuple[Control, ...], source: str) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for control in controls:
        for reference in control.references:
            if source_of(reference) == source:
                found.setdefault(reference, []).append(control.id)
    for reference in sorted(found):
        yield reference.replace("|", "\\|"), ", ".join(found[reference])


def _line(text: str) -> str:
    """One line; nothing in it is taken for an element."""
    return " ".join(text.split()).replace("<", "\\<")
