"""Which project does the demo play with? One that is rendered, committed and installed for it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import copier

ANSWERS = {
    "name": "orders",
    "owner": "@acme/orders",
    "resource": "https://orders.acme.example/mcp",
    "issuer": "https://login.acme.example",
    "trust_domain": "acme.example",
    "identity": "spiffe",
    "deployment": "kubernetes",
}
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+==[^\s;]+)( ;.*?)? \\$", re.MULTILINE)


class DemoProject:
    """The scaffolded server below the demo's folder."""

    package = "orders"

    def __init__(self, root: Path, *, wheel: Path, constraints: Path) -> None:
        """Name the places; nothing is made yet."""
        self.root = root
        self._wheel = wheel
        self._constraints = constraints
        self.python = root / ".venv" / "bin" / "python"

    def scaffold(self, template: Path) -> int:
        """Render the template; returns how many files there are."""
        copier.run_copy(
            str(template), self.root, data=ANSWERS, defaults=True, vcs_ref="HEAD", quiet=True, unsafe=False
        )
        files = sum(1 for path in self.root.rglob("*") if path.is_file())
        self._borrow_framework()
        return files

    def install(self, log: Path) -> None:
        """Lock, install and commit, as the team would."""
        environment = self._environ()
        with log.open("ab") as out:
            for command in (
                ["uv", "sync", "--quiet", "--python", sys.executable],
                ["git", "init", "--quiet", "--initial-branch", "main"],
            ):
                subprocess.run(command, cwd=self.root, env=environment, stdout=out, stderr=out, check=True)
        self.launchworthy("lock", log=log)
        self.commit("from launchworthy")

    def launchworthy(self, *arguments: str, log: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the command of the project's own environment; its output goes to the log as well."""
        done = subprocess.run(
            [self.root / ".venv" / "bin" / "launchworthy", *arguments],
            cwd=self.root,
            env={**self._environ(), **environ},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        with log.open("a") as out:
            out.write(
                f"$ launchworthy {' '.join(arguments)}\n{done.stdout}{done.stderr}exit {done.returncode}\n"
            )
        return done

    def run(self, *command: str, log: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; its output goes to the log as well."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self._environ(), **environ},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        with log.open("a") as out:
            out.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}exit {done.returncode}\n")
        return done

    def commit(self, message: str) -> None:
        """Commit everything, as nobody in particular."""
        who = ["-c", "user.name=demo", "-c", "user.email=demo@demo.invalid", "-c", "commit.gpgsign=false"]
        for command in (["git", "add", "--all"], ["git", *who, "commit", "--quiet", "--message", message]):
            subprocess.run(command, cwd=self.root, env=self._environ(), check=True, stdout=subprocess.DEVNULL)

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text that is there exactly once.

        Raises:
            ValueError: it is not.
        """
        file = self.root / path
        text = file.read_text()
        if text.count(before) != 1:
            raise ValueError(f"`{before}` is not once in {path}")
        file.write_text(text.replace(before, after))

    def _borrow_framework(self) -> None:
        """Use the wheel that was built from this clone, and the versions that its sessions use."""
        wheels = self.root / ".launchworthy" / "wheels"
        wheels.mkdir(parents=True)
        shutil.copy(self._wheel, wheels)
        pins = [f'"{name}{marker}"' for name, marker in _PINNED.findall(self._constraints.read_text())]
        with (self.root / "pyproject.toml").open("a") as settings:
            settings.write("\n[tool.uv]\nconstraint-dependencies = [\n  ")
            settings.write(",\n  ".join(pins).replace("\\", ""))
            settings.write("\n]\n\n[tool.uv.sources]\n")
            settings.write(f'launchworthy = {{ path = ".launchworthy/wheels/{self._wheel.name}" }}\n')

    def _environ(self) -> dict[str, str]:
        import os

        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        of_this_session = ("UV_PYTHON", "UV_PROJECT_ENVIRONMENT")
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("UV_", "PIP_", "SSL_")) and name not in of_this_session
        }
        return {"PATH": "/usr/bin:/bin", **passed, **own}
