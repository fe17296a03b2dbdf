"""Is a proof of an approval believed when, and only when, a person signed in for exactly this?"""

import json
from dataclasses import replace

import pytest
from approvers import CLIENT, LEADS, NOW, Company

from launchworthy.approval.proved.matter import Kind, Matter, matter_of_bytes, matter_of_entry
from launchworthy.approval.proved.proof import Approval, render_proof, verify_proof
from launchworthy.detection import find_secrets
from launchworthy.testing.issuer import ABSENT
from launchworthy.vocabulary import ProblemError

MATTER = matter_of_bytes(Kind.REPORT, b"what was found", "orders 0.1.0: cleared")
OTHER = matter_of_bytes(Kind.REPORT, b"what was found later", "orders 0.1.1: cleared")


@pytest.fixture(scope="module")
def company() -> Company:
    return Company()


def verify(company: Company, content: bytes, *, matter=MATTER, now: int = NOW, **changes: object) -> Approval:
    approvers = replace(company.approvers, **changes)
    return verify_proof(content, matter, approvers=approvers, keys=company.keys, now=now, where="proof.json")


def refused(company: Company, content: bytes, **changes: object) -> str:
    with pytest.raises(ProblemError) as caught:
        verify(company, content, **changes)
    [problem] = caught.value.problems
    assert problem.reason == "approval-not-genuine"
    return problem.what


def test_a_sign_in_for_exactly_this_is_believed(company: Company) -> None:
    content = render_proof(MATTER, company.id_token(MATTER))
    approval = verify(company, content)
    assert (approval.subject, approval.name) == ("u-42", "lead@acme.example")
    assert (approval.approved_at, approval.issuer) == (NOW, company.issuer.issuer)
    assert verify(company, content, now=NOW + 40 * 86_400) == approval, (
        "an act stays done when its token ends"
    )


def test_an_audience_may_be_a_list_of_one(company: Company) -> None:
    assert verify(company, render_proof(MATTER, company.id_token(MATTER, aud=[CLIENT], azp=CLIENT)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iss": "https://login.other.example"}, "counts"),
        ({"aud": "another-client"}, "`another-client`"),
        ({"aud": [CLIENT, "another-client"]}, "counts"),
        ({"aud": []}, "counts"),
        ({"azp": "another-client"}, "was asked for by"),
        ({"nonce": OTHER.nonce}, "another matter"),
        ({"nonce": ABSENT}, "another matter"),
        ({"nonce": None}, "another matter"),
        ({"sub": ABSENT}, "without `sub`"),
        ({"sub": ""}, "without `sub`"),
        ({"sub": "a\nb"}, "without `sub`"),
        ({"iat": NOW + 3600, "exp": NOW + 7200}, "in the future"),
        ({"iat": True}, "`iat` is no time"),
        ({"iat": str(NOW)}, "`iat` is no time"),
        ({"exp": ABSENT}, "`exp` is no time"),
        ({"exp": NOW - 1}, "never lived"),
        ({"exp": NOW + 100 * 86_400}, "longer than a day"),
        ({"groups": ABSENT}, "no group that may approve"),
        ({"groups": []}, "no group that may approve"),
        ({"groups": LEADS}, "no group that may approve"),
        ({"groups": {LEADS: True}}, "no group that may approve"),
        ({"groups": [[LEADS], 1, None, LEADS.upper()]}, "no group that may approve"),
    ],
    ids=str,
)
def test_one_claim_that_is_wrong_is_enough(company: Company, changes: dict[str, object], says: str) -> None:
    assert says in refused(company, render_proof(MATTER, company.id_token(MATTER, **changes)))


