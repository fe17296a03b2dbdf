"""Does a person's sign-in become a proof that is believed, and nothing else?"""

import json
import re
import shlex
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from typer.testing import CliRunner, Result

from launchworthy.cli.main import app
from launchworthy.promotion.approvals.book import open_book
from launchworthy.promotion.approvals.sign_in import Place, sign_in
from launchworthy.promotion.trusted import parse_trusted
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.issuer import PERSON, Fault, SimulatedIssuer
from launchworthy.testing.issuer_clients import RegisteredClient
from launchworthy.vocabulary import Environment, ProblemError

WAIVER = """
[[waivers]]
control      = "SUP-01"
environment  = "production"
reason       = "the mirror rewrites hashes until it is replaced next month"
compensating = "the mirror's own signatures are verified"
owner        = "@acme/orders"
ticket       = "ORD-1432"
expires      = 2026-12-15
"""
CLIENT = "approve"


@pytest.fixture
def issuer() -> Iterator[SimulatedIssuer]:
    with SimulatedIssuer({"https://orders.invalid/mcp": ()}) as running:
        redirects = ("http://127.0.0.1/callback",)
        running.clients.add(RegisteredClient(client_id=CLIENT, keys=None, redirect_uris=redirects))
        running.join(PERSON, "payments-leads")
        yield running


@pytest.fixture
def trust(tmp_path: Path, issuer: SimulatedIssuer) -> Path:
    authority = SimulatedAuthority(clock=lambda: 1_795_000_000)
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform/root.pem").write_bytes(authority.bundle_pem())
    file = tmp_path / "platform/trust.toml"
    people = f'{{ issuer = "{issuer.issuer}", client = "{CLIENT}", groups = ["payments-leads"] }}'
    file.write_text(
        f'[rehearsal]\npromoters = ["spiffe://dev.invalid/promoter"]\napprovers = {people}\nstamp = "none"\n'
        'catalogue = "0.1"\n[roots]\n"dev.invalid" = ["root.pem"]\n'
    )
    return file


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    (tmp_path / "orders/manifests").mkdir(parents=True)
    (tmp_path / "orders/manifests/server.toml").write_text('name = "orders"\n')
    file = tmp_path / "orders/promotion.toml"
    file.write_text(WAIVER)
    return file


def approve(*arguments: object, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["approve", *(str(each) for each in arguments)], input=answer)


def browse(url: str) -> None:
    """What a person does: open the page, press the button, be sent back."""

    def walk() -> None:
        with httpx2.Client(trust_env=False) as browser:
            page = browser.get(url)
            handle = re.search(r'name="request" value="([^"]+)"', page.text)
            assert handle is not None, page.text
            origin = url.partition("/authorize")[0]
            sent = browser.post(f"{origin}/authorize", data={"request": handle[1], "answer": "yes"})
            browser.get(sent.headers["location"])

    threading.Thread(target=walk, daemon=True).start()


def place(issuer: SimulatedIssuer) -> Place:
    return Place(issuer=issuer.issuer, client=CLIENT, simulated=True)


