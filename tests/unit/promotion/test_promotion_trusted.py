"""Does what is taken on trust count when, and only when, it is approved and in its dates?"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from approvers import NOW, Company
from promotion_project import THEN, edit, load
from test_promotion_checks_families import EVIDENCE, ROTATION, WAIVER, exception

from launchworthy.approval.proved.matter import Matter
from launchworthy.approval.proved.proof import render_proof
from launchworthy.attestation import ReleasedJob, TrustPolicy
from launchworthy.attestation.trust import EnvironmentTrust
from launchworthy.promotion.approvals.asking import approvable, report_matter
from launchworthy.promotion.approvals.locked import LOCK, lock_matter
from launchworthy.promotion.approved import Grounds, approved
from launchworthy.promotion.control import controls_for
from launchworthy.promotion.finding import ControlId, Finding, Status
from launchworthy.promotion.project import Project
from launchworthy.promotion.report_file import read_report
from launchworthy.promotion.run import findings_of, run_checks
from launchworthy.promotion.trusted import end_of, parse_trusted
from launchworthy.promotion.waiving import waive
from launchworthy.vocabulary import Environment, ProblemError

DAY = 86_400
REPORT = {
    "schema": "urn:launchworthy:promotion-report:v1",
    "project": "orders",
    "project_version": "1",
    "framework_version": "1",
    "catalogue": "0.1",
    "to_come": [],
    "environment": "production",
    "partial": False,
    "verdict": "cleared",
    "commit": None,
    "dirty": [],
    "facts": {},
    "requests": 0,
    "findings": [],
    "replaced": [],
    "started_at": 1,
    "milliseconds": 1,
}
AWS = "AKIA" + "Z7QK4M2XW5N3RT6B"
SALT = 'salt = "of-this-project"\n'
HASHLESS = ("uv.lock", ', hash = "sha256:' + "0f" * 32 + '"', "")


@pytest.fixture(scope="module")
def company() -> Company:
    return Company()


def asking(project: Project, company: Company, *, now: int = NOW) -> Project:
    """The same project under a trust policy that asks people of this company."""
    keys = company.keys
    book = replace(project.book, approvers=company.approvers, now=now)
    book.__dict__["_keys"] = keys  # what the issuer would publish
    return replace(project, book=book, now=now)


def judged(project: Project, *controls: str) -> dict[str, Finding]:
    wanted = tuple(each for each in controls_for(Environment.PRODUCTION) if each.id in controls)
    seen = run_checks(project, frozenset(ControlId(name) for name in controls))
    return {each.control: each for each in waive(findings_of(wanted, seen, None), wanted, project)}


def held(project: Project, says: str, control: str = "GOV-06") -> None:
    finding = judged(project, control, "SUP-01")[control]
    assert finding.status is Status.FAIL
    assert any(says in failure.what for failure in finding.failures), finding.failures


def with_waiver(reference, company: Company, waiver: str = WAIVER, **approval: object) -> Project:
    project = reference.project(("promotion.toml", "", waiver), HASHLESS)
    for matter in project.trusted.matters:
        company.approve(project.root / "approvals", matter, **approval)
    return asking(project, company)


def test_an_approved_waiver_waives(reference, company: Company) -> None:
    found = judged(with_waiver(reference, company), "GOV-06", "SUP-01")
    assert found["SUP-01"].status is Status.WAIVED
    assert "until 2026-12-15" in found["SUP-01"].message
    assert found["GOV-06"].status is Status.PASS
    assert "approved by lead@acme.example" in found["GOV-06"].message


def test_without_its_approval_it_counts_as_absent(reference, company: Company) -> None:
    project = asking(reference.project(("promotion.toml", "", WAIVER), HASHLESS), company)
    held(project, "nobody has approved this waiver: there is no approvals/waiver-")
    assert judged(project, "GOV-06", "SUP-01")["SUP-01"].status is Status.FAIL


def test_without_a_trust_policy_nobody_can_approve(reference, company: Company) -> None:
    project = with_waiver(reference, company)
    nobody = replace(project, book=replace(project.book, approvers=None))
    held(nobody, "nobody has approved this waiver")
    assert judged(nobody, "GOV-06", "SUP-01")["SUP-01"].status is Status.FAIL


def test_where_a_job_is_released_its_release_is_the_approval(reference) -> None:
    project = reference.project(("promotion.toml", "", WAIVER), HASHLESS)
    released = replace(project, book=replace(project.book, approvers=ReleasedJob.RELEASED_JOB))
    assert judged(released, "GOV-06", "SUP-01")["SUP-01"].status is Status.WAIVED
    assert judged(released, "GOV-06", "SUP-01")["GOV-06"].status is Status.PASS


def test_an_approval_by_somebody_else_does_not_count(reference, company: Company) -> None:
    project = with_waiver(reference, company, groups=["everybody"])
    held(project, "no group that may approve")
    assert judged(project, "SUP-01")["SUP-01"].status is Status.FAIL


def test_a_waiver_that_was_changed_after_its_approval_does_not_count(reference, company: Company) -> None:
    project = with_waiver(reference, company)
    edit(project.root, ("promotion.toml", "2026-12-15", "2026-12-16"))
    again = asking(load(project.root, reference.answer), company)
    held(again, "nobody has approved this waiver")
    assert judged(again, "SUP-01")["SUP-01"].status is Status.FAIL


def test_an_approved_waiver_of_another_project_is_nobodys_here(reference, company: Company) -> None:
    project = with_waiver(reference, company)
    edit(project.root, ("manifests/server.toml", '"orders"', '"orders-two"'))
    again = asking(load(project.root, reference.answer), company)
    held(again, "nobody has approved this waiver")
    assert judged(again, "SUP-01")["SUP-01"].status is Status.FAIL


@pytest.mark.parametrize(
    ("waiver", "now", "says"),
    [
        (WAIVER, NOW + 40 * DAY, "ended on 2026-12-15"),
        (WAIVER.replace("2026-12-15", "2026-12-19"), NOW, "longer than 30 days"),
        (WAIVER.replace("2026-12-15", "2036-12-19"), NOW, "longer than 30 days"),
    ],
    ids=["over", "31 days", "for ever"],
)
def test_a_waiver_lasts_thirty_days(reference, company: Company, waiver: str, now: int, says: str) -> None:
    project = asking(with_waiver(reference, company, waiver), company, now=now)
    held(project, says)
    assert judged(project, "SUP-01")["SUP-01"].status is Status.FAIL


def test_a_waiver_for_another_environment_waives_nothing_here(reference, company: Company) -> None:
    project = with_waiver(reference, company, WAIVER.replace('"production"', '"staging"'))
    assert judged(project, "SUP-01")["SUP-01"].status is Status.FAIL


def test_a_waiver_that_waives_nothing_is_held(reference, company: Company) -> None:
    project = reference.project(("promotion.toml", "", WAIVER))
    company.approve(project.root / "approvals", project.trusted.matters[0])
    held(asking(project, company), "waives nothing")


def test_a_failed_rehearsal_is_never_waived(reference, company: Company) -> None:
    project = with_waiver(reference, company)
    [control] = [each for each in controls_for(Environment.PRODUCTION) if each.id == "SUP-01"]
    [finding] = findings_of((control,), run_checks(project, frozenset({control.id})), None)
    assert [each.status for each in waive([finding], [control], project)] == [Status.WAIVED]
    rehearsed = replace(finding, rehearsed=True)
    assert [each.status for each in waive([rehearsed], [control], project)] == [Status.FAIL]
    never = replace(control, waivable=False)
    assert [each.status for each in waive([finding], [never], project)] == [Status.FAIL]


def test_approved_evidence_counts(reference, company: Company) -> None:
    project = reference.project(("promotion.toml", "", EVIDENCE), ("docs/edge.pdf", "", ""))
    company.approve(project.root / "approvals", project.trusted.matters[0])
    assert judged(asking(project, company), "GOV-06")["GOV-06"].status is Status.PASS


def leaking(reference, hide: Callable[[Path], None]) -> Project:
    project = reference.project(("promotion.toml", "", SALT), ("old.ini", "", f"key = {AWS}\n"))
    git(project.root, "add", "-A")
    git(project.root, "commit", "-q", "-m", "a mistake")
    hide(project.root)
    return load(project.root, reference.answer)


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=team", "-c", "user.email=team@orders.invalid", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *who, *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **THEN})


def take_out(root: Path) -> None:
    (root / "old.ini").unlink()
    git(root, "commit", "-q", "-a", "-m", "gone")


def test_a_clean_history_needs_no_ledger(reference) -> None:
    finding = judged(reference.project(), "SEC-03")["SEC-03"]
    assert finding.status is Status.PASS
    assert "hold no secret" in finding.message


def test_a_deleted_line_is_no_rotation(reference, company: Company) -> None:
    project = leaking(reference, take_out)
    assert judged(project, "SEC-02")["SEC-02"].status is Status.PASS
    finding = judged(project, "SEC-03")["SEC-03"]
    assert finding.status is Status.FAIL
    [failure] = finding.failures
    assert "old.ini" in failure.what
    assert AWS not in " ".join((failure.what, *failure.fix))
    block = "\n".join(line for line in failure.fix[1:])
    named = SALT + block.replace("# or destroyed", "# or destroyed")
    edit(project.root, ("promotion.toml", "", named))
    unapproved = asking(load(project.root, reference.answer), company)
    assert judged(unapproved, "SEC-03")["SEC-03"].status is Status.FAIL
    company.approve(project.root / "approvals", unapproved.trusted.matters[0])
    assert judged(unapproved, "SEC-03", "GOV-06")["SEC-03"].status is Status.PASS
    assert judged(unapproved, "SEC-03", "GOV-06")["GOV-06"].status is Status.PASS


def test_the_rotation_of_another_secret_does_not_count(reference, company: Company) -> None:
    project = leaking(reference, take_out)
    edit(project.root, ("promotion.toml", "", SALT + ROTATION))
    other = asking(load(project.root, reference.answer), company)
    company.approve(project.root / "approvals", other.trusted.matters[0])
    assert judged(other, "SEC-03")["SEC-03"].status is Status.FAIL


def test_without_a_salt_a_found_secret_asks_for_one(reference) -> None:
    project = leaking(reference, take_out)
    edit(project.root, ("promotion.toml", "", ""))
    [failure] = judged(load(project.root, reference.answer), "SEC-03")["SEC-03"].failures
    assert failure.fix[-1].startswith('salt = "')


def test_what_is_approved_to_be_no_secret_is_left_alone_until_its_line_changes(
    reference, company: Company
) -> None:
    project = leaking(reference, lambda _: None)
    finding = judged(project, "SEC-02")["SEC-02"]
    assert finding.status is Status.FAIL
    [failure] = judged(project, "SEC-03")["SEC-03"].failures
    name = next(line for line in failure.fix if line.startswith("finding"))
    none = f'[[rotations]]\n{name}\naction = "not-a-secret"\non = 2026-11-18\nby = "@acme/orders"\n'
    edit(
        project.root,
        ("promotion.toml", "", SALT + none + 'reason = "an example of the provider\'s own page"\n'),
    )
    project = asking(load(project.root, reference.answer), company)
    assert judged(project, "SEC-02")["SEC-02"].status is Status.FAIL, "nobody approved it yet"
    company.approve(project.root / "approvals", project.trusted.matters[0])
    assert judged(project, "SEC-02")["SEC-02"].status is Status.PASS
    assert judged(project, "SEC-03")["SEC-03"].status is Status.PASS
    edit(project.root, ("old.ini", AWS, AWS.replace("4M2X", "4M3X")))
    assert (
        judged(asking(load(project.root, reference.answer), company), "SEC-02")["SEC-02"].status
        is Status.FAIL
    )


def test_a_project_without_its_history_is_undecided(reference, tmp_path: Path) -> None:
    project = reference.project()
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.root}", str(tmp_path / "shallow"))
    git(project.root, "commit", "-q", "--allow-empty", "-m", "another")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.root}", str(tmp_path / "cut"))
    finding = judged(load(tmp_path / "cut", reference.answer), "SEC-03")["SEC-03"]
    assert finding.status is Status.ERROR
    assert "shallow" in finding.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[waivers", "not-toml"),
        ('[[waivers]]\ncontrol = "SUP-01"\n', "missing-field"),
        (
            WAIVER.replace("until it is replaced next month", "x").replace("the platform's mirror", "y"),
            "bad-value",
        ),
        (WAIVER.replace("ticket ", "tickets"), "unknown-field"),
        (WAIVER.replace('"@acme/orders"', '"jo"'), "bad-value"),
        (WAIVER.replace('"production"', '"development"'), "bad-value"),
        (ROTATION.replace('proof   = "vault audit, request 5d1c"\n', ""), "bad-value"),
        (ROTATION.replace('"rotated"', '"not-a-secret"'), "bad-value"),
        (ROTATION.replace("lwf1-", "lwf2-"), "bad-value"),
        (EVIDENCE.replace("docs/edge.pdf", "../edge.pdf"), "bad-value"),
        (EVIDENCE.replace("docs/edge.pdf", "docs/../../edge.pdf"), "bad-value"),
        (EVIDENCE.replace("docs/edge.pdf", "/etc/passwd"), "bad-value"),
        ('salt = "short"\n', "bad-value"),
        ("approvers = []\n", "unknown-field"),
    ],
)
def test_a_mistake_in_the_ledger_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_trusted(text.encode(), project="orders")
    assert reason in [problem.reason for problem in caught.value.problems]
    assert all((problem.where or "").startswith("promotion.toml") for problem in caught.value.problems)


def with_exception(reference, value: str = 'value  = "azp"') -> Project:
    return reference.project(("config/production.toml", "[audit]", exception("client", value) + "\n[audit]"))


def test_an_approved_exception_is_listed_and_another_line_of_it_is_not_approved(
    reference, company: Company
) -> None:
    project = asking(with_exception(reference), company)
    assert judged(project, "TOK-06")["TOK-06"].status is Status.FAIL
    asked = approvable(project.root / "config/production.toml", environment=Environment.PRODUCTION)
    [matter] = asked.matters
    company.approve(asked.folder, matter)
    found = judged(project, "TOK-06")["TOK-06"]
    assert (found.status, "approved by lead@acme.example" in found.message) == (Status.PASS, True)
    assert (
        approvable(project.root / "config/production.toml", environment=Environment.PRODUCTION).matters == ()
    )
    edit(project.root, ("config/production.toml", '"azp"', '"cid"'))
    changed = asking(load(project.root, reference.answer), company)
    assert judged(changed, "TOK-06")["TOK-06"].status is Status.FAIL


@pytest.mark.parametrize("entry", [WAIVER, ROTATION, EVIDENCE], ids=["waiver", "rotation", "evidence"])
def test_who_signs_looks_again_at_all_that_a_report_rests_on(
    reference, company: Company, tmp_path: Path, entry: str
) -> None:
    """Who made the report may have believed a trust policy of their own."""
    project = reference.project(("promotion.toml", "", entry))
    [matter] = project.trusted.matters
    with pytest.raises(ProblemError, match="nobody has approved this"):
        signing(project, company, tmp_path)
    stranger = company.approve(project.root / "approvals", matter, groups=["everybody"])
    with pytest.raises(ProblemError, match="no group that may approve"):
        signing(project, company, tmp_path)
    stranger.unlink()
    company.approve(project.root / "approvals", matter)
    assert signing(project, company, tmp_path).approval is not None


def test_the_lock_counts_with_an_approval_over_its_bytes(reference, company: Company, tmp_path: Path) -> None:
    project = asking(reference.project(), company)
    assert project.lock is not None
    held(project, "nobody has approved this lock", "TL-02")
    [matter] = approvable(project.root / LOCK, environment=Environment.PRODUCTION).matters
    kept = company.approve(project.root / "approvals", matter)
    assert judged(project, "TL-02")["TL-02"].status is Status.PASS
    assert signing(project, company, tmp_path).approval is not None
    edit(project.root, (LOCK, "Read the diff", "Skip the diff"))
    changed = asking(load(project.root, reference.answer), company)
    held(changed, "nobody has approved this lock", "TL-02")
    kept.write_bytes(render_of(company, matter, groups=["everybody"]))
    held(project, "no group that may approve", "TL-02")
    silent = replace(project, book=replace(project.book, approvers=None))
    assert judged(silent, "TL-02")["TL-02"].status is Status.PASS, "attest asks, where somebody is named"


def render_of(company: Company, matter: Matter, **claims: object) -> bytes:
    return render_proof(matter, company.id_token(matter, **claims))


def test_who_signs_asks_for_the_approval_of_the_lock(reference, company: Company, tmp_path: Path) -> None:
    project = reference.project()
    assert signing(project, company, tmp_path).approval is not None
    edit(project.root, (LOCK, "Read the diff", "Skip the diff"))
    with pytest.raises(ProblemError, match="nobody has approved this lock"):
        signing(project, company, tmp_path, lock=None)


def test_a_report_does_not_change_what_its_approver_sees(tmp_path: Path) -> None:
    """The project's own code ran where it was made."""
    hidden = {"project": "\x1b[2K\rorders", "project_version": "1\u202e", "commit": "\x1b]0;x\x07\n"}
    content = json.dumps(REPORT | hidden).encode()
    says = report_matter(content, tmp_path / "report.json", Environment.PRODUCTION).says
    assert says.isprintable()
    assert "for production: cleared" in says
    plain = report_matter(json.dumps(REPORT).encode(), tmp_path / "report.json", Environment.PRODUCTION)
    assert plain.says.startswith("orders 1, commit no commit, for production")


