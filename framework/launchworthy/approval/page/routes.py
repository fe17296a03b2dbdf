"""At which addresses is the page, and which methods does each answer? Everything below them is this table."""

import re
from typing import Final

from launchworthy.vocabulary import APPROVAL_FOLDER, SIGNED_IN

_HANDLE: Final = "([0-9a-f]{32})"
QUESTION: Final = re.compile(f"{APPROVAL_FOLDER}{_HANDLE}".encode())
SIGN_IN: Final = re.compile(f"{APPROVAL_FOLDER}{_HANDLE}/sign-in".encode())
_WAY_BACK: Final = re.compile(SIGNED_IN.encode())

ROUTES: Final[tuple[tuple[re.Pattern[bytes], tuple[str, ...]], ...]] = (
    (QUESTION, ("GET", "POST")),
    (SIGN_IN, ("GET",)),
    (_WAY_BACK, ("GET",)),
)
"""All of them are public: who answers signs in, and who only opens one has done nothing."""


def handle_of(pattern: re.Pattern[bytes], path: bytes) -> str | None:
    """The handle in a path of this kind, or None where the path is of another one."""
    found = pattern.fullmatch(path)
    return None if found is None else found[1].decode("ascii")


def question_path(handle: str) -> str:
    """Where a question is."""
    return f"{APPROVAL_FOLDER}{handle}"


def sign_in_path(handle: str) -> str:
    """Where the sign-in for a question begins."""
    return f"{APPROVAL_FOLDER}{handle}/sign-in"
