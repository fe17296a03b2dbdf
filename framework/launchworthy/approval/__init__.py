"""Has a person agreed to exactly this call, and who? Asked by the gate where the policy says so.

asked_call   what is approved: the caller, the tool, its arguments, the server, its policy
shown        how a person sees it, whole
question     the question, sealed, and what its answer must be
answers      what a client sends back
approvals    asked, compared, and redeemed once
"""

from launchworthy.approval.answers import FORM, Verdict, requested_schema
from launchworthy.approval.approvals import Approvals, Opened, Redeemed
from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.question import TTL_SECONDS, Question
from launchworthy.approval.refusals import AnsweredBefore, AnswerForAnother, Declined, NotAnswered
from launchworthy.approval.seal import EphemeralKeys, SealingKeys, StateSeal
from launchworthy.approval.shown import shown_call, visible

__all__ = [
    "FORM",
    "TTL_SECONDS",
    "AnswerForAnother",
    "AnsweredBefore",
    "Approvals",
    "AskedCall",
    "Declined",
    "EphemeralKeys",
    "NotAnswered",
    "Opened",
    "Question",
    "Redeemed",
    "SealingKeys",
    "StateSeal",
    "Verdict",
    "requested_schema",
    "shown_call",
    "visible",
]
