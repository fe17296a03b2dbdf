"""What does the gate know before the first request, and what does it tell a developer about a refused one?"""

from dataclasses import dataclass

from launchworthy.enforcement.body import RULE_33, Pace
from launchworthy.enforcement.presence import ARMED_AFTER
from launchworthy.enforcement.reply import COMMENT_SECONDS
from launchworthy.enforcement.request import PageRoute, Revision
from launchworthy.enforcement.subscriptions import CHECK_SECONDS
from launchworthy.manifest import TargetKey
from launchworthy.vocabulary import CallId, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What the settings and the manifest say about requests.

    Attributes:
        resource: the canonical resource URL.
        name: of the server, for people.
        issuers: whose tokens are accepted.
        entry_scopes: what a first read needs.
        allowed_origins: besides the resource's own.
        revisions: of the protocol, in the order they are offered.
        max_body: bytes.
        pages: the routes of the page where people approve calls.
        exchanging: the targets that may have their caller's token exchanged; for no other one it is kept.
        durable: the attempt of every call waits for the disk.
        mutual_tls: every connection has a verified peer, or is refused.
        proxies: SPIFFE IDs of peers whose word about their own peers counts.
        pace: how fast a body must come.
        armed_after: seconds until a leaving client is looked for.
        comment_seconds: between the comments that keep a stream open.
        check_seconds: how long a stream of changes may outlive what it lives by.
    """

    resource: str
    name: str
    issuers: tuple[str, ...]
    entry_scopes: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    revisions: tuple[str, ...]
    max_body: int
    exchanging: frozenset[TargetKey]
    pages: tuple[PageRoute, ...] = ()
    durable: bool
    mutual_tls: bool = False
    proxies: frozenset[str] = frozenset()
    pace: Pace = RULE_33
    armed_after: float = ARMED_AFTER
    comment_seconds: float = COMMENT_SECONDS
    check_seconds: float = CHECK_SECONDS

    def __post_init__(self) -> None:
        """Refuse what would let nobody in, or speak a revision that this gate does not know.

        Raises:
            ValueError: no issuer, no scope, no revision, or an unknown one.
        """
        if not (self.issuers and self.entry_scopes and self.revisions):
            raise ValueError("a gate needs an issuer, a scope of entry and a revision")
        unknown = sorted(set(self.revisions) - set(Revision))
        if unknown:
            raise ValueError(f"the revision `{unknown[0]}` cannot be served")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalNote:
    """A refusal, for the developer's terminal; never for a caller.

    Attributes:
        call: the call id.
        status: the HTTP status of the answer.
        reason: why.
        detail: the operator's sentence.
        scopes: what the call needs, where that was it.
        method: of the body, once it was read.
        target: its name, or what the body names.
    """

    call: CallId
    status: int
    reason: Reason
    detail: str
    scopes: tuple[str, ...]
    method: str | None
    target: str | None
