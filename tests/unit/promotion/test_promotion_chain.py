"""What one record hands on to the next: renewals are counted, and no secret is forgotten."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from approvers import NOW, Company
from test_promotion_checks_families import WAIVER

from launchworthy.attestation import Predicate, UnverifiedRecord
from launchworthy.promotion.approvals.asking import approvable, keep
from launchworthy.promotion.approvals.book import FOLDER, Book
from launchworthy.promotion.chain import (
    NO_LINK,
    answers_to,
    carried_on,
    previous_record,
    renewal_of,
    require_remembered,
    require_renewable,
    unverified_link,
    verified_link,
)
from launchworthy.promotion.trusted import Trusted, parse_trusted
from launchworthy.vocabulary import Environment, ProblemError

sys.path.insert(0, str(Path(__file__).parents[1] / "attestation"))
from promoters import DAY, RECORD_ID, Authority, record, trust_policy
from promoters import NOW as SIGNED

ROTATION = """
[[rotations]]
finding = "lwf1-00112233445566{}"
action  = "rotated"
on      = 2026-11-01
by      = "@acme/orders"
proof   = "a ticket"
"""


def trusted(*waivers: str, rotations: tuple[str, ...] = ()) -> Trusted:
    text = "".join(waivers) + "".join(ROTATION.format(each) for each in rotations)
    return parse_trusted(text.encode(), project="orders")


def until(day: str) -> str:
    return WAIVER.replace("2026-12-15", day)


@pytest.fixture(scope="module")
def signed() -> tuple[Authority, Authority]:
    return Authority(), Authority(domain="dev.invalid")


def kept(root: Path, authority: Authority, **changes: object) -> UnverifiedRecord:
    made = record(authority.signer(), **changes)
    (root / FOLDER).mkdir(exist_ok=True)
    (root / FOLDER / "record-production.dsse.json").write_bytes(made.envelope)
    return made


def next_record(root: Path, authority: Authority, now: Trusted) -> Predicate:
    """Promote again with what `promotion.toml` says now, and keep the record."""
    link = unverified_link(root, Environment.PRODUCTION)
    members = carried_on(now, now.waivers, link)
    kept(root, authority, **members)
    return record_of(root)


def record_of(root: Path) -> Predicate:
    from launchworthy.attestation import parse_envelope, parse_statement

    found = previous_record(root, Environment.PRODUCTION)
    assert found is not None
    return parse_statement(parse_envelope(found.envelope).payload).predicate


def test_the_waiver_of_a_control_is_counted_whatever_its_words(
    tmp_path: Path, signed: tuple[Authority, Authority]
) -> None:
    acme = signed[0]
    assert "2026-12-15" in WAIVER
    first = next_record(tmp_path, acme, trusted(until("2026-12-15")))
    assert [(each.control, each.count) for each in first.renewals] == [("SUP-01", 0)]
    again = next_record(tmp_path, acme, trusted(until("2026-12-15")))
    assert again.renewals == first.renewals, "promoting again renews nothing"
    other = until("2027-01-09").replace("ORD-1", "ORD-2").replace("reason", "reason", 1)
    renewed = next_record(tmp_path, acme, trusted(other))
    assert [each.count for each in renewed.renewals] == [1]
    without = next_record(tmp_path, acme, trusted())
    assert without.renewals == renewed.renewals, "what leaves the file stays in the chain"
    twice = next_record(tmp_path, acme, trusted(until("2027-02-08")))
    assert [each.count for each in twice.renewals] == [2]
    [third] = trusted(until("2027-03-10")).waivers
    link = unverified_link(tmp_path, Environment.PRODUCTION)
    with pytest.raises(ProblemError) as caught:
        require_renewable(third, link)
    assert caught.value.problems[0].reason == "waiver-renewed-too-often"
    [same] = trusted(until("2027-02-08")).waivers
    require_renewable(same, link)
    require_renewable(third, NO_LINK)


def book_of(root: Path, company: Company) -> Book:
    book = Book(
        break_glass=None,
        root=root,
        folders=(root / FOLDER,),
        approvers=company.approvers,
        why_nobody="",
        simulated=False,
        now=NOW,
    )
    book.__dict__["_keys"] = company.keys
    return book


def test_a_second_renewal_needs_two_people(tmp_path: Path, signed: tuple[Authority, Authority]) -> None:
    company, acme = Company(), signed[0]
    book = book_of(tmp_path, company)
    [waiver] = trusted(until("2027-02-08")).waivers
    for count, enough in ((0, True), (1, False)):
        members = carried_on(trusted(until("2027-01-09")), (), NO_LINK)
        renewals = ({"control": "SUP-01", "count": count, "until": SIGNED},)
        kept(tmp_path, acme, **{**members, "renewals": renewals})
        link = unverified_link(tmp_path, Environment.PRODUCTION)
        assert renewal_of(waiver.table, link) == count + 1
        company.approve(tmp_path / FOLDER, waiver.matter)
        if enough:
            assert len(answers_to(waiver, book, link)) == 1
            continue
        refused(partial(answers_to, waiver, book, link), "not-approved")
        second = tmp_path / FOLDER / waiver.matter.second_file_name
        for sub, fits in (("u-42", False), ("u-43", True)):
            made = company.approve(tmp_path / "elsewhere", waiver.matter, sub=sub)
            second.write_bytes(made.read_bytes())
            if fits:
                assert [each.subject for each in answers_to(waiver, book, link)] == ["u-42", "u-43"]
            else:
                refused(partial(answers_to, waiver, book, link), "not-approved")


def test_who_releases_a_job_is_nobody_twice(tmp_path: Path) -> None:
    from launchworthy.attestation import ReleasedJob

    [waiver] = trusted(WAIVER).waivers
    book = replace(book_of(tmp_path, Company()), approvers=ReleasedJob.RELEASED_JOB)
    assert book.require(waiver.matter)
    refused(lambda: book.require_two(waiver.matter), "not-approved")


def test_the_second_proof_is_asked_for_and_kept_beside_the_first(
    tmp_path: Path, signed: tuple[Authority, Authority]
) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "server.toml").write_text('name = "orders"\n')
    file = tmp_path / "promotion.toml"
    file.write_text(until("2027-02-08"))
    renewals = ({"control": "SUP-01", "count": 1, "until": SIGNED},)
    kept(tmp_path, signed[0], renewals=renewals)
    for name in ("file_name", "second_file_name"):
        asked = approvable(file, environment=Environment.PRODUCTION)
        [matter] = asked.matters
        assert keep(asked, matter, b"a proof").name == getattr(matter, name)
    assert approvable(file, environment=Environment.PRODUCTION).matters == ()


def test_no_secret_is_forgotten(tmp_path: Path, signed: tuple[Authority, Authority]) -> None:
    """History was rewritten and the entry taken out: the chain still names the secret."""
    acme = signed[0]
    found = next_record(tmp_path, acme, trusted(rotations=("aa", "bb")))
    assert found.secrets == ("lwf1-00112233445566aa", "lwf1-00112233445566bb")
    later = next_record(tmp_path, acme, trusted(rotations=("bb", "aa", "cc")))
    assert len(later.secrets) == 3
    link = unverified_link(tmp_path, Environment.PRODUCTION)
    require_remembered(trusted(rotations=("aa", "bb", "cc", "dd")), link)
    carried = carried_on(trusted(rotations=("dd",)), (), link)
    assert carried["secrets"] == tuple(f"lwf1-00112233445566{each}" for each in ("aa", "bb", "cc", "dd"))
    what = refused(lambda: require_remembered(trusted(rotations=("aa", "cc")), link), "secret-forgotten")
    assert "lwf1-00112233445566bb" in what


def test_only_a_genuine_record_is_a_link(tmp_path: Path, signed: tuple[Authority, Authority]) -> None:
    acme, simulated = signed
    revoked = f'[revoked]\nrecords = ["{RECORD_ID}"]\n'
    trust = trust_policy(acme, simulated=simulated, more=revoked)
    assert verified_link(tmp_path, Environment.PRODUCTION, trust, now=SIGNED) == NO_LINK
    made = kept(tmp_path, acme)
    link = verified_link(tmp_path, Environment.PRODUCTION, trust, now=SIGNED + 200 * DAY)
    assert link.reference is not None, "revoked and long over, it still counted once"
    assert link.reference.record_id == RECORD_ID
    kept(tmp_path, Authority())
    refused(lambda: verified_link(tmp_path, Environment.PRODUCTION, trust, now=SIGNED), "record-not-trusted")
    (tmp_path / FOLDER / "record-production.dsse.json").write_bytes(made.envelope + b"x")
    for read in (
        lambda: verified_link(tmp_path, Environment.PRODUCTION, trust, now=SIGNED),
        lambda: unverified_link(tmp_path, Environment.PRODUCTION),
    ):
        refused(read, "record-malformed")


def refused(call, reason: str) -> str:
    with pytest.raises(ProblemError) as caught:
        call()
    assert caught.value.problems[0].reason == reason
    return caught.value.problems[0].what
