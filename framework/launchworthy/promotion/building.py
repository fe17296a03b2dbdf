"""Which wheel is rehearsed, and in which environment? Built as it lies here, installed as it will be.

The wheel is built without its record (`LAUNCHWORTHY_BUILD` unset), which leaves its content digest the same
as the promoted one's. Its dependencies are those of `uv.lock` and no others, each with its hash; their
environment is kept below `.launchworthy/promotion`, under the digest of what it was made from.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from launchworthy.attestation.content import wheel_content_digest
from launchworthy.promotion.commands import Commands
from launchworthy.vocabulary import Problem, ProblemError

WORKSHOP = ".launchworthy/promotion"
"""Below the project's root; made by the gate, ignored by git, safe to delete."""
_SECONDS = 300.0
_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}
)
_PASSED_PREFIXES = (
    "UV_",
    "PIP_",
    "SSL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
)
_VERSION = re.compile(r"-(?P<version>[^-]+)-[^-]+-[^-]+-[^-]+\.whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A wheel, and an environment in which it is installed.

    Attributes:
        wheel: the file.
        digest: of its content, as a record names it.
        version: of the project.
        python: the interpreter of the environment.
    """

    wheel: Path
    digest: str
    version: str
    python: Path


class Builder:
    """Builds and installs one project with uv."""

    def __init__(self, root: Path, *, python: Path, environ: Mapping[str, str]) -> None:
        """Find uv.

        Args:
            root: the project.
            python: the interpreter whose version the environment gets.
            environ: of the gate; uv gets what it needs to find its index and its cache.

        Raises:
            ProblemError: `uv-missing`.
        """
        self._root = root
        self._python = python
        self._uv = find_uv(environ)
        self._environ = {
            name: value
            for name, value in environ.items()
            if name in _PASSED_ON or name.startswith(_PASSED_PREFIXES)
        }
        self._workshop = root / WORKSHOP
        self._commands = Commands()

    def build(self, out: Path) -> Path:
        """Build the wheel.

        Raises:
            ProblemError: `wheel-not-built`.
        """
        self._run("wheel-not-built", "the wheel", "build", "--wheel", "--out-dir", str(out), str(self._root))
        wheels = sorted(out.glob("*.whl"))
        if len(wheels) != 1:
            raise _refused("wheel-not-built", f"the build left {len(wheels)} wheels, and one was asked for")
        return wheels[0]

    def prepare(self) -> Path:
        """Install the locked dependencies; returns the interpreter of their environment.

        Raises:
            ProblemError: `not-locked` or `not-installed`.
        """
        return self._environment(self._requirements()) / "bin" / "python"

    def install(self, wheel: Path, python: Path) -> None:
        """Install this wheel in place of an earlier one.

        Raises:
            ProblemError: `not-installed`.
        """
        self._run(
            "not-installed", "the wheel",
            "pip", "install", "--python", str(python), "--no-deps", "--reinstall", "--no-index", str(wheel),
        )  # fmt: skip

    def _requirements(self) -> bytes:
        """What `uv.lock` says, with hashes; the project itself left out."""
        if not (self._root / "uv.lock").is_file():
            problem = Problem(
                reason="not-locked",
                where="uv.lock",
                what="is not there, so nobody knows what would be rehearsed",
                fix=("uv lock, and commit it",),
            )
            raise ProblemError(problem)
        said = self._run("not-locked", "uv.lock", "export", "--frozen", "--no-dev", "--no-emit-project")
        if b"--hash=" not in said:
            raise _refused("not-locked", "`uv.lock` holds no hashes")
        return said

    def _environment(self, requirements: bytes) -> Path:
        key = hashlib.sha256(requirements + b"\0" + os.fsencode(self._python.resolve())).hexdigest()[:16]
        home = self._workshop / f"environment-{key}"
        if (home / "ready").is_file():
            return home
        self._workshop.mkdir(parents=True, exist_ok=True)
        for old in self._workshop.glob("environment-*"):
            shutil.rmtree(old, ignore_errors=True)
        self._run(
            "not-installed",
            "an environment",
            "venv",
            "--no-project",
            "--python",
            str(self._python),
            str(home),
        )
        listed = self._workshop / "requirements.txt"
        listed.write_bytes(requirements)
        self._run(
            "not-installed", "the locked dependencies",
            "pip", "install", "--python", str(home / "bin" / "python"), "--require-hashes", "--no-deps",
            "--compile-bytecode", "--requirement", str(listed),
        )  # fmt: skip
        (home / "ready").touch()  # last: what was interrupted is made anew
        return home

    def _run(self, reason: str, what: str, *arguments: str) -> bytes:
        command = [self._uv, "--quiet", "--no-progress", *arguments]
        try:
            done = self._commands.run(command, cwd=self._root, env=self._environ, seconds=_SECONDS)
        except TimeoutError as error:
            raise _refused(reason, f"{what} {error}") from None
        if done.code != 0:
            raise _refused(reason, f"{what}: uv {arguments[0]} says: {_last_words(done.stderr)}")
        return done.stdout

    def end(self) -> None:
        """Stop whatever is being built or installed; from any thread."""
        self._commands.end()


def build_and_install(root: Path, *, python: Path, environ: Mapping[str, str]) -> Built:
    """Build the project's wheel and install it with its locked dependencies.

    Raises:
        ProblemError: `uv-missing`, `wheel-not-built`, `not-locked`, `not-installed` or
            `workshop-not-writable`.
    """
    try:
        return _built_and_installed(root, python, environ)
    except OSError as error:
        problem = Problem(
            reason="workshop-not-writable",
            where=str(root / WORKSHOP),
            what=f"nothing can be built or installed there ({error.strerror or type(error).__name__})",
            fix=("promote in a clone of your own, on a file system with room",),
        )
        raise ProblemError(problem) from None


def _built_and_installed(root: Path, python: Path, environ: Mapping[str, str]) -> Built:
    builder = Builder(root, python=python, environ=environ)
    workshop = root / WORKSHOP
    workshop.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="wheel-", dir=workshop) as scratch,
        ThreadPoolExecutor(1) as beside,
    ):
        preparing = beside.submit(builder.prepare)
        try:
            fresh = builder.build(Path(scratch))
            prepared = preparing.result()
        except BaseException:
            builder.end()  # or an interrupted gate would wait for what is being installed
            raise
        wheel = workshop / fresh.name
        for old in workshop.glob("*.whl"):
            old.unlink()
        fresh.replace(wheel)
    builder.install(wheel, prepared)
    found = _VERSION.search(wheel.name)
    return Built(
        wheel=wheel,
        digest=wheel_content_digest(wheel),
        version=found["version"] if found is not None else "unknown",
        python=prepared,
    )


def find_uv(environ: Mapping[str, str]) -> str:
    """Find uv beside this interpreter or on PATH.

    Raises:
        ProblemError: `uv-missing`.
    """
    beside = Path(sys.executable).with_name("uv")
    if beside.is_file():
        return str(beside)
    found = shutil.which("uv", path=environ.get("PATH", os.defpath))
    if found is None:
        problem = Problem(
            reason="uv-missing",
            what="the wheel cannot be built: there is no uv beside this interpreter or on PATH",
            fix=("pip install uv",),
        )
        raise ProblemError(problem)
    return found


def _last_words(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return " · ".join(lines[-3:])[:300] or "nothing"


def _refused(reason: str, what: str) -> ProblemError:
    command = "uv build --wheel" if reason == "wheel-not-built" else "uv sync --locked"
    return ProblemError(Problem(reason=reason, what=what, fix=(f"see what `{command}` says here",)))
