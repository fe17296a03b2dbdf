"""Has each purpose a key of its own? Whoever holds the key of one must not hold another by it."""

from itertools import combinations

from launchworthy.approval.seal import PURPOSE
from launchworthy.audit.redaction import HMAC_PURPOSE
from launchworthy.settings import KeyRing, Settings
from launchworthy.state.control import SEAL_PURPOSE
from launchworthy.vocabulary import Problem, ProblemError


def require_own_keys(settings: Settings) -> None:
    """Return if no key of the framework's own stands in two of the files that the settings name.

    Raises:
        ProblemError: `bad-framework-key`: one does, or a file cannot be used.
    """
    named = (
        ("audit.hmac_key", settings.audit.hmac_key, HMAC_PURPOSE),
        ("state.approval_key", settings.state.approval_key, PURPOSE),
        ("control.key", settings.control.key, SEAL_PURPOSE),
    )
    rings = [
        (field, KeyRing.of(reference, purpose=purpose, environment=settings.environment))
        for field, reference, purpose in named
        if reference is not None
    ]
    for (first, one), (second, other) in combinations(rings, 2):
        if one.shares_a_key_with(other):
            problem = Problem(
                reason="bad-framework-key",
                where=settings.sources.get(second),
                what=f"`{second}` and `{first}` hold the same key, so who has one of them has both",
                fix=("give each purpose a key of its own:", "openssl rand -base64 48 > FILE"),
                field=second,
            )
            raise ProblemError(problem)
