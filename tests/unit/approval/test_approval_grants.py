"""Two people's sign-ins make a grant count, for exactly what they were shown, and nothing else does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launchworthy.approval.proved.grant import grant_matter, verify_grant
from launchworthy.approval.proved.keys import pinned_keys
from launchworthy.attestation.trust_file import read_copy
from launchworthy.state.control import Entry
from launchworthy.testing.break_glass import PEOPLE, BreakGlass, simulated_grant
from launchworthy.vocabulary import Environment, Principal, PrincipalKind, ProblemError

NOW = 1_795_176_000
SERVER = "https://orders.acme.example/mcp"
CALLER = Principal(
    issuer="https://login.acme.example", subject="ada", client="console", kind=PrincipalKind.PERSON,
    scopes=frozenset(), actors=(), token_id="1", issued_at=NOW, expires_at=NOW + 3600,
)  # fmt: skip


@pytest.fixture
def glass(tmp_path: Path) -> BreakGlass:
    return BreakGlass(tmp_path / "glass", clock=lambda: NOW)


@pytest.fixture
def entry() -> Entry:
    return simulated_grant(
        CALLER, server=SERVER, targets=("refund_order",), lifts=("team:a", "approval:refund_order"),
        since=NOW - 60, until=NOW + 7200,
    )  # fmt: skip


def verified(glass: BreakGlass, entry: Entry, *, server: str = SERVER, now: int = NOW) -> tuple[str, ...]:
    people = read_copy(glass.trust).of(Environment.REHEARSAL).break_glass
    assert people is not None
    found = verify_grant(entry, server=server, approvers=people, keys=pinned_keys(people), now=now)
    return tuple(each.name for each in found)


def refused(glass: BreakGlass, entry: Entry, **how: Any) -> str:
    with pytest.raises(ProblemError) as error:
        verified(glass, entry, **how)
    [problem] = error.value.problems
    return f"{problem.reason}: {problem.what}"


def of(entry: Entry, **changes: Any) -> Entry:
    assert entry.grant is not None
    mine = {name: value for name, value in changes.items() if name in entry.grant.__slots__}
    rest = {name: value for name, value in changes.items() if name not in mine}
    return replace(entry, grant=replace(entry.grant, **mine), **rest)


def test_two_people_are_enough(glass: BreakGlass, entry: Entry) -> None:
    assert verified(glass, glass.approved(entry)) == PEOPLE


@pytest.mark.parametrize("people", [("ada@dev.invalid",), ("ada@dev.invalid", "ada@dev.invalid")])
def test_one_person_is_not_however_often(glass: BreakGlass, entry: Entry, people: tuple[str, ...]) -> None:
    assert "approved by 1 of the 2 people" in refused(glass, glass.approved(entry, *people))


def test_nobody_is_not(glass: BreakGlass, entry: Entry) -> None:
    assert refused(glass, entry).startswith("grant-not-approved: is approved by 0")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "bob"},
        {"client": "agent"},
        {"issuer": "https://other.acme.example"},
        {"lifts": ("team:a", "approval:refund_order", "team:b")},
        {"targets": ("refund_order", "place_order")},
        {"incident": "INC-1"},
        {"until": NOW + 7201},
        {"since": NOW - 61},
        {"id": "grant-other"},
        {"who": "@acme/else"},
        {"why": "another reason"},
    ],
)
def test_what_was_approved_is_every_word_of_it(
    glass: BreakGlass, entry: Entry, changes: dict[str, Any]
) -> None:
    changed = of(glass.approved(entry), **changes)
    assert refused(glass, changed).startswith("approval-not-genuine: is of another grant")


def test_where_it_stands_is_no_part_of_it(glass: BreakGlass, entry: Entry) -> None:
    assert verified(glass, replace(glass.approved(entry), source="state")) == PEOPLE


def test_a_grant_for_another_server_is_none(glass: BreakGlass, entry: Entry) -> None:
    assert "is for `https://orders" in refused(
        glass, glass.approved(entry), server="https://x.acme.example/mcp"
    )


def test_whoever_it_is_for_does_not_count(glass: BreakGlass, entry: Entry) -> None:
    issuer = read_copy(glass.trust).of(Environment.REHEARSAL).break_glass
    assert issuer is not None
    mine = glass.approved(of(entry, issuer=issuer.issuer, subject=PEOPLE[0]))
    assert "approved by the caller whom it is for" in refused(glass, mine)


def test_whoever_asked_for_it_does_not_count(glass: BreakGlass, entry: Entry) -> None:
    assert "by whoever asked for it" in refused(glass, glass.approved(replace(entry, who=PEOPLE[1])))


def test_none_is_kept_in_a_drawer(glass: BreakGlass, entry: Entry) -> None:
    day = 86_400
    later = replace(entry, since=NOW + day, until=NOW + day + 3600)
    assert "more than eight hours after" in refused(glass, glass.approved(later), now=NOW + day + 60)


@pytest.mark.parametrize(
    ("claims", "what"),
    [
        ({"groups": ["everybody"]}, "no group that may approve"),
        ({"aud": "another"}, "was made for"),
        ({"nonce": "x"}, "another matter"),
        ({"iat": NOW + 3600, "exp": NOW + 7200}, "in the future"),
    ],
)
def test_a_sign_in_that_is_not_genuine_is_none(
    glass: BreakGlass, entry: Entry, claims: dict[str, Any], what: str
) -> None:
    assert what in refused(glass, glass.approved(entry, **claims))


def test_one_bad_proof_among_good_ones_is_no_good_sign(glass: BreakGlass, entry: Entry) -> None:
    good = glass.approved(entry)
    assert good.grant is not None
    assert refused(glass, of(good, approvals=(*good.grant.approvals, "{}"))).startswith(
        "approval-not-genuine"
    )


def test_keys_of_another_issuer_verify_nothing(glass: BreakGlass, entry: Entry, tmp_path: Path) -> None:
    stranger = BreakGlass(tmp_path / "stranger", clock=lambda: NOW)
    assert refused(glass, stranger.approved(entry)).startswith("approval-not-genuine")


def test_people_read_what_they_approve(entry: Entry) -> None:
    says = grant_matter(entry).says
    for part in (
        SERVER,
        "INC-0",
        "ada",
        "console",
        "refund_order",
        "team:a, approval:refund_order",
        "121 min",
    ):
        assert part in says
    with pytest.raises(ValueError, match="only a grant"):
        grant_matter(replace(entry, grant=None))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (', keys = ["approvers.json"]', "", "pins no `keys`"),
        ('issuer = "http', 'issuer = "https://login.acme.example/#', "no issuer for this environment"),
    ],
)
def test_a_trust_policy_names_people_and_their_keys(glass: BreakGlass, old: str, new: str, what: str) -> None:
    text = glass.trust.read_text()
    assert text.count(old) == 1
    glass.trust.write_text(text.replace(old, new))
    with pytest.raises(ProblemError) as error:
        read_copy(glass.trust)
    assert what in error.value.problems[0].what
