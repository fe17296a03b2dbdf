"""The Inspector's command line, run to its end; where it asks for a sign-in, somebody signs in."""

import json
import os
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browser import sign_in
from foreign_node import Node

from launchworthy.testing.world import World, free_port

PACKAGE = "@modelcontextprotocol/inspector"
OK, AUTH_REQUIRED, TOOL_ERROR, ERROR = 0, 3, 5, 1
"""Its exit codes."""


@dataclass(frozen=True)
class Answer:
    """What it printed, and how it ended."""

    code: int
    result: dict[str, Any]
    error: dict[str, Any]


@dataclass(frozen=True)
class Inspector:
    """The program, with a home of its own, against one server."""

    node: Node
    world: World
    home: Path
    era: str

    def run(self, *arguments: str, scopes: tuple[str, ...] | None) -> Answer:
        """One request with a token that was made beforehand, or with none."""
        token = () if scopes is None else ("--header", f"Authorization: {self._bearer(scopes)}")
        done = self.node.run([*self._command(), *token, "--stored-auth-only", *arguments], self.home)
        return _read(done.returncode, done.stdout, done.stderr)

    def run_signing_in(self, *arguments: str, seconds: float = 60) -> tuple[Answer, list[str]]:
        """One request without a token; returns the addresses that it asked somebody to open, too."""
        port = free_port()
        opened: list[str] = []
        command = [*self._command(), "--callback-url", f"http://127.0.0.1:{port}/oauth/callback", *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "MCP_AUTO_OPEN_ENABLED": "true"}
        with subprocess.Popen(
            command, env=environment, cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            end = threading.Timer(seconds, process.kill)
            end.start()
            said = ""
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                asked = re.search(r"navigate to: (http\S+)", line)
                if asked is not None:
                    opened.append(asked[1])
                    sign_in(asked[1])
            code = process.wait()
            end.cancel()
        lines = [line for line in said.splitlines() if line.startswith("{")]
        return _read(code, "\n".join(lines), said), opened

    def _command(self) -> list[str]:
        program = self.node.script(PACKAGE, "clients/launcher/build/index.js")
        where = [self.world.url, "--transport", "http", "--protocol-era", self.era, "--format", "json"]
        return [*program, "--cli", *where]

    def _bearer(self, scopes: tuple[str, ...]) -> str:
        return f"Bearer {self.world.token(*scopes).reveal()}"


def _read(code: int, out: str, err: str) -> Answer:
    result = json.loads(out).get("result", {}) if out.strip() else {}
    errors = [json.loads(line)["error"] for line in err.splitlines() if line.startswith('{"error"')]
    return Answer(code=code, result=result, error=errors[-1] if errors else {})
