"""Every record type is written by some part of the framework, and a test sees it."""

from pathlib import Path

import pytest

from launchworthy.audit import EVENT_TYPES

ROOT = Path(__file__).parents[2]
FRAMEWORK = "\n".join(
    path.read_text()
    for path in (ROOT / "framework" / "launchworthy").rglob("*.py")
    if path.parent.name != "events" and path.name != "story.py"
)
TESTS = "\n".join(
    path.read_text()
    for path in (ROOT / "tests").rglob("*.py")
    if path.name != "test_audit_events.py" and path.parent.name != "references"
)
TO_COME: frozenset[str] = frozenset()
"""Types whose part is not there yet; whoever builds it takes them out of this list."""


def is_written(name):
    return EVENT_TYPES[name].__name__ in FRAMEWORK


def is_seen(name):
    return EVENT_TYPES[name].__name__ in TESTS or name in TESTS


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_record_type_is_written_and_seen(name):
    if name in TO_COME:
        assert not is_written(name), "its part is there: take it out of the list"
        return
    assert is_written(name)
    assert is_seen(name)
