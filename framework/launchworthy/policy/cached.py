"""Has exactly this been decided already? Decisions, kept by the values that they read.

A decision is a function of its read set: two callers with the same scopes share one, where no rule asks who
they are. What reads something that passes, as a token's age, is decided anew each time; so is what the walk
over the rules did not understand, and every call for which a grant lifts a rule.
"""

from threading import Lock

from launchworthy.policy.compiled import CompiledPolicy
from launchworthy.policy.query import Query
from launchworthy.policy.slice import Key
from launchworthy.vocabulary import Decision, Reason, Refused

_KEPT_REASONS = frozenset({Reason.TOOL_POLICY, Reason.TOOL_SCOPE})
"""A refusal by the policy; a failure of the engine is asked again."""
MAX_KEPT_TEXT = 8192
"""Characters in what a decision was about; a caller chooses them, so a longer one is not kept."""


class CachedPolicy:
    """A compiled policy that remembers; a changed policy needs a new one."""

    def __init__(self, policy: CompiledPolicy, *, limit: int = 4096) -> None:
        """Remember at most `limit` decisions, the oldest forgotten first."""
        if limit < 1:
            raise ValueError("a cache keeps something")
        self.policy = policy
        self._limit = limit
        self._answers: dict[Key, Decision | Refused] = {}
        self._changing = Lock()

    def decide(self, query: Query) -> Decision:
        """Allow a call, or refuse it, as `CompiledPolicy.decide` does.

        Raises:
            Refused: as the policy does.
        """
        piece = self.policy.slice_for(query)
        if not piece.keeps or query.lifted:
            return self.policy.decide(query)
        key = piece.key(query)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._decided(query, key)
        if isinstance(answer, Refused):
            raise _again(answer)
        return answer

    def forget(self) -> None:
        """Decide everything anew: something that decisions rest on has changed."""
        with self._changing:
            self._answers.clear()

    def __len__(self) -> int:
        """How many decisions are kept."""
        return len(self._answers)

    def _decided(self, query: Query, key: Key) -> Decision | Refused:
        answer: Decision | Refused
        try:
            answer = self.policy.decide(query)
        except Refused as refused:
            if refused.reason not in _KEPT_REASONS:
                raise
            answer = _again(refused)
        if _text_in(key) > MAX_KEPT_TEXT:
            return answer
        with self._changing:
            self._answers[key] = answer
            while len(self._answers) > self._limit:
                del self._answers[next(iter(self._answers))]
        return answer


def _text_in(key: Key) -> int:
    """Characters in a key: of its texts, and of those in its sets."""
    parts = (part if isinstance(part, frozenset) else (part,) for part in key)
    return sum(len(text) for part in parts for text in part if isinstance(text, str))


def _again(refused: Refused) -> Refused:
    """The same refusal afresh: one that was raised holds its traceback, and with it the call of another."""
    return Refused(refused.reason, refused.detail, scopes=refused.scopes, rules=refused.rules)
