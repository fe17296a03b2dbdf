"""Is this the wheel that was rehearsed? One number for a wheel, and for what pip or uv made of it.

The content digest is the SHA-256 of the sorted lines `<sha256>  <path>` of every file of the wheel, but for
* `RECORD`, which lists the rest, and `extra_metadata/`, where the record of promotion travels: a wheel cannot
  hold its own digest, and the rehearsed wheel and the promoted one must have the same;
* what installers write beside them: `INSTALLER`, `REQUESTED`, `direct_url.json`, `uv_*.json`, bytecode, and
  the programs of `[project.scripts]`.

So nothing in the digested part of a wheel may say whether it was promoted: the record's presence does.
An installed copy is digested by the list in its own `RECORD`; that list is no authority, because a file too
many or too few changes the digest, and a file in a package's directory that is not listed is refused.
"""

import csv
import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import IO, Final, NoReturn

from launchworthy.vocabulary import Problem, ProblemError

EXTRA_METADATA = "extra_metadata"
WHEEL_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of a wheel, and of all its files unpacked."""
_FILES_LIMIT = 20_000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
_RECORD_LIMIT = 32 * 1024 * 1024
_INSTALLERS_OWN = re.compile(r"RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_[a-z_]+\.json", re.ASCII)
_BYTECODE = re.compile(r".+\.pyc(\.[0-9]+)?", re.ASCII)
_PROGRAMS = ("console_scripts", "gui_scripts")
_CHUNK = 1 << 20


def files_digest(files: Mapping[str, bytes]) -> str:
    """Hex digest of a group of files by their relative paths; that of no files is one too."""
    return _digest({path: hashlib.sha256(content).hexdigest() for path, content in files.items()})


def wheel_content_digest(wheel: Path) -> str:
    """Hex content digest of a wheel.

    Raises:
        ProblemError: it is no wheel, or holds what no installer would leave as it is.
    """
    try:
        with _opened(wheel) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            names = [info.filename for info in members]
            if len(set(names)) != len(names):
                _refuse_wheel(str(wheel), "holds a path twice")
            digests: dict[str, str] = {}
            for info in members:
                if _is_digested(_checked_path(info.filename, str(wheel))):
                    with archive.open(info) as stream:
                        digests[info.filename] = _sha256(stream)
    except _UNREADABLE:
        _refuse_wheel(str(wheel), "cannot be read as a wheel")
    return _digest(digests)


def installed_content_digest(dist_info: Path) -> str:
    """Hex content digest of an installed wheel, equal to that of the wheel.

    Args:
        dist_info: `…/site-packages/orders-0.3.1.dist-info`.

    Raises:
        ProblemError: a file is missing, or a file lies in its packages that no wheel brought.
    """
    site = dist_info.parent
    programs = _programs(dist_info)
    listed = tuple(
        path for path in _listed(dist_info) if not path.startswith(("../", "/")) and path not in programs
    )
    digests: dict[str, str] = {}
    for path in listed:
        if "__pycache__" in PurePosixPath(path).parts or not _is_digested(
            _checked_path(path, str(dist_info))
        ):
            continue
        try:
            with (site / path).open("rb") as stream:
                digests[path] = _sha256(stream)
        except OSError:
            _refuse_installation(str(site / path), "is missing from what was installed")
    _refuse_strangers(site, frozenset(listed), dist_info.name)
    return _digest(digests)


def find_dist_info(package: Path) -> Path:
    """The `.dist-info` directory of the wheel that brought a package's `__init__.py`.

    Args:
        package: `…/site-packages/orders`.

    Raises:
        ProblemError: none brought it (it is not installed from a wheel), or several claim to have.
    """
    wanted = f"{package.name}/__init__.py"
    claims = tuple(
        each
        for each in sorted(package.parent.glob("*.dist-info"))
        if wanted in _record_of(each) and wanted in frozenset(_listed(each))  # few are worth parsing
    )
    if len(claims) != 1:
        _refuse_installation(str(package), f"was brought by {len(claims)} wheels, and one must have")
    return claims[0]


def wheel_files(wheel: Path, pattern: re.Pattern[str], *, limit: int) -> tuple[tuple[str, bytes], ...]:
    """Path and content of those files of a wheel whose whole path matches.

    Raises:
        ProblemError: it is no wheel, is too large, or such a file has more than `limit` bytes.
    """
    found: list[tuple[str, bytes]] = []
    try:
        with _opened(wheel) as archive:
            for info in archive.infolist():
                if pattern.fullmatch(info.filename) is None:
                    continue
                with archive.open(info) as stream:
                    content = stream.read(limit + 1)
                if len(content) > limit:
                    _refuse_wheel(str(wheel), f"holds a file of more than {limit} bytes")
                found.append((info.filename, content))
    except _UNREADABLE:
        _refuse_wheel(str(wheel), "cannot be read as a wheel")
    return tuple(found)


@contextmanager
def _opened(wheel: Path) -> Iterator[zipfile.ZipFile]:
    """A wheel of which no more than `WHEEL_LIMIT` comes out.

    What it says of its files' sizes is enough: no more than that is ever unpacked of a file, and a file of
    which it said too little is then not what its checksum says.
    """
    if wheel.stat().st_size > WHEEL_LIMIT:
        _refuse_wheel(str(wheel), f"has more than {WHEEL_LIMIT} bytes")
    with zipfile.ZipFile(wheel) as archive:
        members = archive.infolist()
        if len(members) > _FILES_LIMIT:
            _refuse_wheel(str(wheel), f"holds more than {_FILES_LIMIT} files")
        if sum(info.file_size for info in members) > WHEEL_LIMIT:
            _refuse_wheel(str(wheel), f"unpacks to more than {WHEEL_LIMIT} bytes")
        if not {info.compress_type for info in members} <= _METHODS:
            _refuse_wheel(str(wheel), "is packed in another way than wheels are")
        yield archive


def _is_digested(path: str) -> bool:
    directory, *rest = PurePosixPath(path).parts
    if not directory.endswith(".dist-info") or not rest:
        return True
    if rest[0] == EXTRA_METADATA:
        return False
    return len(rest) > 1 or _INSTALLERS_OWN.fullmatch(rest[0]) is None


def _checked_path(path: str, where: str) -> str:
    """Refuse what would be installed elsewhere, differently, or in a way that a line cannot say."""
    parts = path.split("/")
    if "\\" in path or {"", ".", ".."} & set(parts) or not path.isprintable():
        _refuse_wheel(where, "holds a path that is not plain")
    if parts[0].endswith(".data"):
        _refuse_wheel(where, f"holds `{parts[0]}`, whose files installers move and change")
    if "__pycache__" in parts or _BYTECODE.fullmatch(path) is not None:
        _refuse_wheel(where, "holds bytecode, which says nothing about the code that was judged")
    return path


def _listed(dist_info: Path) -> Iterator[str]:
    for row in csv.reader(_record_of(dist_info).splitlines()):
        if row:
            yield row[0]


def _record_of(dist_info: Path) -> str:
    try:
        content = (dist_info / "RECORD").read_bytes()
    except OSError:
        return ""
    if len(content) > _RECORD_LIMIT:
        _refuse_installation(str(dist_info / "RECORD"), f"has more than {_RECORD_LIMIT} bytes")
    return content.decode("utf-8", "replace")


def _programs(dist_info: Path) -> frozenset[str]:
    """Where `--target` puts programs; everywhere else they lie outside of what is looked at."""
    points = Distribution.at(dist_info).entry_points
    return frozenset(f"bin/{point.name}" for point in points if point.group in _PROGRAMS)


def _refuse_strangers(site: Path, listed: frozenset[str], dist_info: str) -> None:
    """Look for what could be imported and was in no wheel: in every directory that the wheel brought."""
    tops = {path.partition("/")[0] for path in listed if "/" in path} - {dist_info}
    for top in sorted(tops):
        for directory, subdirectories, files in os.walk(site / top):
            links = [name for name in subdirectories if (Path(directory) / name).is_symlink()]
            for name in (*files, *links):
                path = (Path(directory) / name).relative_to(site).as_posix()
                cached = Path(directory).name == "__pycache__" and _BYTECODE.fullmatch(name) is not None
                if path not in listed and not cached:
                    _refuse_installation(str(site / path), "was in no wheel and could be imported")


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _digest(digests: Mapping[str, str]) -> str:
    lines: Iterable[str] = sorted(f"{digest}  {path}\n" for path, digest in digests.items())
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def _refuse_wheel(where: str, what: str) -> NoReturn:
    fix = ("build it again with `python3 noxfile.py -s build`, from a clean tree",)
    raise ProblemError(Problem(reason="wheel-not-digestible", where=where, what=what, fix=fix))


def _refuse_installation(where: str, what: str) -> NoReturn:
    fix = ("install the promoted wheel into a fresh environment, and change nothing in it",)
    raise ProblemError(Problem(reason="installation-changed", where=where, what=what, fix=fix))
