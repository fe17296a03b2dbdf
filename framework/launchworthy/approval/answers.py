"""What does a client ask its user, and what does it send back?

That is elicitation of MCP 2026-07-28, in form mode or in URL mode.

A form answer proves only what the client says. Only `accept` with `approve` true is a yes; an argument of the
tool that is called so, or `confirmed`, is none. Of an address `accept` says that it was opened, and is no
answer; who cannot or will not open it may say no.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from launchworthy.approval.refusals import NotAnswered

KEY: Final = "approval"
"""The key of our one question among the input requests."""
FIELD: Final = "approve"


class Verdict(StrEnum):
    """What somebody said."""

    YES = "approved"
    NO = "declined"
    DISMISSED = "dismissed"


def requested_schema() -> dict[str, object]:
    """The form: one box that nobody has ticked."""
    return {
        "type": "object",
        "properties": {
            FIELD: {
                "type": "boolean",
                "title": "Approve this call",
                "description": "true only if exactly this call may be made",
            }
        },
        "required": [FIELD],
    }


def turned_down(responses: object) -> Verdict | None:
    """How the client says that nobody will answer at the address; None: it was opened, which is no answer.

    Raises:
        NotAnswered: it holds no answer to the question.
    """
    match _action_of(responses):
        case "accept":
            return None
        case "decline":
            return Verdict.NO
        case _:
            return Verdict.DISMISSED


def verdict_of(responses: object) -> Verdict:
    """What the client says that its user said.

    Args:
        responses: `inputResponses` as it came.

    Raises:
        NotAnswered: it holds no answer to the question, or more than one could be read out of it.
    """
    match _action_of(responses):
        case "accept":
            return _accepted(_answer_of(responses).get("content"))
        case "decline":
            return Verdict.NO
        case _:
            return Verdict.DISMISSED


def _action_of(responses: object) -> str:
    action = _answer_of(responses).get("action")
    if action not in ("accept", "decline", "cancel"):
        raise NotAnswered("the answer has none of the three actions")
    return str(action)


def _answer_of(responses: object) -> Mapping[str, object]:
    if not isinstance(responses, dict) or set(responses) != {KEY}:
        raise NotAnswered(f"`inputResponses` is not the one answer `{KEY}`")
    answer = responses[KEY]
    if not isinstance(answer, dict):
        raise NotAnswered(f"`{KEY}` of `inputResponses` is no answer")
    return answer


def _accepted(content: object) -> Verdict:
    if not isinstance(content, dict) or set(content) != {FIELD} or not isinstance(content[FIELD], bool):
        raise NotAnswered(f"the form was sent without `{FIELD}`, true or false")
    return Verdict.YES if content[FIELD] else Verdict.NO
