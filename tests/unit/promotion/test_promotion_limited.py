"""Is there anything to rehearse of limits? What the manifests say decides, and nothing else."""

import pytest

from launchworthy.promotion.control import load_catalogue
from launchworthy.promotion.finding import Status
from launchworthy.promotion.rehearsals.limits import something_is_limited
from launchworthy.promotion.run import NOTHING_REHEARSED, findings_of, run_checks
from launchworthy.state.replicas import require_counted_together

[TR_04] = [each for each in load_catalogue() if each.id == "TR-04"]
TOOLS, SERVER = "manifests/tools.toml", "manifests/server.toml"
UNLIMITED = (
    (TOOLS, 'rate      = "60/minute" ', "#"),
    (TOOLS, 'rate      = "10/minute"\n', ""),
    (SERVER, 'destructive = "5/hour" ', "#"),
)


def finding(project):
    [found] = findings_of((TR_04,), run_checks(project, frozenset({TR_04.id})), NOTHING_REHEARSED)
    return found


def test_each_limited_target_is_named_with_all_that_limits_it(reference):
    said = [each.what for each in something_is_limited(reference.project())]
    assert said == [
        "`place_order` is limited: 60/minute",
        "`refund_order` is limited: 10/minute, budget 5/hour",
    ]


def test_limits_that_no_rehearsal_has_looked_at_are_undecided(reference):
    assert finding(reference.project()).status is Status.ERROR


def test_where_nothing_is_limited_there_is_nothing_to_rehearse(reference):
    found = finding(reference.project(*UNLIMITED))
    assert (found.status, found.rehearsed) == (Status.NOT_APPLICABLE, False)


@pytest.mark.parametrize("kept", range(len(UNLIMITED)))
def test_one_limit_is_enough_to_have_it_rehearsed(reference, kept):
    edits = [each for number, each in enumerate(UNLIMITED) if number != kept]
    assert finding(reference.project(*edits)).status is Status.ERROR


REPLICAS = ("config/production.toml", "[server]\n", "[server]\nreplicas = 3\n")
SHARED = (
    "config/production.toml",
    "[audit]\n",
    '[state]\nkind = "valkey"\nurl = "rediss://store.acme.example:6379"\n\n[audit]\n',
)


def test_several_replicas_that_count_apart_are_held(reference):
    found = finding(reference.project(REPLICAS))
    assert found.status is Status.FAIL
    assert "`place_order`, `refund_order`" in found.message


@pytest.mark.parametrize("edits", [(REPLICAS, SHARED), (REPLICAS, *UNLIMITED), ()])
def test_several_replicas_that_share_a_store_or_count_nothing_are_not(reference, edits):
    project = reference.project(*edits)
    require_counted_together(project.settings, project.manifests, project.rehearsed)
