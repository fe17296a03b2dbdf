"""A class of data is no label: it bounds tokens and revisions, and refuses what it does not allow."""

import pytest
from settings_cases import PRODUCTION, changed, in_production

from launchworthy.manifest import Classification, Manifests, load_manifests
from launchworthy.settings import Settings, bounded_by_class, class_in_force, waits_for_disk
from launchworthy.vocabulary import ProblemError

SERVER = """
name = "orders"
title = "Orders"
description = "Find and refund orders"
[ownership]
owner = "@acme/orders"
on_call = "https://on-call.acme.example"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = ["orders:read"]
[data]
classification = "{}"
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md"
"""
TOOLS = """
[tools.find_orders]
effect = "read"
scopes = ["orders:read"]

[tools.place_order]
effect = "write"
scopes = ["orders:write"]
"""
ASKING = 'approval = "url"\n'
OUTSIDE = ('anchor = "stdout"', 'anchor = "http"\nanchor_url = "https://anchor.acme.example/checkpoints"')
ORDER = tuple(Classification)


def manifests(classification: str, tools: str = TOOLS) -> Manifests:
    files = {
        "manifests/server.toml": SERVER.format(classification).encode(),
        "manifests/tools.toml": tools.encode(),
    }
    return load_manifests(files)


def settings(*edits: tuple[str, str], raised: str | None = None) -> Settings:
    more = () if raised is None else (("[server]\n", f'[server]\nclassification = "{raised}"\n'),)
    return in_production(changed(PRODUCTION, *edits, *more))


def refused(found: Settings, promised: Manifests) -> list[tuple[str, str | None]]:
    with pytest.raises(ProblemError) as error:
        bounded_by_class(found, promised)
    return [(each.reason, each.field) for each in error.value.problems]


@pytest.mark.parametrize("low", ["public", "internal"])
def test_low_classes_demand_nothing(low: str) -> None:
    found = settings()
    assert bounded_by_class(found, manifests(low)) is found
    assert not waits_for_disk(found, manifests(low))


def test_confidential_data_is_read_with_tokens_of_a_quarter_of_an_hour_and_waits_for_the_disk() -> None:
    found, promised = settings(), manifests("confidential")
    bounded = bounded_by_class(found, promised)
    assert [issuer.max_lifetime for issuer in found.issuers.values()] == [3600]
    assert [issuer.max_lifetime for issuer in bounded.issuers.values()] == [900]
    assert waits_for_disk(found, promised)
    assert bounded.server.revisions == ("2026-07-28", "2025-11-25")
    assert bounded.digest == found.digest


def test_a_shorter_life_stays_as_it_is() -> None:
    found = settings(('max_lifetime = "1h"', 'max_lifetime = "5m"'))
    bounded = bounded_by_class(found, manifests("confidential"))
    assert [issuer.max_lifetime for issuer in bounded.issuers.values()] == [300]


def test_nobody_is_asked_by_a_form_about_confidential_data() -> None:
    form = TOOLS + 'approval = "form"\n'
    assert bounded_by_class(settings(), manifests("internal", form))
    assert refused(settings(), manifests("confidential", form)) == [
        ("class-demands", "tools.place_order.approval")
    ]
    assert bounded_by_class(settings(), manifests("confidential", TOOLS + ASKING))


def test_what_does_not_run_here_is_not_asked_about() -> None:
    form = TOOLS + 'approval = "form"\nenvironments = ["development"]\n'
    assert bounded_by_class(settings(), manifests("confidential", form))


def test_restricted_data_is_written_with_a_yes_anchored_outside_and_not_in_the_older_revision() -> None:
    promised = manifests("restricted", TOOLS + ASKING)
    bounded = bounded_by_class(settings(OUTSIDE), promised)
    assert bounded.server.revisions == ("2026-07-28",)
    assert [issuer.max_lifetime for issuer in bounded.issuers.values()] == [900]
    assert refused(settings(), promised) == [("class-demands", "audit.anchor")]


def test_every_write_of_restricted_data_asks_somebody_whatever_the_reason() -> None:
    assert refused(settings(OUTSIDE), manifests("restricted")) == [
        ("class-demands", "tools.place_order.approval")
    ]
    wipe = (
        TOOLS
        + ASKING
        + (
            '[tools.wipe]\neffect = "destructive"\nscopes = ["orders:wipe"]\napproval = "none"\n'
            'approval_reason = "machines call it at night"\n'
        )
    )
    assert refused(settings(OUTSIDE), manifests("restricted", wipe)) == [
        ("class-demands", "tools.wipe.approval")
    ]
    assert bounded_by_class(settings(), manifests("confidential", wipe))


def test_what_stands_in_the_audit_in_clear_has_a_reason_where_data_is_restricted() -> None:
    clear = TOOLS + ASKING + 'arguments = { item = "clear" }\n'
    assert refused(settings(OUTSIDE), manifests("restricted", clear)) == [
        ("class-demands", "tools.place_order.clear_reason")
    ]
    reason = clear + 'clear_reason = "an article is public, and is what auditors ask for"\n'
    assert bounded_by_class(settings(OUTSIDE), manifests("restricted", reason))
    assert bounded_by_class(settings(), manifests("confidential", clear))


def test_a_server_of_the_older_revision_alone_is_told() -> None:
    old = ("[server]\n", '[server]\nrevisions = ["2025-11-25"]\n')
    assert refused(settings(OUTSIDE, old), manifests("restricted", TOOLS + ASKING)) == [
        ("class-demands", "server.revisions")
    ]


@pytest.mark.parametrize("named", ORDER)
@pytest.mark.parametrize("raised", ORDER)
def test_an_environment_raises_a_class_and_never_lowers_it(
    named: Classification, raised: Classification
) -> None:
    found, promised = settings(OUTSIDE, raised=raised.value), manifests(named.value, TOOLS + ASKING)
    if ORDER.index(raised) < ORDER.index(named):
        assert refused(found, promised) == [("class-lowered", "server.classification")]
        return
    bounded = bounded_by_class(found, promised)
    assert class_in_force(bounded, promised) is raised
    assert waits_for_disk(bounded, promised) is (ORDER.index(raised) >= 2)


def test_a_raised_class_demands_as_much_as_a_named_one() -> None:
    assert refused(settings(OUTSIDE, raised="restricted"), manifests("internal")) == [
        ("class-demands", "tools.place_order.approval")
    ]


def test_a_class_that_is_none_is_refused() -> None:
    with pytest.raises(ProblemError):
        settings(raised="secret")
