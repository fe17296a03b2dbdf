"""What is stopped counts at once, what is lifted a moment later, and what is not known closes everything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_state_control_entries import DENY, STOP

from launchworthy.manifest import TargetKind
from launchworthy.state.control import Change, ChangeKind, ControlList, Entry, FileSource
from launchworthy.state.control.control_list import STALE_AFTER
from launchworthy.vocabulary import Problem, ProblemError, Reason, Refused

NOON = 1795176000  # 2026-11-20T12:00:00Z


def nobody(entry: Entry) -> tuple[str, ...]:
    raise ProblemError(Problem(reason="grant-not-approved", what=f"nobody has approved {entry.id}", fix=()))


pytestmark = pytest.mark.anyio


class Place:
    """A control file, a list that reads it, and what was told."""

    def __init__(self, directory: Path, clock: Any) -> None:
        self.file = directory / "control.toml"
        self.file.write_text("")
        self.wall = float(NOON + 60)
        self.clock = clock
        self.told: list[Change] = []
        self.list = ControlList(
            (FileSource(self.file),),
            longest={"https://login.acme.example": 3600},
            judge=nobody,
            clock=lambda: self.wall,
            monotonic=clock,
        )
        self.list.on_change(self.told.append)

    async def says(self, text: str) -> None:
        self.file.write_text(text)
        await self.list.poll()

    @property
    def kinds(self) -> list[str]:
        return [each.kind.value for each in self.told]


@pytest.fixture
async def place(tmp_path: Path, clock: Any) -> Place:
    made = Place(tmp_path, clock)
    await made.list.start()
    return made


def reason(act: Callable[[], None]) -> Reason | None:
    try:
        act()
    except Refused as refused:
        return refused.reason
    return None


async def test_a_stop_counts_from_the_reading_that_finds_it(place: Place) -> None:
    place.list.refuse_stopped("refund_order")
    generation = place.list.generation
    await place.says(STOP)
    with pytest.raises(Refused) as refused:
        place.list.refuse_stopped("refund_order")
    assert refused.value.reason is Reason.TOOL_STOPPED
    assert "stop-refunds" in refused.value.detail
    assert place.list.generation != generation
    place.list.refuse_stopped("find_orders")
    place.list.require()


async def test_everything_can_be_stopped(place: Place) -> None:
    await place.says(STOP.replace("refund_order", "*"))
    assert reason(lambda: place.list.refuse_stopped("find_orders")) is Reason.TOOL_STOPPED
    listed = frozenset({(TargetKind.TOOL, "find_orders"), (TargetKind.RESOURCE, "order")})
    assert place.list.without_stopped(listed) == frozenset()


async def test_what_is_stopped_is_not_listed(place: Place) -> None:
    listed = frozenset({(TargetKind.TOOL, "refund_order"), (TargetKind.TOOL, "find_orders")})
    assert place.list.without_stopped(listed) is listed
    await place.says(STOP)
    assert place.list.without_stopped(listed) == {(TargetKind.TOOL, "find_orders")}


async def test_an_entry_that_is_gone_counts_until_a_second_reading_misses_it(place: Place) -> None:
    """An editor empties a file before it writes it."""
    await place.says(STOP)
    await place.says("")
    assert reason(lambda: place.list.refuse_stopped("refund_order")) is Reason.TOOL_STOPPED
    await place.says(STOP)
    await place.says("")
    assert reason(lambda: place.list.refuse_stopped("refund_order")) is Reason.TOOL_STOPPED
    await place.list.poll()
    place.list.refuse_stopped("refund_order")
    assert place.kinds == ["added", "removed"]


async def test_a_stop_ends_by_itself(place: Place) -> None:
    await place.says(STOP)
    place.wall = NOON + 8 * 3600
    await place.list.poll()
    place.list.refuse_stopped("refund_order")
    assert place.kinds == ["added", "expired"]


async def test_a_denial_outlives_its_end_while_a_token_of_its_time_may_live(place: Place) -> None:
    await place.says(DENY.replace("2026-11-21T12:00:00+01:00", "2026-11-20T12:05:00Z"))
    place.wall = NOON + 3599
    await place.list.poll()
    assert place.list.in_force.denied == {("client", "https://login.acme.example", "support-agent")}
    place.wall = NOON + 3600
    await place.list.poll()
    assert place.list.in_force.denied == frozenset()


@pytest.mark.parametrize("broken", ["[[stop]]", "\x00", '[[grant]]\nid = "grant-1"\n'])
async def test_a_list_that_cannot_be_understood_closes_everything(place: Place, broken: str) -> None:
    await place.says(STOP)
    await place.says(broken)
    assert reason(place.list.require) is Reason.CONTROL_STALE
    assert reason(lambda: place.list.refuse_stopped("refund_order")) is Reason.TOOL_STOPPED
    await place.says(STOP)
    place.list.require()
    assert place.kinds == ["added", "stale", "fresh"]


async def test_a_list_that_is_gone_or_no_file_closes_everything(place: Place) -> None:
    place.file.unlink()
    await place.list.poll()
    assert reason(place.list.require) is Reason.CONTROL_STALE
    place.file.mkdir()
    await place.list.poll()
    assert reason(place.list.require) is Reason.CONTROL_STALE
    place.file.rmdir()
    await place.says("")
    place.list.require()


async def test_a_list_that_nobody_reads_any_more_is_stale(place: Place, clock: Any) -> None:
    """The loop has died, or a mount hangs: nobody is there to tell, and the age tells."""
    clock.now += STALE_AFTER
    place.list.require()
    clock.now += 1
    assert reason(place.list.require) is Reason.CONTROL_STALE
    await place.list.poll()
    place.list.require()


async def test_a_list_that_was_never_read_is_stale(tmp_path: Path, clock: Any) -> None:
    made = Place(tmp_path, clock)
    clock.now += 1
    assert reason(made.list.require) is Reason.CONTROL_STALE


async def test_a_start_without_the_file_that_the_settings_name_is_refused(tmp_path: Path, clock: Any) -> None:
    made = Place(tmp_path, clock)
    made.file.unlink()
    with pytest.raises(ProblemError) as error:
        await made.list.start()
    assert error.value.problems[0].reason == "control-file-missing"


async def test_a_server_whose_settings_name_no_list_is_always_fresh(clock: Any) -> None:
    control = ControlList((), longest={}, judge=nobody, clock=lambda: 0.0, monotonic=clock)
    await control.start()
    clock.now += 1000
    control.require()
    assert control.in_force.entries == ()


async def test_a_change_is_told_once_with_its_entry(place: Place) -> None:
    await place.says(STOP)
    await place.list.poll()
    await place.says(STOP.replace('["refund_order"]', '["refund_order", "place_order"]'))
    await place.list.poll()
    assert [(each.kind, each.entry.targets) for each in place.told if each.entry is not None] == [
        (ChangeKind.ADDED, ("refund_order",)),
        (ChangeKind.REMOVED, ("refund_order",)),
        (ChangeKind.ADDED, ("refund_order", "place_order")),
    ]


async def test_a_problem_of_reading_that_nobody_thought_of_closes_everything(clock: Any) -> None:
    class Odd:
        name = "odd"
        broken = False

        async def read(self) -> tuple[Any, ...]:
            if self.broken:
                raise MemoryError
            return ()

    odd = Odd()
    control = ControlList((odd,), longest={}, judge=nobody, clock=lambda: 0.0, monotonic=clock)
    await control.start()
    control.require()
    odd.broken = True
    await control.poll()
    assert reason(control.require) is Reason.CONTROL_STALE
