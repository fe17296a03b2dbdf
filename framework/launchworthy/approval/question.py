"""What was asked, when, and about which call? The content of a seal."""

import hashlib
import json
from dataclasses import dataclass

from launchworthy.approval.asked_call import AskedCall, canonical
from launchworthy.approval.refusals import AnswerForAnother, NotAnswered

TTL_SECONDS = 120
_SKEW_SECONDS = 5
"""By how much the clocks of two replicas may differ."""
REMEMBERED_SECONDS = 2 * (TTL_SECONDS + _SKEW_SECONDS)
"""How long an answer that was used is remembered: longer than it could be used."""
_NAME_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    Attributes:
        nonce: 128 random bits, hex: what is used up.
        asked_by: the id of the call that asked.
        at: when, in seconds since the epoch.
        generation: of the store that will remember the nonce.
        terms: what the call was, see `AskedCall.terms`.
        page: 128 random bits, hex: where somebody answers it; None where the client asks its user.
    """

    nonce: str
    asked_by: str
    at: int
    generation: str
    terms: dict[str, str]
    page: str | None

    @property
    def name(self) -> str:
        """Names it in records: a digest, since who reads them must not learn the nonce."""
        return hashlib.sha256(self.nonce.encode("ascii")).hexdigest()[:_NAME_CHARACTERS]

    @property
    def not_after(self) -> int:
        """Until when its answer counts."""
        return self.at + TTL_SECONDS

    def age(self, now: int) -> int:
        """Seconds since it was asked."""
        return max(0, now - self.at)

    def content(self) -> bytes:
        """What is sealed."""
        said = {
            "v": 1,
            "n": self.nonce,
            "c": self.asked_by,
            "t": self.at,
            "g": self.generation,
            "k": self.terms,
            "p": self.page,
        }
        return canonical(said).encode("ascii")

    def check_time(self, now: int) -> None:
        """Return while its answer counts.

        Raises:
            NotAnswered: it does not any more.
        """
        if not self.at - _SKEW_SECONDS <= now < self.not_after:
            raise NotAnswered(
                f"the answer came {now - self.at} s after the question, and counts {TTL_SECONDS}"
            )

    def check_same(self, call: AskedCall, now: int) -> None:
        """Return if the call that came is the call that was asked about.

        Raises:
            AnswerForAnother: something of it differs.
        """
        terms = call.terms()
        differs = [name for name in sorted({*terms, *self.terms}) if terms.get(name) != self.terms.get(name)]
        if differs:
            raise AnswerForAnother(
                ", ".join(differs), question=self.name, asked_by=self.asked_by, age=self.age(now)
            )


def read_question(content: bytes) -> Question:
    """Read what was sealed; it is our own, so it is as it was written."""
    said = json.loads(content)
    return Question(
        nonce=said["n"],
        asked_by=said["c"],
        at=said["t"],
        generation=said["g"],
        terms=said["k"],
        page=said["p"],
    )
