# Managed by the template: `copier update` merges its changes with yours.
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.4"]
# ///
"""`python3 noxfile.py -s dev` needs nothing but Python 3.11 or newer: nox goes into `.nox` by itself."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - who starts this may have any Python
    sys.exit(f"this project needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")
NOX = "nox[uv]==2026.10.20"
if find_spec("nox") is None:  # a fresh machine: a private environment with nox, then the same again in it
    home = Path(__file__).resolve().parent / ".nox" / ".bootstrap"
    python, ready = home / "bin" / "python", home / "ready"
    if Path(sys.prefix) == home:
        sys.exit(f"{home} holds no nox: remove it, and start again")
    uv = shutil.which("uv")  # where it is there, it takes a second instead of ten
    if uv is None and find_spec("ensurepip") is None:
        sys.exit("this Python cannot make environments; on Debian and Ubuntu: apt install python3-venv")
    if not (python.exists() and ready.exists() and ready.read_text() == NOX):
        print("first run: nox goes into .nox/.bootstrap", file=sys.stderr, flush=True)  # noqa: T201
        venv = [sys.executable, "-m", "venv", "--clear", home]
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NOX]
        if uv is not None:
            venv = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, home]
            pip = [uv, "pip", "install", "--quiet", "--python", python, NOX]
        for command in venv, pip:
            if subprocess.run(command, check=False).returncode:  # noqa: S603
                sys.exit("nox could not be installed (see above); the next run tries again")
        ready.write_text(NOX)  # last: what was interrupted is made anew
    os.execv(python, [python, __file__, *sys.argv[1:]])  # noqa: S606

import nox

nox.needs_version = ">=2026.4"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"


def sync(session: nox.Session, *groups: str, into: str = "", project: bool = True) -> None:
    """Install these groups, and the project, exactly as `uv.lock` says; the first time, write it."""
    if not Path("uv.lock").exists():
        session.run_install("uv", "lock")
        session.warn("uv.lock is new: commit it")
    wanted = [f"--group={group}" for group in groups]
    if project:  # built with what is locked and installed here, not in an environment made for it alone
        name = nox.project.load_toml("pyproject.toml")["project"]["name"]
        wanted += ["--group=build", f"--no-build-isolation-package={name}"]
    else:
        wanted.append("--no-install-project")
    place = {"UV_PROJECT_ENVIRONMENT": into or session.virtualenv.location}
    session.run_install("uv", "sync", "--quiet", "--locked", "--no-default-groups", *wanted, env=place)


def export(session: nox.Session, into: str, *options: str) -> None:
    """Write down what production installs: versions and hashes, without the groups of development."""
    Path(into).parent.mkdir(exist_ok=True)
    session.run("uv", "export", "--quiet", "--locked", "--no-default-groups", f"-o={into}", *options)


def launchworthy(session: nox.Session, *command: str) -> None:
    """Run the framework's command on this project."""
    sync(session, "test")
    session.run("launchworthy", *command, *session.posargs, interrupt_timeout=60)  # it stops a server first


@nox.session
def dev(session: nox.Session) -> None:
    """Serve here, on an embedded identity provider; says how to connect."""
    launchworthy(session, "dev")


@nox.session
def demo(session: nox.Session) -> None:
    """Start the server, make one allowed and one refused call, print a client's configuration."""
    launchworthy(session, "dev", "demo")


@nox.session
def check(session: nox.Session) -> None:
    """What promotion would say, without rehearsals; makes no record."""
    launchworthy(session, "check")


@nox.session
def promote(session: nox.Session) -> None:
    """Everything: checks and rehearsals; the report goes to `dist/promotion`."""
    launchworthy(session, "promote")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, workflows."""
    sync(session, "lint", project=False)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    sync(session, "types")
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """What the tools do, whom the server refuses, and what policy decides."""
    sync(session, "test")
    session.run("pytest", *session.posargs)
    session.run("launchworthy", "policy", "test")


@nox.session
def build(session: nox.Session) -> None:
    """The wheel for production, or `-- staging`, and what the image installs: not without its record."""
    sync(session, "build", project=False)
    for old in Path("dist").glob("*.whl"):
        old.unlink()
    environment = session.posargs[0] if session.posargs else "production"
    options = ["--no-build-isolation", f"--python={session.virtualenv.location}", "--out-dir=dist"]
    session.run("uv", "build", "--wheel", *options, env={"LAUNCHWORTHY_BUILD": environment})
    session.run("launchworthy", "verify-record", "--environment", environment)
    export(session, "dist/requirements.txt", "--no-emit-project")


@nox.session
def dependencies(session: nox.Session) -> None:
    """Known vulnerabilities of what the server installs."""
    sync(session, "dependencies", project=False)
    listed = f"{session.create_tmp()}/requirements.txt"
    export(session, listed, "--no-emit-project", "--no-emit-local")
    session.run("pip-audit", "--strict", "--disable-pip", f"--requirement={listed}", *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """A software bill of materials (CycloneDX) of what the server installs."""
    export(session, "dist/sbom.cdx.json", "--format=cyclonedx1.5", "--preview-features=sbom-export")


@nox.session
def upgrade(session: nox.Session) -> None:
    """The next version of template and framework, merged into this branch; your lines stay."""
    session.run_install("uv", "lock", "--quiet")  # an earlier try may have been merged by hand
    sync(session, "upgrade")
    migrate = ["launchworthy", "migrate", "--upgrade"]
    tag = str(session.run(*migrate, "next", *session.posargs, silent=True, stderr=None)).strip()
    if tag:
        session.run("copier", "update", "--quiet", "--defaults", f"--vcs-ref={tag}")
        session.run(*migrate, "merged")  # refuses conflicts: for Copier they are a success
    session.run("uv", "lock", "--quiet", "--upgrade-package", "launchworthy")
    sync(session, "upgrade")
    session.run(*migrate, "locked")  # the new one: moves, renames, and says what is asked now
    if Path("launchworthy.lock").exists():
        session.run("launchworthy", "lock")
    session.run("pytest", "--quiet", "tests/test_contract.py")
    session.log("look at it with `git diff HEAD`, try it with `python3 noxfile.py`, commit it")


@nox.session
def venv(session: nox.Session) -> None:
    """An environment for your editor."""
    sync(session, "dev", into=".venv")
    session.log("enter it: source .venv/bin/activate")


if __name__ == "__main__":
    sys.argv[1:1] = ["--noxfile", __file__]
    nox.main()
