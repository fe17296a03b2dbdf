"""The example project, finished, with an environment of its own, and the real command line."""

import contextlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "tests" / "unit" / "promotion"))

from promotion_project import commit, edit, environment_of, fresh_copy  # noqa: E402

from launchworthy.cli.main import app  # noqa: E402


@dataclass(frozen=True)
class Shop:
    """A project on disk, and the command run in it as its team would."""

    root: Path
    python: Path

    def run(self, *arguments: str) -> Any:
        """The command in this process, which asks the project's code in another."""
        with contextlib.chdir(self.root):
            return CliRunner().invoke(app, [*arguments, "--python", str(self.python)])

    def report(self, *arguments: str) -> dict[str, dict[str, Any]]:
        done = self.run("check", "--format", "json", *arguments)
        assert done.exit_code in {0, 1}, done.output
        return {finding["control"]: finding for finding in json.loads(done.stdout)["findings"]}

    def edit(self, *edits: tuple[str, str, str]) -> None:
        edit(self.root, *edits)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Shop:
    home = tmp_path_factory.mktemp("shop")
    root = fresh_copy(home / "orders")
    shop = Shop(root=root, python=environment_of(home / "environment", root))
    commit(root)
    return shop


@pytest.fixture
def shop(finished):
    """The project as the template made it; whatever a test changes is put back."""
    kept = finished.root.with_name("kept")
    shutil.copytree(finished.root, kept, symlinks=True)
    yield finished
    assert not {"orders", "orders.server"} & sys.modules.keys(), "the gate imports nothing that it judges"
    shutil.rmtree(finished.root)
    kept.rename(finished.root)
