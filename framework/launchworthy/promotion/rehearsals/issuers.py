"""Several issuers: none can speak for another, and none takes the others with it when it fails.

Only where the settings name more than one: with one alone there is nobody to be taken for. Each issuer
publishes a key under a name of its own and one under a name that all of them use, so that a look-up in
another's set, and a heap in which the last one wins, are both seen.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from launchworthy.probe.running import Observation
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import (
    OK,
    Seen,
    good,
    retry_after,
    saw,
    sent,
    status,
    told,
    twin,
    within,
)
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.issuer import SigningKey, SimulatedIssuer
from launchworthy.testing.issuer_keys import generate_key

_TIMES = {"key_fresh": 1, "key_stale": 3, "key_spacing": 1}
_ENDS, _BACK = 8.0, 15.0
"""Seconds until the last good keys have run out, and until new ones are there; both on a slow machine."""
_UNAUTHORISED, _UNAVAILABLE = 401, 503
_FOR_ITS_KEY = frozenset({"token.kid", "token.key", "token.signature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """Who shows one issuer's tokens.

    Attributes:
        name: of the issuer in the settings.
        issuer: whose tokens.
        scene: where they are shown.
        keys: what the issuer publishes, by what their names are.
    """

    name: str
    issuer: SimulatedIssuer
    scene: Scene
    keys: dict[str, SigningKey]


@registry.rehearsal("TOK-03", "KEY-03")
def several_issuers(stage: Stage) -> Iterator[Seen]:
    """Each one signs as its neighbour; then one is down, and comes back."""
    if len(stage.project.settings.issuers) < 2:  # noqa: PLR2004 - one has nobody to be taken for
        return
    with _callers(stage) as callers:
        for speaker, spoken_for in zip(callers, (*callers[1:], callers[0]), strict=True):
            yield from _speaks_as(stage, speaker, spoken_for)
        yield from _one_is_down(stage, *callers[:2])


@contextmanager
def _callers(stage: Stage) -> Iterator[tuple[_Caller, ...]]:
    """One for each issuer, all of the same server."""
    with stage.world(key_times=_TIMES) as world:
        keys = {name: _publish(stage, name, issuer) for name, issuer in world.issuers.items()}
        with stage.server(world) as process, ExitStack() as stack:
            process.wait_ready()
            callers = []
            for name, issuer in world.issuers.items():
                probed, prober = stack.enter_context(stage.asked(world, issuer=name))
                scene = Scene(world=world, process=process, probed=probed, prober=prober)
                callers.append(_Caller(name=name, issuer=issuer, scene=scene, keys=keys[name]))
            yield tuple(callers)


def _publish(stage: Stage, name: str, issuer: SimulatedIssuer) -> dict[str, SigningKey]:
    """Publish two keys besides: by a name that only this issuer uses, and by one that all of them use."""
    keys = {
        "a name of its own": generate_key(stage.algorithm, f"of-{name}"),
        "a name that all use": generate_key(stage.algorithm, "of-all"),
    }
    issuer.keys.also_publish(*(key.public() for key in keys.values()))
    return keys


def _signed_by(caller: _Caller, key: SigningKey) -> Observation:
    """Show a token of this caller's issuer that somebody's key has signed."""
    return sent(caller.scene.prober, lambda draft: draft.minting.update(key=key))


def _speaks_as(stage: Stage, speaker: _Caller, other: _Caller) -> Iterator[Seen]:
    """A token in the other's name, right in everything, and signed by a key of the speaker."""
    for called, key in speaker.keys.items():
        its_own = _signed_by(speaker, key)
        yield twin("TOK-03", its_own, f"a key of `{speaker.name}` with {called} signs for `{speaker.name}`")
        seen = _signed_by(other, key)
        call = seen.answer.call if seen.answer is not None else None
        reasons = {
            str(record.data["reason"])
            for record in other.scene.records()
            if call is not None and record.data.get("call") == call and record.data.get("reason")
        }
        said = f"{told(seen)} ({', '.join(sorted(reasons)) or 'no reason in the audit'})"
        yield saw(
            "TOK-03",
            status(seen) == _UNAUTHORISED and seen.runs == 0 and bool(reasons & _FOR_ITS_KEY),
            f"and not for `{other.name}`: {said}",
            f"and for `{other.name}`, whose it is not: {said}",
            requests=1,
            where=stage.where(f"issuers.{other.name}.issuer"),
        )


def _one_is_down(stage: Stage, working: _Caller, down: _Caller) -> Iterator[Seen]:
    """Its tokens are good as long as its last keys are; the other's are good all the time."""
    yield twin("KEY-03", good(down.scene.prober), f"tokens of `{down.name}` go through")
    down.issuer.stop()
    meanwhile: list[int] = []

    def closed() -> bool:
        meanwhile.append(status(good(working.scene.prober)))
        return status(good(down.scene.prober)) == _UNAVAILABLE

    ended = within(_ENDS, closed)
    last = good(down.scene.prober)
    yield saw(
        "KEY-03",
        ended is not None and last.runs == 0 and retry_after(last) is not None,
        f"while `{down.name}` is down and its last keys have run out, its tokens: {told(last)}",
        f"while `{down.name}` is down and its last keys have run out, its tokens: {told(last)}, "
        f"Retry-After {retry_after(last)}",
        requests=1,
        where=stage.where(f"issuers.{down.name}.issuer"),
    )
    for called, key in working.keys.items():
        seen = _signed_by(down, key)
        yield saw(
            "KEY-03",
            status(seen) == _UNAVAILABLE and seen.runs == 0,
            f"nor does a key of `{working.name}` with {called} stand in for it: {told(seen)}",
            f"a key of `{working.name}` with {called} stands in for it: {told(seen)}",
            requests=1,
        )
    yield from _the_other_works(working, down, meanwhile)
    down.issuer.start()
    took = within(_BACK, lambda: status(good(down.scene.prober)) == OK)
    yield saw(
        "KEY-03",
        took is not None,
        f"tokens of `{down.name}` go through {took or 0:.1f} s after it is back, not restarted",
        f"tokens of `{down.name}` do not go through within {_BACK:.0f} s of its return",
        requests=1,
    )


def _the_other_works(working: _Caller, down: _Caller, meanwhile: list[int]) -> Iterator[Seen]:
    """With its own keys it is asked, answered and refused as ever, and the server is ready."""
    refused = sum(each != OK for each in meanwhile)
    yield saw(
        "KEY-03",
        bool(meanwhile) and not refused,
        f"meanwhile {len(meanwhile)} of {len(meanwhile)} tokens of `{working.name}` go through",
        f"meanwhile {refused} of {len(meanwhile)} tokens of `{working.name}` are refused",
        requests=len(meanwhile),
    )
    yield twin("KEY-03", good(working.scene.prober), f"and past the end of the keys of `{down.name}` too")
    unknown = sent(working.scene.prober, lambda draft: draft.token_header.update(kid="unknown"))
    yield saw(
        "KEY-03",
        status(unknown) == _UNAUTHORISED and unknown.runs == 0,
        f"a key that `{working.name}` does not have: {told(unknown)}",
        f"a key that `{working.name}`, which can be asked, does not have: {told(unknown)}",
        requests=1,
    )
    code, body = working.scene.process.readiness()
    yield saw(
        "KEY-03",
        code == OK,
        "and it says that it is ready: there are callers that it can serve",
        f"and /readyz says {code} {body}",
    )
