"""One house: the real gate, verifier, policy and audit behind a real listener, and a simulated issuer."""

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import httpx2
import shop_tools
import structlog
import uvicorn
import uvloop
from house_manifests import RULES, SCOPES, manifest_files

from launchworthy.approval import Approvals, EphemeralKeys, OnPage, Sealed, StateSeal, WaitingRoom
from launchworthy.approval.page import (
    ROUTES,
    ApprovalPage,
    AuthorizationServer,
    Cookies,
    SignIns,
)
from launchworthy.audit import ArgumentRedactor
from launchworthy.audit.canary import Shown
from launchworthy.audit.stream import AuditStream
from launchworthy.credentials.code_exchange import CodeExchange
from launchworthy.credentials.tellers import Tellers
from launchworthy.enforcement.exchange import build_exchange
from launchworthy.enforcement.gate import Gate, GateConfig, RefusalNote
from launchworthy.enforcement.protocol import RULE_33, ConnectionLimits, bounded_h11, bounded_httptools
from launchworthy.enforcement.rehearsing import Rehearsing
from launchworthy.manifest import Server, load_manifests, match, parse_rate
from launchworthy.policy import CachedPolicy, compile_policy
from launchworthy.state import MemoryStore, Store
from launchworthy.state.control import ControlList, Entry
from launchworthy.state.control.control_list import Judge
from launchworthy.state.control.reading import Source
from launchworthy.state.limits import CallLimits, LimitsOf
from launchworthy.testing.execution import ExecutionPipe
from launchworthy.testing.issuer import SimulatedClient, SimulatedIssuer
from launchworthy.tokens import IssuerPolicy
from launchworthy.tokens.fetch import system_network
from launchworthy.tokens.verifier import TokenVerifier
from launchworthy.vocabulary import (
    Environment,
    Principal,
    Problem,
    ProblemError,
    Reason,
    Refused,
    sign_in_redirect,
)

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Unsigned:
    """Says what it was told, in plain text."""

    async def sighting(self, nonce: str, shown: Shown, call: str) -> bytes:
        return f"{nonce} {shown.revision} {shown.method} {shown.name} {shown.token} {call}".encode()


def policy_for(issuer: SimulatedIssuer) -> IssuerPolicy:
    return IssuerPolicy(
        name="simulated",
        issuer=issuer.issuer,
        algorithms=("ES256",),
        max_lifetime=3600,
        leeway=30,
        jwks_uri=None,
        scope_claim="scope",
        person_claim="name",
        tenant_claim=None,
        key_fresh=300,
        key_stale=900,
        key_spacing=1,
        allow_loopback_http=True,
        single_audience=True,
        exceptions=(),
        introspection=None,
    )


class ProvenClient:
    """Who the house is to its issuer: a client that proves itself by a signed assertion."""

    name = "shop-approvals"

    def __init__(self, issuer: SimulatedIssuer, redirect: str) -> None:
        self._client = SimulatedClient(self.name)
        issuer.clients.add(replace(self._client.registration(), redirect_uris=(redirect,)))

    async def parameters(self, issuer: str) -> tuple[tuple[str, str], ...]:
        return (
            ("client_id", self.name),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", self._client.assertion(issuer, int(time.time()))),
        )


class Denials:
    """The callers that a test denies, by their subjects."""

    generation = 0

    def __init__(self, subjects: set[str]) -> None:
        self._subjects = subjects

    def refuse(self, principal: Principal) -> None:
        if principal.subject in self._subjects:
            raise Refused(Reason.TOKEN_DENIED, "denied by the test")


def nobody(entry: Entry) -> tuple[str, ...]:
    raise ProblemError(Problem(reason="grant-not-approved", what=f"nobody has approved {entry.id}", fix=()))


