"""Everything that a team does on its first day, and at its first upgrade, on a machine with an empty HOME."""

from pathlib import Path

import pytest
from day_one import (
    Machine,
    change_a_tool,
    copy_and_start,
    platform,
    promote,
    serve_the_wheel,
    upgrade,
)
from releases import make_releases

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("identity", ["spiffe", "file"])
def test_a_first_day_and_a_first_upgrade(identity: str, tmp_path: Path) -> None:
    machine, project, clone = Machine(tmp_path), tmp_path / "orders", tmp_path / "launchworthy"
    releases = make_releases(clone)
    machine.run(clone, f"git checkout --quiet {releases.tags[-4]}")
    copy_and_start(machine, clone, project, f"identity={identity}")
    change_a_tool(machine, project)
    with platform(tmp_path / "platform") as signs:
        promote(machine, project, signs)
        serve_the_wheel(machine, project, signs, tmp_path / "world")
    said = upgrade(machine, clone, project, releases.tags[-3])
    assert "tests/test_tools.py → tests/tools/test_tools.py" in said
    assert " controls, " in said
