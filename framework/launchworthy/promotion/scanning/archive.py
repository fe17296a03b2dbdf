"""Which texts lie in a wheel, an sdist or another archive? Each member, none of them unpacked to disk."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from launchworthy.promotion.scanning.texts import MAX_TEXT, Text, text_of
from launchworthy.vocabulary import Problem, ProblemError

ENDINGS: Final = (".whl", ".zip", ".tar", ".tar.gz", ".tgz")
"""Of the files that are read as archives."""
MAX_MEMBERS = 50_000
_DAMAGED: Final = (zlib.error, lzma.LZMAError)


def is_archive(file: Path) -> bool:
    """Whether a file is read as an archive, by its name."""
    return file.name.endswith(ENDINGS)


def read_archive(file: Path) -> Iterator[Text]:
    """Read every member, as `<archive>!<member>`.

    Raises:
        ProblemError: `unreadable-archive`: it is none, is damaged, is encrypted, or has too many members.
    """
    members = _zipped(file) if file.name.endswith((".whl", ".zip")) else _tarred(file)
    try:
        for number, (name, content) in enumerate(members):
            if number >= MAX_MEMBERS:
                raise _unreadable(file, f"has more than {MAX_MEMBERS} members")
            yield text_of(f"{file.name}!{name}", content)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError, *_DAMAGED):
        raise _unreadable(file, "is no archive that can be read") from None


def _zipped(file: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield member.filename, stream.read(MAX_TEXT + 1)


def _tarred(file: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(file) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                with stream:
                    yield member.name, stream.read(MAX_TEXT + 1)


def _unreadable(file: Path, what: str) -> ProblemError:
    return ProblemError(
        Problem(reason="unreadable-archive", where=str(file), what=what, fix=("build it anew",))
    )