def test_a_proof_of_one_matter_is_none_of_another(company: Company) -> None:
    content = render_proof(MATTER, company.id_token(MATTER))
    assert "of another report" in refused(company, content, matter=OTHER)
    relabelled = json.loads(content) | {"sha256": OTHER.sha256}
    assert "another matter" in refused(company, json.dumps(relabelled).encode(), matter=OTHER)
    as_lock = matter_of_bytes(Kind.LOCK, b"what was found", "the same bytes, as something else")
    relabelled = json.loads(content) | {"kind": "lock"}
    assert "another matter" in refused(company, json.dumps(relabelled).encode(), matter=as_lock)


def test_a_token_of_another_issuer_with_the_same_name_is_refused(company: Company) -> None:
    forger = Company()
    token = forger.issuer.mint(
        claims={
            "iss": company.issuer.issuer,
            "aud": CLIENT,
            "nonce": MATTER.nonce,
            "groups": [LEADS],
            "sub": "u-42",
        },
        header={"typ": "JWT"},
    )
    assert "not signed by the key" in refused(company, render_proof(MATTER, token))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": 7},
        {"kid": ABSENT},
        {"kid": "unknown"},
        {"crit": ["exp"]},
        {"jku": "https://login.acme.example/keys"},
        {"jwk": {"kty": "oct", "k": "AA"}},
    ],
    ids=str,
)
def test_a_header_that_is_wrong_is_enough(company: Company, header: dict[str, object]) -> None:
    token = company.issuer.mint(
        claims={"aud": CLIENT, "nonce": MATTER.nonce, "groups": [LEADS], "sub": "u-42"},
        header={"typ": "JWT", **header},
    )
    assert refused(company, render_proof(MATTER, token))


def test_an_access_token_is_no_proof(company: Company) -> None:
    token = company.issuer.mint(claims={"aud": CLIENT, "nonce": MATTER.nonce, "groups": [LEADS]})
    assert "what no ID token needs" in refused(company, render_proof(MATTER, token))


def test_a_file_with_one_other_byte_is_refused_wherever_it_is(company: Company) -> None:
    content = render_proof(MATTER, company.id_token(MATTER))
    said = verify(company, content)
    start = content.index(b"id_token")
    for place in range(start, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        try:
            assert verify(company, bytes(changed)).subject == said.subject
        except ProblemError as error:
            assert error.problems[0].reason == "approval-not-genuine"  # noqa: PT017 - most bytes
        else:
            assert json.loads(changed)["id_token"] == json.loads(content)["id_token"], place


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"{" * 40_000, b'{"schema": 1}'], ids=repr)
def test_what_is_no_proof_is_refused(company: Company, content: bytes) -> None:
    assert "no approval of this schema" in refused(company, content)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "a b.c.d", "é.é.é", ".."])
def test_what_is_no_token_is_not_kept(token: str) -> None:
    with pytest.raises(ProblemError):
        render_proof(MATTER, token)


def test_a_kept_proof_holds_nothing_that_a_scanner_takes_for_a_token(company: Company) -> None:
    content = render_proof(MATTER, company.id_token(MATTER)).decode()
    assert find_secrets(content, path="approvals/report-1.json") == ()


def test_an_entry_is_what_it_says_wherever_it_stands_and_other_words_make_another() -> None:
    entry = {"control": "SUP-01", "expires": "2026-12-15", "reason": "x"}
    turned = dict(reversed(entry.items()))
    assert waiver(entry) == waiver(turned)
    assert waiver(entry).nonce != waiver({**entry, "expires": "2027-12-15"}).nonce
    assert waiver(entry).nonce != matter_of_entry(Kind.EVIDENCE, entry, "", of="orders").nonce


def test_the_same_words_in_another_project_need_another_approval() -> None:
    entry = {"control": "SUP-01", "expires": "2026-12-15", "reason": "x"}
    assert waiver(entry).nonce != waiver(entry, of="payments").nonce
    assert waiver(entry).file_name != waiver(entry, of="payments").file_name


def waiver(entry: dict[str, str], *, of: str = "orders") -> Matter:
    return matter_of_entry(Kind.WAIVER, entry, "", of=of)
