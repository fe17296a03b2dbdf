"""An emergency: a rule is lifted for one caller, on the approval of two people, and ends by itself.

A call that a rule of the project refuses, or that somebody must approve, is made under grants that nobody,
one person and two people have approved; then by others, and after its end. What counts is whether the body
was entered. Where no rule and no approval of the project could be lifted, what no grant may lift is all.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from launchworthy.manifest import TargetManifest
from launchworthy.policy import Query
from launchworthy.probe.probed import Target
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin, within
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.targets import as_target, declared, is_rehearsed, may_run
from launchworthy.state.control import Entry
from launchworthy.state.control.writing import write_entries
from launchworthy.testing.break_glass import PEOPLE, BreakGlass, simulated_grant
from launchworthy.testing.client import Client, Refused
from launchworthy.vocabulary import Principal, PrincipalKind, Secret, is_liftable
from launchworthy.vocabulary import Refused as Denied

_AZ_10: Final = "AZ-10"
_CALLER, _OTHER = "caller-in-an-emergency", "somebody-else"
_IN_TIME: Final = 5.0
_LASTS: Final = 8
"""Seconds that the rehearsed grant lasts; it is in force after one."""
_DENIED: Final = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusable:
    """A call that is refused, and what would have to be lifted."""

    target: Target
    lifts: tuple[str, ...]


@registry.rehearsal(_AZ_10)
def an_emergency(stage: Stage) -> Iterator[Seen]:
    """Lift a rule for one caller; see who profits, what is recorded, and the end of it."""
    with stage.scene(break_glass=True) as scene:
        yield twin(_AZ_10, good(scene.prober))
        glass = scene.world.break_glass
        if glass is None:
            raise TypeError("this world has people who approve grants")
        yield from _a_scope_is_lifted_by_nothing(stage, scene, glass)
        for refusable in _refusable(stage.project):
            if _runs(stage, scene, refusable.target) == 0:
                yield from _lifted(stage, scene, glass, refusable)
                break


def _lifted(stage: Stage, scene: Scene, glass: BreakGlass, refusable: _Refusable) -> Iterator[Seen]:
    target, began = refusable.target, scene.process.pid
    what = f"`{target.name}`, which {', '.join(refusable.lifts)} refuses,"
    yield saw(_AZ_10, True, f"{what} does not run without a grant", "", requests=1)
    for people, words in (((), "nobody has"), (PEOPLE[:1], "one person has")):
        asked = _grant(scene, refusable, seconds=600)
        entry = asked if not people else glass.approved(asked, *people)
        told = _told(scene, [entry])
        yield saw(
            _AZ_10,
            told == "refused" and _runs(stage, scene, target) == 0,
            f"{what} does not run under a grant that {words} approved, and the audit says so",
            f"{what} runs under a grant that {words} approved, or nothing is said of it ({told})",
            requests=1,
        )
    entry = glass.approved(_grant(scene, refusable, seconds=_LASTS))
    write_entries(scene.world.control_file, [entry])
    took = within(_IN_TIME, lambda: _runs(stage, scene, target) == 1)
    yield saw(
        _AZ_10,
        took is not None,
        f"{what} runs {took or 0:.1f} s after a grant that two people have approved was written",
        f"{what} does not run under a grant that two people have approved",
        requests=1,
    )
    yield saw(
        _AZ_10,
        _runs(stage, scene, target, subject=_OTHER) == 0,
        f"{what} does not run for another caller",
        f"{what} runs for another caller too",
        requests=1,
    )
    yield from _ends(stage, scene, refusable, entry)
    yield from _each_use_is_told(scene, entry)
    yield saw(
        _AZ_10,
        scene.process.pid == began and scene.process.running,
        "it is the same process, never restarted",
        "the process is another one",
    )


def _ends(stage: Stage, scene: Scene, refusable: _Refusable, entry: Entry) -> Iterator[Seen]:
    """The list stays as it is, and the clock goes on."""
    within(_LASTS + 1.0, lambda: time.time() >= entry.until)
    runs = _runs(stage, scene, refusable.target)
    yield saw(
        _AZ_10,
        runs == 0 and scene.world.control_file.read_text().count("[[grant]]") == 1,
        f"`{refusable.target.name}` is refused again once the grant, still in the list, has ended",
        f"`{refusable.target.name}` runs after the grant has ended",
        requests=1,
    )


def _each_use_is_told(scene: Scene, entry: Entry) -> Iterator[Seen]:
    records = scene.records()
    used = [each.data for each in records if each.type == "breakglass.used"]
    attempts = {each.data.get("call") for each in records if each.type.endswith(".attempt")}
    told = [
        each
        for each in used
        if each.get("grant") == entry.id and set(PEOPLE) <= {str(name) for name in each.get("approvers", ())}
    ]
    ran = len({each.get("call") for each in told} & attempts)
    yield saw(
        _AZ_10,
        len(told) == len(used) == ran > 0,
        f"each of {ran} calls under the grant left a record of its own, with both approvers",
        f"{ran} calls ran under the grant, and {len(told)} of {len(used)} records say so",
    )


def _a_scope_is_lifted_by_nothing(stage: Stage, scene: Scene, glass: BreakGlass) -> Iterator[Seen]:
    """A caller without the scope of a target, with a grant for it: refused as before."""
    target = stage.target
    lifts = (f"approval:{target.name}", "team:everything")
    entry = glass.approved(_grant(scene, _Refusable(target=target, lifts=lifts), seconds=600))
    told = _told(scene, [entry])
    token = scene.world.issuer.mint(scene.world.issuer.grant(scopes=(), subject=_CALLER))
    with Client(scene.world.url, Secret(token), tls=scene.world.tls) as caller:
        scene.world.executions.taken()
        code = caller.send(target.method, target.params).status_code
    yield saw(
        _AZ_10,
        told == "added" and code == _DENIED and scene.world.executions.taken() == 0,
        f"a grant in force gives nobody the scope that `{target.name}` needs: {code}",
        f"a caller without the scope of `{target.name}`, under a grant ({told}): {code}",
        requests=1,
    )
    _told(scene, [])


def _runs(stage: Stage, scene: Scene, target: Target, *, subject: str = _CALLER) -> int:
    """How many bodies one call of this caller enters."""
    token = scene.world.issuer.mint(scene.world.issuer.grant(scopes=stage.scopes, subject=subject))
    scene.world.executions.taken()
    with Client(scene.world.url, Secret(token), tls=scene.world.tls) as caller, suppress(Refused):
        caller.send(target.method, target.params)
    return scene.world.executions.taken()


def _told(scene: Scene, entries: list[Entry]) -> str | None:
    """Put these in force: what the last record about a grant then says; None where there is none in time."""

    def changes() -> list[str]:
        return [
            str(each.data.get("change"))
            for each in scene.records()
            if each.type == "control.changed" and each.data.get("action") == "grant"
        ]

    before = len(changes())
    write_entries(scene.world.control_file, entries)
    within(_IN_TIME, lambda: len(changes()) > before)
    later = changes()[before:]
    return later[-1] if later else None


def _grant(scene: Scene, refusable: _Refusable, *, seconds: int) -> Entry:
    now = int(time.time())
    entry = simulated_grant(
        _principal(scene.world.issuer.issuer, scene.world.issuer.client.client_id),
        server=scene.world.url,
        targets=(refusable.target.name,),
        lifts=refusable.lifts,
        since=now - 1,
        until=now + seconds,
    )
    return replace(entry, id=f"rehearsed-grant-{time.time_ns()}")


def _principal(
    issuer: str, client: str, scopes: frozenset[str] = frozenset(), tenant: str | None = None
) -> Principal:
    return Principal(
        issuer=issuer,
        subject=_CALLER,
        client=client,
        kind=PrincipalKind.MACHINE,
        scopes=scopes,
        actors=(),
        token_id="rehearsed",  # noqa: S106 - a name
        issued_at=0,
        expires_at=1,
        tenant=tenant,
    )


def _refusable(project: Project) -> Iterator[_Refusable]:
    """Calls that policy refuses, or that somebody must approve, and that may run in a rehearsal."""
    for target in declared(project):
        if target.approval is not None and target.example is not None and is_rehearsed(target):
            yield from _with_lifts(project, as_target(target), target.example, target)
    for case in project.cases:
        if case.expect.startswith("team:") and case.applies_in(project.rehearsed) and may_run(case.target):
            call = as_target(replace(case.target, example=dict(case.arguments)))
            yield from _with_lifts(project, call, case.arguments, case.target)


def _with_lifts(
    project: Project, call: Target, arguments: Mapping[str, object], target: TargetManifest
) -> Iterator[_Refusable]:
    scopes = frozenset(target.scopes)
    tenant = project.manifests.example_tenant if project.manifests.has_tenants else None
    lifted: frozenset[str] = frozenset()
    while True:
        query = Query(
            target=target,
            principal=_principal("https://issuer.invalid", "client", scopes, tenant),
            arguments=arguments,
            now=0,
            peer=None,
            forwarded_peer=None,
            approved=None,
            lifted=lifted,
        )
        try:
            project.policy.decide(query)
        except Denied as refused:
            more = frozenset(rule for rule in refused.rules if is_liftable(rule)) - lifted
            if not more:
                return
            lifted |= more
        else:
            break
    if lifted:
        yield _Refusable(target=call, lifts=tuple(sorted(lifted)))
