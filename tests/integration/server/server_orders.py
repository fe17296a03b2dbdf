"""A copy of the example, and worlds to start it in."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World
from launchworthy.vocabulary import Environment

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"


@dataclass(frozen=True)
class Orders:
    """The example's files, free to be changed, and where its worlds go."""

    root: Path
    scratch: Path

    @classmethod
    def copy(cls, scratch: Path) -> "Orders":
        root = scratch / "orders"
        shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
        return cls(root=root, scratch=scratch)

    def edit(self, path: str, before: str, after: str) -> None:
        file = self.root / path
        text = file.read_text()
        assert text.count(before) == 1, f"{before!r} is not once in {path}"
        file.write_text(text.replace(before, after))

    def append(self, path: str, text: str) -> None:
        with (self.root / path).open("a") as file:
            file.write(text)

    @contextmanager
    def world(self, name: str = "world", **options: Any) -> Iterator[World]:
        tested = TestedProject.read(self.root)
        folder = self.scratch / name
        folder.mkdir()
        with tested.world(folder, **options) as world:
            yield world

    def server(self, world: World, **environ: str) -> ServerProcess:
        return world.server("orders", **{"PYTHONPATH": str(self.root / "src"), **environ})

    @contextmanager
    def running(self, **options: Any) -> Iterator[tuple[World, ServerProcess]]:
        with self.world(**options) as world, self.server(world) as server:
            yield world, server

    def refusal(self, world: World, **environ: str) -> tuple[int, dict[str, Any]]:
        """Start, and return the exit code and the first message of a start that must be refused."""
        server = self.server(world, **environ)
        server.start()
        try:
            code = server.wait(timeout=30)
        finally:
            server.stop()
        lines = [line for line in server.stderr.splitlines() if line.startswith("{")]
        assert lines, server.stderr
        return code, json.loads(lines[0])


def records(world: World) -> list[dict[str, Any]]:
    """Every audit record of a world's server, in order."""
    files = sorted(world.audit_directory.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def types(world: World) -> list[str]:
    return [record["type"].removeprefix("launchworthy.").removesuffix(".v1") for record in records(world)]


REHEARSAL = {"environment": Environment.REHEARSAL, "settings": Environment.PRODUCTION}
