"""Real builds of a real project: what a wheel holds, and which wheels are never made."""

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from orders_project import PROMOTER, Project, present, write_trust
from promoters import DAY, Authority

from launchworthy.attestation import Subject
from launchworthy.attestation.content import wheel_content_digest
from launchworthy.vocabulary import Environment

Refused = Callable[..., str]


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_wheel_holds_the_declarations_and_says_that_nobody_promoted_it(project: Project) -> None:
    inside = contents(project.build())
    declared = {path for path in inside if path.startswith("orders/_launchworthy/")}
    assert {path.removeprefix("orders/_launchworthy/") for path in declared} == {
        "manifests/server.toml",
        "manifests/tools.toml",
        "policy/rules.cedar",
        "policy/more/rules.cedar",
        "config/staging.toml",
        "config/production.toml",
        "promotion.toml",
        "launchworthy.lock",
        "uv.lock",
    }
    assert json.loads(inside["orders-0.3.1.dist-info/extra_metadata/unpromoted.json"])["promoted"] is None


def test_a_promoted_wheel_carries_its_record_and_is_otherwise_the_rehearsed_one(project: Project) -> None:
    rehearsed = project.build()
    before, digest = contents(rehearsed), wheel_content_digest(rehearsed)
    record = project.promote().read_bytes()
    wheel = project.build("rehearsal")
    after = contents(wheel)
    metadata = "orders-0.3.1.dist-info/"
    assert after.pop(f"{metadata}extra_metadata/record-rehearsal.dsse.json") == record
    before.pop(f"{metadata}extra_metadata/unpromoted.json")
    assert after.pop(f"{metadata}RECORD") != before.pop(f"{metadata}RECORD")
    assert before == after
    assert wheel_content_digest(wheel) == digest


def test_a_build_is_reproducible(project: Project) -> None:
    first = project.build().read_bytes()
    os.utime(project.root / "src/orders/tools.py", (1, 1))
    assert project.build().read_bytes() == first


def test_without_a_record_there_is_no_wheel(project: Project, refused: Refused) -> None:
    said = refused(project, "no-record")
    commit = project.git("rev-parse", "HEAD")[:7]
    assert (
        f"a rehearsal build of commit {commit} needs a promotion record, and dist/promotion has none" in said
    )
    project.promote()
    assert project.build("rehearsal").exists()


def test_an_edited_manifest_is_refused_dirty_and_committed(project: Project, refused: Refused) -> None:
    project.promote()
    assert project.build("rehearsal").exists()
    (project.root / "dist" / project.wheels()[0]).unlink()
    project.write("manifests/tools.toml", '[tools.find_orders]\nscopes = ["orders:all"]\n')
    assert "manifests/tools.toml" in refused(project, "tree-not-clean")
    project.commit()
    said = refused(project, "record-for-another-commit", "record-for-other-files")
    assert "`manifests/`" in said


def test_another_commit_with_the_same_tree_is_refused(project: Project, refused: Refused) -> None:
    project.promote()
    tree = project.git("rev-parse", "HEAD^{tree}")
    project.commit()
    assert project.git("rev-parse", "HEAD^{tree}") == tree
    assert "tree" not in refused(project, "record-for-another-commit")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("uv.lock", "`uv.lock`"),
        ("launchworthy.lock", "`launchworthy.lock`"),
        ("manifests/new.toml", "`manifests/`"),
        ("policy/more/rules.cedar", "`policy/`"),
        ("config/production.toml", "`config/`"),
        ("config/staging.toml", "`config/`"),
        ("promotion.toml", "`promotion.toml`"),
    ],
)
def test_each_judged_file_is_compared_by_itself(
    path: str, word: str, project: Project, refused: Refused
) -> None:
    """Even by a record that names this commit and this tree: the same tree with another lock, and so on."""
    before = project.digests()
    project.write(path, "x = 1\n")
    project.commit()
    here = project.digests()
    git = {Subject.COMMIT: here[Subject.COMMIT], Subject.TREE: here[Subject.TREE]}
    project.promote(digests={**before, **git, Subject.WHEEL: here[Subject.WHEEL]})
    assert word in refused(project, "record-for-other-files")
    project.promote(digests=here)
    assert project.build("rehearsal").exists()


def test_a_judged_file_that_no_commit_holds_is_refused(project: Project, refused: Refused) -> None:
    project.promote()
    project.write(".gitignore", "dist/\nuv.lock\n")
    project.git("rm", "--quiet", "--cached", "uv.lock")
    project.commit()
    assert "does not hold `uv.lock`" in refused(project, "tree-not-clean")


