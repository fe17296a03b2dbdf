"""How is an X.509 identity kept fresh? One thread, one stream after the other, as long as the process lives.

Each round: look whose socket it is, open a fresh client and stream, take updates until something fails or
until a newer SVID is overdue; then wait a little and begin again. So:

* every outage ends the same way, and a new channel notices within a moment that the agent is back;
* a stream that is silent past the time of a renewal is a round that ends, and the next round's first answer,
  or its absence, tells whether the agent still lives: that is the watchdog;
* a bad update changes nothing but the failure that is reported;
* nothing here ever gives up, and nothing here decides how long an old identity is good: `phase` does.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from enum import Enum
from queue import Empty, SimpleQueue

from launchworthy.identity.cause import TRAITS, Cause, Failure, SourceError
from launchworthy.identity.custody import Custody
from launchworthy.identity.phase import Holding
from launchworthy.identity.source_checks import check_socket
from launchworthy.identity.svid import Bundles, Update, describe_bundle_change, verify_update
from launchworthy.identity.workload import X509Identity

FIRST_WAIT_SECONDS = 0.1
LOCAL_WAIT_SECONDS = 0.5
"""A missing socket is found without the agent, so it is looked for more often than an agent is asked."""
SETTLED_SECONDS = 5.0
"""A stream that lived this long was no part of a trouble: the next wait is short again."""
MAX_DOUBLINGS = 10
STALE_AFTER = 0.7
"""Of the life that an SVID had left when it came. Agents renew at half of it, a tenth more or less."""
WATCH_SECONDS = (1.0, 30.0)
"""How often, at most and at least, an overdue renewal is asked for."""
LOOK_AGAIN_SECONDS = 10.0
"""No wait is longer: clocks are set, and laptops sleep."""
JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiffeSource:
    """Where an identity comes from, and which one it must be.

    Attributes:
        endpoint: `unix:///…`.
        expected_id: the one SPIFFE ID that is accepted.
        trust_domains: whose bundles are kept; our own is one of them.
        socket_owner_uids: who, beside root, may own the socket and listen on it.
        call_timeout: seconds that an agent has for an answer.
        max_wait: seconds between two rounds, at most.
    """

    endpoint: str
    expected_id: str
    trust_domains: tuple[str, ...]
    socket_owner_uids: tuple[int, ...]
    call_timeout: float
    max_wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiffeMaterial:
    """What goes with a SPIFFE identity: the SVID, and the bundles of the configured trust domains."""

    x509: X509Identity
    bundles: Bundles


Watch = Callable[[str, Callable[[Update | Failure], None]], AbstractContextManager[object]]
"""Opens a stream to an endpoint and tells what comes: `launchworthy.identity.workload_api.Watch`."""


class _Signal(Enum):
    STOP = "stop"


_Inbox = SimpleQueue[Update | Failure | _Signal]


class Supervisor:
    """The thread behind a `SpiffeIdentity`."""

    def __init__(
        self,
        source: SpiffeSource,
        custody: Custody[SpiffeMaterial],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        watch: Watch,
    ) -> None:
        """Prepare; `begin` starts the thread.

        Args:
            source: where to ask, and what to accept.
            custody: who is told.
            clock: seconds since the epoch.
            random: a number in [0, 1), so that a fleet does not come back in one instant.
            watch: opens a stream.
        """
        self._source = source
        self._custody = custody
        self._clock = clock
        self._random = random
        self._watch = watch
        self._stopping = threading.Event()
        self._inbox: _Inbox = SimpleQueue()
        self._attempts = 0
        self._thread = threading.Thread(target=self._run, name="launchworthy-identity", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def end(self) -> None:
        """Stop the thread and wait for it; blocks for a moment."""
        self._stopping.set()
        self._inbox.put(_Signal.STOP)
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._round()
            except SourceError as error:
                failure = error.failure
            except Exception as error:  # noqa: BLE001 - a renewal loop never ends; it reports and goes on
                failure = SourceError(Cause.INTERNAL, f"{type(error).__name__}: {error}").failure
            else:
                continue
            if self._stopping.is_set():
                return
            self._custody.fail(failure)
            if time.monotonic() - began >= SETTLED_SECONDS:
                self._attempts = 0
            self._stopping.wait(pause(failure.cause, self._attempts, self._source.max_wait, self._random()))
            self._attempts += 1
            self._custody.notice_expiry()

    def _round(self) -> None:
        """One stream, from the look at its socket to its end.

        Raises:
            SourceError: it failed; returning means that it was left, and that the next one begins at once.
        """
        source = self._source
        check_socket(source.endpoint, source.socket_owner_uids, source.call_timeout)
        inbox: _Inbox = SimpleQueue()
        self._inbox = inbox
        if self._stopping.is_set():
            return
        with self._watch(source.endpoint, inbox.put):
            patience = time.monotonic() + source.call_timeout
            answer = _next(inbox, lambda: patience - time.monotonic())
            if answer is None:
                raise SourceError(
                    Cause.NO_ANSWER, f"the agent accepts and gave no answer within {source.call_timeout:g} s"
                )
            began = self._clock()
            while isinstance(answer, Update):
                self._apply(answer)
                answer = _next(inbox, lambda: self._until_overdue(began))
        if isinstance(answer, Failure):
            raise SourceError(answer.cause, answer.detail, code=answer.code)

    def _apply(self, update: Update) -> None:
        now = self._clock()
        source = self._source
        identity = verify_update(update, expected_id=source.expected_id, now=now)
        bundles = {name: update.bundles[name] for name in source.trust_domains if name in update.bundles}
        before = self._custody.material()
        self._custody.receive(
            Holding(
                subject=identity.spiffe_id,
                serial=identity.serial,
                not_after=identity.not_after,
                ends_at=identity.not_after,
                stale_at=now + STALE_AFTER * (identity.not_after - now),
            ),
            SpiffeMaterial(x509=identity, bundles=bundles),
            news=describe_bundle_change(before.bundles, bundles) if before is not None else "",
        )

    def _until_overdue(self, began: float) -> float:
        """Seconds until this stream has been silent for too long."""
        holding = self._custody.holding()
        if holding is None:
            return 0.0
        now = self._clock()
        shortest, longest = WATCH_SECONDS
        spacing = min(longest, max(shortest, (holding.ends_at - now) / 10))
        return max(holding.stale_at, began + spacing) - now


def pause(cause: Cause, attempts: int, max_wait: float, random: float) -> float:
    """Seconds before the next round: twice as long each time up to a limit, and out of step with others.

    Args:
        cause: of the failure; what is found without the agent is looked for more often.
        attempts: failures before this one.
        max_wait: the limit, in seconds.
        random: in [0, 1).
    """
    limit = min(LOCAL_WAIT_SECONDS, max_wait) if TRAITS[cause].local else max_wait
    return min(limit, FIRST_WAIT_SECONDS * (1 << min(attempts, MAX_DOUBLINGS))) * (1 + random) / 2


def _next(inbox: _Inbox, left: Callable[[], float]) -> Update | Failure | _Signal | None:
    """What came, or None when no seconds are left; that is asked again, since clocks are set meanwhile."""
    while (seconds := left()) > 0:
        with suppress(Empty):
            return inbox.get(timeout=min(seconds, LOOK_AGAIN_SECONDS))
    return None
