"""`launchworthy migrate` refuses what git could not take back, says what is in the way, spoils nothing."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launchworthy._version import __version__
from launchworthy.attestation.git import Git
from launchworthy.cli.main import app
from launchworthy.migration.carrying_out import carry_out, tracked_texts
from launchworthy.migration.news import keep_note, news
from launchworthy.migration.plan import plan
from launchworthy.migration.releases import Release
from launchworthy.migration.steps import KeyRename, Move, Step

STEPS = (
    Step(
        release=Release(0, 2, 0),
        why="a reason",
        moves=(Move(before="policy/rules.cedar", after="policy/team/rules.cedar"),),
        keys=(KeyRename(files="config/*.toml", table=("server",), before="old", after="new"),),
    ),
)
PIN = '[project]\ndependencies = [\n  "launchworthy~=0.2.0",\n]\n'
WHEEL = ".launchworthy/wheels/launchworthy-0.1.0-py3-none-any.whl"
LENT = f'\n[tool.uv.sources]\nlaunchworthy = {{ path = "{WHEEL}" }}\n'


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=team", "-c", "user.email=team@orders.invalid", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template's repository with one release: the one of this framework."""
    repository = tmp_path / "template"
    repository.mkdir()
    git(repository, "init", "--quiet")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(repository, "tag", f"v{__version__}")
    return repository


@pytest.fixture
def project(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "orders"
    for path, text in {
        "manifests/server.toml": 'name = "orders"\n',
        "src/orders/__main__.py": "",
        "policy/rules.cedar": "// ours\n",
        "config/production.toml": "[server]\nold = 1  # kept\n",
        ".copier-answers.yml": f"_commit: v{__version__}\n_src_path: {template}\nname: orders\n",
        ".gitignore": ".launchworthy/\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "ours")
    monkeypatch.chdir(root)
    return root


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["migrate", *arguments])


@pytest.mark.usefixtures("project")
def test_a__as_it_should_be_has_nothing_to_do():
    for arguments in ([], ["--dry-run"]):
        done = migrate(*arguments)
        assert done.exit_code == 0, done.output
        assert "nothing to migrate" in done.stdout


def test_steps_are_carried_out_so_that_git_shows_and_takes_back_all_of_it(project):
    held = Git(project, {"PATH": "/usr/bin:/bin"})
    carry_out(held, project, plan(STEPS, tracked_texts(held, project)))
    assert (project / "policy" / "team" / "rules.cedar").read_text() == "// ours\n"
    assert (project / "config" / "production.toml").read_text() == "[server]\nnew = 1  # kept\n"
    status = git(project, "status", "--porcelain").splitlines()
    assert sorted(status) == [" M config/production.toml", "R  policy/rules.cedar -> policy/team/rules.cedar"]
    assert plan(STEPS, tracked_texts(held, project)).says == ()
    git(project, "reset", "--quiet", "--hard")
    assert (project / "policy" / "rules.cedar").is_file()


def test_a_project_in_a_folder_of_a_larger_repository_is_migrated_alone(project, tmp_path):
    larger = tmp_path / "larger"
    larger.mkdir()
    git(larger, "init", "--quiet")
    project.rename(larger / "orders")
    (larger / "orders" / ".git").rename(tmp_path / "unused")
    (larger / "policy").mkdir()
    (larger / "policy" / "rules.cedar").write_text("// of others\n")
    git(larger, "add", "--all")
    git(larger, "commit", "--quiet", "--message", "all")
    held = Git(larger / "orders", {"PATH": "/usr/bin:/bin"})
    carry_out(held, larger / "orders", plan(STEPS, tracked_texts(held, larger / "orders")))
    assert (larger / "orders" / "policy" / "team" / "rules.cedar").is_file()
    assert (larger / "policy" / "rules.cedar").read_text() == "// of others\n"


def test_a_link_is_not_written_through(project, tmp_path):
    outside = tmp_path / "outside.toml"
    outside.write_text("[server]\nold = 1\n")
    (project / "config" / "linked.toml").symlink_to(outside)
    git(project, "add", "--all")
    held = Git(project, {"PATH": "/usr/bin:/bin"})
    assert "config/linked.toml" not in plan(STEPS, tracked_texts(held, project)).texts


@pytest.mark.parametrize("arguments", [[], ["--upgrade=next"]])
def test_a_dirty_tree_is_refused_and_left_as_it_is(project, arguments):
    (project / "config" / "production.toml").write_text("[server]\nmine = 1\n")
    done = migrate(*arguments)
    assert (done.exit_code, "tree-not-clean" in done.stderr) == (2, True)
    assert "config/production.toml" in done.stderr
    assert git(project, "status", "--porcelain") == " M config/production.toml\n"
    assert migrate("--upgrade=locked").exit_code == 0


def test_a_file_that_git_does_not_know_makes_a_tree_dirty_too(project):
    (project / "new.txt").write_text("mine")
    assert "new.txt" in migrate().stderr
    assert migrate().exit_code == 2


def test_a_project_outside_git_is_told_why_it_must_not_be(project, tmp_path):
    (project / ".git").rename(tmp_path / "elsewhere")
    done = migrate()
    assert (done.exit_code, "no-git" in done.stderr) == (2, True)
    assert "taken back" in done.stderr


@pytest.mark.parametrize("text", ["", "name: orders\n", "[", "_commit: v0.1.0\n"])
def test_answers_that_name_no_template_are_refused(project, text):
    (project / ".copier-answers.yml").write_text(text)
    done = migrate()
    assert (done.exit_code, "no-template" in done.stderr) == (2, True)


def test_a_framework_that_is_older_than_the_template_is_refused(project, template):
    (project / ".copier-answers.yml").write_text(f"_commit: v99.0.0\n_src_path: {template}\n")
    for arguments in ([], ["--upgrade=next"], ["--upgrade=locked"]):
        done = migrate(*arguments)
        assert (done.exit_code, "template-newer" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("v0.0.1", "template-downgrade"),
        ("v9.0.0", "template-not-released"),
        ("main", "template-not-released"),
    ],
)
@pytest.mark.usefixtures("project")
def test_an_upgrade_to_what_is_older_or_not_there_is_refused(to, reason):
    done = migrate("--upgrade=next", f"--to={to}")
    assert (done.exit_code, reason in done.stderr) == (2, True)
    assert done.stdout == ""


