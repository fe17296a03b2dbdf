"""Does a test turn red for each mutant? Run them, and write `tests/mutants.md`.

    python tests/mutants/run.py [AREA ...] [--only ID] [--jobs N] [--check]

Exit code 0: all were caught · 1: one lives, or is broken · 2: an entry does not fit the code.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mutant_entries import ROOT, SOURCE, EntryError, Mutant, areas, misplaced, read_area

REPORT = ROOT / "tests" / "mutants.md"
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no")
_TEST_NAME = re.compile(r"^(?:FAILED|ERROR) (\S+?::)?(.+?)(?: - .*)?$", re.MULTILINE)
_HEAD = """# Mutants: which test notices which broken promise?

Written by `nox -s mutants`; how to add one is in `tests/mutants/README.md`.
"""


class End(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    ALIVE = "ALIVE"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One mutant's end, by what, and after how many seconds."""

    mutant: Mutant
    end: End
    by: str
    seconds: float


class Place:
    """A copy of the repository in which one mutant at a time lives."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self._moment = int(time.time())
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            source, target = ROOT / name, where / name
            if source.is_file() and not source.is_symlink():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        self._see_that_it_is_the_one()

    @contextmanager
    def holding(self, mutant: Mutant) -> Iterator[None]:
        path = self.where / SOURCE / mutant.file
        original = path.read_text()
        try:
            self._write(path, mutant.applied_to(original))
            yield
        finally:
            self._write(path, original)

    def pytest(self, tests: tuple[str, ...], seconds: int) -> tuple[int | None, str]:
        """The exit code (None: it never ended) and what was printed."""
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [sys.executable, *PYTEST, *tests],
                cwd=self.where, env=self._environment(), stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                code: int | None = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                code = None
                os.killpg(process.pid, 9)
                process.wait()
            output.seek(0)
            return code, output.read()

    def _see_that_it_is_the_one(self) -> None:
        """Or else the tests would run with another framework than the one that is changed."""
        found = subprocess.run(
            [sys.executable, "-c", "import launchworthy; print(launchworthy.__file__)"],
            cwd=self.where, env=self._environment(), capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        if not Path(found.strip()).resolve().is_relative_to(self.where.resolve()):
            raise EntryError(f"the tests would import {found.strip()}, not the copy")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.where / "framework")}

    def _write(self, path: Path, text: str) -> None:
        """Write with a time of its own, so that no bytecode of another mutant is taken for this one's."""
        path.write_text(text)
        self._moment += 1
        os.utime(path, (self._moment, self._moment))


def outcome_of(mutant: Mutant, place: Place) -> Outcome:
    """Let one mutant meet its tests."""
    began = time.perf_counter()
    with place.holding(mutant):
        code, output = place.pytest(mutant.tests, mutant.seconds)
    seconds = time.perf_counter() - began
    match code:
        case None:
            end, by = End.CAUGHT, f"never ended ({mutant.seconds} s)"
        case 0:
            end, by = End.ALIVE, "nobody"
        case 1:
            found = _TEST_NAME.search(output)
            end, by = End.CAUGHT, found[2] if found else "a test"
        case _:
            end, by = End.BROKEN, f"pytest ended with {code}: {output.strip().splitlines()[-1][:120]}"
    return Outcome(mutant=mutant, end=end, by=by, seconds=seconds)


def healthy(mutants: tuple[Mutant, ...], place: Place) -> bool:
    """Whether the named tests pass without any mutant: the positive control."""
    tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    code, output = place.pytest(tests, max(600, *(mutant.seconds for mutant in mutants)))
    if code != 0:
        say(output[-3000:])
    return code == 0


def run(mutants: tuple[Mutant, ...], jobs: int) -> tuple[Outcome, ...]:
    """Let every mutant meet its tests, so many at a time."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        places: queue.Queue[Place] = queue.Queue()
        for number in range(jobs):
            places.put(Place(Path(folder, str(number))))
        first = places.queue[0]
        if not healthy(mutants, first):
            raise EntryError("the named tests fail without any mutant")

        def one(mutant: Mutant) -> Outcome:
            place = places.get()
            try:
                outcome = outcome_of(mutant, place)
            finally:
                places.put(place)
            say(f"{outcome.end:7} {outcome.seconds:5.1f} s  {mutant.area}/{mutant.id}  {outcome.by}")
            return outcome

        with ThreadPoolExecutor(jobs) as pool:
            return tuple(pool.map(one, mutants))


def write_report(outcomes: tuple[Outcome, ...]) -> None:
    """Write the sections of the areas that ran; keep the others."""
    text = REPORT.read_text() if REPORT.is_file() else ""
    sections = {part.partition("\n")[0].strip(): part for part in text.split("\n## ")[1:]}
    for area in {outcome.mutant.area for outcome in outcomes}:
        sections[area] = _section(area, tuple(each for each in outcomes if each.mutant.area == area))
    kept = [sections[area].rstrip("\n") for area in sorted(sections) if area in areas()]
    REPORT.write_text("\n## ".join([_HEAD, *(f"{part}\n" for part in kept)]))


def _section(area: str, outcomes: tuple[Outcome, ...]) -> str:
    caught = sum(outcome.end is End.CAUGHT for outcome in outcomes)
    lines = [
        area,
        "",
        f"{caught} of {len(outcomes)} caught.",
        "",
        "| keeps | mutant | in | caught by | seconds |",
        "|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        mutant = outcome.mutant
        by = outcome.by if outcome.end is End.CAUGHT else f"**{outcome.end}**: {outcome.by}"
        cells = (mutant.keeps, mutant.breaks, f"`{mutant.file}`", by, f"{outcome.seconds:.1f}")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def read_all(names: Sequence[str]) -> tuple[Mutant, ...]:
    """The mutants of these areas, all of which fit the code."""
    mutants = tuple(mutant for area in names for mutant in read_area(area))
    if wrong := tuple(misplaced(mutants)):
        raise EntryError("\n".join(wrong))
    return mutants


def chosen(mutants: tuple[Mutant, ...], only: Sequence[str]) -> tuple[Mutant, ...]:
    """Those that were asked for; all of them where none was."""
    found = tuple(mutant for mutant in mutants if not only or mutant.id in only)
    if missing := set(only) - {mutant.id for mutant in found}:
        raise EntryError(f"there is no mutant {', '.join(sorted(missing))}")
    return found


def say(text: str) -> None:
    """To the terminal, at once."""
    print(text, flush=True)  # noqa: T201 - the result of the run


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("area", nargs="*", help="all of them unless named")
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="only see that every entry fits the code")
    given = parser.parse_args()
    try:
        mutants = read_all(given.area or areas())
        if given.check:
            return 0
        outcomes = run(chosen(mutants, given.only), given.jobs)
    except EntryError as error:
        say(str(error))
        return 2
    if not given.only:
        write_report(outcomes)
    bad = [outcome for outcome in outcomes if outcome.end is not End.CAUGHT]
    say(f"{len(outcomes) - len(bad)} of {len(outcomes)} caught")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
