"""A call that takes too long, and a caller who leaves: both end it, and nothing of it happens afterwards.

Each body is held up at its door, as a slow machine would hold it. Only time is shortened: a call may take
two seconds in this world, where its manifest allows more.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from launchworthy.manifest import TargetManifest
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.credentials import call, prepare
from launchworthy.promotion.rehearsals.reaching import reaching_out
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, is_rehearsed, may_run
from launchworthy.testing.client import Client
from launchworthy.testing.issuer import Fault

_TL_05 = "TL-05"
_LONGEST = 2.0
_LATEST = 10.0
"""Seconds for the answer of a call that has ended by then, on a machine that is busy with other worlds."""
_HELD, _HELD_LESS, _LEAVES_AFTER = 3.0, 1.2, 0.5
"""Longer than a call may take; shorter than that, and left before."""
_AFTERWARDS = 0.7
_AT_ONCE = 8


@registry.rehearsal(_TL_05, "TL-03")
def a_call_that_takes_too_long(stage: Stage) -> Iterator[Seen]:
    """Held up beyond its time, left by its caller, reaching out, and kept waiting by its upstream."""
    targets = [each for each in declared(stage.project) if may_run(each)]
    with stage.scene(longest_call=_LONGEST) as scene:
        yield twin(_TL_05, good(scene.prober), "what is not held up goes through")
        yield from _in_time(stage, scene, targets)
        yield from _left(stage, scene, targets)
        scene.world.door.hold(0.0)
        yield from reaching_out(stage, scene, targets)
        for target in declared(stage.project):
            if target.credentials and is_rehearsed(target):
                yield from _upstream_hangs(stage, scene, target)
        yield twin(_TL_05, good(scene.prober), "afterwards it serves as before")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How one call ended: when it began, after how long it ended, and whether with an error."""

    target: TargetManifest
    began: float
    seconds: float
    failed: bool


def _in_time(stage: Stage, scene: Scene, targets: list[TargetManifest]) -> Iterator[Seen]:
    scene.world.door.hold(_HELD)
    scene.world.executions.taken()
    ends = _all(stage, scene, targets, timeout=30.0)
    for end in ends:
        allowed = min(_LONGEST, end.target.timeout_seconds)
        promised = f"{end.target.timeout_seconds:g} s, here {allowed:g} s"
        yield saw(
            _TL_05,
            end.failed and end.seconds < _LATEST,
            f"`{end.target.name}` ({promised}) is answered in time: it took too long",
            f"`{end.target.name}` ({promised}) is answered after {end.seconds:.1f} s"
            + ("" if end.failed else ", as if all were well"),
            requests=1,
            where=end.target.where,
        )
    yield _nothing_more(scene, _HELD, "after their time was over", ends)
    told = sum(record.data.get("outcome") == "timeout" for record in scene.records())
    yield saw(
        _TL_05,
        told == len(targets),
        f"the audit says of each of {told} calls that it ran out of time",
        f"the audit says of {told} of {len(targets)} calls that they ran out of time",
    )


def _left(stage: Stage, scene: Scene, targets: list[TargetManifest]) -> Iterator[Seen]:
    scene.world.door.hold(_HELD_LESS)
    scene.world.executions.taken()
    ends = _all(stage, scene, targets, timeout=_LEAVES_AFTER)
    yield _nothing_more(scene, _HELD_LESS, "after their callers had left", ends)


def _nothing_more(scene: Scene, held: float, when: str, ends: list[_Ended]) -> Seen:
    """Wait until whatever was held up could have gone on."""
    left = max(each.began for each in ends) + held - time.monotonic()
    entered = within(max(0.0, left) + _AFTERWARDS, lambda: scene.world.executions.taken() > 0)
    names = ", ".join(f"`{each.target.name}`" for each in ends)
    return saw(
        _TL_05,
        entered is None,
        f"nothing ran {when}: {len(ends)} targets were called",
        f"a body was entered {when}: one of {names}",
        requests=len(ends),
        where=ends[0].target.where,
    )


def _upstream_hangs(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    """In its body, where it waits for whom it asks; then whom it asks is back."""
    prepare(stage, scene, target)
    upstreams = [scene.world.lending.upstreams[name] for name in target.credentials]
    for upstream in upstreams:
        upstream.fault = Fault.HANG
    began = time.monotonic()
    went_well = call(stage, scene, target)
    took = time.monotonic() - began
    sent = sum(map(len, upstreams))
    for upstream in upstreams:
        upstream.fault = Fault.NONE
    more = within(_AFTERWARDS, lambda: sum(map(len, upstreams)) > sent)
    yield saw(
        _TL_05,
        not went_well and more is None,
        f"`{target.name}` gives up on an upstream that hangs, after {took:.1f} s, and sends nothing more",
        f"`{target.name}` "
        + ("goes on as if its upstream had answered" if went_well else "sends more after it was answered"),
        requests=1,
        where=target.where,
    )


def _all(stage: Stage, scene: Scene, targets: list[TargetManifest], *, timeout: float) -> list[_Ended]:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="held-up") as callers:
        return list(callers.map(lambda each: _ended(stage, scene, each, timeout), targets))


def _ended(stage: Stage, scene: Scene, target: TargetManifest, timeout: float) -> _Ended:
    began, failed = time.monotonic(), True
    world, asked = scene.world, as_target(target)
    with Client(world.url, world.token(*stage.scopes), timeout=timeout, tls=world.tls) as caller:
        try:
            said = caller.send(asked.method, asked.params).json()
            failed = "error" in said or said.get("result", {}).get("isError") is True
        except httpx2.TransportError:
            pass  # it left, as it was meant to
    return _Ended(target=target, began=began, seconds=time.monotonic() - began, failed=failed)
