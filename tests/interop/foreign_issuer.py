"""The example's server, where somebody else's authorization server issues its tokens."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orders_server import EXAMPLE

from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.toml import render_toml
from launchworthy.testing.world import World

OWN_ISSUER = re.compile(r"^\[issuers\.callers\]\n(?:[^\[\n].*\n|\n)*", re.MULTILINE)


def ask_nobody(root: Path) -> None:
    """Let refunds ask no person: another's issuer marks none among its callers."""
    tools = root / "manifests" / "tools.toml"
    none = 'approval = "none"\napproval_reason = "nobody signs in at this issuer: its callers are programs"'
    text, replaced = re.subn(r"^approval +=.*$", none, tools.read_text(), flags=re.MULTILINE)
    assert replaced == 1
    tools.write_text(text)


@contextmanager
def orders_trusting(
    scratch: Path, issuer: Callable[[str, tuple[str, ...]], dict[str, Any]], more: str = ""
) -> Iterator[tuple[World, ServerProcess]]:
    """Start it in a world whose only issuer is another one.

    Args:
        scratch: a folder of its own.
        issuer: from the resource and its scopes to the table `[issuers.callers]`; without `jwks_uri` the
            server discovers where the keys are.
        more: what else stands in the project's own settings, as TOML.
    """
    root = scratch / "orders"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".venv", ".launchworthy", "__pycache__"))
    ask_nobody(root)
    with (root / "config" / "development.toml").open("a") as settings:
        settings.write(more)
    project = TestedProject.read(root)
    with project.world(scratch) as world:
        for own in world.issuers.values():
            own.stop()  # whatever works from here on, works without it
        table = render_toml({"issuers.callers": issuer(world.url, project.scopes)})
        text, replaced = OWN_ISSUER.subn(lambda _: table, world.file.read_text())
        assert replaced == 1
        world.file.write_text(text)
        with world.server("orders", PYTHONPATH=str(root / "src")) as server:
            yield world, server
