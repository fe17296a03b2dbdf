"""Which of the framework's own keys is in force? A ring for one purpose, read where its reference points.

The file holds one key a line, base64 of 32 bytes or more, the newest first: the first seals, all of them
open. What is used is derived (HKDF-SHA256, RFC 5869) for one purpose and one environment, so the same file in
two places makes different keys; `kid` is derived too, and tells nothing of the key. A file that has become
unreadable or wrong changes nothing: the keys that were read stay in force, and the caller is told.

A file of keys is not accessible to others, not writable by the group, and no link leads out of its folder's
root (Kubernetes swaps links inside it).
"""

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from launchworthy.vocabulary import Environment, Problem, ProblemError, SecretRef, SecretScheme

MIN_KEY_BYTES = 32
_MAX_FILE = 64 * 1024
_MAX_KEYS = 8
_KID_CHARACTERS = 8
_OPEN_TO_OTHERS = stat.S_IRWXO | stat.S_IWGRP


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """One key, for one purpose and environment.

    Attributes:
        kid: eight hex digits that name it.
        material: 32 bytes; never shown.
    """

    kid: str
    material: bytes = field(repr=False)


class KeyRing:
    """The keys of one purpose, the newest first.

    Attributes:
        purpose: such as `audit-hmac`.
        path: of the file.
        digests: of the keys as they stand in the file, to tell whether two files hold the same.
    """

    __slots__ = ("_apart_from", "_environment", "_keys", "_read", "digests", "path", "purpose")

    def __init__(self, path: Path, *, purpose: str, environment: Environment) -> None:
        """Read the keys.

        Args:
            path: of the file.
            purpose: what the keys are for; another purpose gets other keys from the same file.
            environment: where this is; another environment gets other keys from the same file.

        Raises:
            ProblemError: the file cannot be used.
        """
        self.purpose = purpose
        self.path = path
        self._environment = environment
        self._read: bytes | None = None
        self._keys: tuple[RingKey, ...] = ()
        self._apart_from: tuple[KeyRing, ...] = ()
        self.digests: frozenset[bytes] = frozenset()
        self.reread()

    @classmethod
    def of(cls, reference: SecretRef, *, purpose: str, environment: Environment) -> Self:
        """The ring that a setting refers to.

        Raises:
            ProblemError: it refers to something else than a file, or the file cannot be used.
        """
        if reference.scheme is not SecretScheme.FILE or reference.key or reference.version:
            what = f"`{reference}` is no file, and the framework's own keys are read from files"
            raise ProblemError(_problem(what, str(reference)))
        return cls(Path(reference.locator), purpose=purpose, environment=environment)

    def __repr__(self) -> str:
        """Which keys, not the keys."""
        return f"KeyRing(purpose={self.purpose!r}, kids={[key.kid for key in self._keys]!r})"

    @property
    def newest(self) -> RingKey:
        """The key that seals."""
        return self._keys[0]

    @property
    def keys(self) -> tuple[RingKey, ...]:
        """All keys, the newest first: what opens what was sealed before."""
        return self._keys

    def shares_a_key_with(self, other: "KeyRing") -> bool:
        """Whether one key stands in both files; what is derived of it differs, and who has it has both."""
        return not self.digests.isdisjoint(other.digests)

    def keep_apart_from(self, other: "KeyRing") -> None:
        """From now on take no key that is in force there."""
        self._apart_from = (*self._apart_from, other)

    def reread(self) -> bool:
        """Look whether the file has changed; whether other keys are in force now.

        Raises:
            ProblemError: the file cannot be used any more; the keys are as they were.
        """
        content = read_private_file(self.path)
        if content == self._read:
            return False
        keys = self._parsed(content)
        digests = frozenset(
            sha256(_decoded(line, self.path)).digest() for line in content.split(b"\n") if line.strip()
        )
        for other in self._apart_from:
            if not digests.isdisjoint(other.digests):
                what = f"holds a key of `{other.path}` too, so who has one of them has both"
                raise ProblemError(_problem(what, str(self.path)))
        changed = keys != self._keys
        self._read, self._keys, self.digests = content, keys, digests
        return changed

    def _parsed(self, content: bytes) -> tuple[RingKey, ...]:
        lines = [line for line in content.split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= _MAX_KEYS:
            raise ProblemError(_problem(f"holds {len(lines)} keys, not 1 to {_MAX_KEYS}", str(self.path)))
        keys = tuple(self._ring_key(_decoded(line, self.path)) for line in lines)
        if len({key.kid for key in keys}) != len(keys):
            raise ProblemError(_problem("holds the same key twice", str(self.path)))
        return keys

    def _ring_key(self, key: bytes) -> RingKey:
        about = f"launchworthy-key/1\n{self.purpose}\n{self._environment.value}\n"
        material, kid = (_derived(key, about + part) for part in ("key", "kid"))
        return RingKey(kid=kid.hex()[:_KID_CHARACTERS], material=material)


def _derived(key: bytes, about: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=MIN_KEY_BYTES, salt=None, info=about.encode()).derive(key)


def read_private_file(path: Path) -> bytes:
    """Read a file that only this user, and perhaps its group, may read.

    Raises:
        ProblemError: it is not there, or not like that.
    """
    try:
        real = path.resolve(strict=True)
        with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(_MAX_FILE + 1)
    except (OSError, RuntimeError) as error:
        raise ProblemError(_problem(f"cannot be read ({type(error).__name__})", str(path))) from None
    wrong = None
    if not stat.S_ISREG(found.st_mode) or len(content) > _MAX_FILE:
        wrong = "is no file of keys"
    elif not real.is_relative_to(path.parent.resolve()):
        wrong = "is a link that leads out of its folder"
    elif found.st_uid not in (0, os.geteuid()):
        wrong = "belongs to another user"
    elif found.st_mode & _OPEN_TO_OTHERS:
        wrong = "can be read by others, or written by its group"
    if wrong is not None:
        raise ProblemError(_problem(wrong, str(path)))
    return content


def _decoded(line: bytes, path: Path) -> bytes:
    try:
        key = base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(_problem("holds a line that is no base64", str(path))) from None
    if len(key) < MIN_KEY_BYTES:
        raise ProblemError(_problem(f"holds a key of less than {MIN_KEY_BYTES} bytes", str(path)))
    return key


def _problem(what: str, where: str) -> Problem:
    return Problem(
        reason="bad-framework-key",
        where=where,
        what=what,
        fix=(
            "one key a line, the newest first, in a file of mode 0400 or 0440:",
            "openssl rand -base64 48 > FILE",
        ),
    )
