"""What are the values of a manifest made of? Names, scopes, texts and times."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from launchworthy.manifest.duration import DURATION_PATTERN, parse_duration
from launchworthy.manifest.egress import read_destination
from launchworthy.manifest.rate import RATE_PATTERN, parse_rate
from launchworthy.manifest.template import template_mistake
from launchworthy.vocabulary import is_scope

MAX_TIMEOUT_SECONDS = 300.0
TIMEOUT_SECONDS = 30.0
"""Of a call whose manifest says nothing."""
MAX_CREDENTIAL_SECONDS = 3600.0


class Table(BaseModel):
    """A table of a manifest: closed, and read as strictly as JSON can be."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _scope(text: str) -> str:
    if not is_scope(text):
        raise PydanticCustomError("bad-value", "no scope: printable ASCII without space, quote and backslash")
    return text


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("bad-value", "one thing is named twice")
    return values


def _timeout(text: str) -> str:
    if parse_duration(text) > MAX_TIMEOUT_SECONDS:
        raise PydanticCustomError("bad-value", f"longer than {MAX_TIMEOUT_SECONDS:.0f} s")
    return text


def _credential_time(text: str) -> str:
    seconds = parse_duration(text)
    if not seconds.is_integer() or not 1 <= seconds <= MAX_CREDENTIAL_SECONDS:
        raise PydanticCustomError("bad-value", "whole seconds, and not more than an hour")
    return text


def _rate(text: str) -> str:
    try:
        return str(parse_rate(text))
    except ValueError as error:
        raise PydanticCustomError("bad-value", str(error)) from None


def _acts_on(text: str) -> str:
    if (mistake := template_mistake(text, is_uri=False)) is not None:
        raise PydanticCustomError("bad-value", mistake)
    return text


def _uri(text: str) -> str:
    if (mistake := template_mistake(text, is_uri=True)) is not None:
        raise PydanticCustomError("bad-value", mistake)
    return text


def _egress(text: str) -> str:
    try:
        return str(read_destination(text))
    except ValueError as error:
        raise PydanticCustomError("bad-value", str(error)) from None


def _retention(value: object) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(str(value)))
    except ValueError as error:
        raise PydanticCustomError("bad-value", str(error)) from None


def _reference(text: str) -> str:
    if ".." in text.split("/"):
        raise PydanticCustomError("bad-value", "it must be a path below the project, or an https URL")
    return text


Unique = AfterValidator(_unique)
Name = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,62}$")]
"""Of a function or of an argument."""
InputName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}\??$")]
Scope = Annotated[str, AfterValidator(_scope)]
Timeout = Annotated[str, StringConstraints(pattern=DURATION_PATTERN), AfterValidator(_timeout)]
CredentialName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]{0,31}$")]
CredentialTime = Annotated[str, StringConstraints(pattern=DURATION_PATTERN), AfterValidator(_credential_time)]
Egress = Annotated[str, AfterValidator(_egress)]
RateText = Annotated[str, StringConstraints(pattern=RATE_PATTERN), AfterValidator(_rate)]
Retention = Annotated[
    timedelta,
    BeforeValidator(_retention),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
ActsOn = Annotated[str, AfterValidator(_acts_on)]
Uri = Annotated[str, AfterValidator(_uri)]
Group = Annotated[str, StringConstraints(pattern=r"^@[a-z0-9][a-z0-9.-]{0,62}/[a-z0-9][a-z0-9._-]{0,62}$")]
Line = Annotated[str, StringConstraints(pattern=r"^\S([^\n\r\t]{0,298}\S)?$")]
Contact = Annotated[
    str, StringConstraints(pattern=r"^(https://[^\s/]+\S*|[^\s@]+@[^\s@/]+)$", max_length=300)
]
Reference = Annotated[
    str,
    StringConstraints(pattern=r"^(https://)?[A-Za-z0-9.][A-Za-z0-9._/#:-]{0,290}$"),
    AfterValidator(_reference),
]
