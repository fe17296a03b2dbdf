"""Follow the README once, and keep what was typed and printed: `nox -s first-hour`.

A machine with Python, git and an empty HOME, as in `tests/template/day_one.py`; it takes some minutes.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from first_hour import CLONE, ENTERED, PROJECT, RECORD, STORY, Edited, Printed, Typed, first_hour_page

from launchworthy._version import __version__

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "template"))

from day_one import Machine, Platform, edit, platform  # noqa: E402 - it lies beside the template's tests

PAGE = ROOT / "docs" / "guides" / "first-hour.md"
SERVING = "only stdio"
TRIES = 3
REFUSED = "→ needs the scope"
CLEANED = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b", "CALL-ID"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
    (r"\b[0-9a-f]{7,64}\b", "DIGEST"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME"),
    (r"\b\d{4,6} days ago", "DAYS days ago"),
    (r"( \(TIME\)|[ \t]+)$", ""),
)
"""Patterns, and the words that stand for what they find: two runs say the same, and nothing of a machine."""
DURATION = re.compile(
    r" *\b(\d+(\.\d+)? ?(ms|s)|\d+ (seconds?|minutes?)|a (second|minute))\b( \(\d:\d\d:\d\d\))?"
)
DAY = re.compile(r"\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?\b")
LONGEST = timedelta(days=100)


class Hour:
    """One run of the story."""

    def __init__(self, folder: Path, signs: Platform) -> None:
        self._folder, self._signs = folder, signs
        self._machine = Machine(folder)
        self._entered: Mapping[str, str] = {}
        self._beside = ExitStack()
        self._log_from = 0
        self.record: list[Printed] = []

    def live(self) -> None:
        """Type everything."""
        with self._beside:
            for each in STORY:
                if isinstance(each, Typed):
                    self._type(each)
                elif isinstance(each, Edited):
                    edit(self._folder / PROJECT, each.path, self._today(each))

    def _today(self, edited: Edited) -> dict[str, str]:
        today = datetime.now(UTC).date().isoformat()
        return {before: after.replace("TODAY", today) for before, after in edited.changes}

    def _type(self, typed: Typed) -> None:
        where = self._folder / typed.where
        command = typed.command.replace("{version}", __version__)
        sys.stderr.write(f"{typed.where}$ {command}\n")
        if typed.beside:
            self._beside.enter_context(self._machine.beside(where, command, SERVING))
            said = self._log()
            self._log_from = len(said)
        else:
            said = self._run(where, command, typed.code)
        if command == ENTERED:
            path = f"{where / '.venv' / 'bin'}:{self._machine.environ()['PATH']}"
            self._entered = {"PATH": path, "VIRTUAL_ENV": str(where / ".venv")}
        beside = ""
        if typed.last:
            beside = self._log()[self._log_from :]
            assert REFUSED in beside, beside
            self._beside.close()
        keep = {"where": typed.where, "command": command, "code": typed.code}
        self.record.append(Printed(**keep, said=self._clean(said), beside=self._clean(beside)))

    def _run(self, where: Path, command: str, code: int) -> str:
        """Run it; a rehearsal times answers, so a busy machine gets another try, as from a person."""
        for _ in range(TRIES if "-s promote" in command else 1):
            try:
                return self._machine.run(where, command, code=code, **self._environ())
            except AssertionError as error:
                failed = error
        raise failed

    def _environ(self) -> dict[str, str]:
        return {**self._entered, "AGENT": self._signs.endpoint, "TRUST": str(self._signs.trust)}

    def _log(self) -> str:
        return (self._folder / "beside.txt").read_text()

    def _clean(self, said: str) -> str:
        said = said.replace(str(self._folder), "~")
        said = DAY.sub(lambda day: "DAY" if _of_this_run(day[0]) else day[0], said)
        said = DURATION.sub(_in_place, said)
        for pattern, instead in CLEANED:
            said = re.sub(pattern, instead, said, flags=re.MULTILINE)
        return said


def _in_place(found: re.Match[str]) -> str:
    """A duration's word, where the duration was; in a table it ends in the same column."""
    spaces = len(found[0]) - len(found[0].lstrip(" "))
    return "TIME".rjust(len(found[0])) if spaces > 1 else " " * spaces + "TIME"


def _of_this_run(day: str) -> bool:
    """Whether a day comes of the run: it is today, or something counts until then."""
    since = date.fromisoformat(day[:10]) - datetime.now(UTC).date()
    return timedelta(days=-1) <= since <= LONGEST


def main() -> None:
    """Run it, keep the record, write the page."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else what runs beside could not be ended
    with tempfile.TemporaryDirectory(prefix="hour-") as place:
        folder = Path(place)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / CLONE)], check=True)
        with platform(folder / "platform") as signs:
            hour = Hour(folder, signs)
            hour.live()
    RECORD.write_text(json.dumps([asdict(each) for each in hour.record], indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(first_hour_page(), encoding="utf-8")
    sys.stderr.write(f"{PAGE.relative_to(ROOT)} is written\n")


if __name__ == "__main__":
    main()
