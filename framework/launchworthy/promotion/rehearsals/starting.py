"""Starts that must not happen: without identity, issuer or record, and with a secret by value."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from launchworthy.audit.reading import audit_files
from launchworthy.promotion.registry import registry
from launchworthy.promotion.rehearsals.seen import Seen, good, saw, twin
from launchworthy.promotion.rehearsals.stage import Stage, last_problem
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.issuer import Fault
from launchworthy.testing.process import NotStarted, ServerProcess
from launchworthy.testing.world import World
from launchworthy.vocabulary import EX_CONFIG, EX_TEMPFAIL, Environment

_SECONDS = 40.0
_DEADLINE = "2s"
_BY_VALUE = "secret-by-value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a start ended: its exit code (None where it serves), what it said, and everything it wrote."""

    code: int | None
    said: Any
    wrote: str

    @property
    def words(self) -> str:
        """For people: `exit 78, settings: secret-by-value`."""
        if self.code is None:
            return "it starts"
        return f"exit {self.code}, {self.said.get('stage')}: {self.said.get('reason')}"


def _ended(process: ServerProcess, audit: Path) -> Refusal:
    code: int | None = None
    try:
        process.wait_ready(_SECONDS)
    except NotStarted:
        if not process.running:
            code = process.wait(_SECONDS)
        elif not _listens(process):
            raise  # it neither serves nor ends: a machine that is busy has shown nothing
    records = [path.read_text(errors="replace") for path in audit_files(audit)] if audit.is_dir() else []
    return Refusal(
        code=code, said=last_problem(process), wrote="\n".join((process.stdout, process.stderr, *records))
    )


def _listens(process: ServerProcess) -> bool:
    """Whether it got as far as its last stage, ready or not."""
    try:
        process.readiness()
    except httpx2.TransportError:
        return False
    return True


def tried(stage: Stage, world: World, **environ: str) -> Refusal:
    """How a start in this world ends."""
    with stage.server(world, **environ) as process:
        return _ended(process, world.audit_directory)


@registry.rehearsal("ID-04")
def nobody_gives_an_identity(stage: Stage) -> Iterator[Seen]:
    """No agent: the start waits for its deadline, and ends with 75, since waiting may help."""
    with stage.world(start_deadline=_DEADLINE) as world:
        if world.workload_api is not None:
            with world.workload_api.outage():
                refusal = tried(stage, world)
        else:
            world.file.write_text(
                world.file.read_text().replace(f"{world.directory}/token", f"{world.directory}/gone")
            )
            refusal = tried(stage, world)
        yield saw(
            "ID-04",
            refusal.code == EX_TEMPFAIL and refusal.said.get("stage") == "identity" and _nothing_ran(world),
            f"without an agent there is no start: {refusal.words}",
            f"without an agent: {refusal.words}",
            where=stage.where("identity.endpoint"),
        )


@registry.rehearsal("ID-04")
def the_identity_is_another(stage: Stage) -> Iterator[Seen]:
    """Another workload's identity, and one of another trust domain, end with 78."""
    with stage.world(start_deadline=_DEADLINE) as world:
        if world.workload_api is not None:
            world.workload_api.set_identities("somebody-else")
        elif world.token_file is not None:
            world.token_file.renew(sub="dev.invalid:simulated:somebody-else")
        refusal = tried(stage, world)
        yield saw(
            "ID-04",
            refusal.code in {EX_CONFIG, EX_TEMPFAIL}
            and refusal.said.get("stage") == "identity"
            and _nothing_ran(world),
            f"with the identity of another workload there is no start: {refusal.words}",
            f"with the identity of another workload: {refusal.words}",
            where=stage.where("identity.expected_id"),
        )


@registry.rehearsal("ID-04", "SEC-01", "META-03")
def the_same_start_otherwise(stage: Stage) -> Iterator[Seen]:
    """The twin of all of these: with an identity, without a secret, where no record is demanded."""
    with stage.scene() as scene:
        yield twin("ID-04", good(scene.prober), "with its own identity it starts and serves")
        yield twin("SEC-01", good(scene.prober), "without a secret by value it starts and serves")
        yield twin("META-03", good(scene.prober), "where none is demanded, the same wheel serves")


