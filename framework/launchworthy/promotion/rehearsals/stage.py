"""Where is a server rehearsed? Its wheel in an environment of its own, and one simulated world a fault.

The literal production command is started in environment `rehearsal`, with the settings to be promoted and
nothing replaced but what the world file may replace. Whatever was started is stopped when its scene ends,
and all of it at once when the gate is interrupted.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from launchworthy.audit.reading import Record, audit_files, read_records
from launchworthy.manifest import ApprovalRule
from launchworthy.probe.probed import Probed, Target
from launchworthy.probe.running import Prober
from launchworthy.promotion.building import Built
from launchworthy.promotion.finding import ControlId
from launchworthy.promotion.project import Project
from launchworthy.promotion.rehearsals.targets import targets_of, usual_target
from launchworthy.testing.approval_place import ApprovalPlace
from launchworthy.testing.callers_tenant import CallersTenant
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.lending import SimulatedCredential, joined
from launchworthy.testing.process import ServerProcess
from launchworthy.testing.project import TestedProject, upstream_apps
from launchworthy.testing.world import World
from launchworthy.tokens.metadata import metadata_url
from launchworthy.vocabulary import Environment, Problem, ProblemError

_ALGORITHMS = ("ES256", "Ed25519", "RS256", "PS256")
"""What simulated issuers can sign with, the quickest to make keys for first."""


class Interrupted(Exception):
    """The gate is ending; nothing more is started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running server, its world, and a way to ask it.

    Attributes:
        world: around it.
        process: the server.
        probed: what cases know of it.
        prober: sends requests.
    """

    world: World
    process: ServerProcess
    probed: Probed
    prober: Prober

    def records(self) -> tuple[Record, ...]:
        """Everything in its audit, in order."""
        found: list[Record] = []
        for path in audit_files(self.world.audit_directory):
            with path.open("rb") as file:
                found.extend(read_records(file))
        return tuple(found)

    def said(self) -> str:
        """All that it wrote: stdout, stderr and audit."""
        audit = [path.read_text(errors="replace") for path in audit_files(self.world.audit_directory)]
        return "\n".join((self.process.stdout, self.process.stderr, *audit))


class Stage:
    """Where rehearsals of one project are played.

    Attributes:
        project: which is rehearsed.
        built: its wheel.
        wanted: the controls that are asked about.
    """

    def __init__(
        self, project: Project, built: Built, *, directory: Path, wanted: frozenset[ControlId]
    ) -> None:
        """Rehearse in this folder, which is somebody else's to remove."""
        self.project = project
        self.built = built
        self.wanted = wanted
        self._directory = directory
        self._running: set[ServerProcess] = set()
        self._lock = threading.Lock()
        self._ended = False

    @contextmanager
    def scene(self, **options: Any) -> Iterator[Scene]:
        """A world and a server that is ready in it; `options` as in `world`."""
        with self.world(**options) as world, self.server(world) as process:
            process.wait_ready()
            with self.asked(world) as (probed, prober):
                yield Scene(world=world, process=process, probed=probed, prober=prober)

    def world(self, **options: Any) -> World:
        """A world that is not entered yet; `options` as in `World`, what is not said follows the settings."""
        if self._ended:
            raise Interrupted
        settings = self.project.settings
        known = {
            "name": self.project.manifests.server.name,
            "scopes": self.scopes,
            "environment": Environment.REHEARSAL,
            "settings": self.project.rehearsed,
            "issuers": tuple(settings.issuers),
            "algorithms": (self.algorithm,),
            "identity": settings.identity.kind,
            "audit_key": settings.audit.hmac_key is not None,
            "mutual_tls": settings.server.tls == "spiffe",
            "credentials": self._credentials(),
            "upstream_apps": upstream_apps(self.project.root),
            "anchor": settings.audit.anchor,
            "tenant": CallersTenant.promoted(settings, self.project.manifests),
            "approval": ApprovalPlace.promoted(settings, self._rules()),
        }
        return World(self.scratch("world"), **{**known, **options})

    def _rules(self) -> tuple[ApprovalRule, ...]:
        """Who must approve calls."""
        targets = self.project.manifests.targets.values()
        return tuple(each.approval for each in targets if each.approval is not None)

    def _credentials(self) -> tuple[SimulatedCredential, ...]:
        """What the manifests borrow, each with a simulated broker of the kind that the settings name."""
        found: dict[str, SimulatedCredential] = {}
        for target in self.project.manifests.targets.values():
            for name, allowed in target.credentials.items():
                lent = self.project.settings.credentials[name]
                one = SimulatedCredential(
                    name=name,
                    broker=lent.broker,
                    scopes=allowed.scopes,
                    ttl=allowed.ttl,
                    fields=frozenset(lent.model_dump(exclude_defaults=True)),
                    login=lent.login,
                )
                found[name] = joined(found.get(name), one)
        return tuple(found.values())

    def scratch(self, name: str) -> Path:
        """A fresh folder of the stage's own."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._directory))

    @contextmanager
    def server(self, world: World, **environ: str) -> Iterator[ServerProcess]:
        """The production command, started in a world; it may refuse."""
        process = world.server(
            self.project.package, python=str(self.built.python), inherit_output=False, **environ
        )
        with self._lock:
            if self._ended:
                raise Interrupted
            self._running.add(process)
            process.start()
        try:
            yield process
        finally:
            process.stop()
            with self._lock:
                self._running.discard(process)

    @contextmanager
    def asked(self, world: World, *, issuer: str | None = None) -> Iterator[tuple[Probed, Prober]]:
        """What cases know of the server of a world, and a client that counts what ran.

        Args:
            world: around it.
            issuer: whose tokens it shows, by its name in the settings; the first one's unless said.
        """
        with ExitStack() as stack:
            stranger = SimulatedIssuer({world.url: world.scopes}, algorithms=(self.algorithm,))
            probed = self._probed(world, stranger, next(iter(world.issuers)) if issuer is None else issuer)
            prober = Prober(probed, lambda: self._taken(world), tls=world.tls)
            stack.callback(prober.close)
            yield probed, prober

    def _taken(self, world: World) -> int:
        """How many bodies were entered; whoever still asks when the gate is ending stops here."""
        if self._ended:
            raise Interrupted
        return world.executions.taken()

    def end(self) -> None:
        """Kill every server and start no more; from any thread."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """Every scope that a manifest names."""
        return TestedProject.read(self.project.root).scopes

    @cached_property
    def algorithm(self) -> str:
        """What the simulated issuers sign with: something that every issuer of the settings accepts.

        Raises:
            ProblemError: there is nothing of that kind.
        """
        accepted = [set(issuer.algorithms) for issuer in self.project.settings.issuers.values()]
        for algorithm in _ALGORITHMS:
            if all(algorithm in each for each in accepted):
                return algorithm
        names = ", ".join(_ALGORITHMS)
        what = f"no algorithm that the rehearsal can sign with is accepted from every issuer: {names}"
        raise ProblemError(Problem(reason="not-rehearsable", what=what, fix=("add ES256",)))

    @cached_property
    def target(self) -> Target:
        """What rehearsals call.

        Raises:
            ProblemError: nothing may be called.
        """
        return usual_target(self.project)

    def where(self, field: str) -> str | None:
        """The line that governs a field."""
        return self.project.settings.sources.get(field)

    def _probed(self, world: World, stranger: SimulatedIssuer, name: str) -> Probed:
        settings = self.project.settings
        issuer = settings.issuers[name]
        return Probed(
            resource=world.url,
            metadata_url=metadata_url(world.url),
            target=self.target,
            targets=targets_of(self.project),
            scopes=self.scopes,
            entry_scopes=tuple(self.project.manifests.server.scopes.entry),
            revisions=tuple(settings.server.revisions),
            max_body=settings.server.max_body,
            issuer=world.issuers[name],
            stranger=stranger,
            leeway=issuer.leeway,
            max_lifetime=issuer.max_lifetime,
            scope_claim=issuer.scope_claim,
            client_claim=issuer.client_claim,
            clock=time.time,
        )


def last_problem(process: ServerProcess) -> Mapping[str, Any]:
    """What a refused start said: the JSON line on its stderr; empty where it said none."""
    for line in reversed(process.stderr.splitlines()):
        if line.startswith("{"):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and said.get("event") == "server.refused":
                return said
    return {}
