"""One number for the rehearsed wheel, the promoted one, what uv and pip make of it; and what changes it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from orders_project import REPOSITORY, Project
from promoters import DIGESTS

from launchworthy.attestation import Facts, Purpose, Subject, verify_longest_lasting
from launchworthy.attestation.content import find_dist_info, installed_content_digest, wheel_content_digest
from launchworthy.attestation.records import installed_records
from launchworthy.attestation.trust_file import read_trust_policy
from launchworthy.vocabulary import Environment, ProblemError


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(Path.home()),
        "PYTHONPATH": str(REPOSITORY / "framework"),
        **variables,
    }
    return subprocess.run(
        [str(each) for each in command], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("uv is not installed")
    return found


UV_OFFLINE = ("--no-deps", "--offline", "--no-index", "--no-cache", "--compile-bytecode")


def with_uv(wheel: Path, target: Path) -> Path:
    done = run(uv(), "pip", "install", *UV_OFFLINE, "--python", sys.executable, "--target", target, wheel)
    assert done.returncode == 0, done.stderr
    return target


def with_uv_into_an_environment(wheel: Path, target: Path) -> Path:
    made = run(uv(), "venv", "--offline", "--python", sys.executable, target)
    assert made.returncode == 0, made.stderr
    done = run(uv(), "pip", "install", *UV_OFFLINE, "--python", target, wheel)
    assert done.returncode == 0, done.stderr
    [site] = target.glob("lib/python*/site-packages")
    return site


def with_pip(wheel: Path, target: Path) -> Path:
    bundled = pytest.importorskip("ensurepip")
    pip = next(Path(bundled.__file__).parent.glob("_bundled/pip-*.whl"), None)
    if pip is None:  # Debian keeps it with its other wheels
        pip = next(Path("/usr/share/python-wheels").glob("pip-*.whl"), None)
    if pip is None:
        pytest.skip("this Python bundles no pip")
    offline = ("--no-deps", "--no-index", "--no-cache-dir", "--quiet", "--disable-pip-version-check")
    command = ("-m", "pip", "install", *offline, "--target", target, wheel)
    done = run(sys.executable, *command, PYTHONPATH=str(pip))
    assert done.returncode == 0, done.stderr
    return target


def test_the_command_line_of_hatchling_finds_the_hook_and_says_why_there_is_no_wheel(
    project: Project, plugin_path: Path
) -> None:
    path = os.pathsep.join((str(REPOSITORY / "framework"), str(plugin_path)))
    gated = {
        "PYTHONPATH": path,
        "LAUNCHWORTHY_BUILD": "rehearsal",
        "LAUNCHWORTHY_TRUST": str(project.trust_file),
    }

    def build() -> subprocess.CompletedProcess[str]:
        command = ("-m", "hatchling", "build", "-t", "wheel", "-d", project.root / "dist")
        return run("/usr/bin/env", "-C", project.root, sys.executable, *command, **gated)

    refused = build()
    assert refused.returncode == 1
    assert refused.stderr.startswith("launchworthy: no wheel [no-record]\n")
    assert "Traceback" not in refused.stderr
    assert project.wheels() == []
    project.promote()
    done = build()
    assert done.returncode == 0, done.stderr
    assert project.wheels() == ["orders-0.3.1-py3-none-any.whl"]


def test_a_build_frontend_is_refused_and_served_too(project: Project, plugin_path: Path) -> None:
    path = os.pathsep.join((str(REPOSITORY / "framework"), str(plugin_path)))
    gated = {
        "PYTHONPATH": path,
        "LAUNCHWORTHY_BUILD": "rehearsal",
        "LAUNCHWORTHY_TRUST": str(project.trust_file),
    }
    command = (uv(), "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable)
    refused = run(*command, project.root, **gated)
    assert refused.returncode != 0
    assert "[no-record]" in refused.stderr
    assert project.wheels() == []
    project.promote()
    done = run(*command, project.root, **gated)
    assert done.returncode == 0, done.stderr
    assert project.wheels() == ["orders-0.3.1-py3-none-any.whl"]


def test_the_hook_loads_no_server() -> None:
    script = (
        "import sys, launchworthy.attestation.build_hook\n"
        "heavy = ('mcp', 'grpc', 'starlette', 'cedarpy', 'spiffe', 'pydantic_settings', 'uvicorn',\n"
        "         'httpx2', 'authlib', 'joserfc', 'structlog', 'anyio', 'asyncio', 'rich', 'typer')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "ours = [name.split('.') for name in sys.modules if name.startswith('launchworthy.')]\n"
        "print(sorted({name[1] for name in ours}))"
    )
    loaded = run(sys.executable, "-c", script)
    assert loaded.stdout.splitlines() == [
        "[]",
        "['_version', 'attestation', 'vocabulary']",
    ]


@pytest.mark.parametrize("install", [with_uv, with_uv_into_an_environment, with_pip])
def test_what_is_installed_has_the_digest_of_the_wheel_and_its_record(
    install: Callable[[Path, Path], Path], project: Project, tmp_path: Path
) -> None:
    digests = project.digests()
    project.promote(digests=digests)
    wheel = project.build("rehearsal")
    site = install(wheel, tmp_path / "site")
    run(sys.executable, "-c", "import orders.tools", PYTHONPATH=str(site))
    dist_info = find_dist_info(site / "orders")
    digest = installed_content_digest(dist_info)
    assert digest == wheel_content_digest(wheel) == digests[Subject.WHEEL]
    known = (Subject.WHEEL, Subject.MANIFESTS, Subject.POLICY, Subject.SETTINGS)
    here = {subject: DIGESTS[subject] for subject in known} | {Subject.WHEEL: digest}
    verified = verify_longest_lasting(
        installed_records(dist_info),
        trust=read_trust_policy(
            project.trust_file, environment=Environment.REHEARSAL, outside=site / "orders"
        ),
        facts=Facts(environment=Environment.REHEARSAL, digests=here),
        purpose=Purpose.START,
        now=int(project.root.stat().st_mtime) + 60,
        searched="the wheel",
    )
    assert verified.predicate.environment is Environment.REHEARSAL


@pytest.fixture
def site(project: Project, tmp_path: Path) -> Path:
    return with_uv(project.build(), tmp_path / "site")


def edit(site: Path) -> None:
    (site / "orders/tools.py").write_text("import os\n")


def edit_a_declaration(site: Path) -> None:
    (site / "orders/_launchworthy/manifests/tools.toml").write_text("")


def edit_the_metadata(site: Path) -> None:
    (site / "orders-0.3.1.dist-info/METADATA").write_text("Requires-Dist: other\n")


def add_to_the_list(site: Path) -> None:
    """A file that someone added, and listed as if the wheel had brought it."""
    (site / "orders/evil.py").write_text("")
    with (site / "orders-0.3.1.dist-info/RECORD").open("a") as record:
        record.write("orders/evil.py,,\n")


def take_from_the_list(site: Path) -> None:
    record = site / "orders-0.3.1.dist-info/RECORD"
    lines = [line for line in record.read_text().splitlines() if "promotion.toml" not in line]
    record.write_text("\n".join(lines))
    (site / "orders/_launchworthy/promotion.toml").unlink()


@pytest.mark.parametrize(
    "change", [edit, edit_a_declaration, edit_the_metadata, add_to_the_list, take_from_the_list]
)
def test_a_changed_installation_has_another_digest(change: Callable[[Path], None], site: Path) -> None:
    dist_info = find_dist_info(site / "orders")
    before = installed_content_digest(dist_info)
    assert installed_content_digest(dist_info) == before
    change(site)
    assert installed_content_digest(dist_info) != before


def add_a_module(site: Path) -> None:
    (site / "orders/evil.py").write_text("")


def add_a_package(site: Path) -> None:
    (site / "orders/evil").mkdir()
    (site / "orders/evil/__init__.py").write_text("")


def add_a_linked_package(site: Path) -> None:
    (site / "elsewhere").mkdir()
    (site / "orders/evil").symlink_to(site / "elsewhere")


def add_sourceless_bytecode(site: Path) -> None:
    (site / "orders/evil.pyc").write_bytes(b"")


def add_a_module_to_the_cache(site: Path) -> None:
    (site / "orders/__pycache__").mkdir(exist_ok=True)
    (site / "orders/__pycache__/evil.py").write_text("")


def add_a_declaration(site: Path) -> None:
    (site / "orders/_launchworthy/policy/more.cedar").write_text("")


def remove_a_module(site: Path) -> None:
    (site / "orders/tools.py").unlink()


@pytest.mark.parametrize(
    "change",
    [
        add_a_module,
        add_a_package,
        add_a_linked_package,
        add_sourceless_bytecode,
        add_a_module_to_the_cache,
        add_a_declaration,
        remove_a_module,
    ],
)
def test_a_file_too_many_or_too_few_is_named(change: Callable[[Path], None], site: Path) -> None:
    dist_info = find_dist_info(site / "orders")
    assert installed_content_digest(dist_info)
    change(site)
    with pytest.raises(ProblemError) as caught:
        installed_content_digest(dist_info)
    [problem] = caught.value.problems
    assert problem.reason == "installation-changed"
    assert problem.where is not None
    assert problem.where.startswith(str(site / "orders"))


def test_what_cannot_be_imported_may_lie_beside_the_metadata(site: Path) -> None:
    """Installers and packagers put notes there; what the wheel itself said there is digested."""
    dist_info = find_dist_info(site / "orders")
    before = installed_content_digest(dist_info)
    (dist_info / "NOTE").write_text("put here by a packager")
    assert installed_content_digest(dist_info) == before


def test_the_wheel_that_brought_a_package_is_found_only_if_it_is_one(site: Path) -> None:
    assert find_dist_info(site / "orders").name == "orders-0.3.1.dist-info"
    for package, several in (("nothing", False), ("orders", True)):
        if several:
            shutil.copytree(site / "orders-0.3.1.dist-info", site / "other-1.dist-info")
        with pytest.raises(ProblemError) as caught:
            find_dist_info(site / package)
        assert caught.value.problems[0].reason == "installation-changed"
