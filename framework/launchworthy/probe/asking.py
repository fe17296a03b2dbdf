"""How does a good request to a server that is not ours look? In each revision, with its session, if any."""

import secrets
from dataclasses import dataclass, replace
from itertools import count

from launchworthy.probe.answer import Answer
from launchworthy.probe.case import Case
from launchworthy.probe.draft import Draft, good_draft, initialize_draft, plain_draft
from launchworthy.probe.judging import went_through
from launchworthy.probe.probed import LEGACY, Probed, Target
from launchworthy.probe.row import seen_of
from launchworthy.probe.wire import Wire

_GONE = frozenset({400, 404})
"""What is answered to a session that is over."""
_TOO_MANY, _BUSY = 429, 503
_HEADER = "mcp-session-id"
_MOST = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One request and what came of it.

    Attributes:
        answer: what came back; None where nothing whole did.
        why: why nothing did.
        token: what was shown; empty where nothing was.
    """

    answer: Answer | None
    why: str
    token: str

    @property
    def good(self) -> bool:
        """Whether it went through."""
        return went_through(self.answer)

    @property
    def summary(self) -> str:
        """In a few words."""
        return seen_of(self.answer, self.why).summary


def _nothing(token: str) -> list[str]:
    del token
    return []


class Asker:
    """Asks one server for one target.

    Attributes:
        probed: what is known of it.
        is_open: whether it is asked without a token, since it answers that.
    """

    def __init__(self, wire: Wire, probed: Probed, *, is_open: bool) -> None:
        """Ask nothing yet."""
        self.probed = probed
        self.is_open = is_open
        self._wire = wire
        self._numbers = count(1)
        self._session: str | None = None
        self._over: str | None = None

    def towards(self, target: Target) -> None:
        """Ask for another target from now on."""
        self.probed = replace(self.probed, target=target)

    def begin(self, revision: str) -> Reply:
        """Send a good request; in the older revision begin with the greeting that it wants.

        Raises:
            CannotMint: there is no good token.
            Ended: no more requests are sent.
        """
        if revision == LEGACY:
            greeted = self._greet()
            if not greeted.good:
                return greeted
        return self.send(self.draft(revision))

    def draft(self, revision: str, case: Case | None = None) -> Draft:
        """A good request, or the one that a case changes."""
        draft = good_draft(self.probed, self.probed.target, revision, next(self._numbers))
        draft.session = self._session
        if case is not None and case.base is not None:
            case.base(draft)
        if self.is_open:
            draft.credentials = _nothing
        return draft

    def shows_token(self, draft: Draft) -> bool:
        """Whether a changed draft is about a token, which a server that asks for none does not look at."""
        changed = draft.claims or draft.token_header or draft.minting or draft.edit_token
        return bool(changed) or draft.credentials is not _nothing

    def send(self, draft: Draft) -> Reply:
        """Send a draft; once more where the server asks to wait a little.

        Raises:
            CannotMint: its token cannot be had.
            Ended: no more requests are sent.
        """
        token = "" if draft.credentials is _nothing else draft.token()
        return self.send_with(draft, token)

    def send_with(self, draft: Draft, token: str) -> Reply:
        """Send a draft with a token that was made before.

        Raises:
            Ended: no more requests are sent.
        """
        heard = self._wire.send(draft.request(token))
        if heard.answer is not None and heard.answer.status in {_TOO_MANY, _BUSY}:
            value = heard.answer.headers.get("retry-after", "")
            if value.isdigit() and self._wire.wait(float(value)):
                heard = self._wire.send(draft.request(token))
        return Reply(answer=heard.answer, why=heard.why, token=token)

    def send_twin(self, revision: str, case: Case) -> Reply:
        """Send the unchanged request of a case, in a new session if the old one is over.

        Raises:
            CannotMint: there is no good token.
            Ended: no more requests are sent.
        """
        reply = self.send(self.draft(revision, case))
        over = reply.answer is not None and reply.answer.status in _GONE and self._session is not None
        if over and revision == LEGACY:
            self._over = self._session
            if self._greet().good:
                return self.send(self.draft(revision, case))
        return reply

    def keep_up(self, draft: Draft) -> None:
        """Let a draft that was made in a session which is over follow into the new one."""
        if draft.session is not None and draft.session == self._over:
            draft.session = self._session

    def leave(self) -> None:
        """End the session, if there is one; what the server says to that does not matter.

        Raises:
            Ended: no more requests are sent.
        """
        if self._session is not None:
            draft = self.draft(LEGACY)
            draft.http_method = "DELETE"
            self.send(draft)
            self._session = None

    def _greet(self) -> Reply:
        """Begin a session, where the server keeps any; a revision that was not asked for is no success."""
        self._session = None
        self.probed = replace(self.probed, subject=f"caller-{secrets.token_hex(8)}")
        reply = self._greeted()
        if self._session is None:
            self.probed = replace(self.probed, subject=None)
        return reply

    def _greeted(self) -> Reply:
        draft = initialize_draft(self.probed, next(self._numbers))
        if self.is_open:
            draft.credentials = _nothing
        reply = self.send(draft)
        if not reply.good or reply.answer is None:
            return reply
        if reply.answer.result.get("protocolVersion") != LEGACY:
            return replace(reply, answer=None, why="the server agrees on another revision only")
        session = reply.answer.headers.get(_HEADER)
        if session is not None and session.isascii() and session.isprintable() and len(session) <= _MOST:
            self._session = session
            self.probed = replace(self.probed, sessions=True)
            self._say_initialized()
        return reply

    def _say_initialized(self) -> None:
        draft = plain_draft(self.probed, "notifications/initialized", LEGACY, 0)
        del draft.message["id"]
        draft.session = self._session
        if self.is_open:
            draft.credentials = _nothing
        self.send(draft)
