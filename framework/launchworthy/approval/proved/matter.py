"""What can a person approve? A matter: of what kind, and by the digest of what exactly.

The nonce of the sign-in is made of both, so that no proof of one matter is good for another.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is approved."""

    REPORT = "report"
    LOCK = "lock"
    WAIVER = "waiver"
    ROTATION = "rotation"
    EVIDENCE = "evidence"
    EXCEPTION = "exception"
    GRANT = "grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One thing to be approved.

    Attributes:
        kind: what it is.
        sha256: hex digest of its bytes; of an entry of a file, of the entry and its project as canonical
            JSON.
        says: what a person reads before they agree; no part of the digest.
    """

    kind: Kind
    sha256: str
    says: str

    @property
    def nonce(self) -> str:
        """What the ID token must hold as `nonce`: base64url of a SHA-256 over kind and digest."""
        message = f"launchworthy-approval/1\n{self.kind.value}\n{self.sha256}\n".encode("ascii")
        return base64.urlsafe_b64encode(hashlib.sha256(message).digest()).rstrip(b"=").decode("ascii")

    @property
    def file_name(self) -> str:
        """Under which its proof is kept: `waiver-6c1f0a9be2d47b35.json`."""
        return f"{self.kind.value}-{self.sha256[:16]}.json"

    @property
    def second_file_name(self) -> str:
        """Where the proof of another person lies, where two are asked."""
        return f"{self.kind.value}-{self.sha256[:16]}.second.json"


def matter_of_bytes(kind: Kind, content: bytes, says: str) -> Matter:
    """A whole file: a report, a lock."""
    return Matter(kind=kind, sha256=hashlib.sha256(content).hexdigest(), says=says)


def matter_of_entry(kind: Kind, entry: Mapping[str, object], says: str, *, of: str) -> Matter:
    """An entry of a file, whatever its place in it; dates are text.

    Args:
        kind: what it is.
        entry: what it says.
        says: what a person reads before they agree.
        of: what it belongs to, a project or a server; in another one the same words need another approval.
    """
    said = {"of": of, "entry": dict(entry)}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return matter_of_bytes(kind, canonical.encode("ascii"), says)
