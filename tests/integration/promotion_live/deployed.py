"""The example, deployed behind a proxy: its public URL is the proxy's, and its tokens are for that."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from launchworthy.testing.project import TestedProject
from launchworthy.testing.toml import render_toml
from launchworthy.testing.waiting import free_port
from launchworthy.testing.world import World

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders"
_LISTEN = re.compile(r'^listen = "127\.0\.0\.1:(\d+)"$', re.MULTILINE)
_OWN_ISSUER = re.compile(r"^\[issuers\.callers\]\n(?:[^\[\n].*\n|\n)*", re.MULTILINE)


def copied(target: Path) -> Path:
    """The example as a team has it."""
    ignored = shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__", "dist")
    shutil.copytree(EXAMPLE, target, ignore=ignored)
    return target


@contextmanager
def deployed(
    root: Path,
    scratch: Path,
    *,
    issuer: Callable[[str, tuple[str, ...]], dict[str, Any]] | None = None,
    **options: Any,
) -> Iterator[tuple[World, str]]:
    """Start it; yields the world, whose URL is the public one, and where the server really listens.

    Args:
        root: of the project.
        scratch: a folder of its own.
        issuer: from the resource and its scopes to another issuer than the world's own.
        options: as in `World`.
    """
    project = TestedProject.read(root)
    behind = free_port()
    with project.world(scratch, **options) as world:
        text, count = _LISTEN.subn(f'listen = "127.0.0.1:{behind}"', world.file.read_text())
        assert count == 1
        if issuer is not None:
            table = render_toml({"issuers.callers": issuer(world.url, project.scopes)})
            text, count = _OWN_ISSUER.subn(lambda _: table, text)
            assert count == 1
        world.file.write_text(text)
        with world.server(project.package, PYTHONPATH=str(root / "src")):
            yield world, f"http://127.0.0.1:{behind}"


def port_of(url: str) -> int:
    return urlsplit(url).port or 0
