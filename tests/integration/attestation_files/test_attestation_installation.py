"""What lies around an installed package: each thing that nobody locked, beside a site where all is."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from launchworthy.attestation.installation import normal_version, require_locked_installation
from launchworthy.vocabulary import ProblemError

LOCK = b"""
version = 1
[[package]]
name = "orders"
version = "0.3.1"
[[package]]
name = "launchworthy"
version = "0.1.0"
[[package]]
name = "typing-extensions"
version = "4.16.0"
[[package]]
name = "pytz"
version = "2026.1"
"""


def brought(site: Path, name: str, version: str, **files: str) -> None:
    """Install a distribution as an installer does."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    rows = []
    for path, text in files.items():
        file = site / path.replace("__", "/").replace("_py", ".py").replace("_pth", ".pth")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{file.relative_to(site).as_posix()},sha256={digest},{len(text)}")
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,", "../../bin/orders,,"]) + "\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    place = tmp_path / "app" / "lib" / "site-packages"
    place.mkdir(parents=True)
    brought(place, "orders", "0.3.1", orders__tools_py="x = 1\n")
    brought(place, "launchworthy", "0.1.0", launchworthy__gate_py="verify = 1\n")
    brought(place, "typing_extensions", "4.16.0", typing_extensions_py="")
    brought(place, "pytz", "2026.01", pytz__tz_py="")
    brought(place, "pip", "26.0", pip__main_py="")
    (place / "_virtualenv.pth").write_text("import _virtualenv")
    (place / "_virtualenv.py").write_text("")
    (place / "__pycache__").mkdir()
    return place


def add(path: str, text: str = "") -> Callable[[Path], None]:
    def change(site: Path) -> None:
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return change


def linked(path: str) -> Callable[[Path], None]:
    """A package that lies elsewhere: Python takes it before the module of the same name."""

    def change(site: Path) -> None:
        add("elsewhere/__init__.py")(site.parent)
        (site / path).symlink_to(site.parent / "elsewhere")

    return change


def test_what_is_locked_and_nothing_else_is_as_it_should_be(site: Path) -> None:
    require_locked_installation(site, LOCK, ())
    add("launchworthy/__pycache__/gate.cpython-311.pyc")(site)
    require_locked_installation(site, LOCK, ())
    own = [each for each in sys.path if "site-packages" not in each and each.startswith(sys.base_prefix)]
    assert str(Path(os.__file__).parent) in own
    require_locked_installation(site, LOCK, [str(site), *own, "/does/not/exist"])


@pytest.mark.parametrize(
    ("change", "reason", "says"),
    [
        (lambda site: brought(site, "left_pad", "1.0"), "installed-not-locked", "no such package"),
        (lambda site: brought(site, "orders", "0.3.2"), "installed-not-locked", "uv.lock has 0.3.1"),
        (lambda site: brought(site, "setuptools", "80.0"), "installed-not-locked", "setuptools"),
        (add("gate.pth", "import os"), "installation-changed", "gate.pth"),
        (add("sitecustomize.py"), "installation-changed", "sitecustomize.py"),
        (add("usercustomize.py"), "installation-changed", "usercustomize.py"),
        (add("helpful/__init__.py"), "installation-changed", "helpful"),
        (add("helpful/deep/down/more.py"), "installation-changed", "helpful"),
        (add("helpful.egg-info/PKG-INFO"), "installation-changed", "helpful.egg-info"),
        (
            add("launchworthy/gate.py", "verify = 0\n"),
            "installation-changed",
            "not what the",
        ),
        (add("launchworthy/more.py"), "installation-changed", "is none of them"),
        (add("launchworthy/gate/__init__.pyc"), "installation-changed", "is none of them"),
        (linked("launchworthy/gate"), "installation-changed", "is none of them"),
        (linked("launchworthy/__pycache__"), "installation-changed", "is none of them"),
        (lambda site: (site / "launchworthy" / "gate.py").unlink(), "installation-changed", "gate.py"),
    ],
)
def test_what_nobody_locked_is_refused(
    change: Callable[[Path], None], reason: str, says: str, site: Path
) -> None:
    change(site)
    with pytest.raises(ProblemError) as caught:
        require_locked_installation(site, LOCK, ())
    [problem] = caught.value.problems
    assert problem.reason == reason
    assert says in f"{problem.where} {problem.what}"


