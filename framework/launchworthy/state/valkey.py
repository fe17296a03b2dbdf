"""What if there are several replicas? Then Valkey (or Redis) keeps what they agree on, and gets little trust.

Keys are digests below a prefix of this server's own. Nothing is tried twice, and everything ends within half
a second: the client's own defaults took ten to say that a server is dead. A store that may forget (without
`noeviction`, or no primary) is refused at start and looked at each minute: whoever forgets a claim lets it be
made again.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from launchworthy.state.keys import StateKey
from launchworthy.state.refusals import Changed, LimitReached, NotKept, already_claimed, store_unusable
from launchworthy.state.scripts import COMPARE_AND_SET, TAKE
from launchworthy.state.store import MAX_VALUE_BYTES, Charge, Slot
from launchworthy.vocabulary import Problem, ProblemError, Reason, Secret

ANSWER_SECONDS: Final = 0.4
CHECK_SECONDS: Final = 60.0
RECHECK_SECONDS: Final = 1.0
_CONNECTIONS = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyPlace:
    """Where the store is, and who we are there.

    Attributes:
        host: its name or address.
        port: its port.
        tls: what verifies it; None on loopback, in the simulated world.
        user: of its access control list, or None.
        word: reads that user's password anew for each connection; None where there is no user.
        resource: of this server; two servers that share a store share nothing in it.
        patience: seconds that an answer may take; a person who stops something waits longer than a call.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str | None
    word: Callable[[], Secret] | None
    resource: str
    patience: float = ANSWER_SECONDS


