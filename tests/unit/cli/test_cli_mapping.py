"""What other people's lists ask: complete, honest about what is open, of one piece with the catalogue."""

import pytest

from launchworthy.cli.pages.mapping_reference import Source, load_sources, mapping_reference
from launchworthy.promotion.control import load_catalogue, to_come

SOURCES = load_sources()
KNOWN = {control.id for control in load_catalogue()} | set(to_come())
TOP_TENS = {
    "OWASP MCP Top 10": [f"MCP{number:02}" for number in range(1, 11)],
    "OWASP Non-Human Identities Top 10 (2025)": [f"NHI{number}" for number in range(1, 11)],
    "OWASP Agentic Top 10 (2026)": [f"ASI{number:02}" for number in range(1, 11)],
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_item_names_controls_that_exist_or_says_that_it_is_open(source: Source) -> None:
    for item in source.items:
        assert set(item.controls) <= KNOWN, item.id
        assert item.controls or item.not_claimed
        assert not item.not_claimed.endswith(".")


@pytest.mark.parametrize("name", TOP_TENS)
def test_a_top_ten_has_ten_items(name: str) -> None:
    [source] = [each for each in SOURCES if each.name == name]
    assert [item.id for item in source.items] == TOP_TENS[name]
    assert all(item.asks for item in source.items)


def test_what_a_top_ten_says_is_what_the_catalogue_cites() -> None:
    cited = {control.id for control in load_catalogue() if "OWASP MCP05" in control.references}
    [item] = [item for source in SOURCES for item in source.items if item.id == "MCP05"]
    assert set(item.controls) == cited == {"TL-01", "TL-03"}


def test_a_control_that_is_to_come_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "(to come)" not in mapping_reference()
    monkeypatch.setattr("launchworthy.cli.pages.mapping_reference.to_come", lambda: ("AZ-08",))
    page = mapping_reference()
    assert page.count("AZ-08") == page.count("AZ-08 (to come)") > 0


def test_nothing_of_a_page_is_taken_for_a_column_too_many() -> None:
    for line in mapping_reference().splitlines():
        if line.startswith("|"):
            assert line.count("|") in {3, 4}, line


def test_every_control_answers_to_some_list_of_somebody_else() -> None:
    page = mapping_reference()
    missing = {control.id for control in load_catalogue() if control.id not in page}
    assert missing <= {"META-01", "META-02"}, "their sources are our own rules, and testing practice"
