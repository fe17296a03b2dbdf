"""Which mutants are there? Read from `tests/mutants/<area>.toml`, and checked against the code as it is."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCE = Path("framework/launchworthy")
SECONDS = 120

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAMES = {"id", "keeps", "breaks", "file", "text", "instead", "tests"}


class EntryError(Exception):
    """An entry is not one, or its text does not stand in the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One promise, broken in one place.

    Attributes:
        area: the file that names it, without its ending.
        id: unique in its area.
        keeps: the rule, property or control.
        breaks: what the mutant does, in a few words.
        file: below `framework/launchworthy`.
        text: what stands there exactly once.
        instead: what stands there in the mutant.
        tests: what pytest is given.
        seconds: for those tests.
    """

    area: str
    id: str
    keeps: str
    breaks: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    seconds: int

    def applied_to(self, source: str) -> str:
        """The mutant's source."""
        found = source.count(self.text)
        if found != 1:
            raise EntryError(
                f"{self.area}: `{self.id}`: its text stands {found} times in {self.file}, not once"
            )
        return source.replace(self.text, self.instead)


def areas() -> tuple[str, ...]:
    """All areas, in the order of their names."""
    return tuple(sorted(path.stem for path in HERE.glob("*.toml")))


def read_area(area: str) -> tuple[Mutant, ...]:
    """The mutants of one area.

    Raises:
        EntryError: there is no such area, or one of its entries is none.
    """
    path = HERE / f"{area}.toml"
    if not path.is_file():
        raise EntryError(f"there is no area `{area}`; there are {', '.join(areas())}")
    tables = tomllib.loads(path.read_text())
    entries = tables.pop("mutant", [])
    if tables or not entries:
        raise EntryError(f"{path.name}: expected [[mutant]] tables and nothing else")
    mutants = tuple(_read(area, entry) for entry in entries)
    twice = {one.id for one in mutants if sum(one.id == other.id for other in mutants) > 1}
    if twice:
        raise EntryError(f"{path.name}: more than once: {', '.join(sorted(twice))}")
    return mutants


def misplaced(mutants: tuple[Mutant, ...]) -> Iterator[str]:
    """What does not fit the code as it is, one sentence each."""
    for mutant in mutants:
        path = ROOT / SOURCE / mutant.file
        if not path.is_file():
            yield f"{mutant.area}: `{mutant.id}`: there is no {mutant.file}"
            continue
        try:
            compile(mutant.applied_to(path.read_text()), mutant.file, "exec")
        except EntryError as error:
            yield str(error)
        except SyntaxError as error:
            yield f"{mutant.area}: `{mutant.id}`: the mutant is no Python: {error.msg}"
        for test in mutant.tests:
            if not (ROOT / test.partition("::")[0]).exists():
                yield f"{mutant.area}: `{mutant.id}`: there is no {test}"


def _read(area: str, entry: dict[str, Any]) -> Mutant:
    name = entry.get("id", "?")
    if entry.keys() - {"seconds"} != _NAMES:
        raise EntryError(f"{area}: `{name}`: expected {', '.join(sorted(_NAMES))}, and perhaps `seconds`")
    tests = entry["tests"]
    texts = [value for key, value in entry.items() if key not in {"tests", "seconds"}]
    if not all(isinstance(value, str) for value in texts) or not isinstance(
        entry.get("seconds", SECONDS), int
    ):
        raise EntryError(f"{area}: `{name}`: a value is of the wrong kind")
    if _ID.fullmatch(name) is None or entry["text"] == entry["instead"] or entry["text"] == "":
        raise EntryError(f"{area}: `{name}`: a lower-case id, and a text that is not what stands instead")
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) for test in tests):
        raise EntryError(f"{area}: `{name}`: `tests` names at least one test")
    return Mutant(**{"seconds": SECONDS, **entry, "area": area, "tests": tuple(tests)})
