"""Has each purpose a key of its own? Whoever holds the key of one must not hold another by it.

The rings of a server are read together, compared, and from then on know each other: a file that comes to hold
another's key later changes nothing, as any file that cannot be used.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import structlog

from launchworthy.approval.seal import PURPOSE
from launchworthy.audit.redaction import HMAC_PURPOSE
from launchworthy.settings import KeyRing, RingKey, Settings
from launchworthy.state.control import SEAL_PURPOSE
from launchworthy.vocabulary import Problem, ProblemError

KEY_SECONDS = 2.0
"""How often a file of keys is looked at."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """The framework's own keys in one server; None where the settings name none.

    Attributes:
        audit: of the digests in the audit.
        approval: of questions to people, and of their answers.
        control: of the control list in the store.
    """

    audit: KeyRing | None
    approval: KeyRing | None
    control: KeyRing | None


def read_own_keys(settings: Settings) -> OwnKeys:
    """Read every ring that the settings name; none ever takes a key that another holds.

    Raises:
        ProblemError: `bad-framework-key`: one key stands in two of the files, or a file cannot be used.
    """
    named = (
        ("audit.hmac_key", settings.audit.hmac_key, HMAC_PURPOSE),
        ("state.approval_key", settings.state.approval_key, PURPOSE),
        ("control.key", settings.control.key, SEAL_PURPOSE),
    )
    rings = {
        field: KeyRing.of(reference, purpose=purpose, environment=settings.environment)
        for field, reference, purpose in named
        if reference is not None
    }
    for (first, one), (second, other) in combinations(rings.items(), 2):
        if one.shares_a_key_with(other):
            problem = Problem(
                reason="bad-framework-key",
                where=settings.sources.get(second),
                what=f"`{second}` and `{first}` hold the same key, so who has one of them has both",
                fix=("give each purpose a key of its own:", "openssl rand -base64 48 > FILE"),
                field=second,
            )
            raise ProblemError(problem)
        one.keep_apart_from(other)
        other.keep_apart_from(one)
    audit, approval, control = (rings.get(field) for field, _, _ in named)
    return OwnKeys(audit=audit, approval=approval, control=control)


async def follow(ring: KeyRing, *, what: str, take: Callable[[RingKey], None]) -> None:
    """Use the keys of the file as soon as they are there; a bad file changes nothing, and is said once.

    Args:
        ring: which keys.
        what: they are, for the log: `the audit's key`.
        take: told of the newest key whenever others are in force.
    """
    complained = False
    while True:
        await asyncio.sleep(KEY_SECONDS)
        try:
            if ring.reread():
                take(ring.newest)
                _log.info(f"{what} has changed", kid=ring.newest.kid)
            complained = False
        except ProblemError as error:
            if not complained:
                _log.error(f"{what} cannot be used as it is now; the last good one stays", problem=str(error))
            complained = True
