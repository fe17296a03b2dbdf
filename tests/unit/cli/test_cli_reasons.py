"""Every reason that we give has a page, and every page is of a reason that we give."""

from pathlib import Path

from reason_census import reasons_of

import launchworthy
from launchworthy.cli.pages.reason import problem_texts, refusal_texts
from launchworthy.vocabulary import Reason

SOURCE = Path(launchworthy.__file__).parent


def test_every_reason_of_a_problem_has_a_page():
    missing = {name: files for name, files in reasons_of(SOURCE).items() if name not in problem_texts()}
    assert not missing


def test_every_page_is_of_a_reason_that_something_gives():
    assert not problem_texts().keys() - reasons_of(SOURCE).keys()


def test_the_census_sees_literals_passed_on_and_tables(tmp_path):
    (tmp_path / "a.py").write_text(
        "def _no(reason, what):\n    return Problem(reason=reason, what=what, fix=())\n"
        "def far(why):\n    raise _no(why, 'x')\n"
        "far('passed-on')\n_no('given' if x else 'other', 'y')\nProblem(reason='said', what='', fix=())\n"
        "REASONS = {'tabled': ()}\nsaid = {'reason': 'in-a-dict'}\n"
    )
    assert set(reasons_of(tmp_path)) == {"passed-on", "given", "other", "said", "tabled", "in-a-dict"}


def test_every_reason_of_the_audit_has_a_page_and_nothing_else_has():
    assert set(refusal_texts()) == {reason.value for reason in Reason}


def test_every_page_says_what_it_means_and_what_to_do():
    for texts in (problem_texts(), refusal_texts()):
        for name, text in texts.items():
            assert text.means.endswith("."), name
            assert text.do.strip(), name
            assert not text.do.strip().endswith("."), name