def test_a_template_that_cannot_be_reached_is_named(project, tmp_path):
    (project / ".copier-answers.yml").write_text(f"_commit: v0.1.0\n_src_path: {tmp_path}/nowhere\n")
    git(project, "commit", "--quiet", "--all", "--message", "moved")
    done = migrate("--upgrade=next")
    assert (done.exit_code, "template-not-reached" in done.stderr) == (2, True)


@pytest.mark.parametrize("source", ["ext::sh -c 'touch owned'", "--upload-pack=touch owned"])
def test_a_source_cannot_make_git_run_something(project, source):
    (project / ".copier-answers.yml").write_text(f'_commit: v0.1.0\n_src_path: "{source}"\n')
    git(project, "commit", "--quiet", "--all", "--message", "evil")
    assert migrate("--upgrade=next").exit_code == 2
    assert not (project / "owned").exists()


@pytest.mark.usefixtures("project")
def test_the_next_release_is_the_only_thing_that_is_printed(template):
    assert migrate("--upgrade=next").stdout == "\n"
    later = f"v{__version__.rpartition('.')[0]}.99"
    git(template, "tag", later)
    done = migrate("--upgrade=next")
    assert (done.exit_code, done.stdout) == (0, f"{later}\n")


@pytest.mark.usefixtures("project")
def test_a_template_without_a_release_is_taken_as_it_is(template):
    git(template, "tag", "--delete", f"v{__version__}")
    assert migrate("--upgrade=next").stdout == git(template, "rev-parse", "HEAD")


def test_a_conflict_is_named_until_it_is_resolved(project):
    (project / "pyproject.toml").write_text(PIN)
    (project / "Dockerfile.rej").write_text("what did not fit")
    for arguments in (["--upgrade=merged"], ["--upgrade=locked"], []):
        done = migrate(*arguments)
        assert (done.exit_code, "not-merged" in done.stderr) == (2, True)
        assert "Dockerfile.rej" in done.stderr
    (project / "Dockerfile.rej").unlink()
    assert migrate("--upgrade=merged").exit_code == 0


def test_lines_that_both_changed_are_a_conflict(project):
    git(project, "switch", "--quiet", "--create", "other")
    (project / "policy" / "rules.cedar").write_text("// theirs\n")
    git(project, "commit", "--quiet", "--all", "--message", "theirs")
    git(project, "switch", "--quiet", "main")
    (project / "policy" / "rules.cedar").write_text("// ours too\n")
    git(project, "commit", "--quiet", "--all", "--message", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(project, "merge", "--quiet", "other")
    done = migrate("--upgrade=merged")
    assert (done.exit_code, "policy/rules.cedar" in done.stderr) == (2, True)


def test_the_lent_framework_is_the_newest_that_the_pin_takes(project):
    wheels = project / ".launchworthy" / "wheels"
    wheels.mkdir(parents=True)
    settings = project / "pyproject.toml"
    settings.write_text(PIN + LENT)
    done = migrate("--upgrade=merged")
    assert (done.exit_code, "framework-not-lent" in done.stderr) == (2, True)
    assert settings.read_text() == PIN + LENT
    for version in ("0.1.9", "0.2.0", "0.2.3", "0.3.0"):
        (wheels / f"launchworthy-{version}-py3-none-any.whl").touch()
    done = migrate("--upgrade=merged")
    assert done.exit_code == 0, done.stderr
    assert settings.read_text() == PIN + LENT.replace("0.1.0", "0.2.3")
    assert migrate("--upgrade=merged").stdout == ""


def test_a_released_framework_needs_no_wheel(project):
    (project / "pyproject.toml").write_text(PIN)
    assert migrate("--upgrade=merged").exit_code == 0


def test_what_production_asks_now_is_told_once(tmp_path):
    keep_note(tmp_path, version="0.1.0", controls={"A-01": "one", "A-02": "two", "A-03": "three"})
    told = list(
        news(tmp_path, version="0.2.0", controls={"A-01": "one", "A-02": "otherwise", "A-04": "four"})
    )
    assert told == [
        "launchworthy 0.1.0 → 0.2.0: 3 controls, 3 before",
        "  ~ A-02  otherwise",
        "  - A-03  three",
        "  + A-04  four",
    ]
    assert list(news(tmp_path, version="0.2.0", controls={})) == []


def test_a_note_that_was_spoilt_says_nothing(tmp_path):
    keep_note(tmp_path, version="0.1.0", controls={})
    (tmp_path / ".launchworthy" / "upgrade.json").write_text("[]")
    assert list(news(tmp_path, version="0.1.0", controls={})) == []
