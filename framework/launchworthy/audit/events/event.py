"""What do all records have in common? The frozen model and the few types of field that a record may hold.

A field is text, a number, a yes or no, a tuple of words, or a dictionary of those: never a float (two
writers may disagree about one), never bytes, and nothing of a request's or a result's body. Text that comes
from elsewhere is sanitised here, when the event is made, so no caller can forget it.
"""

import json
from collections.abc import Mapping
from typing import Annotated, ClassVar, Protocol

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from launchworthy.audit.canonical import MAX_INTEGER, canonical
from launchworthy.audit.sanitiser import sanitise, sanitise_label, sanitise_name, sanitise_words

MAX_CLIENT_SAYS = 8


def _words(value: object) -> object:
    """Take any collection of strings; an unordered one gets an order that does not depend on the run."""
    if isinstance(value, set | frozenset):
        return sanitise_words(sorted(value))
    return sanitise_words(value) if isinstance(value, list | tuple) else value


def _client_says(value: object) -> object:
    """Keep the client's own words, whatever they are, as at most eight short texts."""
    if not isinstance(value, Mapping):
        return value
    pairs = tuple(value.items())[:MAX_CLIENT_SAYS]
    return {
        sanitise_name(str(name)): sanitise_label(
            said if isinstance(said, str) else json.dumps(said, default=_type)
        )
        for name, said in pairs
    }


def _type(value: object) -> str:
    return type(value).__name__


Text = Annotated[str, AfterValidator(sanitise)]
Label = Annotated[str, AfterValidator(sanitise_label)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
ClientSays = Annotated[dict[str, str], BeforeValidator(_client_says)]
Arguments = dict[str, dict[str, str | int | bool | None]]
"""What `ArgumentRedactor.redact` returns: a name and `{"clear": …}`, `{"hmac": …}` or `{"drop": …}`."""


class Record(Protocol):
    """What a stream writes: an event, or one that is written already."""

    @property
    def type(self) -> str:
        """The name in `EVENT_TYPES`."""

    @property
    def stranger(self) -> str | None:
        """What it is counted under, where nobody we know has caused it."""

    @property
    def weight(self) -> int:
        """How many requests it stands for."""

    def written(self) -> bytes:
        """Canonical JSON of what it says."""


class Event(BaseModel):
    """One kind of record. Subclasses add `type` and fields; `None` means that there is nothing to say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: ClassVar[str]
    """The name in `EVENT_TYPES`; on the wire `launchworthy.<type>.v1`."""

    def written(self) -> bytes:
        """Canonical JSON of what it says.

        Raises:
            CanonicalError: it holds what cannot be written.
        """
        return canonical(self.model_dump(exclude_defaults=True))

    @property
    def stranger(self) -> str | None:
        """For what nobody we know has caused: the reason it is counted under, else None.

        Such records share a tenth of the spool, so that strangers cannot push out an attempt.
        """
        return None

    @property
    def weight(self) -> int:
        """How many requests this record stands for."""
        return 1
