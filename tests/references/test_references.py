"""What is generated is what stands in the documentation."""

import pytest
from write import GROWING, PAGES, ROOT

from launchworthy.audit import EVENT_TYPES
from launchworthy.cli.pages.event import field_rows
from launchworthy.cli.pages.event_examples import event_examples


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_up_to_date(path):
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run: python3 noxfile.py -s references"


def test_every_record_type_has_an_example_and_no_other():
    assert list(event_examples()) == list(EVENT_TYPES)
    for name, example in event_examples().items():
        assert type(example) is EVENT_TYPES[name]
        assert example.model_dump(exclude_defaults=True)


def test_every_field_is_in_some_example():
    every = {field for one in event_examples().values() for field in one.model_dump(exclude_defaults=True)}
    every.add("token")  # of `stream.bound`, instead of a chain
    for name, event in EVENT_TYPES.items():
        for field in event.model_fields:
            assert field in every, f"{name}.{field} is in no example"


def test_fields_that_belong_to_one_type_say_what_they_mean():
    """What is said with the model is on the page; a field's own name may be enough only for the plainest."""
    for name in (
        "credential.issued",
        "approval.granted",
        "control.changed",
        "breakglass.used",
        "tool.attempt",
    ):
        said = [field for field, _, meaning in field_rows(EVENT_TYPES[name]) if meaning]
        assert len(said) >= len(EVENT_TYPES[name].model_fields) // 2, name


def test_every_row_of_the_refusals_is_shown_by_a_test():
    [(path, page)] = GROWING.items()
    written = (ROOT / path).read_text(encoding="utf-8").splitlines()
    rows = [line for line in written if line.startswith("|")]
    assert len(rows) > 800
    assert set(written) <= set(page().splitlines()), "run: python3 noxfile.py -s references"
