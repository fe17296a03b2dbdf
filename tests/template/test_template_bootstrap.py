"""`python3 noxfile.py` needs nothing but Python: its first run makes a nox, here and in every project."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rendering import ROOT

from conftest import Render

NOXFILES = {"this repository": ROOT / "noxfile.py", "a project": ROOT / "template" / "noxfile.py"}
FOREIGN = """
import runpy, sys
sys.modules["nox"] = None
sys.modules["ensurepip"] = None
sys.version_info = ({version}, 0, "final", 0)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(params=NOXFILES)
def noxfile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A noxfile in a folder of its own, beside what it reads."""
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    return Path(shutil.copy(NOXFILES[request.param], tmp_path))


@pytest.fixture(autouse=True)
def _machine_without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


def _start(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Start Python without its installed packages, from another folder."""
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")


@pytest.mark.slow
def test_a_fresh_machine_gets_its_own_nox_once(noxfile: Path) -> None:
    first, second = _start(noxfile, "--list"), _start(noxfile, "--list")
    assert first.returncode == second.returncode == 0, first.stderr
    assert "first run: nox goes into .nox/.bootstrap" in first.stderr
    assert "first run" not in second.stderr
    assert "* tests" in first.stdout
    assert first.stdout == second.stdout
    assert "- nosuch" not in _start(noxfile, "--session", "nosuch").stdout
    assert _start(noxfile, "--session", "nosuch").returncode != 0


def test_where_uv_is_there_it_makes_the_nox_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    assert uv is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(uv)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    noxfile = Path(shutil.copy(NOXFILES["a project"], tmp_path))
    first, second = _start(noxfile, "--list"), _start(noxfile, "--list")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "first run: nox goes into .nox/.bootstrap" in first.stderr
    assert "first run" not in second.stderr
    made = (tmp_path / ".nox" / ".bootstrap" / "pyvenv.cfg").read_text()
    assert "uv = " in made


@pytest.mark.slow
def test_an_interrupted_installation_is_made_anew(noxfile: Path) -> None:
    half = noxfile.parent / ".nox" / ".bootstrap"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").symlink_to(sys.executable)
    ran = _start(noxfile, "--list")
    assert ran.returncode == 0, ran.stderr
    assert "first run" in ran.stderr


@pytest.mark.slow
def test_without_an_index_the_next_run_tries_again(noxfile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIP_NO_INDEX", "UV_OFFLINE"):
        monkeypatch.setenv(variable, "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    ran = _start(noxfile, "--list")
    assert ran.returncode == 1
    assert "the next run tries again" in ran.stderr
    assert not (noxfile.parent / ".nox" / ".bootstrap" / "ready").exists()


@pytest.mark.slow
@pytest.mark.parametrize("package", ["uv", "colorlog"])
def test_a_hash_that_differs_stops_the_installation(package: str, tmp_path: Path) -> None:
    noxfile = Path(shutil.copy(ROOT / "noxfile.py", tmp_path))
    pinned = (ROOT / "constraints.txt").read_text()
    entry = re.search(rf"^{package}==.*\n(?: .*\n)+", pinned, re.MULTILINE)[0]
    forged = re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", entry)
    (tmp_path / "constraints.txt").write_text(pinned.replace(entry, forged))
    ran = _start(noxfile, "--list")
    assert ran.returncode == 1
    assert "nox could not be installed" in ran.stderr


def test_an_old_python_is_named_in_one_line(noxfile: Path) -> None:
    ran = _start("-c", FOREIGN.format(version="3, 10"), noxfile)
    assert ran.returncode == 1
    assert "3.11 or newer" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not (noxfile.parent / ".nox").exists()


def test_a_python_that_cannot_make_environments_is_told_what_to_install(noxfile: Path) -> None:
    ran = _start("-c", FOREIGN.format(version="3, 11"), noxfile)
    assert ran.returncode == 1
    assert "apt install python3-venv" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_an_old_python_can_read_so_far(noxfile: Path) -> None:
    """A syntax error would hide the line that says what is missing."""
    ast.parse(noxfile.read_text(), feature_version=(3, 7))


def test_a_project_has_the_sessions_that_its_readme_and_workflows_name(render: Render) -> None:
    project = render("orders")
    names = {
        node.name
        for node in ast.parse((project / "noxfile.py").read_text()).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    everyday = {"dev", "demo", "lint", "types", "tests", "venv"}
    assert names == everyday | {"check", "promote", "build", "dependencies", "sbom", "upgrade"}