def test_evidence_that_has_ended_since_carries_no_signature(
    reference, company: Company, tmp_path: Path
) -> None:
    project = reference.project(("promotion.toml", "", EVIDENCE))
    company.approve(project.root / "approvals", project.trusted.matters[0])
    [end] = [end_of(piece.table.expires) for piece in project.trusted.evidence]
    assert signing(project, company, tmp_path, now=end - 1).ends == (end,)
    with pytest.raises(ProblemError, match="ended on"):
        signing(project, company, tmp_path, now=end)


def signing(
    project: Project, company: Company, folder: Path, *, now: int = NOW, lock: str | None = LOCK
) -> Grounds:
    """What people answered for, by the trust policy of whoever signs; the report itself is approved."""
    content = json.dumps(REPORT).encode()
    matter = report_matter(content, folder / "report.json", Environment.PRODUCTION)
    company.approve(folder, matter)
    if lock is not None:
        company.approve(folder, lock_matter((project.root / lock).read_bytes()))
    people = replace(company.approvers, key_sets=(json.dumps(company.issuer.keys.document()).encode(),))
    trust = TrustPolicy(
        where="trust.toml",
        environments={
            Environment.PRODUCTION: EnvironmentTrust(
                promoters=frozenset({"spiffe://acme.example/promoter"}),
                workflows=frozenset(),
                approvers=people,
                catalogue=(0, 1, 0),
                framework=None,
                stamp_required=False,
                stamp_authorities=(),
                previous_required=False,
                break_glass=None,
            )
        },
        roots={},
        sigstore=None,
        revoked_records=frozenset(),
        revoked_signers=frozenset(),
        sha256="0" * 64,
    )
    report = read_report(content, where="report.json")
    environ = {"PATH": os.environ["PATH"]}
    return approved(project.root, report, content, folder, trust=trust, environ=environ, now=now)


def test_an_exception_of_one_issuer_is_none_of_another(reference, company: Company) -> None:
    project = asking(with_exception(reference), company)
    asked = approvable(project.root / "config/production.toml", environment=Environment.PRODUCTION)
    company.approve(asked.folder, asked.matters[0])
    edit(
        project.root, ("config/production.toml", "https://login.acme.example", "https://login.other.example")
    )
    moved = asking(load(project.root, reference.answer), company)
    assert judged(moved, "TOK-06")["TOK-06"].status is Status.FAIL
