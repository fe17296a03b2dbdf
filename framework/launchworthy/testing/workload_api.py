"""What does an agent do, well and badly? A SPIFFE Workload API on a private socket, with faults to inject.

gRPC's server runs on an event loop in a thread of its own, so that a test, a demonstration or a promotion
drives it with plain calls while the server under test is another process. What a call here changes is in
force, and told to every open stream, when it returns.

It cannot attest its callers: a socket of mode 0600 in a directory of mode 0700 is the whole protection, and
the trust domain `dev.invalid` is why that is enough.
"""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, assert_never

from launchworthy.identity.quiet import grpc
from launchworthy.identity.quiet import workload_pb2 as wire
from launchworthy.testing.authority import SimulatedAuthority, SvidMaterial

MAX_SOCKET_PATH = 103
"""macOS has 104 bytes for it, the last of them zero."""
CONTROL_SECONDS = 10.0
_HEADER = ("workload.spiffe.io", "true")
_EXPIRED_AGE = 3600.0

T = TypeVar("T")


class Fault(StrEnum):
    """What is wrong with the agent."""

    NONE = "none"
    PERMISSION_DENIED = "permission_denied"
    UNAVAILABLE = "unavailable"
    INVALID_ARGUMENT = "invalid_argument"
    HANG = "hang"
    EMPTY = "empty"
    GARBAGE = "garbage"
    STREAM_END = "stream_end"
    EXPIRED = "expired"


class Rpc(StrEnum):
    """The calls that are served; any other is UNIMPLEMENTED."""

    X509 = "FetchX509SVID"
    JWT = "FetchJWTSVID"


_REFUSALS = {
    Fault.PERMISSION_DENIED: (grpc.StatusCode.PERMISSION_DENIED, "no identity issued"),
    Fault.UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, "could not attest the workload"),
    Fault.INVALID_ARGUMENT: (grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request"),
}


