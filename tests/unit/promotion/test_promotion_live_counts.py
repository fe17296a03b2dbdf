"""TR-05 before production: what of a live run of staging counts, and what does not."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from promotion_project import NOW, Edit, Reference, look

from launchworthy.attestation import ReleasedJob
from launchworthy.audit.canary import Shown, encode, new_sighting, signed_by
from launchworthy.identity.proof import prove_x509
from launchworthy.promotion.finding import Finding, Status
from launchworthy.promotion.live.document import DISPENSABLE, SCHEMA, Step, read_document
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.caller_tls import identity_of
from launchworthy.vocabulary import Environment, ProblemError

AUTHORITY = SimulatedAuthority(clock=lambda: float(NOW))
IDENTITY: tuple[Edit, ...] = (
    (
        "config/staging.toml",
        "spiffe://staging.orders.invalid/ns/orders-staging/sa/orders",
        AUTHORITY.spiffe_id("orders"),
    ),
    ("config/staging.toml", '["staging.orders.invalid"]', '["dev.invalid"]'),
)
URL = "https://staging.orders.invalid/mcp"
NONCE, TOKEN = "n" * 32, "a" * 64
FILE = "evidence/live-staging.json"


def canary(
    *, signer: str | None = "orders", resource: str = URL, at: int = NOW, token: str = TOKEN
) -> dict[str, Any]:
    shown = Shown(token=token, revision="2026-07-28", method="server/discover", name=None)
    said = new_sighting(NONCE, shown, server_nonce="0" * 32, at=at, call="4T7K-9QX2-M0DV", resource=resource)
    if signer is not None:
        said = signed_by(
            said, prove_x509(identity_of(AUTHORITY.mint_x509(signer, ttl=3600.0)), said.payload())
        )
    sent = {
        "nonce": NONCE,
        "token": TOKEN,
        "revision": "2026-07-28",
        "method": "server/discover",
        "name": None,
    }
    return {**sent, "sighting": encode(said).decode()}


def row(step: Step, how: str = "right") -> dict[str, Any]:
    return {"step": step.value, "how": how, "says": "seen", "person": None}


def document(**changes: Any) -> bytes:
    """A run that counts, and what differs from it."""
    good = {
        "schema": SCHEMA,
        "launchworthy": "0.1.0",
        "project": "orders",
        "environment": "staging",
        "url": URL,
        "issuer": "https://login.staging.orders.invalid",
        "started_at": NOW,
        "milliseconds": 9000,
        "requests": 100,
        "rows": [row(step) for step in Step if step not in DISPENSABLE],
        "canary": canary(),
    }
    return json.dumps(good | changes).encode()


def judged(
    reference: Reference,
    content: bytes,
    *,
    approved: bool = True,
    sha256: str | None = None,
    more: tuple[Edit, ...] = (),
) -> Finding:
    digest = sha256 or hashlib.sha256(content).hexdigest()
    entry = (
        f'[[evidence]]\ncontrol = "TR-05"\nsays = "the public way to staging"\nfile = "{FILE}"\n'
        f'sha256 = "{digest}"\nowner = "@acme/orders"\nexpires = 2026-11-24\n'
    )
    project = reference.project(*IDENTITY, *more, (FILE, "", content.decode()), ("promotion.toml", "", entry))
    approvers = ReleasedJob.RELEASED_JOB if approved else None
    book = replace(project.book, approvers=approvers)
    return look("TR-05", replace(project, book=book, roots={"dev.invalid": AUTHORITY.roots}))


def why(finding: Finding) -> str:
    assert all(failure.fix for failure in finding.failures)
    return " ".join(failure.what for failure in finding.failures)


def test_a_whole_young_run_that_staging_signed_counts(reference: Reference) -> None:
    finding = judged(reference, document())
    # what is rehearsed besides is not asked here, so that the check alone is no pass
    assert finding.failures == ()
    assert any("signed by spiffe://dev.invalid/simulated/orders" in each.what for each in finding.assertions)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"started_at": NOW - 8 * 86_400, "canary": canary(at=NOW - 8 * 86_400)}, "8.0 days old"),
        ({"started_at": NOW + 3600, "canary": canary(at=NOW + 3600)}, "days old"),
        ({"project": "invoices"}, "it is of invoices"),
        ({"environment": "rehearsal"}, "in rehearsal"),
        ({"url": "https://orders.acme.example/mcp"}, "not of https://staging"),
        ({"issuer": "https://login.acme.example"}, "do not name"),
        ({"rows": [row(Step.METADATA)]}, "did not see"),
        ({"rows": []}, "did not see"),
        ({"rows": [*(row(step) for step in Step), row(Step.PROBE, "wrong")]}, "found probe wrong"),
        (
            {"rows": [row(step, "not_run" if step is Step.CANARY else "right") for step in Step]},
            "did not see: canary",
        ),
        ({"canary": None}, "has no canary"),
        ({"canary": canary(signer=None)}, "has not signed"),
        ({"canary": canary(signer="invoices")}, "another identity"),
        ({"canary": canary(token="b" * 64)}, "another token than was sent"),
        ({"canary": canary(resource="https://other.example/mcp")}, "another server answers"),
        ({"canary": canary(at=NOW - 3600)}, "of another time"),
        ({"canary": {**canary(), "nonce": "o" * 32}}, "of another request"),
        ({"canary": {**canary(), "sighting": "e30"}}, "no sighting"),
        ({"more": 1}, "is not what a live run writes"),
    ],
)
def test_any_other_run_does_not(reference: Reference, changes: dict[str, Any], says: str) -> None:
    finding = judged(reference, document(**changes))
    assert finding.status is Status.FAIL
    assert says in why(finding)


def test_a_run_that_nobody_approved_or_that_was_changed_does_not(reference: Reference) -> None:
    assert "nobody has approved" in why(judged(reference, document(), approved=False))
    assert "is not the file" in why(judged(reference, document(), sha256="0" * 64))


def test_where_second_judges_are_required_they_must_have_looked(reference: Reference) -> None:
    required: Edit = ("config/staging.toml", "[promotion] ", "[promotion]\njudges = true #")
    without = judged(reference, document(), more=(required,))
    assert "none looked" in why(without)
    looked = [*(row(step) for step in Step if step not in DISPENSABLE), row(Step.JUDGES)]
    assert judged(reference, document(rows=looked), more=(required,)).failures == ()


def test_without_a_root_of_staging_nothing_counts(reference: Reference) -> None:
    project = reference.project(*IDENTITY)
    assert "no evidence for TR-05" in why(look("TR-05", project))
    assert project.roots == {}


@pytest.mark.parametrize("environment", [Environment.STAGING, Environment.REHEARSAL])
def test_a_run_is_asked_for_before_production_only(reference: Reference, environment: Environment) -> None:
    assert look("TR-05", reference.project(environment=environment)).failures == ()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"x" * 300_000])
def test_what_is_no_run_is_not_read(content: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        read_document(content, where=FILE)
    assert refused.value.problems[0].reason == "live-malformed"
    assert read_document(document(), where=FILE).wrong == ()
