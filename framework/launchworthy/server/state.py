"""What do replicas agree on, and who keeps it? The store that the settings name, and the limits over it."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from launchworthy.manifest import Rate
from launchworthy.server.parts import Parts
from launchworthy.settings import KeyRing, Settings
from launchworthy.settings.key_ring import read_private_file
from launchworthy.state import MemoryStore, Values
from launchworthy.state.control import SEAL_PURPOSE, SealedList
from launchworthy.state.limits import CallLimits, LimitsOf
from launchworthy.state.replicas import require_counted_together
from launchworthy.vocabulary import (
    EX_TEMPFAIL,
    Principal,
    Problem,
    ProblemError,
    Secret,
    StartupRefused,
    tenant_of,
)

if TYPE_CHECKING:
    from launchworthy.state.valkey import ValkeyStore

STAGE = "state"
_GENERATION_BITS = 128


async def open_store(parts: Parts) -> None:
    """Open the store, and limit calls by what it counts.

    Raises:
        StartupRefused: it does not answer, may forget, or its client is not installed.
    """
    if parts.settings.state.kind == "valkey":
        store = valkey_store(parts.settings)
        parts.stack.push_async_callback(store.aclose)
        await start_store(store)
        parts.keep(store.keep(), "store")
        parts.store = store
    else:
        _require_counted_together(parts)
        generation = f"{parts.surroundings.random_bits(_GENERATION_BITS):032x}"
        parts.store = MemoryStore(time.monotonic, generation)
    limits = parts.settings.limits
    parts.limits = CallLimits(
        parts.store,
        LimitsOf(
            server=parts.manifests.server,
            caller=Rate(amount=limits.caller_per_minute, per="minute"),
            at_once=limits.caller_at_once,
        ),
        clock=time.monotonic,
        tenant_of=tenant_of if parts.manifests.has_tenants else _one_tenant,
    )


def valkey_store(whole: Settings, *, patience: float | None = None) -> "ValkeyStore":
    """The shared store, not yet asked; its client is loaded here and not before.

    Args:
        whole: say where it is.
        patience: seconds that an answer may take, where it is a person who waits.

    Raises:
        StartupRefused: the client is not installed, or the password cannot be read.
    """
    settings = whole.state
    try:
        from launchworthy.state.valkey import ANSWER_SECONDS, ValkeyPlace, ValkeyStore  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        problem = Problem(
            reason="extra-missing",
            what=f"[state] kind is `valkey`, and `{error.name}` is not installed",
            fix=("depend on launchworthy[valkey]",),
            field="state.kind",
        )
        raise StartupRefused(STAGE, problem) from None
    place = urlsplit(settings.url or "")
    word = _word_of(Path(settings.password.locator)) if settings.password is not None else None
    if word is not None:
        word()  # one that cannot be read stops the start, and says so
    return ValkeyStore(
        ValkeyPlace(
            host=place.hostname or "",
            port=place.port or 0,
            tls=_verifying(settings.ca) if place.scheme == "rediss" else None,
            user=settings.user,
            word=word,
            resource=whole.server.resource,
            patience=ANSWER_SECONDS if patience is None else patience,
        )
    )


async def start_store(store: "ValkeyStore") -> None:
    """Look whether the store can be relied on.

    Raises:
        StartupRefused: it does not answer, or it may forget.
    """
    try:
        await store.start()
    except ProblemError as error:
        raise StartupRefused(STAGE, *error.problems, exit_code=EX_TEMPFAIL) from None


def sealed_list(settings: Settings, values: Values) -> SealedList:
    """The control list in the store, under the key that the settings name.

    Raises:
        ProblemError: they name none, or it cannot be used.
    """
    if settings.control.key is None:
        problem = Problem(
            reason="no-control-store",
            what="the settings name no key for a control list in the store",
            fix=("[control]", 'key = "file:/run/secrets/control"', "or write the file: --file FILE"),
            field="control.key",
        )
        raise ProblemError(problem)
    ring = KeyRing.of(settings.control.key, purpose=SEAL_PURPOSE, environment=settings.environment)
    return SealedList(values, ring, resource=settings.server.resource)


def _require_counted_together(parts: Parts) -> None:
    """Refuse several replicas that would each count by itself; in the simulated world there is one.

    Raises:
        StartupRefused: there are several, and something that is declared must be counted together.
    """
    if parts.settings.environment.simulated:
        return
    try:
        require_counted_together(parts.settings, parts.manifests, parts.rehearsed)
    except ProblemError as error:
        raise StartupRefused(STAGE, *error.problems) from None


def _word_of(path: Path) -> Callable[[], Secret]:
    """Reads the password, anew each time it is needed."""

    def read() -> Secret:
        return Secret(read_private_file(path).decode("utf-8").strip())

    return read


def _verifying(authority: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the name checked, against the system's authorities or exactly this one."""
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except OSError as error:
        problem = Problem(
            reason="store-unfit",
            where=str(authority),
            what=f"is no file of certificates ({type(error).__name__})",
            fix=("name the authority that signed the store's certificate, in PEM",),
            field="state.ca",
        )
        raise StartupRefused(STAGE, problem) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _one_tenant(_: Principal) -> str:
    """No part of the keys."""
    return ""