class House:
    """Enter it to listen; everything real, on loopback."""

    def __init__(
        self,
        directory: Path,
        *,
        implementation: str = "httptools",
        loop: str = "asyncio",
        limits: ConnectionLimits = RULE_33,
        environment: Environment = Environment.STAGING,
        audit: Callable[[AuditStream], Any] = lambda stream: stream,
        around: Callable[[Gate], Any] = lambda gate: gate,
        at_once: int = 64,
        rate: str = "100000/minute",
        store: Store | None = None,
        control: tuple[Source, ...] = (),
        judge: Judge = nobody,
        rules: bytes = RULES,
        edit: tuple[str, str] = ("", ""),
        patience: float = 0.05,
        **config: Any,
    ) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.resource = f"http://127.0.0.1:{self.port}/mcp"
        self.issuer = SimulatedIssuer({self.resource: SCOPES})
        self.audit_directory = directory / "audit"
        self.shop = shop_tools.Shop()
        self.notes: list[RefusalNote] = []
        self.reported: list[Reason] = []
        self.unready: Refused | None = None
        self._read: dict[Path, int] = {}
        self._records: list[dict[str, Any]] = []
        self._directory = directory
        self._implementation = implementation
        self._loop_factory = uvloop.new_event_loop if loop == "uvloop" else None
        self._limits = limits
        self._environment = environment
        self._audit = audit
        self._around = around
        self._config = config
        self._at_once = at_once
        self._rate = rate
        self._sources = control
        self._judge = judge
        self._rules = rules
        self._edit = edit
        self._patience = patience
        self.denied: set[str] = set()
        self.client = ProvenClient(self.issuer, sign_in_redirect(f"http://127.0.0.1:{self.port}/mcp"))
        self.keys = EphemeralKeys(secrets.randbits)
        self.clock: Callable[[], float] = time.time
        self._store = MemoryStore(time.monotonic, "tests") if store is None else store
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="house", daemon=True)

    def __enter__(self) -> Self:
        self.issuer.start()
        self.executions = ExecutionPipe(self._directory / "executions")
        self._thread.start()
        if not self._ready.wait(15) or self._failed is not None:
            raise RuntimeError("the house does not stand") from self._failed
        self.http = httpx2.Client(timeout=10, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.shop.gate.set()
        if not self._thread.is_alive():
            return
        self.http.close()
        self.uvicorn.should_exit = True
        self._thread.join(10)
        self.issuer.stop()
        self.executions.close()
        self._socket.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            self._failed = error
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        old, new = (text.encode() for text in self._edit)
        files = {path: content.replace(old, new) for path, content in manifest_files().items()}
        manifests = load_manifests(files if old else manifest_files())
        server = Server(shop_tools)
        served = match(manifests, server.marks())
        pipe = self._directory / "executions"
        with pipe.open("wb", buffering=0) as executions:
            log = structlog.get_logger()
            self.stream = AuditStream.open(self.audit_directory, source=None, clock=time.time_ns)
            self.exchange = build_exchange(
                server,
                manifests,
                served,
                self._environment,
                self.shop,
                Rehearsing(execution_pipe=executions.fileno(), hold=None, reach=None, longest=None),
                log,
                Tellers({}, {}, audit=self.stream, clock=time.time),
            )
            self.shop.sdk = self.exchange._server
            verifier = TokenVerifier(
                (policy_for(self.issuer),),
                self.resource,
                {},
                lambda _event: None,
                time.monotonic,
                deny=Denials(self.denied),
            )
            await verifier.start(10)
            room = WaitingRoom(self._seal(Sealed.WAITING), self._store)
            config = GateConfig(**{
                "resource": self.resource, "name": "shop", "issuers": (self.issuer.issuer,),
                "entry_scopes": ("shop:read",), "allowed_origins": ("https://console.acme.example",),
                "revisions": (MODERN, LEGACY), "max_body": 64 * 1024, "exchanging": frozenset(),
                "pages": ROUTES, "durable": False,
                **self._config,
            })  # fmt: skip
            self.control = ControlList(
                self._sources, longest={}, judge=self._judge, clock=time.time, monotonic=time.monotonic
            )
            await self.control.start()
            self.control.on_change(lambda _: self.exchange.changes.tell_lists())
            self.limits = CallLimits(
                self._store,
                LimitsOf(server=manifests.server, caller=parse_rate(self._rate), at_once=self._at_once),
                clock=time.monotonic,
                tenant_of=lambda _: "",
            )
            self.gate = Gate(
                config,
                verifier=verifier,
                policy=CachedPolicy(
                    compile_policy(manifests, self._environment, {"policy/rules.cedar": self._rules})
                ),
                stops=self.control,
                limits=self.limits,
                audit=self._audit(self.stream),
                redactor=ArgumentRedactor.ephemeral("tests"),
                readiness=self._readiness,
                served=served,
                exchange=self.exchange,
                approvals=Approvals(self._seal(Sealed.QUESTION), self._store, secrets.randbits),
                on_page=OnPage(
                    room,
                    resource=self.resource,
                    sign_in=self.issuer.issuer,
                    check_not_denied=self._check_not_denied,
                    patience=self._patience,
                ),
                page=self._page(room, verifier),
                newcomers=None,
                witness=Unsigned(),
                clock=self._now,
                random_bits=secrets.randbits,
                environment=self._environment,
                on_refusal=self.notes.append,
            )
            await self._listen()
            await verifier.aclose()
            self.gate.strangers.finish()
            self.stream.close()

    def _seal(self, kind: Sealed) -> StateSeal:
        return StateSeal(self.keys, self.resource, kind, secrets.randbits)

    def _page(self, room: WaitingRoom, verifier: TokenVerifier) -> ApprovalPage:
        """The page, where people sign in at the house's own issuer."""
        how = {"network": system_network(), "simulated": True, "monotonic": time.monotonic}
        name = self.issuer.issuer
        codes = CodeExchange(name, endpoint=None, proof=self.client, **how)
        server = AuthorizationServer(name, client=self.client.name, scopes=("groups",), endpoint=None, **how)
        return ApprovalPage(
            room,
            SignIns(
                server,
                codes,
                verifier.id_tokens("simulated"),
                self._store,
                secrets.randbits,
                resource=self.resource,
            ),
            Cookies(self._seal(Sealed.SIGN_IN), self._seal(Sealed.VISIT), secure=False),
            self.stream,
            secrets.randbits,
            check_not_denied=self._check_not_denied,
            title="Shop & <Sons>",
            resource=self.resource,
        )

    def _check_not_denied(self, approver: Any) -> None:
        if approver.subject in self.denied:
            raise Refused(Reason.TOKEN_DENIED, "denied by the test")

    async def _listen(self) -> None:
        make = bounded_httptools if self._implementation == "httptools" else bounded_h11
        config = uvicorn.Config(
            self._around(self.gate), http=make(self._limits, self.reported.append), ws="none", lifespan="off",
            interface="asgi3", log_config=None, access_log=False, proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.uvicorn = uvicorn.Server(config)
        self.uvicorn.install_signal_handlers = lambda: None
        serving = asyncio.create_task(self.uvicorn.serve(sockets=[self._socket]))
        while not self.uvicorn.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        self._ready.set()
        await serving

    def _now(self) -> float:
        return self.clock()

    def _readiness(self) -> None:
        if self.unready is not None:
            raise self.unready

    # what tests ask

    def token(self, *scopes: str, **changes: Any) -> str:
        return self.issuer.mint(self.issuer.grant(scopes=scopes or ("shop:read",)), **changes)

    def post(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        revision: str = MODERN,
        scopes: tuple[str, ...] = ("shop:read",),
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        token: str | None = "mint",  # noqa: S107 - not one
        seconds: float = 10.0,
    ) -> httpx2.Response:
        """One request as a client would send it; `headers` replaces some, and None leaves one out."""
        message = message_of(method, params or {}, revision) if body is None else body
        sent = headers_of(method, params or {}, revision)
        if token is not None:
            sent["authorization"] = f"Bearer {self.token(*scopes) if token == 'mint' else token}"
        merged = {name: value for name, value in (sent | dict(headers or {})).items() if value is not None}
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.http.post(self.resource, content=content, headers=merged, timeout=seconds)

    def run(self, work: Any) -> None:
        """Have something done in the house's own event loop."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def call(
        self,
        name: str,
        /,
        *,
        revision: str = MODERN,
        scopes: tuple[str, ...] = ("shop:read",),
        **arguments: Any,
    ) -> httpx2.Response:
        return self.post(
            "tools/call", {"name": name, "arguments": arguments}, revision=revision, scopes=scopes
        )

    def raw(self, data: bytes, *, seconds: float = 5.0) -> bytes:
        """Send bytes and read until the other side ends, or for so long."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            return read_until_closed(connection)

    def records(self) -> list[dict[str, Any]]:
        """Every record so far; each line is read once."""
        for path in sorted(self.audit_directory.glob("*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[path] = self._read.get(path, 0) + len(line)
                    record = json.loads(line)
                    kind = record["type"].removeprefix("launchworthy.").removesuffix(".v1")
                    self._records.append({"type": kind, "about": record.get("subject"), **record["data"]})
        return self._records

    def story(self, response: httpx2.Response | str) -> list[dict[str, Any]]:
        """The records of one call, in their order."""
        call = response if isinstance(response, str) else response.headers["launchworthy-call"]
        return [record for record in self.records() if record.get("call") == call]

    def audit_text(self) -> str:
        return "".join(path.read_text() for path in self.audit_directory.glob("*.jsonl"))


def message_of(method: str, params: Mapping[str, Any], revision: str, request_id: Any = 1) -> dict[str, Any]:
    carried = {**params, "_meta": {**META, **params.get("_meta", {})}} if revision == MODERN else dict(params)
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": carried}


def headers_of(method: str, params: Mapping[str, Any], revision: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": revision,
    }
    if revision == MODERN:
        headers["mcp-method"] = method
        if method in NAMED_BY and NAMED_BY[method] in params:
            headers["mcp-name"] = params[NAMED_BY[method]]
    return headers


def read_until_closed(connection: socket.socket) -> bytes:
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return received


def eventually(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Wait, no longer than so, until something is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError("it never became true")
        time.sleep(0.005)
    return found


def faster(**changes: float) -> ConnectionLimits:
    return replace(RULE_33, **changes)
