"""git, as a person uses it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from launchworthy.attestation.tree import GitFacts, read_git_facts

ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@dataclass(frozen=True)
class Repository:
    root: Path

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@acme.example", *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def facts(self, **environ: str) -> GitFacts:
        return read_git_facts(self.root, environ={**ENVIRON, **environ})

    def differing(self) -> tuple[str, ...]:
        return self.facts().differing
