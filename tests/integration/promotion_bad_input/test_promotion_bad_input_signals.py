"""Whoever ends the gate, at whatever moment: nothing is left running or lying, and nothing is halved."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from spoiling import PromotedOrders, put_back, started

from launchworthy.testing.world import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spoiled")]
INTERRUPTED = 130
STAGES = {
    "while the code is asked": ("launchworthy.server.describing", 1),
    "while the wheel is built": ("uv", 1),
    "when a first server runs": ("-m orders", 1),
    "when several servers run": ("-m orders", 4),
}


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the gate puts what it needs for a while; short, since sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="gate-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("stage", STAGES)
def test_a_gate_that_is_ended_leaves_nothing(
    good_orders: PromotedOrders, scratch: Path, stage: str, number: signal.Signals
) -> None:
    command = ("promote", "--environment", "rehearsal")
    before = reports(good_orders)
    with put_back(good_orders), started(good_orders, *command, TMPDIR=str(scratch)) as gate:
        seen = children_at(gate, *STAGES[stage])
        gate.send_signal(number)
        said, complaint = gate.communicate(timeout=90)
        _, alive = psutil.wait_procs(seen, timeout=10)
        assert (gate.returncode, said) == (INTERRUPTED, ""), complaint
        assert [each.cmdline() for each in alive] == []
        assert [each.name for each in scratch.iterdir() if each.name.startswith("lw-")] == []
        assert list((good_orders.root / ".launchworthy" / "promotion").glob("wheel-*")) == []
        assert reports(good_orders) == before
        assert "Traceback" not in complaint


def test_a_second_signal_does_not_disturb_who_cleans_up(good_orders: PromotedOrders, scratch: Path) -> None:
    command = ("check", "TOK-04", "KEY-01", "--rehearse", "--environment", "rehearsal")
    with put_back(good_orders), started(good_orders, *command, TMPDIR=str(scratch)) as gate:
        seen = children_at(gate, "-m orders", 2)
        for _ in range(20):
            if gate.poll() is None:
                gate.send_signal(signal.SIGINT)
        gate.communicate(timeout=90)
        _, alive = psutil.wait_procs(seen, timeout=10)
        assert (gate.returncode, alive) == (INTERRUPTED, [])
        assert [each.name for each in scratch.iterdir() if each.name.startswith("lw-")] == []


def reports(orders: PromotedOrders) -> dict[str, bytes]:
    """Everything where reports go."""
    folder = orders.root / "dist" / "promotion"
    return {each.name: each.read_bytes() for each in folder.iterdir()} if folder.is_dir() else {}


def children_at(gate: "subprocess.Popen[str]", wanted: str, many: int) -> list[psutil.Process]:
    """All children of the gate, at the moment when so many of a kind run."""
    process, seen = psutil.Process(gate.pid), list[psutil.Process]()

    def there() -> bool:
        seen[:] = enough(process.children(recursive=True), wanted, many)
        return bool(seen)

    wait_until(there, timeout=120.0)
    return seen


def enough(children: list[psutil.Process], wanted: str, many: int) -> list[psutil.Process]:
    matching = [each for each in children if runs(each, wanted)]
    return children if len(matching) >= many else []


def runs(process: psutil.Process, wanted: str) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return wanted in " ".join(line) if " " in wanted else any(Path(each).name == wanted for each in line)
