"""What was found, where, and never the value in sight."""

from dataclasses import dataclass
from dataclasses import field as _field

from launchworthy.vocabulary import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One secret in a text.

    Attributes:
        kind: what it looks like, kebab-case: `aws-access-key`, `private-key`, `password`.
        path: the path that the caller gave for the text.
        line: counted from 1.
        column: counted from 1, in characters; where the value begins.
        field: the name that it stands under, where there is one and it is fit to be printed.
        fingerprint_input: the value, for `fingerprint` only; it has no text and no repr.
    """

    kind: str
    path: str
    line: int
    column: int
    field: str | None
    fingerprint_input: Secret = _field(repr=False, hash=False, compare=False)
