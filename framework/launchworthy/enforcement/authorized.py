"""What was authorised, and is what is about to run exactly that?

`Authorized` is the last trust state: made by `enforcement.calls` and nowhere else (a test reads the source),
handed through the SDK in a context variable, and taken once, by the inner enforcement point. No `Authorized`,
a second taker, another target or other arguments: nothing runs.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from launchworthy.approval import Redeemed
from launchworthy.audit.events import Outcome
from launchworthy.credentials import SealedToken
from launchworthy.manifest import TargetKind, TargetManifest
from launchworthy.policy import rule_that_asks
from launchworthy.vocabulary import CallId, Decision, Principal, Reason, Refused

Progress = Callable[[float, float | None], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """One call that may run, once.

    Attributes:
        call: its id.
        principal: who calls.
        target: the manifest that was decided on.
        decision: what allowed it.
        lifted: the rules that a grant has lifted for it; nearly always none.
        named: the name or URI as the body has it.
        unvalidated: the arguments as the body has them; for comparing, never for running.
        arguments: the validated values; the body gets these and no others.
        callers_token: sealed, and only where the manifest borrows what is got in exchange for it.
        completing: the argument whose completion may run, instead of the target itself; None for a call.
        approval: the answer that was used up for it, where the manifest demands one.
    """

    call: CallId
    principal: Principal
    target: TargetManifest
    decision: Decision
    lifted: frozenset[str]
    named: str
    unvalidated: Mapping[str, object]
    arguments: Mapping[str, object]
    callers_token: SealedToken | None = field(repr=False)
    completing: str | None
    approval: Redeemed | None

    def __post_init__(self) -> None:
        """Refuse what a person must approve, and nobody has, unless a grant lifts exactly that.

        Raises:
            Refused: `tool.approval`.
        """
        unasked = self.target.approval is not None and self.approval is None
        if unasked and rule_that_asks(self.target) not in self.lifted:
            raise Refused(Reason.TOOL_APPROVAL, "nobody has approved it")


class Passage:
    """One `Authorized` on its way through the SDK, and what became of it.

    Attributes:
        authorized: what may run.
        progress: tells the client how far it is; set by the exchange.
        outcome: how the body ended; `not_dispatched` until it began.
        mismatch: what differed, if something did.
        stray: what it reached for that its manifest does not name, if it did.
        still: returns if it may begin even now; set by whoever records the run. Raises `Refused`.
        meanwhile: why it may not, where it had to wait for its turn.
        taken: whether the inner point has let it run.
        over: whether nobody waits for it any more; what has not begun then does not begin.
    """

    __slots__ = (
        "authorized", "meanwhile", "mismatch", "outcome", "over", "progress", "still", "stray", "taken",
    )  # fmt: skip

    def __init__(self, authorized: Authorized) -> None:
        """Begin with nothing dispatched."""
        self.authorized = authorized
        self.progress: Progress = _nowhere
        self.outcome: Outcome = "not_dispatched"
        self.mismatch: str | None = None
        self.stray: str | None = None
        self.still: Callable[[], None] = _always
        self.meanwhile: tuple[Reason, str] | None = None
        self.taken = False
        self.over = False

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self.over = True

    def check_still(self) -> bool:
        """Whether it may begin even now; where not, why is kept for its record."""
        try:
            self.still()
        except Refused as refused:
            self.meanwhile = (refused.reason, refused.detail)
            return False
        return True

    def end_early(self, *, cancelled: bool) -> None:
        """No answer came of it: what the body had made is lost."""
        if self.outcome == "ok":
            self.outcome = "cancelled" if cancelled else "error"

    def end_in_error(self, *, told_by_tool: bool) -> None:
        """The answer is an error, although the body returned: the tool says so itself, or it is no answer."""
        if self.outcome == "ok":
            self.outcome = "tool_error" if told_by_tool else "error"


async def _nowhere(done: float, of: float | None) -> None:
    """Before the exchange has begun there is nobody to tell."""


def _always() -> None:
    """Where nothing can have changed."""


_PASSAGE: ContextVar[Passage] = ContextVar("launchworthy.passage")


@contextmanager
def passing(passage: Passage, progress: Progress) -> Iterator[None]:
    """Let the inner point find this passage, for as long as the exchange lasts."""
    passage.progress = progress
    token = _PASSAGE.set(passage)
    try:
        yield
    finally:
        _PASSAGE.reset(token)


def take(
    kind: TargetKind,
    named: str,
    arguments: Mapping[str, object] | None,
    *,
    completing: str | None = None,
) -> Passage:
    """Claim the one run that was authorised.

    Args:
        kind: what the SDK is about to run.
        named: its name or URI, as the SDK has it.
        arguments: as the SDK has them; None for a resource, whose arguments its URI has.
        completing: the argument that the SDK wants completed, instead.

    Raises:
        Refused: `tool.dispatch_mismatch`.
    """
    passage = _PASSAGE.get(None)
    if passage is None:
        raise Refused(Reason.TOOL_DISPATCH_MISMATCH, "nothing was authorised here")
    authorized = passage.authorized
    if passage.taken:  # by the body that is running, or has run: its outcome stays its own
        raise Refused(Reason.TOOL_DISPATCH_MISMATCH, "the authorised call has run already")
    if (authorized.target.kind, authorized.named, authorized.completing) != (kind, named, completing):
        passage.mismatch = "something else was authorised"
    elif arguments is not None and not same(authorized.unvalidated, arguments):
        passage.mismatch = "other arguments were authorised"
    if passage.mismatch is not None:
        raise Refused(Reason.TOOL_DISPATCH_MISMATCH, passage.mismatch)
    passage.taken = True
    return passage


def same(one: object, two: object) -> bool:
    """Whether two JSON values are the same, type by type: `True` is not `1`, and `1` is not `1.0`."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(value, two[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two
