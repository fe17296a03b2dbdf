"""Which secrets does this text hold? The one entry: shapes, names with values, and structures together."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from launchworthy.detection.assignments import pairs
from launchworthy.detection.dialect import Dialect, dialect_of
from launchworthy.detection.finding import Finding
from launchworthy.detection.judgement import Place, judge
from launchworthy.detection.randomness import looks_generated
from launchworthy.detection.shapes import shapes
from launchworthy.detection.structures import structures
from launchworthy.vocabulary import Secret


class _Hit(NamedTuple):
    start: int
    kind: str
    value: str
    name: str | None


def find_secrets(text: str, *, path: str) -> tuple[Finding, ...]:
    """Find every secret in a text, first to last; each place once.

    Args:
        text: the whole text.
        path: where it came from; its name says how the text writes names and values.
    """
    return tuple(_findings(_apart(_hits(text, path)), text, path))


def find_shapes(text: str, *, path: str) -> tuple[Finding, ...]:
    """Find what is a secret by its own form, whatever stands beside it: in what was cut out of a binary file.

    Args:
        text: the runs of characters.
        path: where they came from.
    """
    hits = (_Hit(shape.start, shape.kind, shape.value, None) for shape in shapes(text, _lower(text)))
    return tuple(_findings(_apart(hits), text, path))


def _apart(found: Iterable[_Hit]) -> list[_Hit]:
    """In order, each place once."""
    hits: list[_Hit] = []
    end = 0
    for hit in sorted(found, key=lambda hit: (hit.start, -len(hit.value), hit.name is not None)):
        if hits and hit.start < end:  # the same place seen twice: the better kind, and the name
            kept = hits[-1]
            hits[-1] = kept._replace(
                kind=kept.kind if kept.name is None else hit.kind,
                name=kept.name if kept.name is not None else hit.name,
            )
        else:
            hits.append(hit)
        end = max(end, hit.start + len(hit.value))
    return hits


def is_secret_value(name: str, value: str) -> str | None:
    """The kind of secret that a configured value is, or None; for values that were already parsed.

    Args:
        name: the field or variable, dotted or not.
        value: the text under it.
    """
    lowered = _lower(value)
    for shape in shapes(value, lowered):
        return shape.kind
    # A file or a table in a value is read as one; a line is read as in code.
    dialect = Dialect.LINES if "\n" in value or value.startswith(("{", "[")) else Dialect.SOURCE
    for pair in pairs(value, lowered, dialect):  # `https://…?api_key=…`, `host=… password=…`
        inner = judge(pair.name, pair.value, pair.place)
        if inner is not None:
            return inner
    return judge(name, value, Place.CONFIGURATION)


def _hits(text: str, path: str) -> Iterator[_Hit]:
    lowered = _lower(text)
    for shape in shapes(text, lowered):
        yield _Hit(shape.start, shape.kind, shape.value, None)
    understood = tuple(structures(text, lowered, path))
    for structure in understood:
        for pair in structure.pairs:
            kind = is_secret_value(pair.name, pair.value)
            if kind is not None:
                yield _Hit(pair.start, kind, pair.value, pair.name)
    covered = _joined((each.start, each.end) for each in understood)
    for pair in pairs(text, lowered, dialect_of(path)):
        kind = judge(pair.name, pair.value, pair.place)
        if kind is not None and not _lies_in(pair.start, covered):
            yield _Hit(pair.start, kind, pair.value, pair.name)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that overlap as one: then the last that begins before a place decides."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _lies_in(place: int, joined: list[tuple[int, int]]) -> bool:
    at = bisect_right(joined, place, key=itemgetter(0))
    return at > 0 and place < joined[at - 1][1]


def _lower(text: str) -> str:
    """Lower case that keeps every position (a few letters grow when they are lowered)."""
    lowered = text.lower()
    return (
        lowered
        if len(lowered) == len(text)
        else text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    )


def _findings(hits: Iterable[_Hit], text: str, path: str) -> Iterator[Finding]:
    line, counted = 1, 0
    for hit in hits:
        line, counted = line + text.count("\n", counted, hit.start), hit.start
        yield Finding(
            kind=hit.kind,
            path=path,
            line=line,
            column=hit.start - text.rfind("\n", 0, hit.start),
            field=hit.name if hit.name is not None and is_fit_to_print(hit.name) else None,
            fingerprint_input=Secret(hit.value),
        )


def is_fit_to_print(name: str) -> bool:
    """Whether a name is no secret itself: the two sides of an assignment can be mixed up.

    Args:
        name: a field, a variable, or a part of one.
    """
    return next(shapes(name, _lower(name)), None) is None and not looks_generated(name)
