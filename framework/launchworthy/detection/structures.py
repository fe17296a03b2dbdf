"""Which names and values stand apart from each other? Lists of names and values, and Kubernetes secrets.

A structure that was understood claims its span: the plain reading of its lines (`password: Y2hhbmdlbWU=`)
would say something else, and what is sealed in a SealedSecret is no secret at all.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from launchworthy.detection.dialect import PLACE, Dialect, dialect_of
from launchworthy.detection.judgement import Place
from launchworthy.detection.names import family
from launchworthy.detection.notations import Pair
from launchworthy.detection.shape import decoded


class Structure(NamedTuple):
    """A span of the text that was understood, and the pairs in it."""

    start: int
    end: int
    pairs: tuple[Pair, ...]


_NAMED = re.compile(
    r"""(?<![a-z0-9_])(?:name|key|parameterkey|variable|variable_name|envvar)["']?\s{0,4}[:=]\s{0,4}["']?"""
    r"""(?P<name>[a-z_][\w.-]{1,80})["']?\s{0,4},?\s{1,40}-?["']?(?:parameter)?(?:default_?)?value["']?"""
    r"""\s{0,4}[:=]\s{0,4}(?:"(?P<double>[^"\n]{0,999})"|'(?P<single>[^'\n]{0,999})'"""
    r"""|(?P<bare>[^\s"'\[{|>][^\n]{0,999}))"""
)
_VALUE_FIRST = re.compile(
    r"""["']value["']\s{0,4}:\s{0,4}["'](?P<double>[^"'\n]{0,999})["']\s{0,4},\s{0,40}"""
    r"""["'](?:name|key)["']\s{0,4}:\s{0,4}["'](?P<name>[\w.-]{2,80})["']"""
)
_VARIABLE = re.compile(
    r"""\bvariable\s{1,9}"(?P<name>[\w-]{2,80})"\s{0,9}\{[^{}]{0,400}?\bdefault\s{0,9}=\s{0,9}"""
    r'''"(?P<double>[^"\n]{0,999})"'''
)
_LISTS = (("value", _NAMED), ("value", _VALUE_FIRST), ("variable", _VARIABLE))
_PGPASS = re.compile(r"^[^#:\n]{1,99}(?::[^:\n]{1,99}){3}:(?P<double>[^\n]{1,999})$", re.MULTILINE)
_USER_LIST = re.compile(r'^"[^"\n]{1,99}"[ \t]{1,40}"(?P<double>[^"\n]{1,999})"', re.MULTILINE)
_BY_PATH = (("pgpass", _PGPASS), ("userlist.txt", _USER_LIST))
_DOCUMENTS = re.compile(r"(?:^|\n)---[^\n]{0,99}(?=\n)")
_KIND = re.compile(
    r"^[ \t-]{0,40}kind:[ \t]{0,9}[\"']?(?P<kind>Secret|SealedSecret|ExternalSecret|SecretProviderClass)"
    r"[\"']?[ \t]{0,9}$",
    re.MULTILINE,
)
_DATA = re.compile(r"^(?P<indent>[ \t]{0,40})(?P<section>data|stringData):[ \t]{0,9}\n", re.MULTILINE)
_ENTRY = re.compile(
    r"(?P<indent>[ \t]{1,40})[\"']?(?P<name>[A-Za-z_.][\w.-]{0,99})[\"']?:[ \t]{0,9}(?P<value>[^\n]*)\n?"
)
_PUBLIC_ENTRIES = re.compile(
    r"(?:.*[._-])?(?:crt|cert|ca|user|username|login|host|hostname|port|db|dbname|database|name|type|region|bucket"
    r"|issuer|email|id|url|uri|endpoint|algorithm|digest|checksum|fingerprint|public[._-]?key|pub)"
    r"|.*(?:Id|Name|Url|PublicKey)",
    re.IGNORECASE,
)


def structures(text: str, lowered: str, path: str) -> Iterator[Structure]:
    """Every structure in a text.

    Args:
        text: where to look.
        lowered: the same in lower case, position by position.
        path: its name says how it is written.
    """
    dialect = dialect_of(path)
    if dialect is Dialect.LINES and "kind:" in lowered and "secret" in lowered:
        yield from _kubernetes(text)
    yield from _lists(text, lowered, PLACE[dialect])
    for ending, pattern in _BY_PATH:
        if path.endswith(ending):
            for found in pattern.finditer(text):
                yield _beside(text, found, "password", Place.CONFIGURATION)


def _lists(text: str, lowered: str, place: Place) -> Iterator[Structure]:
    """`name: NAME` and beside it `value: …`, in either order; variables of Terraform."""
    for sign, pattern in _LISTS:
        if sign in lowered:
            for found in pattern.finditer(lowered):
                start, end = found.span("name")
                if family(text[start:end]) is not None:
                    yield _beside(text, found, text[start:end], place)


def _beside(text: str, found: re.Match[str], name: str, place: Place) -> Structure:
    group = next(each for each, value in found.groupdict().items() if value is not None and each != "name")
    start, end = found.span(group)
    return Structure(found.start(), found.end(), (Pair(name, text[start:end].strip(), start, place),))


def _kubernetes(text: str) -> Iterator[Structure]:
    """`kind: Secret` holds secrets, whatever their keys are called; its relatives hold none."""
    borders = [0, *(found.start() for found in _DOCUMENTS.finditer(text)), len(text)]
    for start, end in pairwise(borders):
        kind = _KIND.search(text, start, end)
        if kind is None:
            continue
        if kind["kind"] != "Secret":
            yield Structure(start, end, ())
            continue
        for section in _DATA.finditer(text, start, end):
            yield _section(text, section, end)


def _section(text: str, section: re.Match[str], end: int) -> Structure:
    pairs: list[Pair] = []
    at = section.end()
    while (entry := _ENTRY.match(text, at, end)) is not None and len(entry["indent"]) > len(
        section["indent"]
    ):
        at = entry.end()
        name, value = entry["name"], entry["value"].strip().strip("\"'")
        if section["section"] == "data":
            value = decoded(value) or value
        # Under a name that promises nothing stands a secret all the same: the kind of the document says so.
        known = family(name) is not None or _PUBLIC_ENTRIES.fullmatch(name) is not None
        shown = name if known else f"{name}.secret"
        pairs.append(Pair(shown, value, entry.start("value"), Place.CONFIGURATION))
    return Structure(section.start(), at, tuple(pairs))
