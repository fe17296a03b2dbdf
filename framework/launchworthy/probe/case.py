"""What is a case? A good request with one property changed, and what must be seen of the answer."""

from collections.abc import Callable
from dataclasses import dataclass

from launchworthy.probe.draft import Change
from launchworthy.probe.probed import LEGACY, MODERN, Probed

BOTH = (MODERN, LEGACY)
OURS_ONLY: tuple[str, ...] = ()
"""A rule that no standard asks of other servers."""
NO_ERROR = "none"
"""A challenge that names no error: nobody showed a token (RFC 6750 §3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be seen.

    Attributes:
        statuses: any of these.
        runs: how many bodies are entered.
        word: `error.data.reason`, or None where the answer has none or it does not matter.
        challenge: what `WWW-Authenticate` says of the error; `NO_ERROR`; None: there must be no challenge.
        codes: JSON-RPC codes, any of them; empty where it does not matter.
        reasons: what the audit says, any of them; empty where it does not matter.
        scopes: whether the challenge names all scopes of the target.
        tool_error: whether it is a tool's result with `isError`.
        audited: whether the request reaches the gate, and so leaves a record.
        also: further statuses that are as right in a server that is not ours.
        harmless: whether a server that is not ours may let it through, as long as it does not break.
    """

    statuses: frozenset[int]
    runs: int = 0
    word: str | None = None
    challenge: str | None = None
    codes: frozenset[int] = frozenset()
    reasons: frozenset[str] = frozenset()
    scopes: bool = False
    tool_error: bool = False
    audited: bool = True
    also: frozenset[int] = frozenset()
    harmless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One property that is changed.

    Attributes:
        id: `audience.longer-path`.
        control: which control of the catalogue it is about.
        title: what is sent: `a token for a longer path`.
        why: what goes wrong where it is accepted.
        source: the clause that it follows from.
        change: makes the change.
        expected: what must be seen.
        revisions: in which it is sent, as far as they are served.
        applies: whether it can be made for this server.
        elsewhere: in which of them it is sent to servers that are not ours; in none where it is a rule of
            our own, which no standard asks of others.
        base: makes the good request that it changes, and its twin, where that is not the usual one.
    """

    id: str
    control: str
    title: str
    why: str
    source: str
    change: Change
    expected: Expected
    revisions: tuple[str, ...] = BOTH
    applies: Callable[[Probed], bool] = lambda _: True
    elsewhere: tuple[str, ...] = BOTH
    base: Change | None = None


def bad_token(*reasons: str) -> Expected:
    """401 `invalid_token`, the same whatever is wrong with it; the audit knows."""
    return Expected(
        statuses=frozenset({401}),
        word="invalid_token",
        challenge="invalid_token",
        reasons=frozenset(f"token.{reason}" for reason in reasons),
    )


NO_TOKEN = Expected(
    statuses=frozenset({401}),
    word="invalid_token",
    challenge=NO_ERROR,
    reasons=frozenset({"credential.missing", "credential.scheme"}),
)
GOES_THROUGH = Expected(statuses=frozenset({200}), runs=1)


def no_scope() -> Expected:
    """403 `insufficient_scope` with all scopes of the call."""
    return Expected(
        statuses=frozenset({403}),
        word="insufficient_scope",
        challenge="insufficient_scope",
        reasons=frozenset({"tool.scope"}),
        scopes=True,
    )


def refused(*statuses: int, code: int | None = None, reasons: tuple[str, ...] = ()) -> Expected:
    """A request that is none of ours, answered before anything ran."""
    return Expected(
        statuses=frozenset(statuses),
        codes=frozenset() if code is None else frozenset({code}),
        reasons=frozenset(reasons),
    )
