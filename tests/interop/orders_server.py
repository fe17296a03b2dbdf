"""The example's server, running, for a client or an issuer of somebody else."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"


@contextmanager
def running_orders(scratch: Path, **options: Any) -> Iterator[tuple[World, ServerProcess]]:
    """Copy it, and start it in a world of its own; `options` as in `World`."""
    root = scratch / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    project = TestedProject.read(root)
    with (
        project.world(scratch, **options) as world,
        world.server("orders", PYTHONPATH=str(root / "src")) as server,
    ):
        yield world, server


def records(world: World) -> list[dict[str, Any]]:
    """Its audit so far: each record's data, and its type in short."""
    found = []
    for path in sorted(world.audit_directory.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            kind = record["type"].removeprefix("launchworthy.").removesuffix(".v1")
            found.append({"type": kind, **record["data"]})
    return found