class ValkeyStore:
    """The store of several replicas; lives in one event loop."""

    def __init__(self, place: ValkeyPlace) -> None:
        """Name the place; nothing is asked yet."""
        self._place = place
        self._prefix = f"launchworthy:{hashlib.sha256(place.resource.encode()).hexdigest()[:16]}:"
        self._pool = _pool(place)
        self._redis = Redis(connection_pool=self._pool)
        self._unfit: str | None = "was not looked at yet"
        self._generation = ""

    @property
    def shared(self) -> bool:
        """Other replicas see the same."""
        return True

    async def start(self) -> None:
        """Look whether it can be relied on.

        Raises:
            ProblemError: it does not answer, or it may forget.
        """
        await self.look()
        if self._unfit is not None:
            what = f"`{self._place.host}:{self._place.port}` {self._unfit}"
            fix = ("name a primary of Valkey or Redis 7 with `maxmemory-policy noeviction` and INFO allowed",)
            raise ProblemError(Problem(reason="store-unfit", what=what, fix=fix, field="state.url"))

    async def keep(self) -> None:
        """Look again each minute, and each second while something is wrong."""
        while True:
            await asyncio.sleep(CHECK_SECONDS if self._unfit is None else RECHECK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Ask whether it is a primary, and evicts nothing."""
        try:
            found = await self._asked(self._redis.info("everything"))
        except _NoAnswer as error:
            self._unfit = str(error)
            return
        if found.get("role") != "master":
            self._unfit = f"is no primary but `{found.get('role')}`"
        elif found.get("maxmemory_policy") != "noeviction":
            self._unfit = f"may forget: its maxmemory-policy is `{found.get('maxmemory_policy')}`"
        else:
            self._unfit = None
        self._generation = str(found.get("master_replid", ""))

    async def generation(self) -> str:
        """The id of the data set: another one after a failover or a restart."""
        await self.look()
        self._require_fit()
        return self._generation

    async def claim(self, key: StateKey, ttl: float) -> None:
        """Claim something for the first and last time."""
        self._require_fit()
        if not await self._answer(self._redis.set(self._name(key), b"1", nx=True, px=_milliseconds(ttl))):
            raise already_claimed()

    async def take(self, charges: tuple[Charge, ...], slots: tuple[Slot, ...], holder: str) -> None:
        """Use up one of each charge and take one place of each slot: all of them, or none."""
        self._require_fit()
        keys = [*(self._name(each.key) for each in charges), *(self._name(each.key) for each in slots)]
        said: list[Any] = [len(charges), holder]
        for charge in charges:
            said += [charge.rate.amount, charge.rate.seconds * 1000]
        for slot in slots:
            said += [slot.places, _milliseconds(slot.seconds)]
        full, left = await self._script(TAKE, keys, said)
        if full == 0:
            return
        if full <= len(charges):
            charge = charges[full - 1]
            raise LimitReached(
                charge.reason, limit=charge.limit, allowed=str(charge.rate), seconds=left / 1000
            )
        slot = slots[full - 1 - len(charges)]
        raise LimitReached(
            Reason.LIMIT_RATE, limit=slot.limit, allowed=f"{slot.places} at once", seconds=left / 1000
        )

    async def free(self, slots: tuple[Slot, ...], holder: str) -> None:
        """Give the places back."""
        for slot in slots:
            await self._answer(self._redis.zrem(self._name(slot.key), holder))

    async def put(self, key: StateKey, value: bytes, ttl: float) -> None:
        """Keep a value that is not there yet."""
        _check_size(value)
        self._require_fit()
        if not await self._answer(self._redis.set(self._name(key), value, nx=True, px=_milliseconds(ttl))):
            raise Changed("there is a value already")

    async def get(self, key: StateKey) -> bytes:
        """Read a value."""
        self._require_fit()
        value: Any = await self._answer(self._redis.get(self._name(key)))
        if value is None:
            raise NotKept("no such value is kept")
        return bytes(value)

    async def compare_and_set(self, key: StateKey, expected: bytes, value: bytes) -> None:
        """Replace a value that is still the one that was read; its time goes on."""
        _check_size(value)
        self._require_fit()
        if not await self._script(COMPARE_AND_SET, [self._name(key)], [expected, value]):
            raise Changed("it is another value by now")

    async def remove(self, key: StateKey) -> None:
        """Forget a value."""
        await self._answer(self._redis.delete(self._name(key)))

    async def aclose(self) -> None:
        """Close every connection."""
        with suppress(RedisError, OSError):
            await self._pool.aclose()

    def _name(self, key: StateKey) -> str:
        return self._prefix + key

    def _require_fit(self) -> None:
        if self._unfit is not None:
            raise store_unusable(f"it {self._unfit}")

    async def _script(self, text: str, keys: list[str], said: list[Any]) -> Any:
        return await self._answer(self._redis.eval(text, len(keys), *keys, *said))

    async def _answer(self, asked: Awaitable[T]) -> T:
        """Wait for one answer, and not long.

        Raises:
            Refused: `limit.store`.
        """
        try:
            return await self._asked(asked)
        except _NoAnswer as error:
            raise store_unusable(f"it {error}") from None

    async def _asked(self, asked: Awaitable[T]) -> T:
        """Wait for one answer.

        Raises:
            _NoAnswer: none came in time.
        """
        try:
            async with asyncio.timeout(self._place.patience):
                return await asked
        except (RedisError, OSError, TimeoutError) as error:
            raise _NoAnswer(f"does not answer: {type(error).__name__}") from None


class _NoAnswer(Exception):
    """The store does not answer; says how."""


def _pool(place: ValkeyPlace) -> ConnectionPool:
    """Connections that try once and wait briefly; whoever needs more than there are is refused."""
    more: dict[str, Any] = {}
    kind: type[Connection] = Connection
    if place.tls is not None:
        kind, more = _Verified, {"tls": place.tls}
    if place.user is not None and place.word is not None:
        more["credential_provider"] = _AclUser(place.user, place.word)
    return ConnectionPool(
        connection_class=kind,
        max_connections=_CONNECTIONS,
        host=place.host,
        port=place.port,
        socket_timeout=place.patience,
        socket_connect_timeout=place.patience,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
        **more,
    )


class _Verified(SSLConnection):
    """A connection that is verified by the context that was handed in, and by nothing of its own."""

    def __init__(self, *, tls: ssl.SSLContext, **rest: Any) -> None:
        super().__init__(**rest)
        self._tls = tls

    def _connection_arguments(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "ssl": self._tls, "server_hostname": self.host}


class _AclUser:
    """The user and its password, read anew for each connection, so that a rotated one is taken up."""

    def __init__(self, user: str, word: Callable[[], Secret]) -> None:
        self._user = user
        self._word = word

    def get_credentials(self) -> tuple[str, str]:
        """What AUTH is sent."""
        return self._user, self._word().reveal()

    async def get_credentials_async(self) -> tuple[str, str]:
        """What AUTH is sent."""
        return self.get_credentials()


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _check_size(value: bytes) -> None:
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a value of the shared state has at most {MAX_VALUE_BYTES} bytes")
