"""What of a call's arguments and result may stand in a record?

Arguments are `clear`, `hmac` (the default) or `drop`, as the manifest says; of a result only its size and a
keyed digest. The digest is HMAC-SHA256 over a line of JSON that names its domain, the target and the
argument, and over the value: equal values in different places do not look alike, and numbers are covered too.
Unkeyed digests would be lookup tables of small values.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Self

from launchworthy.audit.canonical import MAX_INTEGER
from launchworthy.audit.sanitiser import sanitise, sanitise_name, written_size

HMAC_PURPOSE = "audit-hmac"
"""What the key is derived for, in a ring of the framework's keys."""
_MIN_KEY_BYTES = 32
_DIGEST_CHARACTERS = 32
_MAX_ARGUMENTS = 32
_MAX_BYTES = 4096
"""All arguments of a record together: clear ones beyond it are dropped, so a record stays below 16 kB."""

_MAX_TOKEN_IDS = 4096

Redacted = dict[str, str | int | bool | None]
_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode
"""JSON in one way, for every value that JSON has: sorted keys, compact, ASCII."""
_KINDS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


class ArgumentRedactor:
    """Redacts with one key; `kid` names the key in every digest, never the value of anything."""

    __slots__ = ("_keyed", "_token_ids", "kid")

    def __init__(self, key: bytes, kid: str) -> None:
        """Hold a key of at least 32 bytes.

        Raises:
            ValueError: the key is shorter.
        """
        self._token_ids: dict[tuple[str, str], str] = {}
        self.use(key, kid)

    def use(self, key: bytes, kid: str) -> None:
        """Redact with another key from here on.

        Raises:
            ValueError: the key is shorter than 32 bytes.
        """
        if len(key) < _MIN_KEY_BYTES:
            raise ValueError("the key of a redactor needs 32 bytes or more")
        self._keyed = hmac.new(key, digestmod="sha256")
        self.kid = sanitise_name(kid)
        self._token_ids.clear()

    @classmethod
    def ephemeral(cls, kid: str) -> Self:
        """A redactor with a random key that ends with the process.

        Equal values can be recognised within a stream, nobody can look a value up afterwards, and streams
        cannot be compared. `kid` is the id of the stream that was open when the key was made.
        """
        return cls(secrets.token_bytes(_MIN_KEY_BYTES), kid)

    def __repr__(self) -> str:
        """Which key, not the key."""
        return f"ArgumentRedactor(kid={self.kid!r})"

    def redact(
        self, target: str, classes: Mapping[str, str], arguments: Mapping[str, object]
    ) -> dict[str, Redacted]:
        """What the record says of the arguments, each as `{"clear": …}`, `{"hmac": …}` or `{"drop": …}`.

        Args:
            target: the tool, prompt or resource, a part of every digest.
            classes: `clear`, `hmac` or `drop` by argument; an argument without a class is `hmac`, and so
                is one whose class is none of the three.
            arguments: JSON values.
        """
        room = _MAX_BYTES
        redacted: dict[str, Redacted] = {}
        for name, value in tuple(arguments.items())[:_MAX_ARGUMENTS]:
            shown, safe_name = self._one(target, name, classes.get(name, "hmac"), value), sanitise_name(name)
            if "clear" in shown and _cost(safe_name, shown) > room:
                shown = _dropped(value)
            room -= _cost(safe_name, shown)
            if room < 0:
                break
            redacted[safe_name] = shown
        if len(redacted) < len(arguments):
            redacted["~"] = {"drop": "arguments", "length": len(arguments) - len(redacted)}
        return redacted

    def argument_digest(self, target: str, name: str, value: object) -> str:
        """`<kid>:<32 hex digits>` of one argument's value: what an investigator compares with.

        Raises:
            ValueError, TypeError, RecursionError: the value is none that JSON can hold.
        """
        return self._digest(("argument", target, name), _json(value).encode())

    def result_digest(self, target: str, body: bytes) -> str:
        """`<kid>:<32 hex digits>` of the bytes of a result."""
        return self._digest(("result", target), body)

    def token_id(self, issuer: str, jti: str) -> str:
        """`<kid>:<32 hex digits>` of a token's `jti`, which tells tokens apart and shows none."""
        known = self._token_ids.get((issuer, jti))
        if known is not None:
            return known
        if len(self._token_ids) >= _MAX_TOKEN_IDS:  # one digest a token, not one a call
            self._token_ids.clear()
        digest = self._digest(("token", issuer), jti.encode("utf-8", "surrogatepass"))
        self._token_ids[issuer, jti] = digest
        return digest

    def _one(self, target: str, name: str, argument_class: str, value: object) -> Redacted:
        try:
            match argument_class:
                case "clear":
                    return {"clear": _clear(value)}
                case "drop":
                    return _dropped(value)
                case _:
                    return {"hmac": self.argument_digest(target, name, value)}
        except (ValueError, TypeError, RecursionError):
            return _dropped(value)

    def _digest(self, domain: tuple[str, ...], value: bytes) -> str:
        keyed = self._keyed.copy()  # half the price of keying it again
        keyed.update(_head(domain) + value)
        return f"{self.kid}:{keyed.hexdigest()[:_DIGEST_CHARACTERS]}"


def _clear(value: object) -> str | int | bool | None:
    """A value as it may be shown: small integers, booleans and null as they are, anything else as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return int(value)
    return sanitise(value if isinstance(value, str) else _json(value))


def _dropped(value: object) -> Redacted:
    """That there was a value: of which JSON type and, for text, how long."""
    kind = next((name for python, name in _KINDS.items() if isinstance(value, python)), "other")
    if isinstance(value, str):
        return {"drop": kind, "length": len(value)}
    return {"drop": kind}


def _cost(name: str, shown: Redacted) -> int:
    """At most how many bytes an argument takes, as it is shown."""
    text = shown.get("clear", shown.get("hmac"))
    return 2 * len(name) + 48 + (written_size(text) if isinstance(text, str) else 16)


@lru_cache(maxsize=1024)
def _head(domain: tuple[str, ...]) -> bytes:
    """The line before the value; there is one for each declared argument, target and issuer."""
    return _json(["launchworthy-redaction/1", *domain]).encode() + b"\n"