def _nothing_ran(world: World) -> bool:
    return world.executions.taken() == 0


@registry.rehearsal("KEY-03")
def no_issuer_answers_at_the_start(stage: Stage) -> Iterator[Seen]:
    """Cold: without one good key set there is no start."""
    with stage.world(start_deadline=_DEADLINE) as world:
        for issuer in world.issuers.values():
            issuer.faults.keys = Fault.STATUS_500
        refusal = tried(stage, world)
        yield saw(
            "KEY-03",
            refusal.code == EX_TEMPFAIL and str(refusal.said.get("stage")).startswith("issuer"),
            f"without any key there is no start: {refusal.words}",
            f"without any key: {refusal.words}",
            where=stage.where("issuers"),
        )


@registry.rehearsal("SEC-01")
def a_secret_comes_by_value(stage: Stage) -> Iterator[Seen]:
    """A canary through each way in: refused, and in nothing that was written."""
    canary = f"ghp_{secrets.token_hex(18)}"
    sources: tuple[tuple[str, dict[str, str], str | None], ...] = (
        ("a variable of ours", {"LAUNCHWORTHY_ISSUERS__CALLERS__CLIENT_SECRET": canary}, None),
        ("the world file", {}, f'\n[credentials.forgotten]\ntoken = "{canary}"\n'),
    )
    for name, environ, appended in sources:
        with stage.world() as world:
            if appended is not None:
                world.file.write_text(world.file.read_text() + appended)
            refusal = tried(stage, world, **environ)
            yield saw(
                "SEC-01",
                refusal.code == EX_CONFIG and refusal.said.get("reason") == _BY_VALUE,
                f"a secret in {name}: {refusal.words}",
                f"a secret in {name}: {refusal.words}",
            )
            yield saw(
                "SEC-01",
                canary not in refusal.wrote,
                "and it is in nothing that was written",
                f"and a secret in {name} is repeated in what was written",
            )


@registry.rehearsal("META-03")
def there_is_no_record(stage: Stage) -> Iterator[Seen]:
    """This wheel has none: no start in production, and none in a world that names who may sign."""
    with stage.world() as world:
        audit = world.directory / "audit-of-production"
        process = ServerProcess(
            stage.project.package,
            environment={
                "LAUNCHWORTHY_ENVIRONMENT": stage.project.rehearsed.value,
                "LAUNCHWORTHY_AUDIT__DIRECTORY": str(audit),
            },
            directory=world.directory / "production",
            readiness_url=world.readiness_url,
            python=str(stage.built.python),
        )
        process.start()
        try:
            refusal = _ended(process, audit)
        finally:
            process.stop()
    yield saw(
        "META-03",
        refusal.code == EX_CONFIG and refusal.said.get("stage") in {"settings", "record"},
        f"the production command in {stage.project.rehearsed}: {refusal.words}",
        f"the production command in {stage.project.rehearsed} without a record: {refusal.words}",
    )
    with stage.world(trust=_trust(stage)) as world:
        refusal = tried(stage, world)
        yield saw(
            "META-03",
            refusal.code == EX_CONFIG
            and (refusal.said.get("stage"), refusal.said.get("reason")) == ("record", "no-record"),
            f"where a record is demanded: {refusal.words}",
            f"where a record is demanded and there is none: {refusal.words}",
        )


def _trust(stage: Stage) -> Path:
    """A trust policy of the simulated world; whoever it names has signed nothing."""
    authority = SimulatedAuthority(clock=lambda: float(stage.project.now))
    folder = stage.scratch("trust")
    (folder / "simulated.pem").write_bytes(authority.bundle_pem())
    file = folder / "trust.toml"
    file.write_text(
        f'[{Environment.REHEARSAL}]\npromoters = ["{authority.spiffe_id("promoter")}"]\nstamp = "none"\n'
        'catalogue = "0.1"\n\n[roots]\n"dev.invalid" = ["simulated.pem"]\n'
    )
    return file
