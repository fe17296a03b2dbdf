"""A call that reaches for a host which no manifest names: nothing is sent, and the call has failed.

The harness lets each body, at its door, connect to a listener of its own that nobody declared; for a target
that declares something, to an address that is set aside for documentation (RFC 5737).
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from launchworthy.manifest import TargetManifest
from launchworthy.promotion.rehearsals.credentials import call
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage

_TL_03 = "TL-03"
_NOBODYS = "192.0.2.1:443"
_DENIED = "tool.egress"


def reaching_out(stage: Stage, scene: Scene, targets: list[TargetManifest]) -> Iterator[Seen]:
    """Every target whose example is run reaches out once, beside a call that does not.

    Args:
        stage: of the rehearsal.
        scene: whose world has a door.
        targets: what may be run.
    """
    yield twin(_TL_03, good(scene.prober), "a call that reaches for nothing goes through")
    for target in targets:
        yield from _reaching(stage, scene, target)
    scene.world.door.reach("")
    yield twin(_TL_03, good(scene.prober), "afterwards it goes through as before")


def _reaching(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    scene.world.executions.taken()
    before = _denials(scene)
    with _listener() as (address, listener):
        scene.world.door.reach(_NOBODYS if target.egress else address)
        went_well = call(stage, scene, target)
        connected = _was_connected(listener)
    ran, told = scene.world.executions.taken(), _denials(scene) - before
    wrong = (
        "it is connected"
        if connected
        else "the call goes on as if nothing had been"
        if went_well or ran
        else "the audit does not say what it reached for"
    )
    yield saw(
        _TL_03,
        not connected and not went_well and ran == 0 and told == 1,
        f"`{target.name}` reaches for a host that it does not declare: nothing is sent, and the call fails",
        f"`{target.name}` reaches for a host that it does not declare: {wrong}",
        requests=1,
        where=target.where,
    )


@contextmanager
def _listener() -> Iterator[tuple[str, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        host, port = listener.getsockname()
        yield f"{host}:{port}", listener


def _was_connected(listener: socket.socket) -> bool:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


def _denials(scene: Scene) -> int:
    return sum(record.data.get("reason") == _DENIED for record in scene.records())
