"""Does the gate hold for each mutant, and name its control? Run them, and write the table of the docs.

    python tests/mutants/run_controls.py [CONTROL ...] [--jobs N] [--again] [--check]

What was caught is not run again while nothing of it has changed, unless `--again` says so.
Exit code 0: all were held, each by its own control · 1: one was not · 2: an entry does not fit, or a control
has none.
"""

import argparse
import json
import queue
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from control_entries import By, ControlMutant, read_controls, strayed, uncovered
from mutant_entries import ROOT, EntryError

if TYPE_CHECKING:
    from control_place import ControlPlace

KEPT = ROOT / ".nox" / "control-mutants.json"
REPORT = ROOT / "docs" / "reference" / "control-mutants.md"
PREFIX = "control-mutants-"
_SOURCES = ("framework", "examples/orders", "tests/integration/promotion_rehearsals/promoted_orders.py")
_BESIDE = ("TOK-02", "TOK-05")
"""Asked beside each control that a running server must show: they must not fail with it."""
_WHOLE_SECONDS = 600
_HEAD = """# The mutants of the controls

Each control is broken on purpose, in at least one way, and nothing else: the project, its configuration, the
installed runtime, or the gate itself.
The gate must hold, and name that control.
Written by `nox -s mutants`; how to add one is in `tests/mutants/README.md`.

*Changed* says where.
*Noticed by* says whether reading was enough (`check`) or the running server had to be asked (`rehearsal`).
Other controls that rightly notice it too stand in brackets.
A star marks those that nobody had listed when the controls were written.

"""


class End(StrEnum):
    """What became of a mutant."""

    HELD = "held"
    CLEARED = "CLEARED"
    OTHERS = "OTHERS"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One mutant's end, what the gate said of it, and after how many seconds."""

    name: str
    end: End
    said: str
    seconds: float
    digest: str


def outcome_of(mutant: ControlMutant, place: "ControlPlace", digest: str) -> Outcome:
    """Let one mutant meet the gate."""
    with place.holding(mutant):
        judged = place.judge(*_asked(mutant), by=mutant.by, seconds=mutant.seconds)
    strangers = {*judged.failed, *judged.undecided} - {mutant.control, *mutant.also}
    if mutant.control in judged.failed and not strangers:
        end, said = End.HELD, judged.failed[mutant.control]
    elif strangers:
        wrong = {**judged.undecided, **judged.failed}
        end, said = End.OTHERS, "; ".join(f"{each}: {wrong[each]}" for each in sorted(wrong))
    elif judged.exit_code == 0:
        end, said = End.CLEARED, "nothing"
    else:
        why = judged.undecided.get(mutant.control) or judged.complaint or "not done in time"
        end, said = End.UNDECIDED, why
    return Outcome(name=mutant.name, end=end, said=said, seconds=judged.seconds, digest=digest)


def run(mutants: tuple[ControlMutant, ...], jobs: int, digest: str, kept: dict[str, Outcome]) -> bool:
    """Let every mutant meet the gate, so many at a time; returns whether each was held."""
    from control_place import ControlPlace

    done, good = 0, True
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, ThreadPoolExecutor(jobs) as pool:
        places: queue.Queue[ControlPlace] = queue.Queue()
        say(f"making {jobs} reference project(s), and judging one as it is")
        made = list(pool.map(ControlPlace, (Path(folder, str(number)) for number in range(jobs))))
        for place in made:
            places.put(place)
        require_cleared(made[0], mutants)

        def one(mutant: ControlMutant) -> Outcome:
            place = places.get()
            try:
                return outcome_of(mutant, place, digest_of(mutant, digest))
            finally:
                places.put(place)

        running = [pool.submit(one, mutant) for mutant in mutants]
        try:
            for future in as_completed(running):
                outcome = future.result()
                done += 1
                good &= outcome.end is End.HELD
                say(f"{done:3}/{len(mutants)} {outcome.end:9} {outcome.seconds:5.1f} s  {outcome.name}")
                if outcome.end is not End.HELD:
                    say(f"    {outcome.said}")
                kept[outcome.name] = outcome
                keep(kept)
        finally:
            for future in running:
                future.cancel()
            for place in made:
                place.end()
    return good


def require_cleared(place: "ControlPlace", mutants: tuple[ControlMutant, ...]) -> None:
    """See the project hold by all that will be asked, as it is: the positive control."""
    for by in By:
        asked = dict.fromkeys(control for each in mutants if each.by is by for control in _asked(each))
        if by is By.CHECK or asked:
            judged = place.judge(*asked, by=by, seconds=_WHOLE_SECONDS)
            if judged.exit_code != 0:
                wrong = {**judged.failed, **judged.undecided}
                found = judged.complaint or "; ".join(f"{each}: {why}" for each, why in wrong.items())
                raise EntryError(f"the project does not hold without any mutant ({by}): {found}")