@pytest.mark.parametrize(
    "module",
    ["launchworthy/__init__.py", "cedarpy.py", "json.so", "gate.pth", "google/protobuf/__init__.py"],
)
def test_another_place_on_the_import_path_holds_no_module(module: str, site: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for harmless in (
        "settings.toml",
        "google/protobuf/any.proto",
        ".venv/bin/this.py",
        "no-name/lib/this.py",
    ):
        add(harmless)(other)
    (other / "google" / "round").symlink_to(other)
    require_locked_installation(site, LOCK, [str(other)])
    add(module)(other)
    with pytest.raises(ProblemError) as caught:
        require_locked_installation(site, LOCK, [str(other)])
    assert caught.value.problems[0].reason == "installation-changed"


@pytest.mark.parametrize("name", ["more.zip", "more.whl", "more"])
def test_an_archive_on_the_import_path_is_another_place(name: str, site: Path, tmp_path: Path) -> None:
    archive = tmp_path / name
    require_locked_installation(site, LOCK, [str(archive)])
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("sitecustomize.py", "")
    with pytest.raises(ProblemError) as caught:
        require_locked_installation(site, LOCK, [str(archive)])
    assert caught.value.problems[0].reason == "installation-changed"


def test_the_packages_of_the_python_below_are_another_place(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("base_prefix", "base_exec_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path))
    below = tmp_path / "lib" / "python3" / "site-packages"
    below.mkdir(parents=True)
    brought(below, "pip", "26.0", pip__main_py="")
    require_locked_installation(site, LOCK, [str(below)])
    brought(below, "left_pad", "1.0", left__pad_py="")
    with pytest.raises(ProblemError) as caught:
        require_locked_installation(site, LOCK, [str(below)])
    assert caught.value.problems[0].reason == "installation-changed"


@pytest.mark.parametrize(
    "lock", [b"", b"\xff", b"package = 1", b"[[package]]\nversion = '1'\n", b"[package]"]
)
def test_a_lock_that_cannot_be_read_locks_nothing(lock: bytes, site: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        require_locked_installation(site, lock, ())
    assert caught.value.problems[0].reason == "installed-not-locked"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.0.0rc1", "1.0.0-rc.1"), ("1.0a2", "1.0.alpha2"), ("2026.01.05", "2026.1.5"), ("v1.2", "1.2"),
        ("1.0.post1", "1.0-post1"), ("1.0.dev3", "1.0dev3"), ("1.0+cu12", "1.0+CU12"),
    ],
)  # fmt: skip
def test_a_version_has_several_spellings(one: str, other: str) -> None:
    assert normal_version(one) == normal_version(other)
    assert normal_version(one) != normal_version(f"{one}.1")


RECORDS = "import launchworthy.attestation.verification as records\n"
PATCHES = {
    "a function": f"{RECORDS}records.verify_record = lambda *a, **k: None\n",
    "a method": "from launchworthy.attestation import TrustPolicy\nTrustPolicy.of = lambda *a: None\n",
    "a class": "import launchworthy.attestation.trust as t\nt.TrustPolicy = type('TrustPolicy', (), {})\n",
    "a mock": "import launchworthy.server.record as r, unittest.mock as m\nr.verify = m.MagicMock()\n",
    "its code": f"{RECORDS}records.verify_record.__code__ = (lambda *a, **k: None).__code__\n",
}


@pytest.mark.parametrize("patch", [None, *PATCHES])
def test_a_function_of_the_gate_that_was_replaced_is_found(patch: str | None, tmp_path: Path) -> None:
    """In a process of its own: what it does to the framework must not reach the other tests."""
    code = (
        "import launchworthy.server.running\n" + PATCHES.get(patch or "", "") +
        "from launchworthy.server.untouched import require_untouched\nrequire_untouched()\n"
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is (patch is None), done.stderr
    assert ("framework-patched" in done.stderr) is (patch is not None)
