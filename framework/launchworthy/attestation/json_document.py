"""What does this JSON say, and does it say anything twice? A record is read by one strict parser only.

RFC 8259 leaves duplicate names, NaN and huge numbers to the reader, and two readers that differ there can
be shown two records with one signature. Here all of them are refused, and whatever validates the document
gets the result of this parser, never the bytes.
"""

import json
from collections.abc import Sequence
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

MAX_CITED = 80
_Model = TypeVar("_Model", bound=BaseModel)


class MalformedRecordError(ValueError):
    """These bytes are no record; the text says why, without any value of the document."""


def read_model(document: bytes, model: type[_Model], *, limit: int) -> _Model:
    """Read a document of at most `limit` bytes into a strict model.

    Raises:
        MalformedRecordError: it is too long, not JSON, says something twice, or is not what the model wants.
    """
    try:
        return model.model_validate_json(json.dumps(_read_json(document, limit)))
    except RecursionError:
        raise MalformedRecordError("nested too deeply") from None
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False, include_context=False, include_input=False)
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedRecordError(f"`{cite(place)}`: {cite(first['msg'])}") from None


def cite(text: str, limit: int = MAX_CITED) -> str:
    """A stranger's words, safe to print: printable ASCII, at most `limit` characters."""
    shown = "".join(char if " " <= char <= "~" and char != "`" else "?" for char in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _read_json(document: bytes, limit: int) -> object:
    if len(document) > limit:
        raise MalformedRecordError(f"longer than {limit} bytes")
    try:
        value: object = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except MalformedRecordError:
        raise
    except ValueError:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise MalformedRecordError("not JSON in UTF-8") from None
    return value


def _without_duplicates(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedRecordError("a name stands twice in one object")
    return members


def _refuse_number(_text: str) -> NoReturn:
    raise MalformedRecordError("a number that is no integer")
