"""A project that can be promoted: the example, filled in and committed, with this framework's wheel."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+==[^\s;]+)( ;.*?)? \\$", re.MULTILINE)
_LEFT_FOR_LATER = re.compile(r"(?<=[a-z0-9-])\.invalid\b")
_DEVELOPMENT = Path("config", "development.toml")
_NEVER, TODAY = "1970-01-01", datetime.now(UTC).date().isoformat()
FILLED_IN = {
    "manifests/server.toml": (
        ("https://on-call.orders.invalid", "https://on-call.acme.example/orders"),
        ("security@orders.invalid", "security@acme.example"),
        (_NEVER, TODAY),
    ),
    "config/staging.toml": (
        ("staging.orders.invalid/mcp", "staging.orders.acme.example/mcp"),
        ("spiffe://staging.orders.invalid", "spiffe://staging.acme.example"),
        ('"staging.orders.invalid"', '"staging.acme.example"'),
        ("login.staging.orders.invalid", "login.staging.acme.example"),
        ("payments.staging.orders.invalid", "payments.staging.acme.example"),
    ),
}
ANSWERS = "_commit: 0000000\n_src_path: gh:acme/launchworthy\nname: orders\n"


def environ(**more: str) -> dict[str, str]:
    """What commands get: enough to find git, uv and its cache."""
    kept = ("UV_", "PIP_", "SSL_", "PATH", "HOME", "LANG")
    of_this_session = ("UV_PYTHON", "UV_PROJECT_ENVIRONMENT")  # nox names its own environment so
    own = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(kept) and name not in of_this_session
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', os.defpath)}"
    return {**own, "PATH": path, **more}


@dataclass(frozen=True, kw_only=True)
class PromotedOrders:
    """The project, and ways to play with it."""

    root: Path

    @classmethod
    def make(cls, directory: Path, *, rendered: Path | None = None) -> "PromotedOrders":
        """Copy, fill in, lock and commit; installs what it needs.

        Args:
            directory: for the project and what it is lent.
            rendered: another rendering of the template than the example, with other places to fill in.
        """
        project = cls.begun(directory, rendered or REPOSITORY / "examples" / "orders")
        if rendered is None:
            for path, pairs in FILLED_IN.items():
                for before, after in pairs:
                    project.edit(path, before, after)
        else:
            project.fill_in()
        assert project.launchworthy("lock").returncode == 0
        project.commit()
        return project

    @classmethod
    def begun(cls, directory: Path, rendered: Path) -> "PromotedOrders":
        """Copy and install: what somebody has who answered the template's questions, and did nothing else."""
        wheels = directory / "wheels"
        subprocess.run(
            ["uv", "build", "-q", "--wheel", "--out-dir", wheels, REPOSITORY], check=True, env=environ()
        )
        [wheel] = wheels.glob("*.whl")
        project = cls(root=directory / "orders")
        left_out = shutil.ignore_patterns(".venv", ".launchworthy", "dist", "__pycache__", ".*_cache")
        shutil.copytree(rendered, project.root, ignore=left_out)
        (project.root / ".copier-answers.yml").write_text(ANSWERS)
        project.lend(wheel)
        project.run("uv", "sync", "-q", "--no-dev", "--group", "test", "--python", sys.executable)
        project.run("git", "init", "-q", "-b", "main")
        return project

    def fill_in(self) -> None:
        """Put a name that exists wherever one was left for later, and read it all today."""
        for path in filter(Path.is_file, self.root.rglob("*")):
            inside = path.relative_to(self.root)
            if inside.parts[0] not in {".git", ".venv", ".launchworthy"} and inside != _DEVELOPMENT:
                text = path.read_text()
                path.write_text(_LEFT_FOR_LATER.sub(".acme.example", text).replace(_NEVER, TODAY))

    def lend(self, wheel: Path) -> None:
        """Let it use a framework that is on no index."""
        lent = self.root / ".launchworthy" / "wheels"
        lent.mkdir(parents=True)
        shutil.copy(wheel, lent)
        pins = [f'"{name}{marker}"' for name, marker in _PINNED.findall(_constraints())]
        with (self.root / "pyproject.toml").open("a") as end:
            end.write(f"\n[tool.uv]\nconstraint-dependencies = [{', '.join(pins)}]\n".replace("\\", ""))
            end.write(
                f'\n[tool.uv.sources]\nlaunchworthy = {{ path = ".launchworthy/wheels/{wheel.name}" }}\n'
            )

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text that is there."""
        file = self.root / path
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def commit(self) -> None:
        """Commit everything, as nobody in particular."""
        who = ["-c", "user.name=x", "-c", "user.email=x@x.invalid", "-c", "commit.gpgsign=false"]
        self.run("git", "add", "--all")
        self.run("git", *who, "commit", "-q", "-m", "as it is")

    def run(self, *command: str | Path, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project."""
        return subprocess.run(
            command, cwd=self.root, env=environ(**more), check=check, capture_output=True, text=True
        )

    def launchworthy(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of ours, as it is installed in the project's environment."""
        return self.run(self.root / ".venv" / "bin" / "launchworthy", *arguments, check=False)

    def build(self, trust: Path) -> subprocess.CompletedProcess[str]:
        """Ask for a wheel that is promoted for rehearsals."""
        return self.run(
            "uv", "build", "--wheel", "--out-dir", "dist",
            check=False, LAUNCHWORTHY_BUILD="rehearsal", LAUNCHWORTHY_TRUST=str(trust),
        )  # fmt: skip

    @property
    def record(self) -> Path:
        """Where the record is written."""
        return self.root / "dist" / "promotion" / "record-rehearsal.dsse.json"

    @property
    def report(self) -> Path:
        """Where the report is written."""
        return self.root / "dist" / "promotion" / "report.json"

    @property
    def python(self) -> Path:
        """The interpreter of the environment that the gate made."""
        [python] = self.root.glob(".launchworthy/promotion/environment-*/bin/python")
        return python


def _constraints() -> str:
    return (REPOSITORY / "constraints.txt").read_text()
