"""What does one running server consist of? The parts, as the startup stages fill them in.

Each stage may use only what the stages before it have set: a part that is not there yet is an
`AttributeError`, a programmer's mistake, never a silent `None`.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launchworthy.approval import Approvals, OnPage, PersonsPage, SealingKeys
from launchworthy.attestation import TrustPolicy, VerifiedRecord
from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.anchored import Anchored
from launchworthy.audit.oplog import OperationsLog
from launchworthy.audit.stream import AuditStream
from launchworthy.credentials.tellers import Tellers
from launchworthy.enforcement.gate import Gate
from launchworthy.identity import WorkloadIdentity
from launchworthy.manifest import Manifests, Served, Server
from launchworthy.policy import CachedPolicy, CompiledPolicy
from launchworthy.server.listening import Listener
from launchworthy.server.own_keys import OwnKeys
from launchworthy.settings import ProjectFiles, Settings
from launchworthy.state import Store
from launchworthy.state.control import ControlList
from launchworthy.state.limits import CallLimits
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All that comes from outside the program: the environment, clocks and randomness."""

    environ: Mapping[str, str]
    clock: Callable[[], float] = time.time
    random_bits: Callable[[int], int] = secrets.randbits
    operations_log: OperationsLog | None = None
    trust: Path = Path("/etc/launchworthy/trust.toml")


class Ending:
    """Whether this process is to end, and by what; the first cause stays.

    Attributes:
        cause: `signal`, or what ended it before.
    """

    def __init__(self) -> None:
        """Go on."""
        self.cause: str | None = None
        self._asked = asyncio.Event()

    def by(self, cause: str) -> None:
        """End: take no new calls, let those end that run."""
        self.cause = self.cause or cause
        self._asked.set()

    async def wait(self) -> None:
        """Return when somebody ended it."""
        await self._asked.wait()


@dataclass(slots=True, kw_only=True)
class Parts:
    """One server, stage by stage."""

    definition: Server[Any, Any]
    surroundings: Surroundings
    stack: AsyncExitStack
    project: ProjectFiles = field(init=False)
    settings: Settings = field(init=False)
    audit: AuditStream = field(init=False)
    anchored: Anchored = field(init=False)
    redactor: ArgumentRedactor = field(init=False)
    record: VerifiedRecord | None = field(init=False)
    trust: TrustPolicy | None = None
    manifests: Manifests = field(init=False)
    compiled: CompiledPolicy = field(init=False)
    served: tuple[Served, ...] = field(init=False)
    policy: CachedPolicy = field(init=False)
    identity: WorkloadIdentity = field(init=False)
    store: Store = field(init=False)
    own_keys: OwnKeys = field(init=False)
    approval_keys: SealingKeys = field(init=False)
    approvals: Approvals = field(init=False)
    on_page: OnPage | None = field(init=False)
    page: PersonsPage | None = field(init=False)
    control: ControlList = field(init=False)
    limits: CallLimits = field(init=False)
    verifier: TokenVerifier = field(init=False)
    tellers: Tellers = field(init=False)
    gate: Gate = field(init=False)
    listener: Listener = field(init=False)
    health: Listener = field(init=False)
    draining: bool = False
    ending: Ending = field(default_factory=Ending)
    trust_unreadable: bool = False

    @property
    def rehearsed(self) -> Environment:
        """The environment that manifests and policy speak of: in a rehearsal, the one that is rehearsed."""
        return self.settings.rehearsed

    def keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Have this done beside everything else, until the server ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.stack.push_async_callback(_cancelled, task)

    def now(self) -> int:
        """Seconds since the epoch, read once by whoever asks."""
        return int(self.surroundings.clock())


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})
