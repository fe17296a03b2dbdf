"""What stands around one server in the simulated world? Issuers, an agent, addresses, and their file.

A `World` belongs to the harness (a test, `launchworthy dev`, a rehearsal); the server is another process that
learns of it by the world file alone, as production learns of its surroundings by its settings.
"""

import ssl
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.x509 import Certificate

from launchworthy.testing.approval_place import ApprovalPlace
from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.break_glass import BreakGlass
from launchworthy.testing.caller_tls import caller_tls
from launchworthy.testing.callers_tenant import CallersTenant
from launchworthy.testing.client import MODERN, Client
from launchworthy.testing.door import Door
from launchworthy.testing.execution import ExecutionPipe
from launchworthy.testing.issuer import SimulatedIssuer
from launchworthy.testing.issuer_clients import FetchClientMetadata
from launchworthy.testing.issuer_workloads import Workload
from launchworthy.testing.lending import Lending, SimulatedCredential
from launchworthy.testing.lent_key import lend_key
from launchworthy.testing.process import ServerProcess
from launchworthy.testing.projected_token import USABLE, ProjectedTokenFile
from launchworthy.testing.toml import render_toml
from launchworthy.testing.visitor import APPROVER, PERSON
from launchworthy.testing.waiting import free_port, free_ports, wait_until
from launchworthy.testing.workload_api import WorkloadApi
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Environment, Secret, sign_in_redirect

__all__ = ["World", "free_port", "free_ports", "wait_until"]
CALLERS = "callers"
"""How the one issuer is called, where the settings name none."""
CALLER = "caller"
"""The simulated workload that may connect where TLS is mutual."""


