"""What do other people's lists ask, and what answers to it here? One page: `nox -s references`.

The controls of a numbered list are those whose references cite its number, so there is one place to say it;
an item that nothing answers to says so, and a control that is still to come is marked.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from launchworthy.promotion.control import Control, load_catalogue, to_come

_NUMBERED: Final = {
    "OWASP AISVS, C9 and C10 (July 2026)": re.compile(r"^AISVS (?P<ids>[0-9., ]+)$"),
    "NIST SP 800-53, revision 5": re.compile(r"^NIST 800-53 (?P<ids>.+)$"),
    "NIST SSDF": re.compile(r"^NIST SSDF (?P<ids>.+)$"),
    "NIST AI Risk Management Framework": re.compile(r"^NIST AI RMF (?P<ids>.+)$"),
    "CoSAI MCP security": re.compile(r"^CoSAI (?P<ids>.+)$"),
    "OpenSSF baseline and Scorecard": re.compile(r"^OpenSSF (?P<ids>.+)$"),
}
"""The sources whose own words are not repeated: the numbers that controls cite, and nothing besides."""
_CITED: Final = re.compile(r"\b(MCP[0-9]{2}|NHI[0-9]{1,2}|ASI[0-9]{2})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that a list asks.

    Attributes:
        id: its number, or what it is about.
        asks: in our words; empty where the id says it.
        controls: which answer to it.
        not_claimed: what of it nothing answers to; empty where all of it is answered.
    """

    id: str
    asks: str
    controls: tuple[str, ...]
    not_claimed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One list.

    Attributes:
        name: as people call it.
        read: what of it was read.
        items: all that it asks.
    """

    name: str
    read: str
    items: tuple[Item, ...]


def load_sources() -> tuple[Source, ...]:
    """Every list.

    Raises:
        ValueError: an item that is neither answered nor said to be open.
    """
    text = (resources.files("launchworthy.cli.pages") / "mapping.toml").read_text(encoding="utf-8")
    cited = citing(load_catalogue())
    return tuple(
        Source(
            name=table["name"], read=table["read"], items=tuple(_item(each, cited) for each in table["items"])
        )
        for table in tomllib.loads(text)["sources"]
    )


def citing(controls: tuple[Control, ...]) -> dict[str, tuple[str, ...]]:
    """Which controls cite a number of a top ten."""
    found: dict[str, list[str]] = {}
    for control in controls:
        for reference in control.references:
            if reference.startswith("OWASP "):
                for number in _CITED.findall(reference):
                    found.setdefault(number, []).append(control.id)
    return {number: tuple(dict.fromkeys(ids)) for number, ids in found.items()}


def mapping_reference() -> str:
    """The page."""
    return "\n".join(_page()) + "\n"


def _item(table: dict[str, Any], cited: dict[str, tuple[str, ...]]) -> Item:
    item = Item(
        id=table["id"],
        asks=table.get("asks", ""),
        controls=cited.get(table["id"], ()) if table.get("cited") else tuple(table.get("controls", ())),
        not_claimed=table.get("not_claimed", ""),
    )
    if not item.controls and not item.not_claimed:
        raise ValueError(f"{item.id}: no control answers to it, and nothing says so")
    return item


def _page() -> Iterator[str]:
    yield "# What other lists ask, and what answers to it"
    yield ""
    yield "For whoever has to show that a list is met: its items in our words, and the"
    yield "[controls](controls.md) that a promotion decides. Generated from the catalogue's own references."
    yield ""
    yield "A control says what it cannot see; read that before you call an item met."
    yield "*Not claimed* is what nothing here answers to; *to come* a control that no check decides yet."
    coming = frozenset(to_come())
    for source in load_sources():
        yield ""
        yield f"## {source.name}"
        yield ""
        yield f"Read: {source.read}."
        yield ""
        yield "| asked | controls | not claimed |"
        yield "|---|---|---|"
        for item in source.items:
            asked = f"{item.id}: {item.asks}" if item.asks else item.id
            yield f"| {asked} | {_listed(item.controls, coming)} | {item.not_claimed or '·'} |"
    for name, pattern in _NUMBERED.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield "The numbers that controls were written for. What is not in this table is not claimed."
        yield ""
        yield "| number | controls |"
        yield "|---|---|"
        for number, ids in sorted(_numbers(pattern).items(), key=lambda each: _sortable(each[0])):
            yield f"| {number} | {_listed(ids, coming)} |"


def _listed(controls: tuple[str, ...], coming: frozenset[str]) -> str:
    return ", ".join(f"{each} (to come)" if each in coming else each for each in controls) or "none"


def _numbers(pattern: re.Pattern[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for control in load_catalogue():
        for reference in control.references:
            matched = pattern.match(reference)
            if matched is not None:
                for number in _split(matched["ids"]):
                    found.setdefault(number, []).append(control.id)
    return {number: tuple(dict.fromkeys(ids)) for number, ids in found.items()}


def _split(ids: str) -> Iterator[str]:
    """`L2, L3` after a name belongs to it; other commas separate."""
    name = ""
    for part in ids.split(", "):
        if re.fullmatch(r"L[1-4]", part) and name:
            yield f"{name.rpartition(' ')[0]} {part}"
            continue
        name = part
        yield part[0].upper() + part[1:]


def _sortable(number: str) -> tuple[tuple[int, str], ...]:
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", number) if part
    )