def test_a_record_of_another_environment_is_refused(project: Project, refused: Refused) -> None:
    record = project.promote(environment=Environment.STAGING)
    record.rename(record.with_name("record-rehearsal.dsse.json"))
    refused(project, "record-for-another-environment")


def test_foreign_authorities_workloads_and_dead_certificates_are_refused(
    project: Project, refused: Refused
) -> None:
    digests, now = project.digests(), present()
    foreign = Authority(domain="dev.invalid", not_before=now - DAY, not_after=now + DAY)
    for signer in (
        foreign.signer(PROMOTER),
        project.signer("spiffe://dev.invalid/another"),
        project.authority.signer(PROMOTER, not_before=now - 7200, not_after=now - 3600),
    ):
        project.promote(digests=digests, signer=signer)
        refused(project, "record-not-trusted")
    project.promote(digests=digests)
    assert project.build("rehearsal").exists()


def test_an_altered_record_is_refused(project: Project, refused: Refused) -> None:
    record = project.promote()
    envelope = json.loads(record.read_bytes())
    payload = envelope["payload"]
    other = json.loads(project.promote(framework="0.2.0").read_bytes())["payload"]
    record.write_text(json.dumps({**envelope, "payload": other}))
    refused(project, "record-altered")
    record.write_text(json.dumps({**envelope, "payload": payload}))
    assert project.build("rehearsal").exists()


def test_a_revoked_and_an_expired_record_are_refused(project: Project, refused: Refused) -> None:
    digests, now = project.digests(), present()
    signer = project.authority.signer(PROMOTER, not_before=now - 50 * DAY, not_after=now)
    dates = {"signed_at": now - 20 * DAY, "run_until": now + 40 * DAY}
    project.promote(digests=digests, signer=signer, build_until=now - 60, **dates)
    refused(project, "record-expired")
    project.promote(digests=digests)
    more = f'[revoked]\nsigners = ["{PROMOTER}"]\n'
    write_trust(
        project.trust_file.parent, project.authority, environment="rehearsal", promoter=PROMOTER, more=more
    )
    refused(project, "record-revoked")


def test_a_trust_policy_in_the_tree_is_refused(project: Project, refused: Refused) -> None:
    """A promoter that was added in the tree, even committed, even behind a link."""
    inside = write_trust(
        project.root / "deploy", project.authority, environment="rehearsal", promoter=PROMOTER
    )
    project.commit()
    project.promote()
    assert project.build("rehearsal").exists()
    (project.root / "dist" / project.wheels()[0]).unlink()
    refused(replace(project, trust_file=inside), "trust-policy-in-project")
    link = project.trust_file.with_name("link.toml")
    link.symlink_to(inside)
    refused(replace(project, trust_file=link), "trust-policy-in-project")


def test_without_a_trust_policy_there_is_no_wheel(project: Project, refused: Refused) -> None:
    project.promote()
    refused(replace(project, trust_file=project.trust_file.with_name("none.toml")), "trust-policy-missing")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put a trust policy where it cannot write it")
def test_a_production_wheel_needs_a_real_promoter(project: Project, refused: Refused) -> None:
    now = present()
    acme = Authority(not_before=now - DAY, not_after=now + DAY)
    promoter = "spiffe://acme.example/ci/orders/release"
    trust = write_trust(project.root.parent / "real", acme, environment="production", promoter=promoter)
    real = replace(project, trust_file=trust, authority=acme)
    digests = project.digests()
    project.promote(environment=Environment.PRODUCTION, digests=digests)
    assert "simulated" in refused(real, "record-not-trusted", environment="production")
    project.promote(environment=Environment.PRODUCTION, digests=digests, signer=real.signer(promoter))
    assert real.build("production").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="for root the question is who owns the file")
def test_a_production_wheel_needs_a_policy_that_this_user_cannot_write(
    project: Project, refused: Refused
) -> None:
    project.promote(environment=Environment.PRODUCTION)
    refused(project, "trust-policy-writable", environment="production")


