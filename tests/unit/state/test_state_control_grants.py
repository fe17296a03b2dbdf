"""A grant lifts what it names, for whom it names, while it lasts and while two people stand behind it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from test_state_control_entries import STOP, reasons

from launchworthy.state.control import Action, ControlList, Entry, GrantTerms, parse_control
from launchworthy.state.control.writing import read_entries, write_entries
from launchworthy.vocabulary import Principal, PrincipalKind, Problem, ProblemError, is_liftable

NOON = 1795176000
ISSUER = "https://login.acme.example"
GRANT = """
[[grant]]
id = "grant-1"
targets = ["refund_order"]
server = "https://orders.acme.example/mcp"
issuer = "https://login.acme.example"
subject = "ada"
client = "console"
lifts = ["team:no-bulk-orders", "approval:refund_order"]
incident = "INC-77"
who = "@acme/on-call"
why = "customers wait for their money"
since = 2026-11-20T12:00:00Z
until = 2026-11-20T14:00:00Z
approvals = ["{}", "{}"]
"""
ADA = Principal(
    issuer=ISSUER, subject="ada", client="console", kind=PrincipalKind.PERSON, scopes=frozenset(),
    actors=(), token_id="1", issued_at=NOON, expires_at=NOON + 3600,
)  # fmt: skip
pytestmark = pytest.mark.anyio


def parsed(text: str) -> tuple[Entry, ...]:
    return parse_control("control.toml", text.encode(), source="file")


class Board:
    """A list that a test writes, a clock that it moves, and people who approve or do not."""

    name = "board"

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = parsed(GRANT)
        self.now = float(NOON + 60)
        self.asked = 0
        self.approved = True
        self.told: list[tuple[str, str | None, tuple[str, ...]]] = []
        self.list = ControlList(
            (self,), longest={}, judge=self.judge, clock=lambda: self.now, monotonic=lambda: self.now
        )
        self.list.on_change(
            lambda change: self.told.append((change.kind.value, change.detail, change.approvers))
        )

    async def read(self) -> tuple[Entry, ...]:
        return self.entries

    def judge(self, entry: Entry) -> tuple[str, ...]:
        self.asked += 1
        if not self.approved:
            raise ProblemError(Problem(reason="grant-not-approved", what=f"{entry.id} is not", fix=()))
        return ("alan", "grace")

    def lifted(self, who: Principal = ADA, target: str = "refund_order") -> frozenset[str]:
        found = self.list.granted(who, target, int(self.now))
        return frozenset(rule for each in found for rule in each.lifts)


@pytest.fixture
async def board() -> Board:
    made = Board()
    await made.list.start()
    return made


BOTH = frozenset({"team:no-bulk-orders", "approval:refund_order"})


async def test_a_grant_lifts_what_it_names_and_says_who_approved_it(board: Board) -> None:
    assert board.lifted() == BOTH
    [granted] = board.list.granted(ADA, "refund_order", int(board.now))
    assert (granted.id, granted.incident, granted.approvers, granted.until) == (
        "grant-1", "INC-77", ("alan", "grace"), NOON + 7200,
    )  # fmt: skip
    assert board.told == [("added", None, ("alan", "grace"))]


@pytest.mark.parametrize(
    "who",
    [
        replace(ADA, subject="bob"),
        replace(ADA, client="agent"),
        replace(ADA, issuer=f"{ISSUER}/"),
        replace(ADA, subject="agent", actors=("ada",)),
    ],
)
async def test_it_is_for_one_caller_exactly(board: Board, who: Principal) -> None:
    assert board.lifted() == BOTH
    assert board.lifted(who) == frozenset()


async def test_it_is_for_the_targets_that_it_names(board: Board) -> None:
    assert board.lifted(target="place_order") == frozenset()


async def test_it_ends_at_its_time_even_if_nobody_reads_the_list_again(board: Board) -> None:
    board.now = NOON + 7199
    assert board.lifted() == BOTH
    board.now = NOON + 7200
    assert board.lifted() == frozenset()


async def test_what_has_ended_is_forgotten_and_told(board: Board) -> None:
    board.now = NOON + 7200
    await board.list.poll()
    assert board.list.in_force.entries == ()
    assert [kind for kind, _, _ in board.told] == ["added", "expired"]
    assert board.list.granted(ADA, "refund_order", NOON + 60) == ()


async def test_before_its_time_it_lifts_nothing(board: Board) -> None:
    board.now = NOON - 1
    assert board.lifted() == frozenset()
    await board.list.poll()
    assert board.list.in_force.grants == {}


async def test_what_is_taken_out_ends_with_the_first_reading_that_misses_it(board: Board) -> None:
    board.entries = ()
    await board.list.poll()
    assert board.lifted() == frozenset()


async def test_nobody_is_asked_twice_about_a_grant_that_counts(board: Board) -> None:
    for _ in range(3):
        await board.list.poll()
    assert board.asked == 1


async def test_one_that_is_not_approved_lifts_nothing_is_told_once_and_closes_nothing() -> None:
    board = Board()
    board.approved = False
    board.entries = parsed(STOP + GRANT)
    await board.list.start()
    await board.list.poll()
    assert board.lifted() == frozenset()
    assert board.told == [("added", None, ()), ("refused", "grant-1 is not", ())]
    board.list.require()
    assert board.list.in_force.stops("refund_order")
    assert board.list.problems() == ("the grant `grant-1` lifts nothing: grant-1 is not",)
    board.approved = True
    await board.list.poll()
    assert board.lifted() == BOTH
    assert board.list.problems() == ()


async def test_one_that_says_something_else_now_is_looked_at_again(board: Board) -> None:
    board.approved = False
    board.entries = parsed(GRANT.replace('"ada"', '"bob"'))
    await board.list.poll()
    assert (board.lifted(), board.lifted(replace(ADA, subject="bob"))) == (frozenset(), frozenset())
    assert board.told[1:] == [("removed", None, ()), ("refused", "grant-1 is not", ())]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda text: text.replace("2026-11-20T14:00:00Z", "2026-11-20T20:00:01Z"), "bad-value"),
        (lambda text: text.replace('["refund_order"]', '["*"]'), "bad-value"),
        (lambda text: text.replace('["refund_order"]', "[]"), "bad-value"),
        (lambda text: text.replace('"team:no-bulk-orders", "approval:refund_order"', ""), "bad-value"),
        (lambda text: text.replace("team:no-bulk-orders", "guard:tenant"), "bad-value"),
        (lambda text: text.replace("team:no-bulk-orders", "manifest:refund_order"), "bad-value"),
        (lambda text: text.replace("team:no-bulk-orders", "*"), "bad-value"),
        (lambda text: text.replace('subject = "ada"\n', ""), "missing-field"),
        (lambda text: text.replace('client = "console"\n', ""), "missing-field"),
        (lambda text: text.replace('incident = "INC-77"\n', ""), "missing-field"),
        (lambda text: text.replace('server = "https://orders.acme.example/mcp"\n', ""), "missing-field"),
        (lambda text: text + 'environment = "production"\n', "unknown-field"),
    ],
)
def test_a_grant_that_says_too_much_or_too_little_is_no_list(
    change: Callable[[str], str], field: str
) -> None:
    assert parsed(GRANT)[0].action is Action.GRANT
    assert reasons(change(GRANT))[0][0] == field


def test_eight_hours_are_not_too_long() -> None:
    [entry] = parsed(GRANT.replace("2026-11-20T14:00:00Z", "2026-11-20T20:00:00Z"))
    assert entry.until - entry.since == 8 * 3600


def test_a_list_of_more_grants_than_anybody_reads_is_refused() -> None:
    many = "".join(GRANT.replace("grant-1", f"grant-{number}") for number in range(33))
    assert reasons(many)[0][0] == "bad-value"


def test_what_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    entries = (*parsed(STOP + GRANT),)
    write_entries(tmp_path / "control.toml", entries)
    assert read_entries(tmp_path / "control.toml") == entries


def test_the_terms_are_everything_but_the_approvals() -> None:
    [entry] = parsed(GRANT)
    terms = entry.terms()
    said = {"id", "targets", "who", "why", "since", "until"}
    assert terms.keys() == said | (set(GrantTerms.__slots__) - {"approvals"})
    with pytest.raises(ValueError, match="only a grant"):
        parsed(STOP)[0].terms()


@pytest.mark.parametrize("rule", ["manifest:a", "guard:a", "team", "", "Team:a"])
def test_permits_and_guards_are_never_lifted(rule: str) -> None:
    assert not is_liftable(rule)
    assert all(is_liftable(each) for each in ("team:a", "org:a", "approval:a"))


def test_a_grant_shows_no_proof() -> None:
    [entry] = parsed(GRANT)
    assert "{}" not in repr(entry)
