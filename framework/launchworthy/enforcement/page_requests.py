"""How does a browser's request reach the page where people approve calls? Bounded like any stranger's.

It has no token: who answers there signs in. So nothing of it is looked at that the page does not need, and a
form is short and of one type.
"""

from typing import Final

from launchworthy.approval import MAX_FORM, PageAnswer, PageRequest, PersonsPage
from launchworthy.enforcement.answers import Answer
from launchworthy.enforcement.body import Pace, read_body
from launchworthy.enforcement.reply import Message, Receive
from launchworthy.vocabulary import CallId, Reason, Refused

_FORM: Final = b"application/x-www-form-urlencoded"


class PageRequests:
    """Hands requests to the page."""

    def __init__(self, page: PersonsPage, pace: Pace) -> None:
        """Hold it.

        Args:
            page: what answers.
            pace: how fast a form must come.
        """
        self._page = page
        self._pace = pace

    async def answer(self, scope: Message, receive: Receive, call: CallId, now: int) -> Answer:
        """Answer one request whose host, path and method were looked at.

        Raises:
            Refused: `http.*`, the form; `limit.store`, nobody can be asked.
        """
        posted = scope["method"] == "POST"
        answered = await self._page.answer(
            PageRequest(
                method=scope["method"],
                path=scope.get("raw_path") or scope["path"].encode(),
                query=scope["query_string"],
                cookies=tuple(_all(scope, b"cookie")),
                origin=_first(scope, b"origin"),
                site=_first(scope, b"sec-fetch-site"),
                form=await self._form(scope, receive) if posted else b"",
                call=call,
                now=now,
            )
        )
        return _answer(answered, call)

    async def _form(self, scope: Message, receive: Receive) -> bytes:
        kind = _first(scope, b"content-type") or b""
        if kind.partition(b";")[0].strip().lower() != _FORM or _all(scope, b"content-encoding"):
            raise Refused(Reason.HTTP_CONTENT_TYPE, "the page is sent a form, and nothing else")
        return await read_body(receive, max_bytes=MAX_FORM, pace=self._pace)


def _answer(answered: PageAnswer, call: CallId) -> Answer:
    headers = (*answered.headers, (b"launchworthy-call", call.encode("ascii")))
    return Answer(status=answered.status, headers=headers, body=answered.body)


def _all(scope: Message, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


def _first(scope: Message, wanted: bytes) -> bytes | None:
    """The one value of a field; of several, what no browser sends and no page takes."""
    values = _all(scope, wanted)
    return None if not values else b",".join(values)
