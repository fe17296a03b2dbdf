"""Each case is one change to a good request, and says which control it is about."""

import json
from collections import Counter
from pathlib import Path

import pytest

from launchworthy.probe.case import Case
from launchworthy.probe.cases import CASES
from launchworthy.probe.draft import Draft, good_draft
from launchworthy.probe.probed import LEGACY, MODERN, Probed, Target
from launchworthy.promotion.control import load_catalogue
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.tokens.metadata import metadata_url

RESOURCE = "http://127.0.0.1:9/mcp"
NOW = 1_795_000_000
TARGET = Target(
    name="find_orders",
    method="tools/call",
    params={"name": "find_orders", "arguments": {"customer": "c-17", "limit": 5}},
    scopes=("orders:read",),
)


@pytest.fixture(scope="module")
def probed() -> Probed:
    resources = {RESOURCE: ("orders:read", "orders:write")}
    return Probed(
        resource=RESOURCE,
        metadata_url=metadata_url(RESOURCE),
        target=TARGET,
        targets=(TARGET,),
        scopes=("orders:read", "orders:write"),
        entry_scopes=("orders:read",),
        revisions=(MODERN, LEGACY),
        max_body=4096,
        issuer=SimulatedIssuer(resources, clock=lambda: NOW),
        stranger=SimulatedIssuer(resources, clock=lambda: NOW),
        leeway=30.0,
        max_lifetime=3600.0,
        scope_claim="scope",
        client_claim="client_id",
        clock=lambda: NOW,
    )


def everything(draft: Draft) -> tuple[object, ...]:
    """All that goes over the wire but the random part of a token."""
    request = draft.request("token")
    token = draft.minting or draft.edit_token
    return (
        request.method,
        request.url.raw_path,
        sorted(request.headers.raw),
        request.content if draft.http_method == "POST" else None,
        sorted(draft.claims.items(), key=str),
        sorted(draft.token_header.items(), key=str),
        (token is not None and token != {}) or None,
        draft.scopes,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_changes_something_in_every_revision_it_is_for(case: Case, probed: Probed) -> None:
    for revision in case.revisions:
        good, changed = (good_draft(probed, TARGET, revision, 1) for _ in range(2))
        case.change(changed)
        assert everything(good) != everything(changed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_leaves_the_draft_of_others_alone(case: Case, probed: Probed) -> None:
    before = everything(good_draft(probed, TARGET, MODERN, 1))
    case.change(good_draft(probed, TARGET, case.revisions[0], 1))
    assert everything(good_draft(probed, TARGET, MODERN, 1)) == before


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_makes_a_token_and_a_request(case: Case, probed: Probed) -> None:
    draft = good_draft(probed, TARGET, case.revisions[0], 1)
    case.change(draft)
    assert draft.request(draft.token()).url.host == "127.0.0.1"


def test_no_two_cases_of_a_revision_share_an_id() -> None:
    counted = Counter((case.id, revision) for case in CASES for revision in case.revisions)
    assert [name for name, times in counted.items() if times > 1] == []


def test_every_case_is_about_a_control_of_the_catalogue() -> None:
    assert {case.control for case in CASES} <= {str(control.id) for control in load_catalogue()}


def test_every_family_sends_something_that_must_go_through_and_something_that_must_not() -> None:
    runs = {case.expected.runs for case in CASES}
    assert runs == {0, 1}


def test_tokens_for_others_are_for_nobody_who_exists() -> None:
    """A valid token for somebody else, sent to a stranger's server, would be a gift."""
    sources = sorted((Path(__file__).parents[3] / "framework/launchworthy/probe/cases").glob("*.py"))
    urls = {
        word.strip('",)')
        for source in sources
        for word in source.read_text().split()
        if word.startswith('"https://')
    }
    assert urls
    assert all(".invalid" in url for url in urls)


def test_a_good_draft_is_a_call_as_the_client_makes_it(probed: Probed) -> None:
    draft = good_draft(probed, TARGET, MODERN, 7)
    request = draft.request(draft.token())
    message = json.loads(request.content)
    assert (message["id"], message["method"], message["params"]["name"]) == (7, "tools/call", "find_orders")
    assert request.headers["mcp-name"] == "find_orders"
    assert request.headers["authorization"].startswith("Bearer ey")
