"""Is a rule lifted while this is promoted, or was one without anybody having looked back? (AZ-10)"""

import re
from dataclasses import replace
from pathlib import Path

from promotion_project import NOW, load
from test_promotion_checks_families import EVIDENCE

from launchworthy.attestation.trust_file import read_copy
from launchworthy.promotion.control import controls_for
from launchworthy.promotion.finding import ControlId, Status
from launchworthy.promotion.project import Project
from launchworthy.promotion.run import findings_of, run_checks
from launchworthy.promotion.trusted import read_trusted
from launchworthy.state.control import Entry
from launchworthy.state.control.writing import write_entries
from launchworthy.testing.break_glass import BreakGlass, simulated_grant
from launchworthy.vocabulary import Environment, Principal, PrincipalKind


def with_grant(reference, folder: Path, until: int, *, approve: bool = True) -> tuple[Project, Entry]:
    """The reference project with a request for a grant in its tree, and the people who may approve it."""
    project = reference.project()
    glass = BreakGlass(folder / f"glass-{until}-{approve}", clock=lambda: until - 3600)
    who = Principal(
        issuer="https://login.acme.example", subject="ada", client="console", kind=PrincipalKind.PERSON,
        scopes=frozenset(), actors=(), token_id="1", issued_at=0, expires_at=1,
    )  # fmt: skip
    server = project.settings.server.resource
    asked = simulated_grant(
        who, server=server, targets=("place_order",), lifts=("team:no-bulk-orders",), since=until - 3600,
        until=until,
    )  # fmt: skip
    entry = glass.approved(asked) if approve else asked
    (project.root / "grants").mkdir()
    write_entries(project.root / "grants/INC-0.toml", [entry])
    people = read_copy(glass.trust).of(Environment.REHEARSAL).break_glass
    loaded = load(project.root, reference.answer)
    return replace(loaded, now=NOW, book=replace(loaded.book, break_glass=people)), entry


def grants(project: Project) -> tuple[Status, str]:
    wanted = tuple(each for each in controls_for(Environment.PRODUCTION) if each.id == "AZ-10")
    [finding] = findings_of(wanted, run_checks(project, frozenset({ControlId("AZ-10")})), None)
    return finding.status, "; ".join(each.what for each in finding.failures or finding.assertions)


def test_an_open_grant_holds_the_promotion(reference, tmp_path: Path) -> None:
    status, what = grants(with_grant(reference, tmp_path, NOW + 3600)[0])
    assert status is Status.FAIL
    assert "lifts team:no-bulk-orders until it ends, and nothing is promoted meanwhile" in what


def test_a_grant_that_nobody_looked_back_on_holds_it_too(reference, tmp_path: Path) -> None:
    project, entry = with_grant(reference, tmp_path, NOW - 60)
    status, what = grants(project)
    assert (status, "nobody has looked back on it" in what) == (Status.FAIL, True)
    evidence = EVIDENCE.replace('control = "TR-02"', 'control = "AZ-10"')
    evidence = re.sub(r"says    = .*", f'says    = "{entry.id}: what was done"', evidence)
    (project.root / "promotion.toml").write_text(evidence)
    looked_back = replace(project, trusted=read_trusted(project.root))
    assert grants(looked_back)[0] is Status.PASS


def test_a_grant_that_was_never_approved_is_told(reference, tmp_path: Path) -> None:
    project, _ = with_grant(reference, tmp_path, NOW - 60, approve=False)
    assert "approved by 0 of the 2 people" in grants(project)[1]


def test_without_a_grant_nothing_is_held(reference) -> None:
    status, what = grants(reference.project())
    assert (status, what.startswith("no grant is in grants/")) == (Status.PASS, True)


def test_a_list_of_grants_that_cannot_be_read_holds_it(reference) -> None:
    project = reference.project()
    (project.root / "grants").mkdir()
    (project.root / "grants/INC-0.toml").write_text("[[grant]]\n")
    status, what = grants(load(project.root, reference.answer))
    assert (status, "cannot be read as grants" in what) == (Status.FAIL, True)
