"""A reference that leads elsewhere, and a file of secrets that others may read: no start, no lease.

The key that seals questions to people is in every simulated world; each case changes its file or its
reference in one way, beside a start with a file that the owner and the group may read.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from launchworthy.manifest import TargetManifest
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.credentials import call, prepare, sent
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Scene, Stage
from launchworthy.promotion.rehearsals.starting import tried
from launchworthy.promotion.rehearsals.targets import declared, is_rehearsed
from launchworthy.testing.world import World
from launchworthy.vocabulary import EX_CONFIG

_SEC_07 = "SEC-07"
_READABLE, _WRITABLE, _GOOD, _OWN = 0o444, 0o660, 0o440, 0o600


def _elsewhere(world: World) -> Path:
    """A good key, outside of the folder that references may lead to."""
    return world.approval_key_file.rename(world.directory / "key-elsewhere")


def _traversal(world: World) -> None:
    elsewhere = _elsewhere(world)
    _refer(world, f"file:{world.approval_key_file.parent}/../{elsewhere.name}")


def _value(world: World) -> None:
    _refer(world, "file:hunter2")


def _link(world: World) -> None:
    world.approval_key_file.symlink_to(_elsewhere(world))


def _readable(world: World) -> None:
    world.approval_key_file.chmod(_READABLE)


def _writable(world: World) -> None:
    world.approval_key_file.chmod(_WRITABLE)


_CASES: dict[str, tuple[Callable[[World], None], str]] = {
    "a reference that climbs out of its folder": (_traversal, "settings"),
    "a secret in the place of a reference": (_value, "settings"),
    "a link that leads out of its folder": (_link, "bad-framework-key"),
    "a file that everybody may read": (_readable, "bad-framework-key"),
    "a file that its group may write": (_writable, "bad-framework-key"),
}


@registry.rehearsal(_SEC_07)
def references_that_lead_elsewhere(stage: Stage) -> Iterator[Seen]:
    """Each case refuses the start; what everybody may read is lent to no call."""
    for what, (change, said) in _CASES.items():
        with stage.world() as world:
            change(world)
            refusal = tried(stage, world)
        yield saw(
            _SEC_07,
            refusal.code == EX_CONFIG and said in {refusal.said.get("stage"), refusal.said.get("reason")},
            f"{what}: no start ({refusal.said.get('reason')})",
            f"{what}: {refusal.words}",
        )
    with stage.world() as world:
        world.approval_key_file.chmod(_GOOD)
        with stage.server(world) as process:
            process.wait_ready()
            with stage.asked(world) as (probed, prober):
                yield twin(_SEC_07, good(prober), "with a file that its owner and group may read it serves")
                scene = Scene(world=world, process=process, probed=probed, prober=prober)
                for target in declared(stage.project):
                    if is_rehearsed(target):
                        yield from _mounted(stage, scene, target)


def _mounted(stage: Stage, scene: Scene, target: TargetManifest) -> Iterator[Seen]:
    """A mounted secret that others may read is lent to nobody."""
    settings, lending = stage.project.settings, scene.world.lending
    for name in target.credentials:
        if settings.credentials[name].broker != "file":
            continue
        file = lending.directory / name
        prepare(stage, scene, target)
        file.chmod(_READABLE)
        before = sent(scene)
        went_well = call(stage, scene, target)
        file.chmod(_OWN)
        yield saw(
            _SEC_07,
            not went_well and sent(scene) == before,
            f"`{target.name}`: while others may read `{name}`, it is lent to no call",
            f"`{target.name}`: `{name}` is lent although others may read its file",
            requests=1,
            where=target.where,
        )


def _refer(world: World, reference: str) -> None:
    """Name another place in the world file."""
    written = world.file.read_text()
    world.file.write_text(written.replace(f"file:{world.approval_key_file}", reference))
