"""Has a person agreed to exactly this call, and who? Asked by the gate where the policy says so.

asked_call   what is approved: the caller, the tool, its arguments, the server, its policy
shown        how a person sees it, whole
question     the question, sealed, and what its answer must be
answers      what a client sends back
approvals    asked, compared, and redeemed once
waiting      what waits for a person on the page, sealed, in the shared state
who_answers  the caller, or approvers and never the caller
browser      what the gate hands to the page
on_page      the call's side of the page; the page itself is `launchworthy.approval.page`
"""

from launchworthy.approval.answers import Verdict, requested_schema
from launchworthy.approval.approvals import Approvals, Opened, Redeemed
from launchworthy.approval.asked_call import AskedCall
from launchworthy.approval.browser import MAX_FORM, PageAnswer, PageRequest, PersonsPage
from launchworthy.approval.on_page import OnPage
from launchworthy.approval.question import TTL_SECONDS, Question
from launchworthy.approval.refusals import (
    AnsweredBefore,
    AnswerForAnother,
    Declined,
    NobodyToAsk,
    NotAnswered,
)
from launchworthy.approval.seal import EphemeralKeys, Sealed, SealingKeys, StateSeal
from launchworthy.approval.shown import shown_call, visible
from launchworthy.approval.waiting import Approver, Standing, WaitingRoom, answered_by

__all__ = [
    "MAX_FORM",
    "TTL_SECONDS",
    "AnswerForAnother",
    "AnsweredBefore",
    "Approvals",
    "Approver",
    "AskedCall",
    "Declined",
    "EphemeralKeys",
    "NobodyToAsk",
    "NotAnswered",
    "OnPage",
    "Opened",
    "PageAnswer",
    "PageRequest",
    "PersonsPage",
    "Question",
    "Redeemed",
    "Sealed",
    "SealingKeys",
    "Standing",
    "StateSeal",
    "Verdict",
    "WaitingRoom",
    "answered_by",
    "requested_schema",
    "shown_call",
    "visible",
]
