"""Is there a secret anywhere in what was configured? The second net, over every text before it is validated.

The message names the field and the line, never the value, and comes before any other complaint. A name can be
the secret itself; it is then not said either.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from launchworthy.detection import find_secrets, is_fit_to_print, is_secret_value, is_sensitive_name
from launchworthy.manifest import SourceFile
from launchworthy.vocabulary import Problem, SecretRef

REASON = "secret-by-value"
OURS = "LAUNCHWORTHY_"
_FIX = "take it out and rotate it: whoever can read the repository or the image has it by now"
_FIX_VARIABLE = "take it out and rotate it: whoever can read the deployment or the process has it by now"
_POINTS_ELSEWHERE = re.compile(
    r"(FILE|_PATH|_DIR|_DIRECTORY|_SOCK|_SOCKET|_URI|_ENDPOINT|_CREDENTIALS|_KEYTAB|_KEYSTORE|_TRUSTSTORE)$",
    re.IGNORECASE,
)
"""Names under which platforms inject where something is, not what it is."""
_PLACE = re.compile(r"/[A-Za-z0-9._~@+=:,%/-]+")
_REFERENCES = ("file:", "openbao:")
_LENT = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ("GITHUB_ACTIONS", "true")}
"""What a CI system lends to one job, by the variable that says that this is such a job."""


def secrets_in_file(source: SourceFile, tables: Mapping[str, Any]) -> Iterator[Problem]:
    """Tell every secret of a settings file: among its values and names, then anywhere else in its text.

    Args:
        source: the whole text; it need not be TOML.
        tables: its values, none where it is no TOML.
    """
    values: list[str] = []
    for key, value in texts(tables, ()):
        if is_secret(key, value):
            values.append(value)
            dotted = ".".join(key)
            what = f"holds a secret in `{dotted}`"
            yield Problem(reason=REASON, where=source.where(key), what=what, fix=(_FIX,), field=dotted)
    for found in find_secrets(source.text, path=source.path):
        value = found.fingerprint_input.reveal()
        if not any(value in each or each in value for each in values):
            where, what = f"{source.path}:{found.line}", f"holds a secret ({found.kind.replace('-', ' ')})"
            yield Problem(reason=REASON, where=where, what=what, fix=(_FIX,))
            values.append(value)
    for key in names(tables, ()):
        if _is_secret_name(key[-1], ours=True) and not any(
            each in key[-1] or key[-1] in each for each in values
        ):
            what = "has a name that is a secret"
            yield Problem(reason=REASON, where=source.where(key[:-1]), what=what, fix=(_FIX,))


def secrets_in_variables(environ: Mapping[str, str], prefix: str) -> Iterator[Problem]:
    """Tell every variable with this prefix that holds a secret; the empty prefix is all of them."""
    for name, value in sorted(environ.items()):
        if not name.upper().startswith(prefix):
            continue
        if name in _LENT and environ.get(_LENT[name][0]) == _LENT[name][1]:
            continue
        if _is_secret_name(name, ours=name.upper().startswith(OURS)):
            what = "the name of a variable is a secret"
            yield Problem(reason=REASON, what=what, fix=(_FIX_VARIABLE,))
        elif not _is_place(name, value) and (
            is_secret_value(name, value) is not None
            or (value and is_sensitive_name(name))
            or _has_password(value)
        ):
            yield Problem(reason=REASON, where=name, what="holds a secret", fix=(_FIX_VARIABLE,), field=name)


def texts(value: object, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in tables or in a value of any closed type, with its key; names that are secrets as `…`."""
    match value:
        case str() | PurePath() | SecretRef():
            yield key, str(value)
        case BaseModel():
            yield from texts(value.__dict__, key)
        case Mapping():
            for name, inner in value.items():
                shown = "…" if _is_secret_name(str(name), ours=True) else str(name)
                yield from texts(inner, (*key, shown))
        case list() | tuple() | set() | frozenset():
            for number, inner in enumerate(value):
                yield from texts(inner, (*key, str(number)))
        case _:
            return


def names(value: object, key: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every name in tables, with the names around it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield (*key, name)
            yield from names(inner, (*key, name))
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner, key)


def holds_secret(name: str, value: object) -> bool:
    """Whether a value of any closed type holds a secret anywhere."""
    return any(is_secret(key, text) for key, text in texts(value, (name,)))


def is_secret(key: tuple[str, ...], value: str) -> bool:
    """Whether the text under this key is a secret, by its form or by what the key promises."""
    name = next((part for part in reversed(key) if not part.isdecimal()), "")
    if is_secret_value(name, value) is not None or _has_password(value):
        return True
    return value != "" and is_sensitive_name(name) and not value.startswith(_REFERENCES)


def _is_secret_name(name: str, *, ours: bool) -> bool:
    parts = (name, *re.split(r"__|(?<=^LAUNCHWORTHY)_", name, flags=re.IGNORECASE))
    if any(part and is_secret_value("", part) is not None for part in parts):
        return True
    # No field has a name that was generated, so nobody loses one; a variable of others may have such a name.
    return ours and not all(is_fit_to_print(part) for part in parts)


def _has_password(value: str) -> bool:
    try:
        return "://" in value and urlsplit(value).password is not None
    except ValueError:
        return False


def _is_place(name: str, value: str) -> bool:
    return (
        _PLACE.fullmatch(value) is not None
        and _POINTS_ELSEWHERE.search(name) is not None
        and is_secret_value("path", value) is None
    )
