"""Why does an answer not count?

NotAnswered        it is no answer to a question of ours, or not in time: nobody can tell what it was about
AnswerForAnother   it is an answer to a question of ours, about another call
AnsweredBefore     it was used: for a call that ran, or to say no
Declined           the answer is no
NobodyToAsk        whoever would have to answer cannot be told from somebody else, or is no person
"""

from launchworthy.vocabulary import Reason, Refused


class NotAnswered(Refused):
    """What came back is no answer that counts."""

    def __init__(self, detail: str) -> None:
        """Say what is wrong with it."""
        super().__init__(Reason.TOOL_APPROVAL, detail)


class AnswerForAnother(Refused):
    """An answer was sent for another call than the one that was asked about.

    Attributes:
        question: which question it answers.
        asked_by: the call that asked.
        age: seconds since it was asked.
    """

    def __init__(self, what: str, *, question: str, asked_by: str, age: int) -> None:
        """Say what differs."""
        super().__init__(Reason.TOOL_APPROVAL, f"approved was another call: {what} differs")
        self.question = question
        self.asked_by = asked_by
        self.age = age


class AnsweredBefore(Refused):
    """An answer came a second time."""

    def __init__(self) -> None:
        """Nothing more is known."""
        super().__init__(Reason.LIMIT_CLAIM, "this answer was used before, and counts once")


class NobodyToAsk(Refused):
    """Nobody is asked, since no answer could count."""

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(Reason.TOOL_APPROVAL, f"nobody can be asked: {why}")


class Declined(Refused):
    """Somebody said no."""

    def __init__(self, how: str) -> None:
        """Say how: `declined`, `dismissed`."""
        super().__init__(Reason.TOOL_APPROVAL, f"who was asked has {how} it")
