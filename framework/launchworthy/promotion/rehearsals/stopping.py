"""An incident: a tool, a caller, everything is stopped; and goes on again, without a restart."""

import time
from collections.abc import Callable, Iterator

from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import OK, Seen, good, saw, status, told, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.state.control import EVERYTHING, Action, Entry
from launchworthy.state.control.writing import write_entries
from launchworthy.testing.client import Client, Refused
from launchworthy.vocabulary import Secret

_GOV_05 = "GOV-05"
_IN_TIME = 5.0
"""Seconds: the promise is two, and other worlds are busy beside this one."""
_FORBIDDEN, _UNAUTHORIZED = 403, 401
_DENIED = "caller-denied"
_WHO, _WHY = "@rehearsal/on-call", "a rehearsal of an incident"


@registry.rehearsal(_GOV_05)
def an_incident(stage: Stage) -> Iterator[Seen]:
    """Stop one target and deny one caller, lift both, stop everything, lift it."""
    with stage.scene() as scene, _denied(stage, scene) as denied:
        yield twin(_GOV_05, good(scene.prober))
        yield saw(
            _GOV_05,
            _sent(scene, denied) == OK,
            "the caller who will be denied is served before",
            "the caller who will be denied is not served before",
            requests=1,
        )
        began = scene.process.pid
        yield from _one_is_stopped(stage, scene, denied)
        yield from _all_is_lifted(scene, "the stop is taken out")
        write_entries(scene.world.control_file, [_stop(EVERYTHING)])
        yield _takes_effect(lambda: status(good(scene.prober)) == _FORBIDDEN, "everything is stopped")
        yield from _nothing_runs(stage, scene)
        yield from _all_is_lifted(scene, "everything is resumed")
        yield saw(
            _GOV_05,
            scene.process.pid == began and scene.process.running,
            "it is the same process, never restarted",
            "the process is another one",
        )
        yield from _who_and_why(scene)


def _one_is_stopped(stage: Stage, scene: Scene, denied: Client) -> Iterator[Seen]:
    target = scene.probed.target
    write_entries(scene.world.control_file, [_stop(target.name), _deny(scene)])
    yield _takes_effect(lambda: status(good(scene.prober)) == _FORBIDDEN, f"`{target.name}` is stopped")
    refused = good(scene.prober)
    word = refused.answer.data.get("reason") if refused.answer is not None else None
    yield saw(
        _GOV_05,
        word == "stopped" and refused.runs == 0,
        f"what is stopped: {told(refused)}",
        f"what is stopped: {told(refused)}",
        requests=1,
    )
    names = _listed(stage, scene)
    yield saw(
        _GOV_05,
        target.name not in names,
        f"`{target.name}` is not listed while it is stopped",
        f"`{target.name}` is listed while it is stopped",
        requests=1,
    )
    others = [each for each in scene.probed.targets if each.name != target.name]
    if others:
        scene.world.executions.taken()
        with Client(scene.world.url, scene.world.token(*stage.scopes), tls=scene.world.tls) as caller:
            code = caller.send(others[0].method, others[0].params).status_code
        yield saw(
            _GOV_05,
            scene.world.executions.taken() == 1,
            f"`{others[0].name}`, which is not stopped, runs",
            f"`{others[0].name}`, which is not stopped, does not run: {code}",
            requests=1,
        )
    yield _takes_effect(
        lambda: _sent(scene, denied) == _UNAUTHORIZED, "a caller is denied, with a token that is good"
    )


def _nothing_runs(stage: Stage, scene: Scene) -> Iterator[Seen]:
    scene.world.executions.taken()
    with Client(scene.world.url, scene.world.token(*stage.scopes), tls=scene.world.tls) as caller:
        codes = {
            each.name: caller.send(each.method, each.params).status_code for each in scene.probed.targets
        }
    ran = scene.world.executions.taken()
    yield saw(
        _GOV_05,
        ran == 0 and set(codes.values()) == {_FORBIDDEN},
        f"while everything is stopped, none of {len(codes)} targets runs",
        f"while everything is stopped, {ran} bodies ran: {codes}",
        requests=len(codes),
    )


def _all_is_lifted(scene: Scene, what: str) -> Iterator[Seen]:
    write_entries(scene.world.control_file, [])
    yield _takes_effect(lambda: status(good(scene.prober)) == OK, what)
    yield twin(_GOV_05, good(scene.prober), f"{what}: the next request goes through")


def _takes_effect(holds: Callable[[], bool], what: str) -> Seen:
    took = within(_IN_TIME, holds)
    return saw(
        _GOV_05,
        took is not None,
        f"{what}: in force {took or 0:.1f} s after the list was written",
        f"{what}: not in force {_IN_TIME:.0f} s after the list was written",
        requests=1,
    )


def _who_and_why(scene: Scene) -> Iterator[Seen]:
    changes = [record.data for record in scene.records() if record.type == "control.changed"]
    told_of = [each for each in changes if each.get("who") == _WHO and each.get("why") == _WHY]
    entries = {str(each.get("entry")) for each in told_of}
    wanted = {_stop(EVERYTHING).id, _stop(scene.probed.target.name).id, _deny(scene).id}
    yield saw(
        _GOV_05,
        wanted <= entries,
        f"{len(told_of)} records say what was stopped, denied and lifted, by whom and why",
        f"no record says who changed: {', '.join(sorted(wanted - entries))}",
    )


def _listed(stage: Stage, scene: Scene) -> set[str]:
    """What somebody who may call everything is shown."""
    names: set[str] = set()
    with Client(scene.world.url, scene.world.token(*stage.scopes), tls=scene.world.tls) as caller:
        for kind in ("tools", "prompts", "resources"):
            try:
                names |= {str(each["name"]) for each in caller.request(f"{kind}/list", {}).get(kind, ())}
            except Refused:
                continue  # this server has none of them
    return names


def _sent(scene: Scene, caller: Client) -> int:
    """The status of the usual call."""
    target = scene.probed.target
    return caller.send(target.method, target.params).status_code


def _denied(stage: Stage, scene: Scene) -> Client:
    """A caller whose name is known."""
    issuer = scene.world.issuer
    token = issuer.mint(issuer.grant(scopes=stage.scopes, subject=_DENIED))
    return Client(scene.world.url, Secret(token), tls=scene.world.tls)


def _stop(target: str) -> Entry:
    named = "everything" if target == EVERYTHING else "one"
    return _entry(f"rehearsed-stop-{named}", Action.STOP, (target,), None)


def _deny(scene: Scene) -> Entry:
    name = ("subject", scene.world.issuer.issuer, _DENIED)
    return _entry("rehearsed-denial", Action.DENY, (), name)


def _entry(name: str, action: Action, targets: tuple[str, ...], whom: tuple[str, str, str] | None) -> Entry:
    now = int(time.time())
    return Entry(
        id=name, action=action, targets=targets, name=whom, who=_WHO, why=_WHY, since=now, until=now + 3600,
        source="file",
    )  # fmt: skip
