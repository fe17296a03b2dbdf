"""From a clean commit to a wheel that starts where it was promoted for, and nowhere else."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from promoted_orders import REPOSITORY, PromotedOrders, environ

from conftest import Platform, write_trust
from launchworthy.promotion.approvals.asking import report_matter
from launchworthy.promotion.approvals.locked import lock_matter
from launchworthy.promotion.control import controls_for
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.process import NotStarted
from launchworthy.testing.project import TestedProject
from launchworthy.testing.time_stamps import SimulatedTimeStamps
from launchworthy.testing.workload_api import WorkloadApi
from launchworthy.testing.world import World
from launchworthy.vocabulary import Environment

sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "promotion"))
from approvers import CLIENT, LEADS, Company

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def report(orders: PromotedOrders) -> dict[str, object]:
    """What `promote` says, in the first run."""
    done = orders.launchworthy("promote", "--environment", "rehearsal", "--format", "json")
    assert done.stdout, done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    held = [
        (each["control"], each["message"])
        for each in said["findings"]
        if each["status"] not in ("pass", "not_applicable")
    ]
    assert (done.returncode, held) == (0, []), done.stderr
    assert said == json.loads(orders.report.read_text())
    return said


@pytest.fixture(scope="session")
def attested(orders: PromotedOrders, platform: Platform, report: dict[str, object]) -> str:
    assert report["verdict"] == "cleared"
    done = attest(orders, platform)
    assert done.returncode == 0, done.stderr
    assert orders.record.is_file()
    return done.stdout


@pytest.fixture(scope="session")
def wheel(orders: PromotedOrders, platform: Platform, attested: str) -> Path:
    assert attested
    done = orders.build(platform.trust)
    assert done.returncode == 0, done.stderr
    [built] = (orders.root / "dist").glob("*.whl")
    orders.run("uv", "pip", "install", "-q", "--python", orders.python, "--no-deps", "--reinstall", built)
    return built


def attest(
    orders: PromotedOrders, platform: Platform, *, report: Path | None = None
) -> subprocess.CompletedProcess[str]:
    where = ("--endpoint", platform.endpoint, "--trust", platform.trust)
    return orders.launchworthy("attest", report or orders.report, *where)


def in_rehearsal(orders: PromotedOrders, directory: Path, trust: Path) -> World:
    project = TestedProject.read(orders.root)
    return project.world(
        directory, environment=Environment.REHEARSAL, settings=Environment.PRODUCTION, trust=trust
    )


def test_a_project_that_is_filled_in_is_cleared(report: dict[str, object]) -> None:
    findings = {str(each["control"]): each for each in report["findings"]}  # type: ignore[attr-defined]
    assert report["verdict"] == "cleared"
    assert set(findings) == {control.id for control in controls_for(Environment.REHEARSAL)}
    assert int(str(report["requests"])) > 1000
    assert not report["partial"]


def test_every_finding_of_a_rehearsal_has_its_twin(report: dict[str, object]) -> None:
    rehearsed = [each for each in report["findings"] if each["rehearsed"]]  # type: ignore[attr-defined]
    assert len(rehearsed) > 30
    assert all(any(one["twin"] for one in each["assertions"]) for each in rehearsed)


def test_the_report_lists_what_the_simulated_world_replaced(report: dict[str, object]) -> None:
    fields = {each["field"] for each in report["replaced"]}  # type: ignore[attr-defined]
    assert {"server.resource", "identity.expected_id", "issuers.callers.issuer"} <= fields


def test_a_record_says_who_signed_what(attested: str, platform: Platform) -> None:
    assert platform.promoter in attested
    assert "for rehearsal only" in " ".join(attested.split()) or "rehearsal only" in attested


@pytest.mark.usefixtures("attested")
def test_a_record_counts_for_its_tree(orders: PromotedOrders, platform: Platform) -> None:
    done = orders.launchworthy("verify-record", "--trust", platform.trust)
    assert (done.returncode, "compared  12 digests" in done.stdout) == (0, True), done.stderr
    assert re.search(r"^ id +lwr1-[0-9a-f]{32}$", done.stdout, re.MULTILINE), "what a platform revokes"


def test_a_promoted_wheel_starts_where_it_was_promoted_for(
    orders: PromotedOrders, platform: Platform, wheel: Path, tmp_path: Path
) -> None:
    with (
        in_rehearsal(orders, tmp_path, platform.trust) as world,
        world.server("orders", python=str(orders.python)),
        world.client("orders:read") as client,
    ):
        assert client.call("find_orders", customer="c-17") == []
    assert orders.launchworthy("verify-record", wheel, "--trust", platform.trust).returncode == 0


@pytest.mark.usefixtures("wheel")
def test_a_running_server_drains_when_its_record_is_revoked(
    orders: PromotedOrders, platform: Platform, tmp_path: Path
) -> None:
    told = orders.launchworthy("verify-record", "--trust", platform.trust).stdout
    [record_id] = re.findall(r"lwr1-[0-9a-f]{32}", told)[:1]
    folder = tmp_path / "platform"
    folder.mkdir()
    for file in platform.trust.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    trust = folder / "trust.toml"
    (tmp_path / "world").mkdir()
    with in_rehearsal(orders, tmp_path / "world", trust) as world:
        server = world.server("orders", python=str(orders.python))
        with server:
            trust.write_text(f'{trust.read_text()}[revoked]\nrecords = ["{record_id}"]\n')
            assert server.wait(timeout=60) == 78
        types = [json.loads(line)["type"] for line in _audit_lines(world)]
        assert types.count("launchworthy.promotion.revoked.v1") == 1
        assert types.index("launchworthy.promotion.revoked.v1") < types.index(
            "launchworthy.server.stopping.v1"
        )
        with pytest.raises(NotStarted) as ended, world.server("orders", python=str(orders.python)):
            pass
    assert ended.value.exit_code == 78
    assert '"reason":"record-revoked"' in ended.value.stderr.replace(" ", "")


def _audit_lines(world: World) -> list[str]:
    return [
        line
        for file in sorted(world.audit_directory.glob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]


@pytest.mark.usefixtures("wheel")
def test_a_wheel_that_was_promoted_for_rehearsals_does_not_start_in_production(
    orders: PromotedOrders, tmp_path: Path
) -> None:
    variables = environ(
        LAUNCHWORTHY_ENVIRONMENT="production", LAUNCHWORTHY_AUDIT__DIRECTORY=str(tmp_path / "audit")
    )
    done = subprocess.run(
        [orders.python, "-m", "orders"], cwd=tmp_path, env=variables, check=False, capture_output=True
    )
    assert (done.returncode, json.loads(done.stderr.splitlines()[0])["stage"]) == (78, "record")


@pytest.mark.usefixtures("wheel")
def test_a_record_with_one_other_byte_does_not_start(
    orders: PromotedOrders, platform: Platform, tmp_path: Path
) -> None:
    [record] = orders.python.parents[1].glob("lib/*/site-packages/orders-*.dist-info/extra_metadata/*.json")
    good = record.read_text()
    middle = good.index('"payload"') + 400
    record.unlink()  # it may be a hard link into a cache
    record.write_text(good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :])
    try:
        with (
            in_rehearsal(orders, tmp_path, platform.trust) as world,
            pytest.raises(NotStarted) as ended,
            world.server("orders", python=str(orders.python)),
        ):
            pass
    finally:
        record.write_text(good)
    assert ended.value.exit_code == 78
    assert json.loads(ended.value.stderr.splitlines()[0])["stage"] == "record"


@pytest.mark.usefixtures("attested")
def test_an_edited_manifest_is_not_built(orders: PromotedOrders, platform: Platform) -> None:
    manifest = orders.root / "manifests" / "tools.toml"
    good = manifest.read_text()
    orders.edit("manifests/tools.toml", '"orders:refund"', '"orders:write"')
    try:
        done = orders.build(platform.trust)
    finally:
        manifest.write_text(good)
    assert done.returncode != 0
    assert "manifests/tools.toml" in done.stderr
    assert orders.build(platform.trust).returncode == 0  # the positive twin


@pytest.mark.usefixtures("attested")
def test_a_record_that_cannot_be_written_is_a_refusal(orders: PromotedOrders, platform: Platform) -> None:
    blocked = orders.root / "dist/promotion/sbom.cdx.json"
    blocked.unlink()
    blocked.mkdir()
    try:
        done = attest(orders, platform)
    finally:
        blocked.rmdir()
    assert (done.returncode, "record-not-written" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert attest(orders, platform).returncode == 0  # the positive twin


@pytest.mark.usefixtures("attested")
def test_another_promoter_signs_nothing(orders: PromotedOrders, platform: Platform, tmp_path: Path) -> None:
    stranger = SimulatedAuthority(clock=time.time)
    with WorkloadApi(stranger, "promoter") as agent:
        foreign = Platform(trust=platform.trust, endpoint=agent.endpoint, promoter=platform.promoter)
        done = attest(orders, foreign)
        own = Platform(trust=write_trust(tmp_path / "own", stranger), endpoint=agent.endpoint, promoter="")
        assert attest(orders, own).returncode == 0  # the positive twin: where it is trusted, it signs
        assert attest(orders, platform).returncode == 0
    assert done.returncode == 1
    assert "record-not-trusted" in done.stderr


@pytest.mark.usefixtures("attested")
def test_where_stamps_are_required_a_record_has_one_and_builds(
    orders: PromotedOrders, platform: Platform, tmp_path: Path
) -> None:
    with SimulatedTimeStamps(clock=time.time) as stamps:
        dated = ask_for_stamps(tmp_path / "platform", platform, stamps)
        unstamped = orders.build(dated.trust)
        assert (unstamped.returncode != 0, "record-not-stamped" in unstamped.stderr) == (True, True)
        done = attest(orders, dated)
        assert (done.returncode, "stamped at 20" in done.stdout) == (0, True), done.stderr
    silent = attest(orders, dated)
    assert (silent.returncode, "not-stamped" in silent.stderr) == (1, True)
    verified = orders.launchworthy("verify-record", "--trust", dated.trust)
    assert (verified.returncode, "stamped   at 20" in verified.stdout) == (0, True), verified.stderr
    assert orders.build(dated.trust).returncode == 0
    assert attest(orders, platform).returncode == 0  # and one without, where nobody asks for it


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('"verdict": "cleared"', '"verdict": "held"', "report-not-cleared"),
        ('"partial": false', '"partial": true', "report-partial"),
        ('"control": "TOK-04"', '"control": "TOK-99"', "report-of-another-catalogue"),
        ('"status": "pass"', '"status": "fail"', "report-not-cleared"),
        ('"holds": true', '"holds": false', "report-malformed"),
        ('"environment": "rehearsal"', '"environment": "staging"', "report-of-another"),
        ('"commit": "', '"commit": 7, "x": "', "report-malformed"),
    ],
)
@pytest.mark.usefixtures("attested")
def test_a_report_that_was_edited_is_not_signed(  # noqa: PLR0917
    orders: PromotedOrders, platform: Platform, tmp_path: Path, before: str, after: str, reason: str
) -> None:
    text = orders.report.read_text()
    assert before in text
    edited = tmp_path / "report.json"
    edited.write_text(text.replace(before, after, 1))
    done = attest(orders, platform, report=edited)
    assert done.returncode == 1
    assert reason in done.stderr


@pytest.mark.usefixtures("attested")
def test_a_report_of_another_commit_is_not_signed(orders: PromotedOrders, platform: Platform, tmp_path: Path) -> None:  # fmt: skip  # noqa: E501
    said = json.loads(orders.report.read_text())
    said["facts"]["git-commit"] = "0" * 40
    edited = tmp_path / "report.json"
    edited.write_text(json.dumps(said))
    done = attest(orders, platform, report=edited)
    assert (done.returncode, "report-of-another-tree" in done.stderr) == (1, True)


def test_where_people_approve_nothing_is_signed_without_them(
    orders: PromotedOrders, platform: Platform, report: dict[str, object], tmp_path: Path
) -> None:
    assert report["verdict"] == "cleared"
    company = Company(issuer=SimulatedIssuer({"https://x.invalid": ()}))
    with company.issuer:
        asking = ask_people(tmp_path / "platform", platform, company)
        where = ("--endpoint", asking.endpoint, "--trust", asking.trust)
        copied = tmp_path / "report.json"
        copied.write_bytes(orders.report.read_bytes())
        refused = orders.launchworthy("attest", copied, *where)
        assert (refused.returncode, "approved this lock" in refused.stderr) == (1, True), refused.stderr
        now = int(time.time())
        lock = lock_matter((orders.root / "launchworthy.lock").read_bytes())
        company.approve(tmp_path, lock, iat=now, exp=now + 60)
        refused = orders.launchworthy("attest", copied, *where)
        assert (refused.returncode, "approved this report" in refused.stderr) == (1, True), refused.stderr

        matter = report_matter(copied.read_bytes(), copied, Environment.REHEARSAL)
        author = company.approve(tmp_path, matter, email="x@x.invalid", iat=now, exp=now + 60)
        refused = orders.launchworthy("attest", copied, *where)
        assert (refused.returncode, "approver-wrote-it" in refused.stderr) == (1, True), refused.stderr
        author.unlink()

        company.approve(tmp_path, matter, iat=now, exp=now + 60)
        done = orders.launchworthy("attest", copied, *where)
        assert done.returncode == 0, done.stderr
        assert "approved  by lead@acme.example" in done.stdout
        assert orders.launchworthy("verify-record", "--trust", asking.trust).returncode == 0

        copied.write_bytes(copied.read_bytes().replace(b'"started_at": 1', b'"started_at":  1'))
        refused = orders.launchworthy("attest", copied, *where)
        assert (refused.returncode, "not-approved" in refused.stderr) == (1, True), refused.stderr

    assert attest(orders, platform).returncode == 0  # and one without an approval, where nobody asks
    unapproved = orders.launchworthy("verify-record", "--trust", asking.trust)
    assert (unapproved.returncode, "record-not-approved" in unapproved.stderr) == (1, True)


def ask_for_stamps(folder: Path, platform: Platform, stamps: SimulatedTimeStamps) -> Platform:
    """The same platform, whose trust policy requires time stamps."""
    folder.mkdir()
    for file in platform.trust.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "stamps.pem").write_bytes(stamps.root_pem)
    trust = folder / "trust.toml"
    asked = f'time_stamp_authorities = [{{ url = "{stamps.url}", roots = ["stamps.pem"] }}]'
    trust.write_text(trust.read_text().replace('stamp = "none"', f'stamp = "required"\n{asked}', 1))
    return Platform(trust=trust, endpoint=platform.endpoint, promoter=platform.promoter)


def ask_people(folder: Path, platform: Platform, company: Company) -> Platform:
    """The same platform, whose trust policy asks people of this company."""
    folder.mkdir()
    for file in platform.trust.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    trust = folder / "trust.toml"
    people = f'{{ issuer = "{company.issuer.issuer}", client = "{CLIENT}", groups = ["{LEADS}"] }}'
    trust.write_text(trust.read_text().replace("stamp =", f"approvers = {people}\nstamp =", 1))
    return Platform(trust=trust, endpoint=platform.endpoint, promoter=platform.promoter)