class World:
    """Everything outside one server. Use it as a context manager; it stops what it started.

    Attributes:
        directory: of this world: the world file, the server's data, audit and output.
        url: the MCP endpoint, and the resource that tokens must name.
        readiness_url: `/readyz` on the listener of its own.
        issuers: by the name of their table in the settings.
        workload_api: the simulated agent (None where the identity is a token file).
        token_file: the platform's token file (None where there is an agent).
        executions: counts the bodies that were entered.
        door: lets them wait, or reach out, where `longest_call` is given.
        subject: the identity that the server gets.
        tls: what callers connect with where TLS is mutual, else None.
        tenant: whose the callers are; None where the server has one tenant.
        lending: the simulated brokers and upstreams.
        file: the world file.
        control_file: the control list of this world's server; empty until somebody writes to it.
        given: every token that `token` gave out.
        break_glass: approves grants for it; None where nobody may.
    """

    def __init__(  # noqa: PLR0913 - each argument is one thing that a rehearsal varies
        self,
        directory: Path,
        *,
        name: str,
        scopes: Sequence[str],
        environment: Environment = Environment.DEVELOPMENT,
        settings: Environment | None = None,
        issuers: Sequence[str] = (CALLERS,),
        algorithms: tuple[str, ...] = ("ES256",),
        identity: str = "spiffe",
        x509_ttl: float = 3600.0,
        start_deadline: str = "10s",
        trust: Path | None = None,
        records: Path | None = None,
        key_times: Mapping[str, float] | None = None,
        fetch_client_metadata: FetchClientMetadata | None = None,
        audit_key: bool = False,
        mutual_tls: bool = False,
        credentials: Sequence[SimulatedCredential] = (),
        upstream_apps: Mapping[str, Any] | None = None,
        anchor: str = "stdout",
        state: Mapping[str, object] | None = None,
        control_key: bool = False,
        discovery: bool = False,
        longest_call: float | None = None,
        approval: ApprovalPlace | None = None,
        tenant: CallersTenant | None = None,
        break_glass: bool = False,
    ) -> None:
        """Lay the world out; nothing listens before it is entered.

        Args:
            directory: an existing folder of its own.
            name: of the server, for its simulated identity.
            scopes: all that its manifests name; what the issuers offer.
            environment: `development` or `rehearsal`.
            settings: for `rehearsal`: whose settings are rehearsed.
            issuers: the names of the issuer tables in those settings; one issuer each.
            algorithms: what those issuers sign with; a subset of what the settings accept.
            identity: `spiffe` or `file`, as those settings say.
            x509_ttl: seconds that an SVID lives; a token file's token is used so long, ten minutes at most.
            start_deadline: how long a start may wait for an identity and for keys.
            trust: a trust policy; with one, a rehearsal demands a record.
            records: a directory of renewed records.
            audit_key: whether the settings name a key for the audit's digests; the world lends one then.
            anchor: what those settings say; `file` gets one here, and nobody listens where `http` posts to,
                which stops no call.
            key_times: `key_fresh`, `key_stale`, `key_spacing` in seconds, where other than in production.
            fetch_client_metadata: reads Client ID Metadata Documents; without it, clients register.
            state: the `[state]` table, where it is another than memory.
            control_key: whether a control list in that store counts; the world lends a key for it then.
            discovery: whether key sets are found by the issuers' metadata, where the settings name none.
            longest_call: seconds that a call may take, where manifests allow more; for `door`.
            approval: where people sign in who approve calls on the page; None where nobody does.
            tenant: whose the callers are; None where the server has one tenant.
            break_glass: whether somebody may approve grants here.
            mutual_tls: as those settings say `tls = "spiffe"`; callers get an SVID then.
            credentials: what the server borrows; each has a simulated broker and upstream.
            upstream_apps: what upstreams answer, by name; the others answer `{}`.
        """
        self.directory = directory
        self.environment = environment
        port, health_port = free_ports(2)
        self.url = f"{'https' if mutual_tls else 'http'}://127.0.0.1:{port}/mcp"
        self.tls: ssl.SSLContext | None = None
        self.readiness_url = f"http://127.0.0.1:{health_port}/readyz"
        self.issuers = {
            each: SimulatedIssuer(
                {self.url: tuple(scopes)},
                algorithms=algorithms,
                fetch_client_metadata=fetch_client_metadata,
            )
            for each in issuers
        }
        self.scopes = tuple(scopes)
        self.file = directory / "world.toml"
        self.control_file = directory / "control.toml"
        self.given: list[Secret] = []
        self.door = Door(directory, longest_call)
        self._callers = count(1)
        self._discovery = discovery
        self._start_deadline = start_deadline
        self._records = records
        self._audit_key, self._anchor = audit_key, anchor
        self._state: dict[str, object] = {"kind": "memory"} if state is None else dict(state)
        self._control: dict[str, object] = {"file": str(self.control_file)}
        self._control_key = control_key
        self.break_glass = BreakGlass(directory / "break-glass") if break_glass else None
        grants = self.break_glass and self.break_glass.trust
        self._named = {"settings": settings, "trust": trust, "break_glass": grants}
        if control_key:
            self._control["key"] = f"file:{self.control_key_file}"
        self._addresses = (f"127.0.0.1:{port}", f"127.0.0.1:{health_port}")
        self._issuer_fields: dict[str, object] = dict(key_times or {})
        self._approval, self.tenant = approval, tenant
        CallersTenant.tell(tenant, self.issuers)
        if environment is Environment.DEVELOPMENT:
            self._issuer_fields["algorithms"] = list(algorithms)
        self._stack = ExitStack()
        self.workload_api: WorkloadApi | None = None
        self.token_file: ProjectedTokenFile | None = None
        if identity == "spiffe":
            self.authority = SimulatedAuthority(clock=time.time)
            self.workload_api = WorkloadApi(self.authority, name, x509_ttl=x509_ttl)
            self.subject = self.authority.spiffe_id(name)
            if mutual_tls:
                self.tls = caller_tls(self.authority, self.authority.mint_x509(CALLER, ttl=3600.0))
        else:
            self.subject = f"{SIMULATED_TRUST_DOMAIN}:simulated:{name}"
        workload = Workload(
            client_id=self.subject,
            subject=self.subject,
            keys=self._identity_keys,
            roots=self._roots,
            redirect_uris=(sign_in_redirect(self.url),),
        )
        for each in self.issuers.values():
            each.admit(workload)  # it may ask about opaque tokens
        self.lending = Lending(
            credentials,
            upstream_apps or {},
            issuer=self.issuer,
            workload=workload,
            directory=self.audit_key_file.parent,
        )
        if identity != "spiffe":
            self.token_file = ProjectedTokenFile(
                directory / "token",
                subject=self.subject,
                usable=min(USABLE, x509_ttl),
                audience=self._audience(),
            )
        self._let_people_sign_in()
        self.executions: ExecutionPipe

    def _audience(self) -> str:
        """Whom the platform's token is for, where that is all the identity there is."""
        return self.lending.audience if self._approval is None else self.issuer.issuer

    def _let_people_sign_in(self) -> None:
        """Have one of them be an approver, and in development have people told from machines."""
        approval = self._approval
        if approval is None:
            return
        self.issuers[approval.issuer].say_of(APPROVER, approval.said_of_approvers())
        if self.environment is Environment.DEVELOPMENT and approval.person_claim is not None:
            self._issuer_fields["person_claim"] = approval.person_claim

    @property
    def issuer(self) -> SimulatedIssuer:
        """The first issuer."""
        return next(iter(self.issuers.values()))

    def __enter__(self) -> Self:
        """Start the issuers and the agent, and write the world file."""
        with ExitStack() as stack:
            for issuer in self.issuers.values():
                stack.enter_context(issuer)
            if self.workload_api is not None:
                stack.enter_context(self.workload_api)
            if self.token_file is not None:
                stack.enter_context(self.token_file)
            pipes = stack.enter_context(tempfile.TemporaryDirectory(prefix="lw-"))
            self.executions = stack.enter_context(ExecutionPipe(Path(pipes) / "executions"))
            lend_key(self.approval_key_file)
            if self._audit_key:
                lend_key(self.audit_key_file)
            if self._control_key:
                lend_key(self.control_key_file)
            self.control_file.touch()
            self.lending.enter(stack)
            self.file.write_text(render_toml(self._tables()))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what was started."""
        self._stack.close()

    @property
    def environ(self) -> dict[str, str]:
        """The variables that a server of this world gets; there are no others."""
        given = {
            "LAUNCHWORTHY_ENVIRONMENT": self.environment.value,
            "LAUNCHWORTHY_WORLD": str(self.file),
        }
        given["CREDENTIALS_DIRECTORY"] = str(self.audit_key_file.parent)
        return given

    def server(
        self, package: str, *, python: str = sys.executable, inherit_output: bool = False, **environ: str
    ) -> ServerProcess:
        """The production command of `package`, to be started in this world; `environ` adds variables."""
        return ServerProcess(
            package,
            environment={**self.environ, **environ},
            directory=self.directory,
            readiness_url=self.readiness_url,
            python=python,
            inherit_output=inherit_output,
        )

    @property
    def audit_directory(self) -> Path:
        """Where the server writes its audit."""
        return self.directory / "audit"

    @property
    def anchor_file(self) -> Path:
        """Where the server keeps its checkpoints besides, if the settings say so."""
        return self.directory / "anchor.jsonl"

    @property
    def audit_key_file(self) -> Path:
        """Where the key of the audit's digests is, if the settings name one."""
        return self.directory / "keys" / "audit-hmac"

    @property
    def control_key_file(self) -> Path:
        """Where the key of the control list in the store is, if there is one."""
        return self.audit_key_file.with_name("control-list")

    @property
    def approval_key_file(self) -> Path:
        """Where the key is that seals questions to people."""
        return self.directory / "keys" / "approval"

    def token(self, *scopes: str, **changes: Any) -> Secret:
        """A token of the first issuer for this server; `changes` as in `SimulatedIssuer.mint`.

        In a rehearsal each is another caller's, so that no probe uses up the rate of another.
        """
        rehearsed = self.environment is Environment.REHEARSAL
        caller = {"subject": f"caller-{next(self._callers)}"} if rehearsed else {}
        token = Secret(self.issuer.mint(self.issuer.grant(scopes=scopes, **caller), **changes))
        self.given.append(token)
        return token

    def persons_token(self, *scopes: str, **differs: Any) -> tuple[Secret, str]:
        """A token of a person, where the settings can tell one; and who that is, to sign in.

        `differs`, as in `SimulatedIssuer.grant`, is what is not as usual: the subject, the client, who acts.
        """
        rehearsed = self.environment is Environment.REHEARSAL
        person = f"person-{next(self._callers)}" if rehearsed else PERSON
        issuer, mark = self.issuer, dict[str, object]()
        if self._approval is not None:
            issuer, mark = self.issuers[self._approval.issuer], self._approval.mark()
        grant = issuer.grant(**{"scopes": scopes, "subject": person, "claims": mark, **differs})
        token = Secret(issuer.mint(grant))
        self.given.append(token)
        return token, grant.subject

    def client(self, *scopes: str, approve: bool | None = None, **more: Any) -> Client:
        """A caller with exactly these scopes, a person where they can be asked; `approve`: what they say."""
        token, person = (self.token(*scopes), PERSON) if approve is None else self.persons_token(*scopes)
        return Client(self.url, token, tls=self.tls, approve=approve, person=person, **more)

    def stranger(self, *, revision: str = MODERN) -> Client:
        """A caller without a token."""
        return Client(self.url, None, revision=revision, tls=self.tls)

    def _tables(self) -> dict[str, dict[str, object]]:
        listen, health_bind = self._addresses
        world: dict[str, object] = {"execution_pipe": str(self.executions.path)}
        world |= self.door.fields()
        world |= {name: str(value) for name, value in self._named.items() if value is not None}
        tables: dict[str, dict[str, object]] = {
            "world": world,
            "server": {
                "resource": self.url,
                "listen": listen,
                "health_bind": health_bind,
                "data_directory": str(self.directory / "data"),
            },
            "identity": self._identity(),
            "audit": self._audit(),
            "state": {**self._state, "approval_key": f"file:{self.approval_key_file}"},
            "control": self._control,
        }
        if self._approval is not None:
            tables["approval"] = self._approval.table(
                client=self.subject,
                issuer=self.issuers[self._approval.issuer],
                whole=self.environment is Environment.DEVELOPMENT,
            )
        if self.tls is not None:
            tables["server"]["peers"] = [self.authority.spiffe_id(CALLER)]
            tables["server"]["proxies"] = []
        if self._records is not None:
            tables["promotion"] = {"records": str(self._records)}
        for name, issuer in self.issuers.items():
            tables[f"issuers.{name}"] = {
                "issuer": issuer.issuer,
                **({} if self._discovery else {"jwks_uri": issuer.jwks_uri}),
                **self._issuer_fields,
                **CallersTenant.field(self.tenant, name, whole=self.environment is Environment.DEVELOPMENT),
            }
        return tables | self.lending.tables(whole=self.environment is Environment.DEVELOPMENT)

    def _identity_keys(self) -> Any:
        """What the tokens of the server's identity verify with."""
        return self.authority.jwks() if self.token_file is None else self.token_file.jwks()

    def _roots(self) -> tuple[Certificate, ...]:
        """What the certificates of the server's identity verify to."""
        return self.authority.roots if self.token_file is None else ()

    def _audit(self) -> dict[str, object]:
        table: dict[str, object] = {"directory": str(self.audit_directory)}
        if self._anchor == "file":
            table["anchor_file"] = str(self.anchor_file)
        if self._anchor == "http":
            table["anchor_url"] = f"http://127.0.0.1:{free_port()}"
        if self._audit_key:
            table["hmac_key"] = f"file:{self.audit_key_file}"
        return table

    def _identity(self) -> dict[str, object]:
        agent = self.workload_api
        return {
            "kind": "file" if agent is None else "spiffe",
            "endpoint": str(self.directory / "token") if agent is None else agent.endpoint,
            "expected_id": self.subject,
            "trust_domains": [SIMULATED_TRUST_DOMAIN],
            "start_deadline": self._start_deadline,
        }
