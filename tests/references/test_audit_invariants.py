"""Each promise of the audit has a test that bears its name, and the page names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "audit-invariants.md").read_text()
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}
ROWS = {
    row[0]: set(re.findall(r"`(test_\w+)`", row[1]))
    for row in re.findall(r"^\| (A\d+) \|(.+)$", PAGE, re.MULTILINE)
}


def test_there_are_thirteen():
    assert list(ROWS) == [f"A{number}" for number in range(1, 14)]


def test_each_has_a_test_of_its_name():
    for row, tests in ROWS.items():
        assert any(test.startswith(f"test_{row.lower()}_") for test in tests), row


def test_every_test_on_the_page_is_there_and_every_test_of_such_a_name_is_on_the_page():
    named = set().union(*ROWS.values())
    assert named <= DEFINED, named - DEFINED
    bearing = {test for test in DEFINED if re.match(r"test_a\d+_", test)}
    assert bearing <= named, bearing - named
