"""What does a case of the probe send, and what is right? A page each, from the cases themselves."""

from functools import cache

from launchworthy.cli.pages.layout import labelled
from launchworthy.probe.case import Case
from launchworthy.probe.documents import ROWS
from launchworthy.probe.probing import ELSEWHERE
from launchworthy.probe.row import Row, row_of
from launchworthy.probe.scopes import STEP_UP


@cache
def case_pages() -> dict[str, str]:
    """The page of each case, by its id."""
    pages = {row.id: _page(row, None) for row in (*ROWS, STEP_UP)}
    for case in ELSEWHERE:
        pages.setdefault(case.id, _page(row_of(case), case))
    return pages


def _page(row: Row, case: Case | None) -> str:
    lines = [
        f"{row.id}   a case of `launchworthy probe`",
        "",
        *labelled("sent" if case is not None else "read", row.title),
        *labelled("right", row.right),
        *labelled("else", row.why),
        *labelled("source", row.source),
    ]
    if case is not None:
        control = f"{case.control}, which promotion rehearses: launchworthy explain {case.control}"
        asked = f"in {' and '.join(case.elsewhere)}, beside the same request without that change"
        lines += [*labelled("asked", asked), *labelled("control", control)]
    return "\n".join(line for number, line in enumerate(lines) if line or number == 1)
