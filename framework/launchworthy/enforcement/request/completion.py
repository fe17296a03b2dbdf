"""Which argument of what is to be completed? The parameters of `completion/complete`, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from launchworthy.manifest import TargetKind
from launchworthy.vocabulary import Reason, Refused

MAX_TYPED: Final = 1024
"""Characters of a text that is being typed."""
MAX_GIVEN: Final = 64
_NAMED_BY: Final = {"ref/prompt": (TargetKind.PROMPT, "name"), "ref/resource": (TargetKind.RESOURCE, "uri")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client wants completed.

    Attributes:
        kind: a prompt or a resource.
        named: the prompt's name, or the resource's template as it is listed.
        argument: the name of the argument.
        typed: its text so far.
        given: the other arguments, as far as the client knows them.
    """

    kind: TargetKind
    named: str
    argument: str
    typed: str
    given: Mapping[str, str]


def read_completion(params: Mapping[str, object]) -> Wanted:
    """Read what is asked for.

    Raises:
        Refused: `protocol.invalid`.
    """
    ref, argument = _table(params.get("ref")), _table(params.get("argument"))
    named_by = _NAMED_BY.get(str(ref.get("type")))
    if named_by is None:
        raise _invalid("`ref` is neither a prompt nor a resource")
    kind, key = named_by
    given = _table(_table(params.get("context", {})).get("arguments", {}))
    texts = (ref.get(key), argument.get("name"), argument.get("value"), *given, *given.values())
    if len(given) > MAX_GIVEN or any(not isinstance(text, str) or len(text) > MAX_TYPED for text in texts):
        raise _invalid("a name or a value is missing, no text, or too long")
    return Wanted(kind=kind, named=ref[key], argument=argument["name"], typed=argument["value"], given=given)


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid("`ref`, `argument` and `context` are objects")
    return value


def _invalid(detail: str) -> Refused:
    return Refused(Reason.PROTOCOL_INVALID, detail)
