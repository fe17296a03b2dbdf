"""What does a project take on trust? `promotion.toml`; today it holds the salt that fingerprints need."""

import tomllib
from pathlib import Path

from launchworthy.detection import MIN_SALT_BYTES
from launchworthy.vocabulary import Problem, ProblemError

FILE = "promotion.toml"
SALT = "salt"


def read_salt(root: Path) -> bytes | None:
    """The project's salt, or None where it has none.

    Raises:
        ProblemError: `promotion-file-malformed`: the file is no TOML, or its salt is none.
    """
    file = root / FILE
    try:
        salt = tomllib.loads(file.read_text(encoding="utf-8")).get(SALT)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ProblemError(_malformed(file, "is no TOML that can be read")) from None
    if salt is None:
        return None
    if not isinstance(salt, str) or len(salt.encode()) < MIN_SALT_BYTES:
        raise ProblemError(_malformed(file, f"has a `{SALT}` shorter than {MIN_SALT_BYTES} bytes"))
    return salt.encode()


def _malformed(file: Path, what: str) -> Problem:
    fix = ("correct it, or take it back from git",)
    return Problem(reason="promotion-file-malformed", where=str(file), what=what, fix=fix)
