"""What a call borrows: taken back however the call ends, and not to be had without its broker.

A call that fails upstream comes first, so that a lease has been there and ended before the broker fails: what
a server kept of it would show. The call that succeeds comes last, since an example may be good for once.
"""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2

from launchworthy.manifest import TargetManifest
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.pass_through import ID_06, passed_through
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, is_rehearsed
from launchworthy.testing.client import Refused
from launchworthy.testing.issuer import Fault

_BROKER_FAILS = {
    Fault.STATUS_500: "answers 500",
    Fault.DENIED: "says no",
    Fault.HANG: "does not answer",
}
_TAKEN_BACK = 15.0
"""Seconds after the end of a call: a plain function is waited for."""
_LEAVES_AFTER = 1.5
_ENDS = 60.0
_SEC_05, _SEC_06 = "SEC-05", "SEC-06"


@registry.rehearsal(_SEC_05, _SEC_06, ID_06)
def what_is_borrowed(stage: Stage) -> Iterator[Seen]:
    """Each target that borrows: its upstream fails, its broker fails, its caller leaves; all goes well."""
    borrowing = [each for each in declared(stage.project) if each.credentials]
    with stage.scene() as scene:
        for control in (_SEC_05, _SEC_06, ID_06):
            yield twin(control, good(scene.prober))
            if not borrowing:
                yield saw(control, True, "nothing is borrowed: no manifest names a credential", "")
        for target in borrowing:
            yield from _rehearsable(target)
            if is_rehearsed(target):
                yield from _borrowed(stage, scene, target)
                yield from passed_through(scene, target)
    for target in borrowing:
        if is_rehearsed(target):
            yield from _ended(stage, target)


def _rehearsable(target: TargetManifest) -> Iterator[Seen]:
    for control in (_SEC_05, _SEC_06, ID_06):
        yield saw(
            control,
            is_rehearsed(target),
            f"`{target.name}` borrows, and its example is run",
            f"`{target.name}` borrows, and its example is not run: rehearse = true",
            where=target.where,
        )


def _borrowed(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    lending = scene.world.lending
    prepare(stage, scene, target)
    upstreams = [lending.upstreams[name] for name in target.credentials if name in lending.upstreams]
    for upstream in upstreams:
        upstream.fault = Fault.STATUS_500
    call(stage, scene, target)
    yield from _came_back(scene, target, "when its upstream answers 500")
    for fault, what in _BROKER_FAILS.items():
        yield from _without_broker(stage, scene, target, fault, what)
    for upstream in upstreams:
        upstream.fault = Fault.HANG
    call(stage, scene, target, timeout=_LEAVES_AFTER)
    yield from _came_back(scene, target, "when its caller leaves")
    for upstream in upstreams:
        upstream.fault = Fault.NONE
    went_well = call(stage, scene, target)
    yield saw(
        _SEC_05,
        went_well,
        f"`{target.name}` does its work with what it borrows",
        f"the example of `{target.name}` fails in the simulated world, where every upstream answers",
        requests=1,
        where=target.where,
    )
    yield from _came_back(scene, target, "when it has done its work")


def _without_broker(
    stage: Stage, scene: Scene, target: TargetManifest, fault: Fault, what: str
) -> Iterator[Seen]:
    lending = scene.world.lending
    before, refused = sent(scene), len(_of(scene, target, "credential.refused"))
    lending.fail(fault)
    try:
        went_well = call(stage, scene, target)
    finally:
        lending.fail(Fault.NONE)
    asked = len(_of(scene, target, "credential.refused")) > refused
    closed = not went_well and asked and sent(scene) == before
    yield saw(
        _SEC_06,
        closed,
        f"while the broker {what}, `{target.name}` fails, and nothing is sent upstream",
        f"while the broker {what}, `{target.name}` "
        + ("goes on" if went_well else "sent something upstream" if asked else "asked for nothing"),
        requests=1,
        where=target.where,
    )


def _ended(stage: Stage, target: TargetManifest) -> Iterator[Seen]:
    """SIGTERM while a call waits for its upstream."""
    with stage.scene() as scene:
        prepare(stage, scene, target)
        for upstream in scene.world.lending.upstreams.values():
            upstream.fault = Fault.HANG
        calling = threading.Thread(target=call, args=(stage, scene, target), daemon=True)
        calling.start()
        within(_TAKEN_BACK, lambda: len(_of(scene, target, "credential.issued")) > 0)
        scene.process.terminate()
        scene.process.wait(_ENDS)
        calling.join(_TAKEN_BACK)
        yield from _came_back(scene, target, "when the server is told to end")


def _came_back(scene: Scene, target: TargetManifest, when: str) -> Iterator[Seen]:
    """Each lease so far: no wider than the manifest, and over."""
    ended = within(_TAKEN_BACK, lambda: not _open(scene, target))
    issued, still = _of(scene, target, "credential.issued"), _open(scene, target)
    wider = [
        each["credential"]
        for each in issued
        if not set(each.get("scopes", ())) <= set(target.credentials[each["credential"]].scopes)
    ]
    wrong = (
        f"`{target.name}` borrows nothing {when}: its example must reach what it borrows for"
        if not issued
        else f"{len(still)} of {len(issued)} leases of `{target.name}` are not taken back {when}"
        if ended is None
        else f"`{target.name}` was lent more than its manifest names: {', '.join(wider)}"
    )
    yield saw(
        _SEC_05,
        bool(issued) and ended is not None and not wider,
        f"what `{target.name}` borrows is taken back {when}",
        wrong,
        requests=1,
        where=target.where,
    )


def _open(scene: Scene, target: TargetManifest) -> list[str]:
    """The leases that were issued, and neither taken back nor, where that cannot be, let go of."""
    over = {each["lease"] for each in _of(scene, target, "credential.revoked")}
    over |= {
        each["lease"]
        for each in _of(scene, target, "credential.abandoned")
        if each.get("revocation") != "server"
    }
    return [each["lease"] for each in _of(scene, target, "credential.issued") if each["lease"] not in over]


def _of(scene: Scene, target: TargetManifest, kind: str) -> list[dict[str, Any]]:
    return [
        dict(record.data)
        for record in scene.records()
        if record.type == kind and record.data.get("target") == target.name
    ]


def sent(scene: Scene) -> int:
    """How many requests upstreams have seen, the refused ones too."""
    return sum(len(each) + each.refused for each in scene.world.lending.upstreams.values())


def prepare(stage: Stage, scene: Scene, target: TargetManifest) -> None:
    """Run the other examples that write, so that there is something for this one to work on."""
    for other in declared(stage.project):
        if is_rehearsed(other) and not other.credentials and other.key != target.key:
            call(stage, scene, other)


def call(stage: Stage, scene: Scene, target: TargetManifest, *, timeout: float = 30.0) -> bool:
    """Call it with its example, each time as another caller; returns whether it went well."""
    world, asked = scene.world, as_target(target)
    with world.client(*stage.scopes, timeout=timeout, approve=True) as caller:
        try:
            return caller.asked(asked.method, asked.params).get("isError") is not True
        except (Refused, httpx2.TransportError):
            return False
