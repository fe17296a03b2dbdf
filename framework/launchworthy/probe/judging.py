"""What is right in a server that is not ours? The standards' own demands, and nothing of our house's.

Whether a body ran cannot be seen from outside: a request went through where its result came back. So a
refusal may look as the server likes wherever no standard says how, and must be a refusal everywhere.
"""

from collections.abc import Iterator

from launchworthy.audit.sanitiser import sanitise_label
from launchworthy.probe.answer import Answer
from launchworthy.probe.case import Case, Expected
from launchworthy.probe.probed import MODERN

OK = 200
TOO_MANY = 429
_BROKEN = 500
_REFUSALS = frozenset(range(400, 500)) - {TOO_MANY}
_SPECIFIED = frozenset({-32020, -32022})
"""What the revision 2026-07-28 itself demands to be answered, each with status 400."""
_TRACES = (b"Traceback (most recent call last)", b'File "/', b"    at java.", b"goroutine 1 [")


def went_through(answer: Answer | None) -> bool:
    """Whether what was asked for came back."""
    if answer is None or answer.status != OK or "result" not in answer.message or answer.error:
        return False
    return answer.result.get("isError") is not True


def statuses(expected: Expected) -> frozenset[int]:
    """What may be answered: exactly what a standard says, any refusal where none does."""
    if expected.runs:
        return frozenset({OK})
    if expected.tool_error:
        return _REFUSALS | {OK}
    if expected.challenge == "insufficient_scope":
        return frozenset({403})
    if expected.challenge == "invalid_request":
        return frozenset({400, 401})
    if expected.challenge is not None:
        return frozenset({401}) | expected.also
    return _REFUSALS | expected.also


def right(case: Case) -> str:
    """What must be seen, in words."""
    expected = case.expected
    if expected.runs:
        return "it goes through"
    if expected.harmless:
        return "an answer, or a refusal, and no failure of the server"
    if expected.tool_error:
        return "a refusal: an error of the tool, or of the request"
    if expected.challenge is not None:
        return _right_challenge(expected)
    if expected.codes & _specified(case):
        return f"a refusal: 4xx; in {MODERN} 400 with the JSON-RPC code {max(expected.codes)}"
    return "a refusal: 4xx, or a JSON-RPC error"


def _right_challenge(expected: Expected) -> str:
    listed = " or ".join(str(status) for status in sorted(statuses(expected)))
    if expected.challenge == "insufficient_scope":
        return f'{listed} with a challenge that says error="insufficient_scope" and the scopes needed'
    return listed


def faults(case: Case, answer: Answer | None, why: str, *, revision: str, token: str) -> tuple[str, ...]:
    """How an answer is not right; empty where it is.

    Args:
        case: which.
        answer: what came back; None where nothing whole did.
        why: why nothing did.
        revision: of the protocol.
        token: what was shown, which no answer may repeat.
    """
    return tuple(_faults(case, answer, why, revision, token))


def _faults(case: Case, answer: Answer | None, why: str, revision: str, token: str) -> Iterator[str]:
    expected = case.expected
    if answer is None:
        if expected.challenge is not None or expected.runs or expected.harmless:
            yield f"there was no answer: {why}"
        return
    if repeats(answer, token):
        yield "the answer repeats the token"
    if shows_trace(answer):
        yield "the answer shows where in the server's code it failed"
    through = went_through(answer)
    if through and not (expected.runs or expected.harmless):
        yield f"it went through: {answer.status}"
    elif expected.runs and not through:
        yield f"it was refused: {summary(answer)}"
    elif not through:
        yield from _shape(case, answer, revision)


def _shape(case: Case, answer: Answer, revision: str) -> Iterator[str]:
    """How a refusal is not the one that a standard demands."""
    expected = case.expected
    if answer.status >= _BROKEN:
        yield f"the server failed: {answer.status}"
        return
    says_error = bool(answer.error) or answer.result.get("isError") is True
    as_error = answer.status == OK and says_error and expected.challenge is None
    specified = expected.codes & _specified(case) if revision == MODERN else frozenset[int]()
    if specified:
        code = answer.error.get("code")
        if answer.status != 400 or code not in specified:  # noqa: PLR2004 - as the revision says
            yield f"it was refused with {summary(answer)}"
        return
    if answer.status not in statuses(expected) and not as_error and not expected.harmless:
        yield f"it was answered with {summary(answer)}"
        return
    yield from _challenge(expected, answer)


def _specified(case: Case) -> frozenset[int]:
    """A body without the header is of the older revision, to a server that serves that too."""
    return frozenset() if case.id == "protocol.no-version" else _SPECIFIED


def _challenge(expected: Expected, answer: Answer) -> Iterator[str]:
    challenge = answer.challenge or {}
    if expected.challenge == "insufficient_scope":
        if challenge.get("error") != "insufficient_scope":
            yield 'the challenge does not say error="insufficient_scope"'
        if not challenge.get("scope"):
            yield "the challenge does not name the scopes that are needed"


def repeats(answer: Answer, token: str) -> bool:
    """Whether an answer repeats a telling part of a token."""
    part = token.rpartition(".")[2][:24] or token[:24]
    return len(part) >= 16 and part in answer.body.decode(errors="replace")  # noqa: PLR2004 - not a word by chance


def shows_trace(answer: Answer) -> bool:
    """Whether an answer shows a stack."""
    return any(mark in answer.body for mark in _TRACES)


def summary(answer: Answer) -> str:
    """An answer in a few words, whatever a server wrote into it."""
    code = f", JSON-RPC {shown_code(answer.error.get('code'))}" if answer.error else ""
    return f"{sanitise_label(answer.summary())}{code}"


def shown_code(code: object) -> str:
    """A JSON-RPC code, of which only a number is repeated."""
    return str(code) if isinstance(code, int) else "none"
