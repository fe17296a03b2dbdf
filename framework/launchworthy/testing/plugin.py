"""The pytest plugin: the project's own server, fresh for each test.

A generated project names it in its settings (`addopts = ["-p", "launchworthy.testing.plugin"]`). It imports
nothing of the framework before a test asks for a server, so that coverage sees every line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from launchworthy.testing.running import RunningServer


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[RunningServer]":
    """The server of this project, started for this test alone, with scratch data."""
    from launchworthy.testing.project import TestedProject  # noqa: PLC0415 - see above
    from launchworthy.testing.running import RunningServer  # noqa: PLC0415

    project = TestedProject.find(request.config.rootpath)
    with (
        project.world(tmp_path) as world,
        world.server(project.package) as process,
    ):
        yield RunningServer(world, process)