def test_a_person_who_signs_in_leaves_a_proof_that_is_believed(
    trust: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", browse)
    result = approve(ledger, "--trust", trust, "--environment", "rehearsal", answer="y\n")
    assert result.exit_code == 0, result.output
    assert "orders: SUP-01 is waived for production until 2026-12-15" in result.output
    assert f"approved by {PERSON}@dev.invalid" in result.output
    [matter] = parse_trusted(ledger.read_bytes(), project="orders").matters
    proof = ledger.parent / "approvals" / matter.file_name
    assert json.loads(proof.read_text())["sha256"] == matter.sha256
    book = open_book(ledger.parent, trust, environment=Environment.REHEARSAL, now=4_000_000_000)
    assert book.require(matter).subject == PERSON
    again = approve(ledger, "--trust", trust, "--environment", "rehearsal")
    assert (again.exit_code, "nothing here waits" in again.output) == (0, True)


def test_who_says_no_signs_nothing(trust: Path, ledger: Path) -> None:
    result = approve(ledger, "--trust", trust, "--environment", "rehearsal", answer="n\n")
    assert result.exit_code == 1
    assert not (ledger.parent / "approvals").exists()


def test_somebody_without_the_group_leaves_nothing(
    issuer: SimulatedIssuer, trust: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", browse)
    issuer.join(PERSON, "everybody")
    result = approve(ledger, "--trust", trust, "--environment", "rehearsal", "--yes")
    assert result.exit_code == 1
    assert "no group that may approve" in result.output
    assert not (ledger.parent / "approvals").exists()


@pytest.mark.parametrize("prints", ["", "no token", "a.b.c"])
def test_a_command_that_prints_no_id_token_approves_nothing(trust: Path, ledger: Path, prints: str) -> None:
    how = ("--id-token-command", f"echo {shlex.quote(prints)}")
    result = approve(ledger, "--trust", trust, "--environment", "rehearsal", "--yes", *how)
    assert result.exit_code in {1, 2}
    assert not (ledger.parent / "approvals").exists()


def test_a_command_of_the_company_is_asked_with_the_nonce(
    issuer: SimulatedIssuer, trust: Path, ledger: Path, tmp_path: Path
) -> None:
    [matter] = parse_trusted(ledger.read_bytes(), project="orders").matters
    claims = {"aud": CLIENT, "groups": ["payments-leads"], "sub": "u-42", "nonce": matter.nonce}
    (tmp_path / "token").write_text(issuer.mint(claims=claims, header={"typ": "JWT"}))
    how = f'test "$APPROVAL_NONCE" = {shlex.quote(matter.nonce)} && cat {tmp_path}/token'
    result = approve(
        ledger, "--trust", trust, "--environment", "rehearsal", "--yes", "--id-token-command", how
    )
    assert (result.exit_code, "approved by u-42" in result.output) == (0, True), result.output


def test_where_nobody_signs_in_there_is_nothing_to_approve(trust: Path, ledger: Path) -> None:
    text = re.sub(r"approvers = \{.*\}", 'approvers = "released-job"', trust.read_text())
    trust.write_text(text)
    result = approve(ledger, "--trust", trust, "--environment", "rehearsal", "--yes")
    assert (result.exit_code, "nobody-signs-in" in result.output) == (2, True)


@pytest.mark.parametrize("name", ["nothing.toml", "notes.txt"])
def test_what_is_nothing_to_approve_is_undecided(trust: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("a note")
    result = approve(tmp_path / name, "--trust", trust, "--environment", "rehearsal", "--yes")
    assert (result.exit_code, "not-approvable" in result.output) == (2, True)


def test_an_answer_to_another_question_is_refused(issuer: SimulatedIssuer) -> None:
    def bring_a_code(url: str) -> None:
        back = httpx2.URL(url).params["redirect_uri"]
        threading.Thread(
            target=lambda: httpx2.get(f"{back}?code=stolen&state=another", trust_env=False), daemon=True
        ).start()

    with pytest.raises(ProblemError, match="another question"):
        sign_in(place(issuer), "nonce", show=bring_a_code, wait=10)


def test_a_connection_that_says_nothing_does_not_keep_a_person_out(issuer: SimulatedIssuer) -> None:
    """Browsers open some in case they need them, and leave them open."""
    idle: list[socket.socket] = []

    def open_one_too_many(url: str) -> None:
        back = urlsplit(httpx2.URL(url).params["redirect_uri"])
        idle.append(socket.create_connection(("127.0.0.1", back.port)))
        browse(url)

    try:
        assert sign_in(place(issuer), "nonce", show=open_one_too_many, wait=60).count(".") == 2
    finally:
        for each in idle:
            each.close()


def test_an_answer_to_the_code_is_read_within_bounds(issuer: SimulatedIssuer) -> None:
    issuer.faults.token = Fault.HUGE
    with pytest.raises(ProblemError, match="the code was not taken"):
        sign_in(place(issuer), "nonce", show=browse, wait=10)


def test_an_answer_of_another_issuer_is_refused(issuer: SimulatedIssuer) -> None:
    def mix_up(url: str) -> None:
        asked = httpx2.URL(url).params
        back = f"{asked['redirect_uri']}?code=x&state={asked['state']}&iss=https://evil.example"
        threading.Thread(target=lambda: httpx2.get(back, trust_env=False), daemon=True).start()

    with pytest.raises(ProblemError, match=r"evil\.example"):
        sign_in(place(issuer), "nonce", show=mix_up, wait=10)


def test_nobody_waits_for_ever(issuer: SimulatedIssuer) -> None:
    with pytest.raises(ProblemError, match="nobody came back"):
        sign_in(place(issuer), "nonce", show=lambda _: None, wait=1)


def test_an_issuer_that_lies_about_its_name_is_not_asked(issuer: SimulatedIssuer) -> None:
    issuer.faults.metadata = {"issuer": "https://evil.example"}
    with pytest.raises(ProblemError, match=r"evil\.example"):
        sign_in(place(issuer), "nonce", show=browse, wait=5)


def test_keys_that_cannot_be_had_are_no_approval(
    issuer: SimulatedIssuer, trust: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", browse)
    assert approve(ledger, "--trust", trust, "--environment", "rehearsal", "--yes").exit_code == 0
    [matter] = parse_trusted(ledger.read_bytes(), project="orders").matters
    issuer.stop()
    book = open_book(ledger.parent, trust, environment=Environment.REHEARSAL, now=4_000_000_000)
    with pytest.raises(ProblemError) as caught:
        book.require(matter)
    assert caught.value.problems[0].reason == "approver-keys-unavailable"
    keys = issuer.keys.document()
    (trust.parent / "login.json").write_text(json.dumps(keys))
    pinned = trust.read_text().replace('["payments-leads"] }', '["payments-leads"], keys = ["login.json"] }')
    trust.write_text(pinned)
    offline = open_book(ledger.parent, trust, environment=Environment.REHEARSAL, now=4_000_000_000)
    assert offline.require(matter).subject == PERSON
