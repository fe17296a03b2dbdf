"""Issuers whose metadata are not theirs, or lead elsewhere: no start, and no work past the last good keys.

Cold, a start is refused for its own reason. Warm, what the metadata name is never asked, and the keys that
are known end when they are too old. The twin is the same issuer with its own metadata.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
from launchworthy.promotion.rehearsals.stage import Scene, Stage, last_problem
from launchworthy.testing.issuer import Fault, SimulatedIssuer
from launchworthy.testing.world import World
from launchworthy.vocabulary import EX_CONFIG

_KEY_07 = "KEY-07"
_DEADLINE = "1500ms"
_ENDS, _CLOSED, _BACK = 20.0, 12.0, 15.0
_SHORT = {"key_fresh": 1, "key_stale": 1, "key_spacing": 1}
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """Metadata that must not be used.

    Attributes:
        name: what is wrong with them.
        members: of the issuer's own, in place of the good ones.
        reason: why a start is refused; empty where none is tried.
        redirected: whether they are redirected.
    """

    name: str
    members: Callable[[SimulatedIssuer], Mapping[str, Any]]
    reason: str = ""
    redirected: bool = False


@registry.rehearsal(_KEY_07)
def the_metadata_are_no_good(stage: Stage) -> Iterator[Seen]:
    """Cold: with metadata that must not be used there is no start."""
    names = _discovered(stage)
    if not names:
        yield saw(_KEY_07, True, "the settings name every key set: no metadata are asked", "")
        return
    with stage.world(discovery=True, start_deadline=_DEADLINE) as world:
        for bad in _COLD:
            for issuer in world.issuers.values():
                issuer.faults.metadata = bad.members(issuer)
            yield _refused(stage, world, bad, field=f"issuers.{names[0]}.issuer")


@registry.rehearsal(_KEY_07)
def the_metadata_turn_bad(stage: Stage) -> Iterator[Seen]:
    """Warm: good metadata serve; while they are bad the last good keys run out, and then it is back."""
    names = _discovered(stage)
    with stage.scene(discovery=bool(names), key_times=_SHORT) as scene, _mirror(scene.world) as mirror:
        yield twin(_KEY_07, good(scene.prober), "with the issuer's own metadata it starts and serves")
        for bad in _warm(mirror) if names else ():
            yield from _turned(scene, bad, mirror)


def _turned(scene: Scene, bad: _Metadata, mirror: SimulatedIssuer) -> Iterator[Seen]:
    issuer = scene.world.issuer
    issuer.faults.metadata = bad.members(issuer)
    issuer.faults.discovery = Fault.REDIRECT if bad.redirected else Fault.NONE
    issuer.faults.keys = Fault.STATUS_500  # it may have moved: the metadata are read again
    closed = within(_CLOSED, lambda: status(good(scene.prober)) == _UNAVAILABLE)
    last = good(scene.prober)
    asked = mirror.counts["keys"] + issuer.counts["redirected"]
    yield saw(
        _KEY_07,
        closed is not None and last.runs == 0 and retry_after(last) is not None and asked == 0,
        f"metadata with {bad.name}: not asked, and the last good keys run out: {told(last)}",
        f"metadata with {bad.name}: what they name was asked {asked} times, and a call gets {told(last)}",
        requests=1,
    )
    issuer.faults.clear()
    took = within(_BACK, lambda: status(good(scene.prober)) == OK)
    yield saw(
        _KEY_07,
        took is not None,
        f"it serves again {took or 0:.1f} s after they are good, not restarted",
        f"it does not serve again within {_BACK:.0f} s",
        requests=1,
    )


def _discovered(stage: Stage) -> tuple[str, ...]:
    """The issuers whose key set is found by their metadata: all, or none where the first one's is named."""
    issuers = stage.project.settings.issuers
    return tuple(issuers) if all(table.jwks_uri is None for table in issuers.values()) else ()


def _mirror(world: World) -> SimulatedIssuer:
    """Another host with the very same keys: no signature tells that they came from there."""
    mirror = SimulatedIssuer({world.url: world.scopes})
    mirror.faults.key_document = world.issuer.keys.document()
    return mirror


def _slash(issuer: SimulatedIssuer) -> Mapping[str, Any]:
    return {"issuer": f"{issuer.issuer}/"}


def _cloud(issuer: SimulatedIssuer) -> Mapping[str, Any]:
    return {"jwks_uri": issuer.jwks_uri.replace(issuer.issuer, "https://169.254.169.254")}


def _plain(issuer: SimulatedIssuer) -> Mapping[str, Any]:
    return {"jwks_uri": issuer.jwks_uri.replace(issuer.issuer, "http://keys.probe.invalid")}


def _nothing(issuer: SimulatedIssuer) -> Mapping[str, Any]:
    del issuer
    return {}


_COLD = (
    _Metadata(name="its name with a slash more", members=_slash, reason="wrong-issuer"),
    _Metadata(name="keys at the address of cloud metadata", members=_cloud, reason="issuer-endpoint"),
)


def _warm(mirror: SimulatedIssuer) -> tuple[_Metadata, ...]:
    def elsewhere(issuer: SimulatedIssuer) -> Mapping[str, Any]:
        del issuer
        return {"jwks_uri": mirror.jwks_uri}

    return (
        _Metadata(name="keys on another host", members=elsewhere),
        _Metadata(name="keys without TLS", members=_plain),
        _Metadata(name="a redirect", members=_nothing, redirected=True),
    )


def _refused(stage: Stage, world: World, bad: _Metadata, *, field: str) -> Seen:
    with stage.server(world) as process:
        try:
            code: int | None = process.wait(_ENDS)
        except TimeoutError:
            code = None
        said = last_problem(process)
    words = "it started" if code is None else f"exit {code}, {said.get('stage')}: {said.get('reason')}"
    return saw(
        _KEY_07,
        (code, said.get("stage"), said.get("reason")) == (EX_CONFIG, "issuers", bad.reason)
        and world.executions.taken() == 0,
        f"metadata with {bad.name}: no start ({words})",
        f"metadata with {bad.name}: {words}",
        where=stage.where(field),
    )
