"""What a person gets wrong around copying and updating: a plain sentence each, and nothing damaged."""

import shutil
import subprocess
import sys
from pathlib import Path

import copier
import pytest
from copier.errors import UserMessageError
from rendering import ORDERS, ROOT, files_of, git, render_into

from conftest import Render

BIN = Path(sys.executable).parent


def new(where: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python3 noxfile.py -s new -- WHERE`, in an environment that has what the session would install."""
    command = [
        BIN / "nox",
        "--no-venv",
        "--no-install",
        "-f",
        ROOT / "noxfile.py",
        "-s",
        "new",
        "--",
        str(where),
    ]
    known = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(where.parent), **environ}
    options = {"cwd": where.parent, "env": known, "stdin": subprocess.DEVNULL, "text": True}
    return subprocess.run(command, check=False, capture_output=True, **options)


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "README.md").write_text("mine")
    done = new(there)
    assert done.returncode == 1
    assert "is there, and not empty: name a new folder; nothing was changed" in done.stderr
    assert files_of(there) == {"README.md": b"mine"}
    (tmp_path / "file").write_text("mine")
    assert "is there, and not empty" in new(tmp_path / "file").stderr


def test_copier_itself_overwrites_nothing_that_is_there(tmp_path: Path, template: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    mine = {"README.md": b"mine", "pyproject.toml": b"mine"}
    for name, text in mine.items():
        (there / name).write_bytes(text)
    command = [BIN / "copier", "copy", "--vcs-ref=HEAD", "--defaults", template, there]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    kept = files_of(there)
    assert {name: kept[name] for name in mine} == mine


def test_without_git_a_new_project_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    done = new(tmp_path / "orders", PATH=str(tmp_path / "bin"))
    assert done.returncode == 1
    assert "git and a clone of this repository are needed" in done.stderr
    assert not (tmp_path / "orders").exists()


def test_without_a_place_a_new_project_says_how_to_name_one(tmp_path: Path) -> None:
    command = [BIN / "nox", "--no-venv", "--no-install", "-f", ROOT / "noxfile.py", "-s", "new"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "say where: python3 noxfile.py -s new -- ../my-server" in done.stderr


def test_an_old_copier_is_told_which_one_is_needed(tmp_path: Path, template: Path) -> None:
    """The version that is installed is made the old one, by asking for one that nobody has yet."""
    source = tmp_path / "template"
    shutil.copytree(template, source, ignore=shutil.ignore_patterns(".git"))
    settings = (source / "copier.yml").read_text()
    assert '_min_copier_version: "9.19.0"' in settings
    (source / "copier.yml").write_text(settings.replace('"9.19.0"', '"99.0.0"'))
    with pytest.raises(UserMessageError, match=r"requires Copier version >= 99\.0\.0, while your version"):
        render_into(source, tmp_path / "project", ORDERS)
    assert not (tmp_path / "project").exists()


@pytest.fixture
def project(tmp_path: Path, render: Render) -> Path:
    copied = tmp_path / "orders"
    shutil.copytree(render("orders"), copied)
    git(copied, "init", "--quiet")
    git(copied, "add", "--all")
    git(copied, "commit", "--quiet", "--message", "from the template")
    return copied


def test_a_dirty_project_is_not_updated(project: Path) -> None:
    (project / "Dockerfile").write_text("mine")
    before = files_of(project)
    with pytest.raises(UserMessageError, match="is dirty; cannot continue"):
        copier.run_update(project, vcs_ref="HEAD", defaults=True, overwrite=True, quiet=True)
    assert files_of(project) == before


def test_a_project_outside_git_is_not_updated(project: Path) -> None:
    shutil.rmtree(project / ".git")
    before = files_of(project)
    with pytest.raises(UserMessageError, match="only supported in git-tracked"):
        copier.run_update(project, vcs_ref="HEAD", defaults=True, overwrite=True, quiet=True)
    assert files_of(project) == before


def test_an_older_template_is_not_taken(tmp_path: Path, template: Path) -> None:
    source = tmp_path / "template"
    shutil.copytree(template, source)
    git(source, "tag", "v0.1.0")
    git(source, "commit", "--quiet", "--allow-empty", "--message", "later")
    git(source, "tag", "v0.2.0")
    project = render_into(source, tmp_path / "orders", ORDERS, ref="v0.2.0")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "from the template")
    before = files_of(project)
    with pytest.raises(UserMessageError, match=r"You are downgrading from 0\.2\.0 to 0\.1\.0"):
        copier.run_update(project, vcs_ref="v0.1.0", defaults=True, overwrite=True, quiet=True)
    assert files_of(project) == before
