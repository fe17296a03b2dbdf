"""Issuers that fail: cached keys for a while, then closed; and key sets that never replace a good one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
from launchworthy.testing.issuer import Fault

_PATIENT = {"key_fresh": 1, "key_stale": 60, "key_spacing": 1}
_SHORT = {"key_fresh": 1, "key_stale": 4, "key_spacing": 1}
_SOON = 8.0
_CLOSED = frozenset({401, 503})
_UNAVAILABLE = 503
_ERRORS = (Fault.STATUS_500, Fault.NOT_FOUND)
_GARBLED = (Fault.GARBAGE, Fault.EMPTY, Fault.REDIRECT)
_UNFIT = (Fault.HUGE, Fault.HTML)
_SYMMETRIC = {"kty": "oct", "kid": "probe", "alg": "HS256", "k": "cHJvYmUtcHJvYmUtcHJvYmUtcHJvYmU"}


@registry.rehearsal("KEY-03")
def the_issuer_is_down(stage: Stage) -> Iterator[Seen]:
    """Warm: cached keys to their end, then 503, then back without a restart."""
    with stage.scene(key_times=_SHORT) as scene:
        yield twin("KEY-03", good(scene.prober))
        issuers = scene.world.issuers.values()
        for issuer in issuers:  # all of them: one alone is another rehearsal
            issuer.stop()
        failing = within(_SOON, lambda: _has_failed(scene)) is not None
        yield saw(
            "KEY-03",
            failing and status(good(scene.prober)) == OK,
            "while it refuses connections, known keys verify",
            "while it refuses connections, known keys are refused",
            requests=1,
        )
        unknown = sent(scene.prober, lambda draft: draft.token_header.update(kid="unknown"))
        yield saw(
            "KEY-03",
            status(unknown) in _CLOSED and unknown.runs == 0,
            f"a key nobody can look up: {told(unknown)}",
            f"a key nobody can look up: {told(unknown)}",
            requests=1,
        )
        closed = within(_SOON, lambda: status(good(scene.prober)) == _UNAVAILABLE)
        last = good(scene.prober)
        code, body = scene.process.readiness()
        yield saw(
            "KEY-03",
            closed is not None and last.runs == 0 and retry_after(last) is not None,
            f"past the limit every call is refused: {told(last)}, try again in {retry_after(last)} s",
            f"past the limit: {told(last)}, Retry-After {retry_after(last)}",
            requests=1,
            where=stage.where("issuers"),
        )
        unready = code == _UNAVAILABLE and "keys.unavailable" in str(body.get("reasons"))
        yield saw(
            "KEY-03",
            unready,
            "and it says that it is not ready: keys.unavailable",
            f"and /readyz says {code} {body}",
        )
        for issuer in issuers:
            issuer.start()
        took = within(15.0, lambda: status(good(scene.prober)) == OK)
        yield saw(
            "KEY-03",
            took is not None,
            f"it serves again {took or 0:.1f} s after the issuer is back, not restarted",
            "it does not serve again within 15 s of the issuer's return",
            requests=1,
        )


@registry.rehearsal("KEY-03", "KEY-05")
def the_key_set_is_no_key_set(stage: Stage) -> Iterator[Seen]:
    """An error is not a key set, and what cannot be read never replaces what could."""
    with stage.scene(key_times=_PATIENT) as scene:
        for control, faults in (("KEY-03", _ERRORS), ("KEY-05", _GARBLED)):
            if control in stage.wanted:
                for fault in faults:
                    yield from _survives(control, stage, scene, fault.value, keys=fault)
        redirected = scene.world.issuer.counts["redirected"]
        yield saw("KEY-05", redirected == 0, "a redirect was not followed", "a redirect was followed")
        yield twin("KEY-03", good(scene.prober))
        yield twin("KEY-05", good(scene.prober))


@registry.rehearsal("KEY-05")
def the_key_set_holds_what_it_must_not(stage: Stage) -> Iterator[Seen]:
    """What is too large, of another kind, or holds no public key."""
    with stage.scene(key_times=_PATIENT) as scene:
        for fault in _UNFIT:
            yield from _survives("KEY-05", stage, scene, fault.value, keys=fault)
        private = {
            **scene.probed.stranger.keys.active().private.as_dict(private=True),
            "kid": "probe",
            "use": "sig",
        }
        for name, key in (("a symmetric key", _SYMMETRIC), ("a private key", private)):
            yield from _survives("KEY-05", stage, scene, name, key_document={"keys": [key]})
        yield twin("KEY-05", good(scene.prober))


def _survives(control: str, stage: Stage, scene: Scene, name: str, **faults: Any) -> Iterator[Seen]:
    """While the key set is like that, known keys verify and unknown ones do not."""
    with _broken(scene, faults) as asked:
        known = good(scene.prober)
        unknown = sent(scene.prober, lambda draft: draft.token_header.update(kid="probe"))
        yield saw(
            control,
            asked and status(known) == OK and known.runs == 1,
            f"key set `{name}`: known keys verify",
            f"key set `{name}`: a known key is refused: {told(known)}",
            requests=1,
            where=stage.where("issuers"),
        )
        yield saw(
            control,
            status(unknown) in _CLOSED and unknown.runs == 0,
            f"key set `{name}`: an unknown key: {told(unknown)}",
            f"key set `{name}`: an unknown key: {told(unknown)}",
            requests=1,
        )


@contextmanager
def _broken(scene: Scene, faults: Mapping[str, Any]) -> Iterator[bool]:
    """Break the key set, wait until the server has seen it, and until it has seen a good one again."""
    issuer = scene.world.issuer
    for name, value in faults.items():
        setattr(issuer.faults, name, value)
    seen = within(_SOON, lambda: _has_failed(scene)) is not None
    yield seen
    issuer.faults.clear()
    within(_SOON, lambda: not _has_failed(scene))


def _has_failed(scene: Scene) -> bool:
    """Whether the server says that its keys are not as fresh as they should be."""
    _, body = scene.process.readiness()
    return "keys." in str(body.get("reasons"))
