"""Who could have put this socket or file there?

Whoever can replace the Workload API's socket hands out identities *and* roots of trust, and the default
socket of many set-ups lies below a directory in which everybody may create files. So, before each connection:

1. The socket, and every directory and symbolic link on the way to it, belong to root or to a configured user.
2. No directory on the way can be written by its group or by others, unless it is sticky: there nobody but the
   owner of an entry, who passes rule 1, can replace it.
3. A file that is read must not be writable by others either. A socket's own mode says who may connect, and
   agents let everybody: it is not looked at.
4. The process that listens runs as root or as a configured user (SO_PEERCRED).
"""

import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launchworthy.identity.cause import Cause, SourceError

ROOT_UID = 0
MAX_LINKS = 40
"""As the kernel: a longer chain of symbolic links is a loop."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ENDPOINT = re.compile(r"unix://(?P<path>(?:/[A-Za-z0-9._+,=@:~-]+)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who answered on a socket.

    Attributes:
        owner_uid: of the socket.
        peer_uid: of the process that listens.
    """

    owner_uid: int
    peer_uid: int


def socket_path(endpoint: str) -> Path:
    """The absolute path in `unix:///…`.

    What a URL might read otherwise than a kernel (`%2f`, `?`) is refused: what is connected to must be what
    was checked. TCP and abstract sockets have no owner and are refused too.

    Raises:
        SourceError: it is written otherwise.
    """
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None:
        raise SourceError(Cause.ENDPOINT, f"`{endpoint}` is no address of a Workload API")
    return Path(match["path"])


def check_socket(endpoint: str, owner_uids: tuple[int, ...], timeout_seconds: float) -> Listener:
    """Rules 1, 2 and 4 for the Workload API's socket.

    Raises:
        SourceError: nothing listens there, it cannot be reached, or it is not to be trusted.
    """
    trusted = frozenset((ROOT_UID, *owner_uids))
    path = socket_path(endpoint)
    try:
        final = _check_way(path, trusted)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(Cause.NOTHING_LISTENS, f"nothing listens on `{endpoint}`") from None
    except PermissionError:
        raise _no_access(endpoint) from None
    except OSError as error:
        raise SourceError(Cause.NOTHING_LISTENS, f"nothing listens on `{endpoint}` ({_why(error)})") from None
    if not stat.S_ISSOCK(final.st_mode):
        raise SourceError(Cause.NOTHING_LISTENS, f"nothing listens on `{endpoint}` (it is no socket)")
    peer_uid = _peer_uid(path, endpoint, timeout_seconds)
    if peer_uid not in trusted:
        raise SourceError(Cause.UNTRUSTED_SOURCE, f"what listens on `{endpoint}` runs as uid {peer_uid}")
    return Listener(owner_uid=final.st_uid, peer_uid=peer_uid)


def check_file(path: Path, owner_uids: tuple[int, ...]) -> os.stat_result:
    """Rules 1 to 3 for a file that is read.

    Raises:
        SourceError: it is not there, not readable on the way, or not to be trusted.
    """
    trusted = frozenset((ROOT_UID, *owner_uids))
    try:
        final = _check_way(path, trusted)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(Cause.NO_FILE, f"there is no file `{path}`") from None
    except OSError as error:
        raise SourceError(Cause.NO_ACCESS, f"this process cannot reach `{path}` ({_why(error)})") from None
    if not stat.S_ISREG(final.st_mode):
        raise SourceError(Cause.NO_FILE, f"`{path}` is no file")
    if final.st_mode & _OTHERS_MAY_WRITE:
        raise SourceError(Cause.UNTRUSTED_SOURCE, f"`{path}` can be written by others")
    return final


def _check_way(path: Path, trusted: frozenset[int]) -> os.stat_result:
    """Check everything from the root to `path`, and return what lies at its end."""
    for place, found in _way(path):
        if found.st_uid not in trusted:
            raise SourceError(Cause.UNTRUSTED_SOURCE, f"`{place}` belongs to uid {found.st_uid}")
        if stat.S_ISDIR(found.st_mode) and _is_open_to_others(found.st_mode):
            raise SourceError(Cause.UNTRUSTED_SOURCE, f"the directory `{place}` can be written by others")
    return found


def _is_open_to_others(mode: int) -> bool:
    """Whether others could replace what lies in this directory (rule 2)."""
    return mode & _OTHERS_MAY_WRITE != 0 and mode & stat.S_ISVTX == 0


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every directory and link that the kernel passes on the way to `path`, and what lies at the end."""
    here, links = Path("/"), 0
    yield here, os.lstat(here)
    pending = list(path.parts[1:])
    while pending:
        name = pending.pop(0)
        if name == "..":
            here = here.parent
            continue
        place = here / name
        found = os.lstat(place)
        yield place, found
        if not stat.S_ISLNK(found.st_mode):
            here = place
            continue
        links += 1
        if links > MAX_LINKS:
            raise FileNotFoundError(place)
        target = place.readlink()
        if target.is_absolute():
            here = Path("/")
        pending = [part for part in target.parts if part != "/"] + pending


def _peer_uid(path: Path, endpoint: str, timeout_seconds: float) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout_seconds)
        try:
            probe.connect(str(path))
        except (TimeoutError, BlockingIOError):  # EAGAIN: its queue is full, so nobody takes from it
            raise SourceError(Cause.NO_ANSWER, f"`{endpoint}` does not accept connections") from None
        except PermissionError:
            raise _no_access(endpoint) from None
        except OSError as error:
            raise SourceError(
                Cause.NOTHING_LISTENS, f"nothing listens on `{endpoint}` ({_why(error)})"
            ) from None
        return _credentials_of(probe)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _no_access(endpoint: str) -> SourceError:
    who = f"uid {os.geteuid()}, gid {os.getegid()}"
    return SourceError(Cause.NO_ACCESS, f"this process ({who}) may not connect to `{endpoint}`")


def _credentials_of(connection: socket.socket) -> int:
    """The uid of the other end, as the kernel noted it when it began to listen."""
    if sys.platform == "darwin":
        xucred = connection.getsockopt(0, socket.LOCAL_PEERCRED, struct.calcsize("IIh16I"))
        return int(struct.unpack_from("II", xucred)[1])
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", packed)[1])
