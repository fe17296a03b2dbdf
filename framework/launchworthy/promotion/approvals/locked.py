"""Has a person agreed to what `launchworthy.lock` promises? Its approval is over its bytes, no others."""

from typing import Final

from launchworthy.approval.proved.matter import Kind, Matter, matter_of_bytes
from launchworthy.approval.proved.proof import Approval
from launchworthy.attestation import Approvers
from launchworthy.promotion.approvals.book import Book
from launchworthy.vocabulary import Problem, ProblemError

LOCK: Final = "launchworthy.lock"


def lock_matter(content: bytes) -> Matter:
    """The lock, whole."""
    says = "launchworthy.lock: what tools, policy and settings promise, as it stands"
    return matter_of_bytes(Kind.LOCK, content, says)


def require_lock_approved(book: Book, content: bytes) -> Approval | None:
    """The approval of a lock; None where the trust policy asks no people for their names.

    Raises:
        ProblemError: `not-approved` and the rest of `Book.require`, with what to run.
    """
    if not isinstance(book.approvers, Approvers):
        return None
    try:
        return book.require(lock_matter(content))
    except ProblemError as error:
        problem = error.problems[0]
        fix = ("read its diff; then one of the approvers runs: launchworthy approve launchworthy.lock",)
        raise ProblemError(Problem(reason=problem.reason, where=LOCK, what=problem.what, fix=fix)) from None
