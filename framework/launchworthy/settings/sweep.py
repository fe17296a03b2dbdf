"""Is there a secret anywhere in what was configured? The second net, over every text before it is validated.

The message names the field and the line, never the value, and comes before any other complaint.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from launchworthy.detection import is_secret_value, is_sensitive_name
from launchworthy.manifest import SourceFile
from launchworthy.vocabulary import Problem

REASON = "secret-by-value"
_FIX = (
    "take it out and rotate it: whoever can read the repository or the image has it by now",
    "a credential is lent by a broker, never configured",
)
_POINTS_ELSEWHERE = re.compile(r"(_FILE|_PATH|_DIR|_DIRECTORY|_SOCK|_SOCKET|_URI|_ENDPOINT)$", re.IGNORECASE)
"""Names under which platforms inject where something is, not what it is."""


def secrets_in_tables(source: SourceFile, tables: Mapping[str, Any]) -> Iterator[Problem]:
    """Tell every secret among the values of a file."""
    for key, value in texts(tables, ()):
        if _is_secret(key, value):
            dotted = ".".join(key)
            yield Problem(
                reason=REASON,
                where=source.where(key),
                what=f"holds a secret in `{dotted}`",
                fix=_FIX,
                field=dotted,
            )


def secrets_in_variables(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Tell every variable of the process that holds a secret; for the real world, where none may."""
    for name, value in sorted(environ.items()):
        if _is_place(name, value):
            continue
        if (
            is_secret_value(name, value) is not None
            or (value and is_sensitive_name(name))
            or _has_password(value)
        ):
            yield Problem(
                reason=REASON,
                what=f"the environment holds a secret in `{name}`",
                fix=("take it out of the deployment and rotate it", *_FIX[1:]),
                field=name,
            )


def texts(value: object, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in tables, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, (*key, str(name)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from texts(inner, (*key, str(number)))


def _is_secret(key: tuple[str, ...], value: str) -> bool:
    name = next((part for part in reversed(key) if not part.isdecimal()), "")
    if is_secret_value(name, value) is not None or _has_password(value):
        return True
    return value != "" and is_sensitive_name(name) and not value.startswith(("file:", "openbao:"))


def _has_password(value: str) -> bool:
    try:
        return "://" in value and urlsplit(value).password is not None
    except ValueError:
        return False


def _is_place(name: str, value: str) -> bool:
    return value.startswith("/") and _POINTS_ELSEWHERE.search(name) is not None
