"""Which secrets were found, and where does each lie? One leak a value, however often it was copied."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from launchworthy.detection import Finding, find_secrets, find_shapes, fingerprint, is_secret_value
from launchworthy.promotion.scanning.history import History, Progress
from launchworthy.promotion.scanning.texts import Text
from launchworthy.vocabulary import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakPlace:
    """Where a secret lies.

    Attributes:
        path: of the file, the archive's member, or the message; relative.
        line: counted from 1; 0 where there are no lines.
        version: the object's name in git, where it was found in the history.
    """

    path: str
    line: int
    version: str | None

    def __str__(self) -> str:
        """`config/old.toml:12`; whoever named the file does not move the cursor of who reads this."""
        path = "".join(letter if letter.isprintable() else "?" for letter in self.path)
        return f"{path}:{self.line}" if self.line else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One secret.

    Attributes:
        fingerprint: its name, for the ledger; None without a salt.
        kind: what it looks like: `aws-access-key`.
        field: the name that it stands under, where it first stands under one.
        places: everywhere it was found, the working tree first.
    """

    fingerprint: str | None
    kind: str
    field: str | None
    places: tuple[LeakPlace, ...]

    @property
    def only_in_history(self) -> bool:
        """Whether the line was deleted: the secret is as known as before."""
        return all(place.version is not None for place in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was looked at, and what was found.

    Attributes:
        leaks: in the order they were found.
        texts: how many texts were read.
        too_long: paths that were not looked at.
    """

    leaks: tuple[Leak, ...]
    texts: int
    too_long: tuple[str, ...]


class Scanner:
    """Collects what is found, value by value; no value leaves it."""

    def __init__(self, salt: bytes | None) -> None:
        """Begin with nothing.

        Args:
            salt: the project's, for fingerprints; None for none.
        """
        self._salt = salt
        self._places: dict[str, list[LeakPlace]] = {}
        self._first: dict[str, Finding] = {}
        self._texts = 0
        self._too_long: list[str] = []

    def texts(self, texts: Iterable[Text]) -> None:
        """Look at texts that lie somewhere now."""
        for text in texts:
            self._look(text, None)

    def history(self, history: History, progress: Progress) -> None:
        """Look at every version of everything."""
        for version in history.versions(progress):
            self._look(version.text, version.object)

    def variables(self, environ: Mapping[str, str]) -> None:
        """Look at environment variables; each is named, and its value never."""
        for name, value in sorted(environ.items()):
            self._texts += 1
            kind = is_secret_value(name, value)
            if kind is not None:
                place = LeakPlace(path=f"${name}", line=0, version=None)
                finding = Finding(
                    kind=kind, path=place.path, line=0, column=0, field=name, fingerprint_input=Secret(value)
                )
                self._note(finding, place)

    def scan(self) -> Scan:
        """What was found until now; each fingerprint costs some 50 ms."""
        return Scan(leaks=tuple(self._leaks()), texts=self._texts, too_long=tuple(self._too_long))

    def _look(self, text: Text, version: str | None) -> None:
        self._texts += 1
        if not text.whole:
            self._too_long.append(text.path)
        for finding in found_in(text):
            line = 0 if text.binary else finding.line
            self._note(finding, LeakPlace(path=text.path, line=line, version=version))

    def _note(self, finding: Finding, place: LeakPlace) -> None:
        value = finding.fingerprint_input.reveal()
        known = self._first.setdefault(value, finding)
        if known.field is None and finding.field is not None:
            self._first[value] = finding
        places = self._places.setdefault(value, [])
        if place.version is None or all(place.path != other.path for other in places):
            places.append(place)

    def _leaks(self) -> Iterator[Leak]:
        for value, places in self._places.items():
            finding = self._first[value]
            yield Leak(
                fingerprint=None if self._salt is None else fingerprint(finding, self._salt),
                kind=finding.kind,
                field=finding.field,
                places=tuple(places),
            )


def found_in(text: Text) -> tuple[Finding, ...]:
    """The secrets of one text."""
    find = find_shapes if text.binary else find_secrets
    return find(text.text, path=text.path)
