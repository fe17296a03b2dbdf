"""Fresh copies of the project, and the framework as a hatch plugin."""

import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from orders_project import FILES, PROMOTER, REPOSITORY, Project, present, write_trust
from promoters import DAY, Authority


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What tells hatchling of the hook: the entry points of pyproject.toml, as an installer writes them."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    directory = tmp_path_factory.mktemp("plugin")
    info = directory / "launchworthy-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: launchworthy\nVersion: 0.1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["hatch"].items())
    (info / "entry_points.txt").write_text(f"[hatch]\n{lines}")
    return directory


@pytest.fixture(scope="session")
def authority() -> Authority:
    now = present()
    return Authority(domain="dev.invalid", not_before=now - 100 * DAY, not_after=now + 100 * DAY)


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Project:
    root = tmp_path_factory.mktemp("committed")
    project = Project(root=root, trust_file=root / "none", authority=authority)
    for path, text in FILES.items():
        project.write(path, text)
    project.git("init", "--quiet", "-b", "main")
    project.commit()
    return project


@pytest.fixture
def project(
    tmp_path: Path, committed: Project, plugin_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A fresh copy, promoted by nobody, that `Project.build` can build."""
    monkeypatch.syspath_prepend(str(plugin_path))
    monkeypatch.delenv("LAUNCHWORTHY_BUILD", raising=False)
    shutil.copytree(committed.root, tmp_path / "orders", symlinks=True)
    trust_file = write_trust(
        tmp_path / "trust", committed.authority, environment="rehearsal", promoter=PROMOTER
    )
    return replace(committed, root=tmp_path / "orders", trust_file=trust_file)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a build that must be refused for these reasons, and leave no wheel; what it printed."""

    def check(project: Project, *reasons: str, environment: str = "rehearsal", **variables: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            project.build(environment, **variables)
        printed = capsys.readouterr().err
        assert caught.value.code == 1
        found = [line.split("[")[1][:-1] for line in printed.splitlines() if line.startswith("launchworthy:")]
        assert found == list(reasons), printed
        assert project.wheels() == []
        return printed

    return check