def _asked(mutant: ControlMutant) -> tuple[str, ...]:
    """What the gate is asked about: all that reading decides, or this control and some beside it."""
    if mutant.by is By.CHECK:
        return ()
    return tuple(dict.fromkeys((mutant.control, *mutant.also, *_BESIDE)))


def digest_of(mutant: ControlMutant, sources: str) -> str:
    """Of the mutant and of everything that it was tried on."""
    return sha256(f"{mutant.digest}{sources}".encode()).hexdigest()


def digest_of_sources() -> str:
    """Of the framework, the project and what fills it in."""
    found = sha256()
    for name in _SOURCES:
        for path in sorted([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*")):
            if path.is_file() and not {"__pycache__", ".venv", ".launchworthy", "dist"} & set(path.parts):
                found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def keep(outcomes: dict[str, Outcome]) -> None:
    """Write down what was found so far, whole: the next run goes on from there."""
    KEPT.parent.mkdir(exist_ok=True)
    fresh = KEPT.with_suffix(".new")
    rows = {
        each.name: [each.end.value, each.said, round(each.seconds, 1), each.digest]
        for each in outcomes.values()
    }
    fresh.write_text(json.dumps(rows, indent=1))
    fresh.replace(KEPT)


def kept_before() -> dict[str, Outcome]:
    """What earlier runs found."""
    rows = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    return {
        name: Outcome(name=name, end=End(end), said=said, seconds=seconds, digest=digest)
        for name, (end, said, seconds, digest) in rows.items()
    }


def write_report(mutants: tuple[ControlMutant, ...], outcomes: dict[str, Outcome]) -> None:
    """Write the table, one row a mutant."""
    held = sum(
        name in outcomes and outcomes[name].end is End.HELD for name in (each.name for each in mutants)
    )
    controls = len({mutant.control for mutant in mutants})
    lines = [
        f"{held} of {len(mutants)} mutants of {controls} controls are held.",
        "",
        "| control | mutant | changed | noticed by | what the gate says | seconds |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(mutant, outcomes.get(mutant.name)) for mutant in mutants]
    REPORT.write_text(_HEAD + "\n".join(lines) + "\n")


def _end(outcome: Outcome | None) -> End | None:
    return None if outcome is None else outcome.end


def _row(mutant: ControlMutant, outcome: Outcome | None) -> str:
    end = "not run" if outcome is None else outcome.said if outcome.end is End.HELD else f"**{outcome.end}**"
    changed = ", ".join(dict.fromkeys(change.where.value for change in mutant.changes))
    also = f" ({', '.join(mutant.also)})" if mutant.also else ""
    seconds = "" if outcome is None else f"{outcome.seconds:.1f}"
    star = " \\*" if mutant.unlisted else ""
    cells = (f"{mutant.control}{also}", f"{mutant.breaks}{star}", changed, mutant.by.value, end, seconds)
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def read_all() -> tuple[ControlMutant, ...]:
    """Every entry; all of them fit, and every control has one.

    Raises:
        EntryError: not so.
    """
    mutants = read_controls()
    if wrong := (*strayed(mutants), *uncovered(mutants, all_controls())):
        raise EntryError("\n".join(wrong))
    return mutants


def all_controls() -> tuple[str, ...]:
    """The catalogue's."""
    from launchworthy.promotion.control import load_catalogue

    return tuple(str(control.id) for control in load_catalogue())


def say(text: str) -> None:
    """To the terminal, at once."""
    print(text, flush=True)  # noqa: T201 - the result of the run


def chosen(mutants: tuple[ControlMutant, ...], names: Sequence[str]) -> tuple[ControlMutant, ...]:
    """Those of the controls, or with the names, that were asked for; all of them where none was."""
    found = tuple(each for each in mutants if not names or {each.control, each.name} & set(names))
    if missing := set(names) - {each.control for each in found} - {each.name for each in found}:
        raise EntryError(f"there is no mutant of {', '.join(sorted(missing))}")
    return found


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("control", nargs="*", help="TOK-04, or TOK-04/any-audience; all unless named")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="run what was held before, too")
    parser.add_argument("--check", action="store_true", help="only see that every entry fits")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kept, mutants = kept_before(), ()
    try:
        mutants = read_all()
        if given.check:
            return 0
        sources = digest_of_sources()
        wanted = tuple(
            each
            for each in chosen(mutants, given.control)
            if given.again or not _is_held(kept.get(each.name), digest_of(each, sources))
        )
        good = run(wanted, given.jobs, sources, kept) if wanted else True
    except EntryError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted; what was found so far is kept")
        return 130
    finally:
        if mutants and not given.check:
            write_report(mutants, kept)
    say(f"{sum(each.end is End.HELD for each in kept.values())} held")
    return 0 if good else 1


def _is_held(outcome: Outcome | None, digest: str) -> bool:
    return outcome is not None and outcome.end is End.HELD and outcome.digest == digest


if __name__ == "__main__":
    sys.exit(main())
