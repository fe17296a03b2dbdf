"""A control list says exactly what it means, or nothing of it counts."""

from pathlib import Path

import pytest

from launchworthy.state.control import Action, parse_control
from launchworthy.state.control.writing import read_entries, write_entries
from launchworthy.vocabulary import ProblemError

STOP = """
[[stop]]
id = "stop-refunds"
targets = ["refund_order"]
who = "@acme/on-call"
why = "refunds are paid twice, INC-77"
since = 2026-11-20T12:00:00Z
until = 2026-11-20T20:00:00Z
"""
DENY = """
[[deny]]
id = "deny-agent"
issuer = "https://login.acme.example"
client = "support-agent"
who = "@acme/security"
why = "its token leaked, INC-78"
since = 2026-11-20T12:00:00Z
until = 2026-11-21T12:00:00+01:00
"""


def parse(text: str):
    return parse_control("control.toml", text.encode(), source="file")


def reasons(text: str) -> list[tuple[str, str | None]]:
    with pytest.raises(ProblemError) as error:
        parse(text)
    return [(each.reason, each.where) for each in error.value.problems]


def test_a_list_says_what_is_stopped_and_who_is_denied() -> None:
    stop, deny = parse(STOP + DENY)
    assert (stop.action, stop.targets, stop.name, stop.who) == (
        Action.STOP, ("refund_order",), None, "@acme/on-call",
    )  # fmt: skip
    assert (deny.action, deny.name) == (
        Action.DENY, ("client", "https://login.acme.example", "support-agent"),
    )  # fmt: skip
    assert stop.until - stop.since == 8 * 3600
    assert deny.until - deny.since == 23 * 3600


@pytest.mark.parametrize("text", ["", "# nothing is stopped\n"])
def test_an_empty_list_stops_nothing(text: str) -> None:
    assert parse(text) == ()


def test_a_denial_is_kept_as_long_as_a_token_of_its_time_may_live() -> None:
    stop, deny = parse(STOP + DENY)
    assert deny.ends(30 * 3600) == deny.since + 30 * 3600
    assert deny.ends(60) == deny.until
    assert stop.ends(30 * 3600) == stop.until


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('id = "stop-refunds"\n', "", "missing-field"),
        ('who = "@acme/on-call"\n', "", "missing-field"),
        ('why = "refunds are paid twice, INC-77"\n', "", "missing-field"),
        ("until = 2026-11-20T20:00:00Z\n", "", "missing-field"),
        ("since = 2026-11-20T12:00:00Z\n", "", "missing-field"),
        ("until = 2026-11-20T20:00:00Z", "until = 2026-11-20T20:00:00", "bad-value"),
        ("until = 2026-11-20T20:00:00Z", "until = 2026-11-20T11:00:00Z", "bad-value"),
        ("until = 2026-11-20T20:00:00Z", "until = 2026-11-20", "bad-value"),
        ('["refund_order"]', "[]", "bad-value"),
        ('["refund_order"]', '"refund_order"', "bad-value"),
        ('["refund_order"]', '["refund*"]', "bad-value"),
        ('["refund_order"]', '["Refund Order"]', "bad-value"),
        ("targets", "target", "unknown-field"),
        ("[[stop]]", "[stop]", "bad-value"),
        ("[[stop]]", "[[stopp]]", "unknown-field"),
        ('id = "stop-refunds"', 'id = "Stop Refunds"', "bad-value"),
        ('id = "stop-refunds"', "id = stop-refunds", "not-toml"),
        ("paid twice", "paid twice\u202e", "hidden-character"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_nothing_counts(before: str, after: str, reason: str) -> None:
    assert before in STOP
    [(found, where)] = reasons(STOP.replace(before, after))
    assert found == reason
    assert where is not None
    assert where.startswith("control.toml:")


@pytest.mark.parametrize("more", ['subject = "ada"\n', 'token = "t-1"\n'])
def test_a_denial_names_exactly_one(more: str) -> None:
    assert reasons(DENY + more)[0][0] == "bad-value"
    assert reasons(DENY.replace('client = "support-agent"\n', ""))[0][0] == "bad-value"


@pytest.mark.parametrize("name", ["müller", " x", "李雷", "a" * 512, "\U0001f600"])
def test_whoever_a_token_can_name_can_be_denied(name: str, tmp_path: Path) -> None:
    [entry] = parse(DENY.replace('"support-agent"', f'"{name}"'))
    assert entry.name == ("client", "https://login.acme.example", name)
    write_entries(tmp_path / "control.toml", [entry])
    assert read_entries(tmp_path / "control.toml") == (entry,)


@pytest.mark.parametrize("name", ["", "a" * 513, "a\\u0007b", "a\\nb"])
def test_whoever_no_token_can_name_is_denied_by_mistake(name: str) -> None:
    assert reasons(DENY.replace('"support-agent"', f'"{name}"'))[0][0] in {"bad-value", "hidden-character"}


def test_two_entries_of_one_id_are_refused() -> None:
    assert reasons(STOP + DENY.replace("deny-agent", "stop-refunds"))[0][0] == "duplicate-name"


def test_a_list_of_more_entries_than_anybody_reads_is_refused() -> None:
    many = "".join(STOP.replace("stop-refunds", f"stop-{number}") for number in range(1001))
    assert reasons(many)[0][0] == "bad-value"
