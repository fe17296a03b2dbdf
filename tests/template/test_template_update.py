"""An update brings what is new, keeps what a team wrote, and never hides a conflict."""

import re
from pathlib import Path

import copier
import pytest
import yaml
from rendering import ORDERS, copy_template, files_of, git, render_into

MINE = '  "humanize>=4",\n'
SOURCES = '\n[tool.uv.sources]\nlaunchworthy = { path = ".launchworthy/wheels/launchworthy.whl" }\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The template in a repository of its own, released twice: v1.0.0, and v1.1.0 with some news."""
    source = copy_template(tmp_path / "repository")
    git(source, "init", "--quiet")
    _release(source, "1.0.0")
    for name, old, new in (
        ("template/Dockerfile.jinja", "EXPOSE 8443 8081\n", 'EXPOSE 8443 8081\nLABEL news="yes"\n'),
        ("template/src/{{ package }}/tools.py.jinja", "def refund_order", "def undo_order"),
        ("template/manifests/tools.toml", "refund_order", "undo_order"),
        ("template/.github/workflows/ci.yml", "timeout-minutes: 15", "timeout-minutes: 20"),
    ):
        text = (source / name).read_text()
        assert old in text
        (source / name).write_text(text.replace(old, new))
    (source / "template" / "NEWS.md").write_text("News.\n")
    _release(source, "1.1.0")
    return source


def _release(source: Path, version: str) -> None:
    (source / "framework" / "launchworthy" / "_version.py").write_text(f'__version__ = "{version}"\n')
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", version)
    git(source, "tag", f"v{version}")


def _start(source: Path, project: Path, ref: str) -> None:
    render_into(source, project, ORDERS, ref=ref)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "from the template")


def _work(project: Path) -> None:
    """What a team does: tools, a dependency, a line in a managed file, a file thrown away."""
    tools = project / "src" / "orders" / "tools.py"
    tools.write_text(tools.read_text().replace("newest first", "the newest first"))
    settings = project / "pyproject.toml"
    settings.write_text(
        settings.read_text().replace("Yours: below this line.\n", f"Yours: below this line.\n{MINE}")
        + SOURCES
    )
    dockerfile = project / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "STOPSIGNAL SIGTERM\n")
    (project / ".pre-commit-config.yaml").unlink()
    (project / "src" / "orders" / "stock.py").write_text('"""Ours."""\n')
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "our work")


def _update(project: Path, ref: str) -> str:
    copier.run_update(project, vcs_ref=ref, defaults=True, overwrite=True, quiet=True)
    return git(project, "status", "--porcelain")


def test_an_update_brings_the_news_and_keeps_the_work(repository: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    _start(repository, project, "v1.0.0")
    assert '"launchworthy~=1.0.0"' in (project / "pyproject.toml").read_text()
    _work(project)
    status = _update(project, "v1.1.0")
    files = files_of(project)
    assert not re.search(r"^(AA|DD|U.|.U) |\.rej$", status, re.MULTILINE), status
    settings = files["pyproject.toml"].decode()
    assert settings.count('"launchworthy~=1.1.0"') == 2
    assert "~=1.0.0" not in settings
    assert MINE in settings
    assert settings.endswith(SOURCES)
    assert b'LABEL news="yes"' in files["Dockerfile"]
    assert b"STOPSIGNAL SIGTERM" in files["Dockerfile"]
    assert b"timeout-minutes: 20" in files[".github/workflows/ci.yml"]
    assert "NEWS.md" in files
    assert ".pre-commit-config.yaml" not in files
    assert b"the newest first" in files["src/orders/tools.py"]
    assert b"undo_order" not in files["src/orders/tools.py"] + files["manifests/tools.toml"]
    assert "src/orders/stock.py" in files
    answers = yaml.safe_load(files[".copier-answers.yml"])
    assert answers["_commit"] == "v1.1.0"
    assert {name: answers[name] for name in ORDERS if name in answers} == {
        name: value for name, value in ORDERS.items() if name != "trust_domain"
    }


def test_a_conflict_can_be_seen_in_the_status(repository: Path, tmp_path: Path) -> None:
    """The twin of the test above: `copier update` ends well here too, so others have to look."""
    project = tmp_path / "project"
    _start(repository, project, "v1.0.0")
    dockerfile = project / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("EXPOSE 8443 8081\n", "EXPOSE 9000\n"))
    git(project, "commit", "--quiet", "--all", "--message", "another port")
    assert re.search(r"^UU Dockerfile$", _update(project, "v1.1.0"), re.MULTILINE)


def test_an_update_to_the_same_version_changes_nothing(repository: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    _start(repository, project, "v1.1.0")
    _work(project)
    assert _update(project, "v1.1.0") == ""
