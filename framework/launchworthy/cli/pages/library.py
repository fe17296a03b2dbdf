"""Which page has this name? Topics, controls, events and reasons, each by its own name."""

import difflib

from launchworthy.cli.ending import needs_extra
from launchworthy.cli.pages.case import case_pages
from launchworthy.cli.pages.control import catalogue_page, control_page
from launchworthy.cli.pages.event import event_pages
from launchworthy.cli.pages.reason import problem_pages, refusal_pages, word_pages
from launchworthy.cli.pages.topic import topic_pages
from launchworthy.promotion.control import load_catalogue, to_come
from launchworthy.vocabulary import Problem, ProblemError

_MAX_MEANT = 3


def find_page(name: str) -> str:
    """The page of a name.

    Raises:
        ProblemError: `no-page`, with the names that may have been meant.
    """
    controls = _controls()
    if name in controls:
        needs_extra("promote", lambda: __import__("yaml"))
        return control_page(name)
    shelves = _shelves()
    pages = [shelf[name] for shelf in shelves if name in shelf]
    if not pages:
        raise ProblemError(_no_page(name, names_of_pages()))
    return "\n\n".join(pages)


def names_of_pages() -> tuple[str, ...]:
    """Every name that has a page."""
    return tuple(sorted({name for shelf in _shelves() for name in shelf} | _controls()))


def _controls() -> frozenset[str]:
    return frozenset(control.id for control in load_catalogue()) | frozenset(to_come())


def _shelves() -> tuple[dict[str, str], ...]:
    topics = {**topic_pages(), "controls": catalogue_page()}
    return (topics, event_pages(), refusal_pages(), problem_pages(), word_pages(), case_pages())


def _no_page(name: str, known: tuple[str, ...]) -> Problem:
    folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=_MAX_MEANT, cutoff=0.6)
    meant = " or ".join(f"`{folded[each]}`" for each in close)
    question = f"; did you mean {meant}?" if meant else ""
    fix = (
        "a control: launchworthy explain controls",
        f"fields of a file: {', '.join(topic_pages())}",
        "a reason, an event or a case of the probe: as the answer, the audit or the report spells it",
    )
    return Problem(reason="no-page", what=f"`{name[:64]}` has no page{question}", fix=fix)
