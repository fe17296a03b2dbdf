"""Does this name promise a secret? And of which kind, since not every kind takes the same values.

A name is read as words (`AWS_SECRET_ACCESS_KEY`, `awsSecretAccessKey`, `aws-secret-access-key`), from its
last word on: `token_url` is a place, `key_id` a name, `password_hash` a digest, `max_tokens` a number.
"""

import re
from enum import Enum
from functools import lru_cache

from launchworthy.detection.words import (
    ENCRYPTED,
    GENERIC_TAILS,
    GLUED_KEYS,
    HARMLESS_BEFORE,
    KEY_PURPOSES,
    KEY_SELLERS,
    PASSWORD_OWNERS,
    PASSWORDS,
    SECRETS,
    WEAK,
)


class Family(Enum):
    """What a name promises; decides how a value under it is read."""

    PASSWORD = "password"  # noqa: S105 - any literal is one, however plain
    SECRET = "secret"  # noqa: S105 - secrets, tokens, credentials; a value may also name a resource
    KEY = "key"  # a key that opens something; a value may also name a place
    WEAK = "weak"  # keys, salts, signatures: only a generated value is one


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SHORT_PASSWORDS = frozenset({"pass", "pw"})
_KEY_WORDS = frozenset({"key", "keys"})
_KEY_OWNERS = KEY_PURPOSES | KEY_SELLERS
_PASSWORD_ENDINGS = ("password", "passwd", "passphrase")
_WELL_KNOWN = frozenset({"GPG_KEY", "SSH_AUTH_SOCK", "XDG_SESSION_ID", "XAUTHORITY"})
"""Variables that every shell or well-known image sets."""
_WORKING_DIRECTORIES = frozenset({"PWD", "OLDPWD"})
"""Passwords in a connection string, directories in a shell: their values tell."""


@lru_cache(maxsize=8192)
def family(name: str) -> Family | None:
    """What a name promises, or None where it promises no secret."""
    if name in _WELL_KNOWN:
        return None
    words = [word.lower() for word in _WORDS.findall(name)]
    while len(words) > 1 and (words[-1] in GENERIC_TAILS or words[-1].isdigit()):
        words.pop()
    if not words:
        return None
    last, before = words[-1], words[:-1]
    if ENCRYPTED.intersection(before) and last not in _KEY_WORDS:
        return None
    return (
        _of_password(name, last, before)
        or _of_secret(last, before)
        or _of_key(last, before)
        or _of_weak(last, before)
    )


def _of_password(name: str, last: str, before: list[str]) -> Family | None:
    if last in PASSWORDS or last.endswith(_PASSWORD_ENDINGS):
        return Family.PASSWORD
    if last in _SHORT_PASSWORDS and PASSWORD_OWNERS.intersection(before):
        return Family.PASSWORD
    if last == "pass" and name == "pass":
        return Family.PASSWORD
    return Family.PASSWORD if last.endswith("pwd") and last != "oldpwd" else None


def _of_secret(last: str, before: list[str]) -> Family | None:
    if last in SECRETS or last.endswith(("secret", "token")):
        stem = "token" if last.endswith("token") else last
        harmless = HARMLESS_BEFORE.get(stem, frozenset())
        return None if before and before[-1] in harmless else Family.SECRET
    return None


def _of_key(last: str, before: list[str]) -> Family | None:
    if last in GLUED_KEYS:
        return None if before and before[-1] == "public" else Family.KEY
    if last not in _KEY_WORDS or not before or HARMLESS_BEFORE["key"].intersection(before):
        return None
    return Family.KEY if before[-1] in _KEY_OWNERS else None


def _of_weak(last: str, before: list[str]) -> Family | None:
    harmless = HARMLESS_BEFORE.get("key" if last in _KEY_WORDS else last, frozenset())
    if last not in WEAK or (before and before[-1] in harmless):
        return None
    return Family.WEAK


def is_sensitive_name(name: str) -> bool:
    """Whether a name promises a secret by itself, so that nothing but a reference may stand under it."""
    return name not in _WORKING_DIRECTORIES and family(name) in {Family.PASSWORD, Family.SECRET, Family.KEY}
