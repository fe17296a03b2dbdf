"""Whose hands was the trust policy in? It is refused where those whom it judges could have written it.

Who may sign is the platform's to say. So the file and its roots, and every directory and link on the way to
them, must not be changeable by this process, and the file lies outside the project:
* a process that is not root may neither write them nor own them (an owner can make them writable again);
* root may, but the owner must be root too, and neither group nor others may write;
* on a file system that is mounted read-only nobody here can, whatever the modes say: Kubernetes mounts its
  volumes like that, world-writable.
In a sticky directory (`/tmp`) only the owner of an entry can replace it, so there the entry alone counts.

The simulated world belongs to the developer: for `rehearsal` the file may be one's own, if nobody else can
write it. It still lies outside the project.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from launchworthy.attestation.trust import TrustPolicy, parse_trust_policy, root_files
from launchworthy.vocabulary import Environment, Problem, ProblemError

TRUST_FILE = Path("/etc/launchworthy/trust.toml")
"""Where a server and a build look, unless a build or the world file names another."""
_LIMIT = 256 * 1024
_MAX_LINKS = 40
_NOT_OURS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the file system says of one file, directory or link on the way.

    Attributes:
        path: where it is.
        owner: user id.
        mode: with the file type.
        writable: whether this process could write it now (`access(2)`, by effective ids).
        read_only: whether its file system is mounted read-only.
    """

    path: Path
    owner: int
    mode: int
    writable: bool
    read_only: bool


def read_trust_policy(path: Path, *, environment: Environment, outside: Path | None) -> TrustPolicy:
    """Read the trust policy for a build or a start in one environment.

    Args:
        path: `TRUST_FILE`, or what the build's caller or the world file named.
        environment: decides whether it may be one's own; the policy must have a table for it.
        outside: the project, or the installed package, in which the file must not lie; None where a person
            asks about a record and nothing depends on the answer.

    Raises:
        ProblemError: it is missing, unreadable, malformed, within the project, or could be written by this
            process; or it trusts nobody for this environment.
    """
    path = _from_here(path)
    _check_hands(path, environment, outside)
    document = _read(path)
    pem: dict[str, bytes] = {}
    for name in root_files(document, where=str(path)):
        _check_hands(path.parent / name, environment, outside)
        pem[name] = _read(path.parent / name)
    policy = parse_trust_policy(document, pem, where=str(path))
    policy.of(environment)
    return policy


def read_copy(path: Path) -> TrustPolicy:
    """Read a copy of a trust policy, in whoever's hands: for a person who asks, never for a build or a start.

    Raises:
        ProblemError: it is missing, unreadable or malformed.
    """
    if not path.is_file():
        what = "is not there, and nothing says who may approve"
        _refuse("trust-policy-missing", path, what, ("name a copy of the platform's: --trust",))
    document = _read(path)
    files = {name: _read(path.parent / name) for name in root_files(document, where=str(path))}
    return parse_trust_policy(document, files, where=str(path))


def is_changeable(entry: Entry, *, user: int, simulated: bool) -> bool:
    """Whether someone who must not could change this entry.

    Args:
        entry: on the way to the trust policy.
        user: effective user id of this process; 0 is root.
        simulated: for the simulated world, where it may be one's own.
    """
    if entry.read_only:
        return False
    by_its_mode = not stat.S_ISLNK(entry.mode) and not _is_sticky_directory(entry.mode)
    if by_its_mode and bool(entry.mode & _NOT_OURS):
        return True
    if simulated:
        return entry.owner not in (0, user)
    if user == 0:
        return entry.owner != 0
    return entry.owner == user or (by_its_mode and entry.writable)


def _is_sticky_directory(mode: int) -> bool:
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def _check_hands(path: Path, environment: Environment, outside: Path | None) -> None:
    project = None if outside is None else outside.resolve()
    try:
        entries = tuple(_look(each) for each in _way(path))
    except FileNotFoundError:
        what = "is not there, and nothing says who may sign"
        fix = ("the platform writes it once, for its builders and its hosts",)
        _refuse("trust-policy-missing", path, what, fix)
    except OSError as error:
        _refuse(
            "trust-policy-unreadable",
            path,
            f"cannot be read: {error.strerror}",
            ("let this process read it",),
        )
    if project is not None and any(entry.path.is_relative_to(project) for entry in entries):
        what = "lies in what it is to judge, where whoever is judged can write it"
        _refuse("trust-policy-in-project", path, what, (f"the platform puts it elsewhere: {TRUST_FILE}",))
    for entry in entries[-1:] if environment.simulated else entries:
        if is_changeable(entry, user=os.geteuid(), simulated=environment.simulated):
            what = f"could be written by those whom it judges: `{entry.path}`"
            fix = (f"chown root {entry.path} && chmod go-w {entry.path}, or mount it read-only",)
            _refuse("trust-policy-writable", path, what, fix)


def _from_here(path: Path) -> Path:
    """`../trust.toml`, begun in the directory above this one: it does not lead through this one."""
    above, here = path, Path.cwd()
    while above.parts[:1] == ("..",):
        above, here = Path(*above.parts[1:]), here.parent
    return path if above is path else here / above


def _way(path: Path) -> Iterator[Path]:
    """Every directory and link that is followed to open this path, and at last the file."""
    current, links = Path("/"), 0
    pending = [*reversed(path.absolute().parts[1:])]
    yield current
    while pending:
        name = pending.pop()
        if name == "..":
            current = current.parent
            continue
        entry = current / name
        yield entry
        if not entry.is_symlink():
            current = entry
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = entry.readlink()
        if target.is_absolute():
            current = Path("/")
        pending += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _look(path: Path) -> Entry:
    status = path.lstat()
    system = os.statvfs(path.parent if stat.S_ISLNK(status.st_mode) else path)
    return Entry(
        path=path,
        owner=status.st_uid,
        mode=status.st_mode,
        writable=os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids),
        read_only=bool(system.f_flag & os.ST_RDONLY),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LIMIT + 1)
    except OSError as error:
        _refuse(
            "trust-policy-unreadable",
            path,
            f"cannot be read: {error.strerror}",
            ("let this process read it",),
        )
    if not 0 < len(content) <= _LIMIT:
        what = f"has {len(content)} bytes; it is neither empty nor longer than {_LIMIT}"
        fix = ("what it may say: `launchworthy explain trust-policy-missing`",)
        _refuse("trust-policy-malformed", path, what, fix)
    return content


def _refuse(reason: str, path: Path, what: str, fix: tuple[str, ...]) -> NoReturn:
    raise ProblemError(Problem(reason=reason, where=str(path), what=what, fix=fix))
