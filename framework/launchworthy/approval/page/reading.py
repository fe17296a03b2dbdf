"""What did a browser send? Bytes in; names with one value each, or a refusal, out."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from launchworthy.approval.refusals import NotAnswered

_MAX_FIELDS: Final = 16
_MAX_QUERY: Final = 8192
_MAX_COOKIES: Final = 64


class PageRefused(Exception):
    """A page that says no, for people.

    Attributes:
        status: the HTTP status.
        title: in a few words.
        text: one or two sentences.
        again: where they may try again, or None.
    """

    def __init__(self, status: int, title: str, text: str, *, again: str | None) -> None:
        """Say it."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.again = again


def read_query(query: bytes) -> Mapping[str, str]:
    """The parameters of a query.

    Raises:
        NotAnswered: it is none, or says something twice.
    """
    if len(query) > _MAX_QUERY:
        raise NotAnswered("the query is too long")
    return _pairs(query)


def read_form(form: bytes) -> Mapping[str, str]:
    """The fields of a form.

    Raises:
        NotAnswered: it is none, or says something twice.
    """
    return _pairs(form)


def read_cookies(fields: Iterable[bytes]) -> Mapping[str, str]:
    """The cookies of a request; one that comes twice is none, since nobody can tell whose it is."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for pair in b";".join(fields).split(b";")[:_MAX_COOKIES]:
        name, equals, value = pair.strip(b" \t").partition(b"=")
        try:
            said = name.decode("ascii")
            if equals and said in found:
                twice.add(said)
            elif equals:
                found[said] = value.decode("ascii")
        except UnicodeDecodeError:
            continue
    return {name: value for name, value in found.items() if name not in twice}


def _pairs(text: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise NotAnswered("what was sent cannot be read") from None
    said = dict(pairs)
    if len(said) != len(pairs):
        raise NotAnswered("something was sent twice")
    return said