class WorkloadApi:
    """A simulated agent. `start` and `stop` it, or use it as a context manager."""

    def __init__(
        self,
        authority: SimulatedAuthority,
        *identities: str,
        directory: Path | None = None,
        x509_ttl: float = 3600.0,
        jwt_ttl: float = 300.0,
    ) -> None:
        """Prepare an agent that has entries for these names.

        Args:
            authority: who signs.
            identities: names of workloads: `orders` becomes `spiffe://dev.invalid/simulated/orders`.
            directory: where the socket goes, instead of a fresh one; kept afterwards.
            x509_ttl: seconds that an X.509-SVID lives; it is renewed at half of that.
            jwt_ttl: seconds that a JWT-SVID lives.

        Raises:
            ValueError: the path of the socket would be too long.
        """
        fresh = Path(tempfile.gettempdir()) / f"lw-{secrets.token_hex(8)}"
        self._directory = directory if directory is not None else fresh
        self._own_directory = directory is None
        self._path = self._directory / "agent.sock"
        if len(str(self._path).encode()) > MAX_SOCKET_PATH:
            raise ValueError(f"a socket's path has at most {MAX_SOCKET_PATH} bytes")
        self._authority = authority
        self._identities = identities
        self._ttl = {Rpc.X509: x509_ttl, Rpc.JWT: jwt_ttl}
        self._renews = True
        self._materials: tuple[SvidMaterial, ...] = ()
        self._federated: dict[str, SimulatedAuthority] = {}
        self._jwt_claims: dict[str, Any] = {}
        self._faults: dict[Rpc, Fault] = {}
        self._calls: Counter[Rpc] = Counter()
        self._open_streams = 0
        self._changed = asyncio.Event()
        self._renewal: asyncio.TimerHandle | None = None
        self._server: grpc.aio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def endpoint(self) -> str:
        """`unix:///…/agent.sock`."""
        return f"unix://{self._path}"

    @property
    def authority(self) -> SimulatedAuthority:
        """Who signs."""
        return self._authority

    def start(self) -> None:
        """Listen."""
        self._directory.mkdir(mode=0o700, exist_ok=not self._own_directory)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="simulated-workload-api", daemon=True
        )
        self._thread.start()
        self._await(self._open())

    def stop(self) -> None:
        """Stop listening and remove the socket. May be called again."""
        if self._loop is None or self._thread is None:
            return
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_SECONDS)
        self._loop.close()
        self._loop = self._thread = None
        if self._own_directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """Be gone: nothing listens, and the socket does not exist."""
        self._await(self._close())
        try:
            yield
        finally:
            self._await(self._open())

    def rotate(self) -> None:
        """Issue new SVIDs and push them."""
        self._do(self._renew)

    def push(self) -> None:
        """Send the present state to every stream again."""
        self._do(self._tell)

    def present(self, *materials: SvidMaterial) -> None:
        """Push exactly these SVIDs, right or wrong, until the next rotation."""
        self._do(lambda: self._set_materials(materials))

    def set_identities(self, *identities: str) -> None:
        """Have entries for these names only; none at all is "no identity issued"."""
        self._do(lambda: self._set_identities(identities))

    def set_x509_ttl(self, seconds: float, *, renews: bool = True) -> None:
        """Issue SVIDs with this life from now on, and push them; without renewing them, if so wished."""
        self._do(lambda: self._set_ttl(seconds, renews))

    def set_jwt_ttl(self, seconds: float) -> None:
        """Issue JWT-SVIDs with this life from now on."""
        self._do(lambda: self._ttl.update({Rpc.JWT: seconds}))

    def set_jwt_claims(self, **claims: Any) -> None:
        """Write these claims into JWT-SVIDs, instead of the right ones; none at all to be right again."""
        self._do(lambda: self._set_jwt_claims(claims))

    def federate(self, other: SimulatedAuthority) -> None:
        """Push the bundle of another authority too."""
        self._do(lambda: self._federate(other))

    def end_federation(self, trust_domain: str) -> None:
        """Push a state without that bundle."""
        self._do(lambda: self._end_federation(trust_domain))

    def set_fault(self, fault: Fault, *rpcs: Rpc) -> None:
        """Answer so, to these calls (all of them, where none is named) and on every open stream."""
        self._do(lambda: self._set_faults(fault, rpcs or tuple(Rpc)))

    def calls(self, rpc: Rpc) -> int:
        """How often this was called."""
        return self._do(lambda: self._calls[rpc])

    def open_streams(self) -> int:
        """How many streams are open now."""
        return self._do(lambda: self._open_streams)

    # What follows runs on the loop of the thread.

    async def _open(self) -> None:
        server = grpc.aio.server()
        handlers = {
            Rpc.X509.value: grpc.unary_stream_rpc_method_handler(
                self._fetch_x509,
                request_deserializer=wire.X509SVIDRequest.FromString,
                response_serializer=wire.X509SVIDResponse.SerializeToString,
            ),
            Rpc.JWT.value: grpc.unary_unary_rpc_method_handler(
                self._fetch_jwt,
                request_deserializer=wire.JWTSVIDRequest.FromString,
                response_serializer=wire.JWTSVIDResponse.SerializeToString,
            ),
        }
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", handlers),)
        )
        server.add_insecure_port(f"unix:{self._path}")
        await server.start()
        self._path.chmod(0o600)
        self._server = server
        self._renew()

    async def _close(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
        self._path.unlink(missing_ok=True)

    async def _fetch_x509(
        self, _: wire.X509SVIDRequest, context: "grpc.aio.ServicerContext"
    ) -> AsyncIterator[wire.X509SVIDResponse]:
        self._calls[Rpc.X509] += 1
        await self._require_header(context)
        self._open_streams += 1
        try:
            while True:
                changed, fault = self._changed, self._faults.get(Rpc.X509, Fault.NONE)
                if fault is Fault.STREAM_END:
                    return
                if fault in _REFUSALS:
                    await context.abort(*_REFUSALS[fault])
                if fault is not Fault.HANG:
                    yield await self._x509_response(fault, context)
                await changed.wait()
        finally:
            self._open_streams -= 1

    async def _fetch_jwt(
        self, request: wire.JWTSVIDRequest, context: "grpc.aio.ServicerContext"
    ) -> wire.JWTSVIDResponse:
        self._calls[Rpc.JWT] += 1
        await self._require_header(context)
        ids = tuple(self._authority.spiffe_id(name) for name in self._identities)
        wanted = tuple(each for each in ids if request.spiffe_id in ("", each))
        fault = self._faults.get(Rpc.JWT, Fault.NONE)
        match fault:
            case Fault.PERMISSION_DENIED | Fault.UNAVAILABLE | Fault.INVALID_ARGUMENT:
                await context.abort(*_REFUSALS[fault])
            case Fault.STREAM_END:
                await context.abort(*_REFUSALS[Fault.UNAVAILABLE])
            case Fault.HANG:
                await asyncio.Event().wait()
            case Fault.EMPTY:
                return wire.JWTSVIDResponse()
            case Fault.GARBAGE:
                return wire.JWTSVIDResponse(
                    svids=[wire.JWTSVID(spiffe_id=each, svid="garbage") for each in wanted]
                )
            case Fault.NONE | Fault.EXPIRED:
                pass
            case _:
                assert_never(fault)
        if len(wanted) == 0:
            await context.abort(*_REFUSALS[Fault.PERMISSION_DENIED])
        ttl = self._ttl[Rpc.JWT]
        age = ttl + _EXPIRED_AGE if fault is Fault.EXPIRED else 0.0
        return wire.JWTSVIDResponse(
            svids=[
                wire.JWTSVID(
                    spiffe_id=each,
                    svid=self._authority.mint_jwt(
                        each, tuple(request.audience), ttl=ttl, age=age, **self._jwt_claims
                    ),
                )
                for each in wanted
            ]
        )

    async def _x509_response(
        self, fault: Fault, context: "grpc.aio.ServicerContext"
    ) -> wire.X509SVIDResponse:
        if fault is Fault.EMPTY:
            return wire.X509SVIDResponse()
        if fault is Fault.GARBAGE:
            garbage = wire.X509SVID(spiffe_id="garbage", x509_svid=b"garbage", x509_svid_key=b"garbage")
            return wire.X509SVIDResponse(svids=[garbage])
        materials = self._materials
        if len(materials) == 0:
            await context.abort(*_REFUSALS[Fault.PERMISSION_DENIED])
        if fault is Fault.EXPIRED:
            materials = self._mint(age=self._ttl[Rpc.X509] + _EXPIRED_AGE)
        return wire.X509SVIDResponse(
            svids=[
                wire.X509SVID(
                    spiffe_id=each.spiffe_id,
                    x509_svid=each.chain_der,
                    x509_svid_key=each.key_der,
                    bundle=each.bundle_der,
                )
                for each in materials
            ],
            federated_bundles={
                f"spiffe://{name}": other.bundle_der() for name, other in self._federated.items()
            },
        )

    async def _require_header(self, context: "grpc.aio.ServicerContext") -> None:
        if _HEADER not in tuple((key, value) for key, value in context.invocation_metadata() or ()):
            await context.abort(*_REFUSALS[Fault.INVALID_ARGUMENT])

    def _mint(self, *, age: float = 0.0) -> tuple[SvidMaterial, ...]:
        ttl = self._ttl[Rpc.X509]
        return tuple(self._authority.mint_x509(name, ttl=ttl, age=age) for name in self._identities)

    def _renew(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        if self._renews:
            self._renewal = asyncio.get_running_loop().call_later(self._ttl[Rpc.X509] / 2, self._renew)
        self._set_materials(self._mint())

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _set_materials(self, materials: tuple[SvidMaterial, ...]) -> None:
        self._materials = materials
        self._tell()

    def _set_identities(self, identities: tuple[str, ...]) -> None:
        self._identities = identities
        self._renew()

    def _set_ttl(self, seconds: float, renews: bool) -> None:  # noqa: FBT001 - private
        self._ttl[Rpc.X509] = seconds
        self._renews = renews
        self._renew()

    def _set_jwt_claims(self, claims: dict[str, Any]) -> None:
        self._jwt_claims = claims

    def _federate(self, other: SimulatedAuthority) -> None:
        self._federated[other.trust_domain] = other
        self._tell()

    def _end_federation(self, trust_domain: str) -> None:
        del self._federated[trust_domain]
        self._tell()

    def _set_faults(self, fault: Fault, rpcs: tuple[Rpc, ...]) -> None:
        self._faults.update(dict.fromkeys(rpcs, fault))
        self._tell()

    # How the callers of other threads get there.

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the simulated agent is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CONTROL_SECONDS)

    def _do(self, work: Callable[[], T]) -> T:
        async def on_loop() -> T:
            return work()

        return self._await(on_loop())
