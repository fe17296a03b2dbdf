"""How is a program of npm run, in the version that its `package.json` pins?"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Node:
    """A folder with `node_modules`; Node itself is in it too, since many machines have an older one."""

    folder: Path

    @property
    def binary(self) -> Path:
        return self.folder / "node_modules" / "node" / "bin" / "node"

    def version(self, package: str) -> str:
        text = (self.folder / "node_modules" / package / "package.json").read_text()
        return str(json.loads(text)["version"])

    def script(self, package: str, path: str) -> list[str]:
        return [str(self.binary), str(self.folder / "node_modules" / package / path)]

    def run(
        self, command: list[str], directory: Path, *, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with nothing of this environment but where programs are."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
