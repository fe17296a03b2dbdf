"""What does the gate hand on once a request's token was good and its revision is settled?"""

from typing import NamedTuple

from launchworthy.credentials import SealedToken
from launchworthy.enforcement.records import Trace
from launchworthy.enforcement.reply import Receive, Reply
from launchworthy.enforcement.request import Head, Settled
from launchworthy.vocabulary import Principal, TokenDigest


class VerifiedRequest(NamedTuple):
    """One request of a verified caller; a tuple, as all that is made anew for every request.

    Attributes:
        settled: what it asks, and in which revision.
        head: what its headers claim.
        principal: who calls.
        token: the digest of the token; the token itself ends at the gate.
        callers_token: the token, sealed; opened by the broker that exchanges it, and by a stream that has it
            verified again.
        resource: this server, as the token's audience names it.
        receive: the connection, to see the client leave.
        reply: where the answer goes.
        trace: what is known of it for the records.
        now: seconds since the epoch, read once.
    """

    settled: Settled
    head: Head
    principal: Principal
    token: TokenDigest
    callers_token: SealedToken
    resource: str
    receive: Receive
    reply: Reply
    trace: Trace
    now: int
