"""The official suite, behind our gate: it finds what we say it finds, and nothing else."""

from collections.abc import Callable, Iterator

import pytest
from conformance_suite import HERE, PROJECT, REVISIONS, Run, expected, required, run_suite
from token_shim import TokenShim

from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World

pytestmark = pytest.mark.foreign
PAGE = (HERE.parents[2] / "docs" / "interoperability.md").read_text()
LEAST = {"2026-07-28": (50, 150), "2025-11-25": (33, 50)}
"""Scenarios that are run, and checks that succeed: fewer, and the suite did not meet our server."""


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    project = TestedProject.read(PROJECT)
    folder = tmp_path_factory.mktemp("conformance")
    with (
        project.world(folder) as standing,
        standing.server(project.package, PYTHONPATH=str(PROJECT / "src"), PYTHONDONTWRITEBYTECODE="1"),
    ):
        yield standing


@pytest.fixture(scope="session")
def runs(world, node, tmp_path_factory) -> Callable[[str], Run]:
    known: dict[str, Run] = {}

    def run(revision: str) -> Run:
        if revision not in known:
            token = world.token(*world.scopes).reveal()
            with TokenShim(world.url, lambda: token) as shim:
                known[revision] = run_suite(node, shim.url, revision, tmp_path_factory.mktemp("suite"))
        return known[revision]

    return run


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_required_scenario_passes_but_for_what_has_a_reason(runs, revision):
    run, known = runs(revision), expected(revision)
    unexpected = sorted(run.findings - set(known))
    gone = sorted(set(known) - run.findings)
    assert unexpected == [], f"the suite found something new:\n{run.output[-4000:]}"
    assert gone == [], "these are found no longer: take them out of expected.toml"


def test_the_page_says_how_many_of_them_pass(runs, node):
    passed = []
    for revision in REVISIONS:
        failed = {finding.scenario for finding in runs(revision).findings if finding.status == "FAILURE"}
        wanted = required(node, revision)
        assert wanted <= runs(revision).scenarios
        passed.append((len(wanted - failed), len(wanted)))
    [(modern, of_modern), (legacy, of_legacy)] = passed
    assert f"{modern} of the {of_modern} scenarios" in PAGE
    assert f"{legacy} of {of_legacy}." in PAGE


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_suite_did_meet_our_server(runs, revision):
    run, (scenarios, passed) = runs(revision), LEAST[revision]
    assert len(run.scenarios) >= scenarios
    assert run.passed >= passed


def test_without_the_token_nothing_of_it_passes(world, node, tmp_path):
    world.executions.taken()
    run = run_suite(node, world.url, "2026-07-28", tmp_path)
    called = {finding.scenario for finding in run.findings if finding.status == "FAILURE"}
    assert {"tools-list", "tools-call-simple-text", "resources-read-text", "prompts-get-simple"} <= called
    assert world.executions.taken() == 0


def test_each_expected_finding_has_a_reason_that_says_something():
    for revision in REVISIONS:
        assert all(len(why.split()) > 5 for why in expected(revision).values())
