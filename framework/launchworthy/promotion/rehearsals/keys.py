"""Keys that change: a new one is used soon, an old one is good while it is published and no longer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2

from launchworthy.probe.running import Observation
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import OK, Seen, good, saw, sent, status, told, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.testing.issuer import Fault, SigningKey

_TIMES = {"key_fresh": 1, "key_stale": 60, "key_spacing": 1}
_SOON = 5.0
"""Seconds within which a change must be seen: key ages of one second, one interval, and a slow machine."""
_UNAUTHORISED, _UNAVAILABLE = 401, 503
_AT_ONCE = 8
_SPACING = 1.2
"""Seconds until the issuer may be asked again, with an interval of one."""
_AT_ONCE_SECONDS = 4.0
"""Seconds that a known key may take meanwhile; waiting for the issuer would take five."""
_MOST_REQUESTS = 2
"""One in flight, and one that may follow it."""
_PATIENCE = 12.0
"""Seconds that an answer may take while the issuer hangs; the request to it ends after five."""


@registry.rehearsal("KEY-01", "KEY-02")
def a_key_is_rotated(stage: Stage) -> Iterator[Seen]:
    """Published, used, overlapping, withdrawn; the server is not restarted."""
    with stage.scene(key_times=_TIMES) as scene:
        keys = scene.world.issuer.keys
        yield twin("KEY-01", good(scene.prober), "the first key verifies")
        old = keys.active()
        keys.rotate()
        took = within(_SOON, lambda: status(good(scene.prober)) == OK)
        yield saw(
            "KEY-01",
            took is not None,
            f"a new key verifies {took or 0:.1f} s after its first use",
            f"a new key does not verify within {_SOON:.0f} s",
            requests=1,
            where=stage.where("issuers"),
        )
        overlapping = _signed_by(scene, old)
        yield saw(
            "KEY-01",
            status(overlapping) == OK and overlapping.runs == 1,
            "meanwhile the old one verifies too",
            f"meanwhile the old one: {told(overlapping)}",
            requests=1,
        )
        shown = _request_signed_by(scene, old)
        yield twin("KEY-02", scene.prober.send_request(*shown), "before it is withdrawn, so does this token")
        keys.withdraw(old.kid)
        took = within(_SOON, lambda: status(_signed_by(scene, old)) == _UNAUTHORISED)
        last = _signed_by(scene, old)
        yield saw(
            "KEY-02",
            took is not None and last.runs == 0 and status(last) == _UNAUTHORISED,
            f"a withdrawn key is refused after {took or 0:.1f} s",
            f"a withdrawn key still: {told(last)} after {_SOON:.0f} s",
            requests=1,
            where=stage.where("issuers"),
        )
        again = scene.prober.send_request(*shown)
        yield saw(
            "KEY-02",
            again.runs == 0 and status(again) == _UNAUTHORISED,
            f"a token that had gone through before: {told(again)}",
            f"a token that had gone through before is remembered: {told(again)}",
            requests=1,
        )
        yield twin("KEY-02", good(scene.prober), "the key that is published verifies")


@registry.rehearsal("KEY-04")
def the_issuer_hangs(stage: Stage) -> Iterator[Seen]:
    """Known keys are not held up, unknown ones wait a bounded time, and one request is in flight."""
    with stage.scene(key_times={"key_fresh": 60, "key_stale": 60, "key_spacing": 1}) as scene:
        yield twin("KEY-04", good(scene.prober))
        issuer = scene.world.issuer
        time.sleep(_SPACING)  # an unknown key is looked up once the interval since the start is over
        issuer.faults.keys = Fault.HANG
        asked = issuer.counts["keys"]
        with ThreadPoolExecutor(_AT_ONCE + 1) as callers:
            began = time.monotonic()
            waiting = [callers.submit(_unknown_key, stage, scene, number) for number in range(_AT_ONCE)]
            in_flight = within(3.0, lambda: issuer.counts["keys"] > asked) is not None
            known_began = time.monotonic()
            known = callers.submit(_through_its_own_client, stage, scene).result()
            known_took = time.monotonic() - known_began
            answers = [each.result() for each in waiting]
            took = time.monotonic() - began
        requests = issuer.counts["keys"] - asked
        yield saw(
            "KEY-04",
            in_flight and status(known) == OK and known_took < _AT_ONCE_SECONDS,
            f"while the issuer hangs, a known key verifies in {known_took * 1000:.0f} ms",
            f"while the issuer hangs, a known key takes {known_took:.1f} s: {told(known)}",
            requests=1,
        )
        bounded = all(status(each) in {_UNAVAILABLE, _UNAUTHORISED} for each in answers)
        yield saw(
            "KEY-04",
            bounded and took < _PATIENCE,
            f"{_AT_ONCE} unknown keys are answered in {took:.1f} s",
            f"{_AT_ONCE} unknown keys took {took:.1f} s: {told(answers[0])}",
            requests=_AT_ONCE,
        )
        yield saw(
            "KEY-04",
            requests <= _MOST_REQUESTS,
            f"they cost the issuer {requests} request",
            f"they cost the issuer {requests} requests",
            where=stage.where("issuers"),
        )
        issuer.faults.clear()


def _signed_by(scene: Scene, key: SigningKey) -> Observation:
    return sent(scene.prober, lambda draft: draft.minting.update(key=key))


def _request_signed_by(scene: Scene, key: SigningKey) -> tuple[httpx2.Request, str]:
    """One request that can be sent again as it is, and its token."""
    draft = scene.prober.draft(scene.probed.revisions[0])
    draft.minting.update(key=key)
    token = draft.token()
    return draft.request(token), token


def _unknown_key(stage: Stage, scene: Scene, number: int) -> Observation:
    with stage.asked(scene.world) as (_, prober):
        return sent(prober, lambda draft: draft.token_header.update(kid=f"unknown-{number}"))


def _through_its_own_client(stage: Stage, scene: Scene) -> Observation:
    with stage.asked(scene.world) as (_, prober):
        return good(prober)
