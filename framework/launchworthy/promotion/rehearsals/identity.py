"""The server's own identity: rotated before it ends, and no work without one."""

from collections.abc import Iterator
from contextlib import contextmanager

from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import (
    OK,
    Seen,
    good,
    retry_after,
    saw,
    status,
    told,
    twin,
    within,
)
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.workload_api import Fault
from launchworthy.testing.world import World

_LIFE = 8.0
"""Seconds for which an identity is used in this world; a busy machine may be half of them late."""
_ROTATIONS = 3
_SEEN = 12.0
"""Seconds within which a withdrawal must be seen, beside the grace that the settings allow."""
_UNAVAILABLE = 503


@registry.rehearsal("ID-03")
def the_identity_ends(stage: Stage) -> Iterator[Seen]:
    """Three rotations under load, then nobody to ask, then somebody again."""
    with stage.scene(x509_ttl=_LIFE) as scene:
        yield twin("ID-03", good(scene.prober), f"with an identity of {_LIFE:.0f} s, calls go through")
        refused = 0

        def rotated() -> bool:
            nonlocal refused
            refused += status(good(scene.prober)) != OK
            return _changes(scene, "identity.rotated") >= _ROTATIONS

        took = within(_LIFE * _ROTATIONS, rotated)
        seen, where = _changes(scene, "identity.rotated"), stage.where("identity.kind")
        yield saw(
            "ID-03",
            took is not None and refused == 0,
            f"{_ROTATIONS} rotations in {took or 0:.1f} s, and no call was refused",
            f"{seen} rotations in {_LIFE * _ROTATIONS:.0f} s, {refused} calls refused",
            requests=1,
            where=where,
        )
        yield from _nobody_to_ask(scene, where)
        back = within(10.0, lambda: status(good(scene.prober)) == OK)
        yield saw(
            "ID-03",
            back is not None,
            f"it works again {back or 0:.1f} s after the agent is back, not restarted",
            "it does not work again within 10 s of the agent's return",
            requests=1,
        )


def _nobody_to_ask(scene: Scene, where: str | None) -> Iterator[Seen]:
    """Until its end the identity counts; after it nothing is done."""
    world = scene.world
    if world.workload_api is not None:
        with world.workload_api.outage():
            yield from _ends(scene, where)
    elif world.token_file is not None:
        world.token_file.stop_renewing()
        yield from _ends(scene, where)
        world.token_file.renew(exp=scene.probed.now + 600)


def _ends(scene: Scene, where: str | None) -> Iterator[Seen]:
    first = good(scene.prober)
    yield saw(
        "ID-03",
        status(first) == OK,
        "while the identity lasts, calls go through without the agent",
        f"the agent is gone and the identity still lasts: {told(first)}",
        requests=1,
    )
    closed = within(_LIFE + 5.0, lambda: status(good(scene.prober)) == _UNAVAILABLE)
    last = good(scene.prober)
    code, body = scene.process.readiness()
    yield saw(
        "ID-03",
        closed is not None
        and last.runs == 0
        and status(last) == _UNAVAILABLE
        and retry_after(last) is not None,
        f"when it has ended, nothing is done: {told(last)}, try again in {retry_after(last)} s",
        f"{_LIFE + 5:.0f} s after the agent went: {told(last)}",
        requests=1,
        where=where,
    )
    reasons = str(body.get("reasons"))
    yield saw(
        "ID-03",
        code == _UNAVAILABLE and "identity." in reasons,
        f"and /readyz says why: {reasons}",
        f"and /readyz says {code} {reasons}",
    )
    told_so = within(3.0, lambda: _changes(scene, "identity.expired") > 0) is not None
    yield saw("ID-03", told_so, "the audit says that it ended", "the audit does not say that it ended")


def _changes(scene: Scene, kind: str) -> int:
    return sum(record.type == kind for record in scene.records())


@registry.rehearsal("ID-03")
def the_identity_is_taken_away(stage: Stage) -> Iterator[Seen]:
    """This workload is nobody any more, or somebody else: nothing is done, until it is itself again."""
    grace = stage.project.settings.identity.revocation_grace or 0
    with stage.scene() as scene:
        yield twin("ID-03", good(scene.prober))
        with _taken_away(scene.world):
            took = within(grace + _SEEN, lambda: status(good(scene.prober)) == _UNAVAILABLE)
            last = good(scene.prober)
            code, body = scene.process.readiness()
            yield saw(
                "ID-03",
                took is not None and last.runs == 0 and code == _UNAVAILABLE,
                f"{took or 0:.1f} s after it was taken away, nothing is done: {told(last)}",
                f"{grace + _SEEN:.0f} s after it was taken away: {told(last)}, /readyz says {code} {body}",
                requests=1,
                where=stage.where("identity.expected_id"),
            )
        back = within(_SEEN, lambda: status(good(scene.prober)) == OK)
        yield saw(
            "ID-03",
            back is not None,
            f"given back, it works again after {back or 0:.1f} s, not restarted",
            f"given back, it does not work again within {_SEEN:.0f} s",
            requests=1,
        )


@contextmanager
def _taken_away(world: World) -> Iterator[None]:
    """An agent that knows nobody here; a platform that projects the token of somebody else."""
    if world.workload_api is not None:
        world.workload_api.set_fault(Fault.PERMISSION_DENIED)
        yield
        world.workload_api.set_fault(Fault.NONE)
        world.workload_api.push()
    elif world.token_file is not None:
        world.token_file.renew(sub=f"{world.subject}-of-somebody-else")
        yield
        world.token_file.renew()
