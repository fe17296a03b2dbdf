"""The first hour is told as the README tells it, and shows nothing of the machine that it was run on."""

import getpass
import platform
import re
import sys
from pathlib import Path

import pytest
from first_hour import COMMIT, NEW, first_hour_page, recorded, typed

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "template"))
ASKS_A_PERSON = ["ID-01", "TOK-04", "GOV-01"]
EVIDENCE = ["TR-05", "GOV-03", "GOV-07", "SUP-04"]
"""In the order of the catalogue; `tests/template/test_template_promotion.py` says them of every rendering."""
ELSEWHERE = {"python3 noxfile.py -s demo", "python3 noxfile.py -s tests"}
"""What READMEs name besides: what shows a server without one's own hands, and this repository's tests."""


def commands_of(text: str) -> set[str]:
    """Lines to be typed, without what a comment or a wide space says of them."""
    found = re.findall(r"(?m)^ *((?:python3 noxfile\.py|git init)\b.*?)(?: {2,}.*| #.*)?$", text)
    return {line.strip() for line in found}


def named_in(text: str) -> set[str]:
    """Commands in a sentence of numbered steps."""
    return set(re.findall(r"`(launchworthy lock|python3 noxfile\.py -s \w+)`", text))


def shown() -> set[str]:
    return {each.command for each in typed()}


def test_each_command_of_the_readme_is_followed():
    asked = commands_of((ROOT / "README.md").read_text()) - ELSEWHERE
    assert asked == {"python3 noxfile.py -s new -- ../my-server"}
    assert all(any(command.startswith(each) for command in shown()) for each in asked)


def test_each_command_of_a_projects_readme_is_followed():
    readme = (ROOT / "template" / "README.md.jinja").read_text()
    asked = {each.partition(" -- ")[0] for each in commands_of(readme) | named_in(readme)} - ELSEWHERE
    assert len(asked) >= 7
    followed = {command.partition(" -- ")[0] for command in shown()}
    assert asked <= followed


def test_each_command_of_the_message_after_the_copy_is_followed():
    message = (ROOT / "copier.yml").read_text().partition("_message_after_copy")[2]
    message = message.partition("_message_before_update")[0].replace("{{ framework_version }}", "{version}")
    asked = commands_of(message)
    assert {COMMIT, "python3 noxfile.py -s dev", "python3 noxfile.py"} == asked
    assert asked <= shown()
    [new] = [each for each in recorded() if each.command == NEW]
    assert {"python3 noxfile.py -s dev", "python3 noxfile.py"} <= commands_of(new.said)


def test_what_holds_the_first_promotion_asks_a_person_and_filled_in_it_is_cleared():
    verdicts = [each for each in recorded() if "-s promote" in each.command or "-s check" in each.command]
    held = [re.findall(r"(?m)^ ([A-Z]+-\d\d)  ", each.said) for each in verdicts]
    assert [each.code for each in verdicts] == [1, 1, 0]
    assert sorted(held[0]) == sorted(ASKS_A_PERSON + EVIDENCE)
    assert held[1:] == [ASKS_A_PERSON, []]
    assert re.search(r"(?m)^ CLEARED ", verdicts[2].said)


def test_a_refused_call_is_explained_in_the_other_terminal():
    [refused] = [each for each in recorded() if each.beside]
    assert (refused.code, refused.said[:3]) == (1, "403")
    assert "→ needs the scope orders:refund" in refused.beside


@pytest.mark.parametrize(
    "pattern",
    [
        r"/(?:tmp|root|home|usr|var/folders|Users)/",
        r"127\.0\.0\.1:\d",
        r"\b[0-9a-f]{12,}\b",
        r"\beyJ",
        r"\b20\d\d-\d\d-\d\dT",
        r"(?i)\bhttps?://(?!127\.0\.0\.1|[\w.-]*\.(?:invalid|example)\b|…)",
        rf"\b{re.escape(platform.node())}\b",
        rf"(?<!\w){re.escape(getpass.getuser())}@",
    ],
)
def test_nothing_of_the_machine_is_shown(pattern):
    told = "\n".join(f"{each.said}\n{each.beside}" for each in recorded())
    assert re.findall(pattern, told) == []
    assert re.findall(pattern, first_hour_page()) == []


def test_a_record_of_another_story_makes_no_page(monkeypatch):
    import first_hour

    monkeypatch.setattr(first_hour, "STORY", first_hour.STORY[:-3])
    with pytest.raises(ValueError, match="another story"):
        first_hour_page()
