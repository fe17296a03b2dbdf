"""Where a secret can be had: a reference names the place and never holds the value."""

from dataclasses import dataclass
from enum import StrEnum


class SecretScheme(StrEnum):
    """Who keeps it. There is no `plain:` and no `env:`."""

    FILE = "file"
    OPENBAO = "openbao"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """`scheme:locator#key@version`; resolved by a broker only, inside a lease.

    Attributes:
        scheme: who keeps it.
        locator: a path in that keeper's own grammar.
        key: the field of a keeper's record, where it has several.
        version: a fixed version, or None for the newest.
    """

    scheme: SecretScheme
    locator: str
    key: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        """The reference as it is written in the settings."""
        key = f"#{self.key}" if self.key is not None else ""
        version = f"@{self.version}" if self.version is not None else ""
        return f"{self.scheme}:{self.locator}{key}{version}"
