"""What do replicas agree on, and who keeps it? The store that the settings name, and the limits over it."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from launchworthy.manifest import Rate
from launchworthy.server.parts import Parts
from launchworthy.settings.key_ring import read_private_file
from launchworthy.state import MemoryStore, Store
from launchworthy.state.limits import CallLimits, LimitsOf
from launchworthy.vocabulary import EX_TEMPFAIL, Principal, Problem, ProblemError, Secret, StartupRefused

STAGE = "state"
_GENERATION_BITS = 128


async def open_store(parts: Parts) -> None:
    """Open the store, and limit calls by what it counts.

    Raises:
        StartupRefused: it does not answer, may forget, or its client is not installed.
    """
    if parts.settings.state.kind == "valkey":
        parts.store = await _valkey(parts)
    else:
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
        tenant_of=_one_tenant,
    )


async def _valkey(parts: Parts) -> Store:
    """The shared store; its client is loaded here and not before."""
    settings = parts.settings.state
    try:
        from launchworthy.state.valkey import ValkeyPlace, ValkeyStore  # noqa: PLC0415 - an extra
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
    store = ValkeyStore(
        ValkeyPlace(
            host=place.hostname or "",
            port=place.port or 0,
            tls=_verifying(settings.ca) if place.scheme == "rediss" else None,
            user=settings.user,
            word=word,
            resource=parts.settings.server.resource,
        )
    )
    parts.stack.push_async_callback(store.aclose)
    try:
        await store.start()
    except ProblemError as error:
        raise StartupRefused(STAGE, *error.problems, exit_code=EX_TEMPFAIL) from None
    parts.keep(store.keep(), "store")
    return store


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
    """No part of the keys: `tenancy` other than `single` is refused by the manifest."""
    return ""