def test_a_tree_that_changes_during_the_build_leaves_no_wheel(
    project: Project, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first question a tool is edited, or the record is exchanged: the second question finds it."""
    from hatchling.builders.wheel import WheelBuilder

    record = project.promote()
    build = WheelBuilder.build_standard
    seen: list[Path] = []

    def edit() -> None:
        project.write("src/orders/tools.py", "import os\n")

    def edit_and_restore() -> None:
        edit()
        restore.append(lambda: project.git("checkout", "--quiet", "src/orders/tools.py"))

    def exchange() -> None:
        project.git("checkout", "--quiet", "src/orders/tools.py")
        record.write_bytes(b"{}")

    def exchange_and_restore() -> None:
        record.write_bytes(b"{}")
        restore.append(lambda: record.write_bytes(good))

    good = record.read_bytes()
    restore: list[Callable[[], object]] = []
    for change, reason in (
        (edit, "tree-not-clean"),
        (edit_and_restore, "wheel-of-another-tree"),
        (exchange_and_restore, "record-malformed"),
        (exchange, "record-malformed"),
    ):
        project.git("checkout", "--quiet", "src/orders/tools.py")

        def changed(
            builder: WheelBuilder, directory: str, change: Callable[[], None] = change, **build_data: object
        ) -> str:
            change()
            seen.append(Path(build(builder, directory, **build_data)))
            assert seen[-1].exists()
            while restore:
                restore.pop()()
            return str(seen[-1])

        monkeypatch.setattr(WheelBuilder, "build_standard", changed)
        refused(project, reason)
    assert len(seen) == 4


@pytest.mark.parametrize("asked", ["", "prod", "development", "PRODUCTION"])
def test_an_unknown_build_is_refused_and_not_taken_for_none(
    asked: str, project: Project, refused: Refused
) -> None:
    project.promote()
    refused(project, "unknown-build", environment=asked)


def test_a_hook_of_the_projects_own_code_and_an_irreproducible_build_are_refused(
    project: Project, refused: Refused
) -> None:
    hook = "[tool.hatch.build.hooks.launchworthy]\n"
    text = (project.root / "pyproject.toml").read_text()
    interface = "from hatchling.builders.hooks.plugin.interface import BuildHookInterface"
    project.write("hatch_build.py", f"{interface}\nclass Hook(BuildHookInterface):\n    pass\n")
    for change, fits in (
        (hook, True),
        (f"[tool.hatch.build.hooks.custom]\n{hook}", False),
        (f"{hook}[tool.hatch.build.hooks.custom]\n", False),
        (f"[tool.hatch.build]\nreproducible = false\n{hook}", False),
    ):
        project.write("pyproject.toml", text.replace(hook, change))
        project.commit()
        project.promote()
        if fits:
            project.build("rehearsal").unlink()
        else:
            refused(project, "build-not-gateable")


def test_a_gated_sdist_is_refused_and_an_editable_install_is_not_gated(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder
    from hatchling.plugin.manager import PluginManager

    def make(builder: type[WheelBuilder | SdistBuilder], version: str) -> list[str]:
        made = builder(str(project.root), plugin_manager=PluginManager())
        return list(made.build(directory=str(project.root / "dist"), versions=[version]))

    text = (project.root / "pyproject.toml").read_text()
    project.write("pyproject.toml", f'{text}[tool.hatch.build]\ndev-mode-dirs = ["src"]\n')
    assert make(SdistBuilder, "standard")
    monkeypatch.setenv("LAUNCHWORTHY_BUILD", "production")
    with pytest.raises(SystemExit):
        make(SdistBuilder, "standard")
    assert "build-not-gateable" in capsys.readouterr().err
    [editable] = make(WheelBuilder, "editable")
    assert not [path for path in contents(Path(editable)) if "_launchworthy" in path or "promoted" in path]


def test_declarations_cannot_be_smuggled_in_with_the_package(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write("src/orders/_launchworthy/policy/extra.cedar", "// not reviewed\n")
    with pytest.raises(SystemExit):
        project.build()
    assert "declarations-in-package" in capsys.readouterr().err


def test_the_package_may_be_named_and_must_exist(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project.root / "pyproject.toml").read_text()
    project.write("pyproject.toml", text.replace('name = "orders"', 'name = "acme-orders"'))
    with pytest.raises(SystemExit):
        project.build()
    assert "there is no package `acme_orders`" in capsys.readouterr().err
    project.write(
        "pyproject.toml",
        (project.root / "pyproject.toml").read_text()
        + 'package = "orders"\n[tool.hatch.build.targets.wheel]\npackages = ["src/orders"]\n',
    )
    assert "orders/_launchworthy/manifests/tools.toml" in contents(project.build())


def test_a_judged_file_behind_a_link_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    outside = project.root.parent / "elsewhere.cedar"
    outside.write_text("// not in the tree\n")
    (project.root / "policy/link.cedar").symlink_to(outside)
    with pytest.raises(SystemExit):
        project.build()
    assert "file-is-a-link" in capsys.readouterr().err
