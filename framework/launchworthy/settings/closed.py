"""What may a setting hold? Closed types only: no field takes any text, so none can take a secret.

Each is an `Annotated` type that a team's `AppSettings` may use as well. What counts is the very marker and
the very validator made here (`is_closed`): no marker of one's own does, and no other validator beside them.
"""

import datetime as dt
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Annotated, Any, Final, get_args
from urllib.parse import urlsplit

import annotated_types
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
)
from pydantic.fields import FieldInfo

from launchworthy.manifest import parse_duration
from launchworthy.settings.secret_refs import parse_secret_ref
from launchworthy.vocabulary import SecretRef

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*([_.-][a-z0-9]+)*")
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/@._~-]{0,254}")
_PEER = re.compile(r"spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)*")
_CLAIM = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,127}(=[A-Za-z0-9_.:/-]{1,128})?")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_URL = re.compile(r"https?://[a-z0-9.:\[\]-]+(/[!-~]*)?")
_STORE_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_ARN = re.compile(r"arn:aws(-[a-z]{2,8}){0,2}:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,128}")
_NUMBER_LIKE = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_FILE = re.compile(r"[A-Za-z0-9._~@+=:,%/-]{1,1024}")
_OWNER = re.compile(r"@[a-z0-9][a-z0-9.-]{0,62}/[a-z0-9][a-z0-9._-]{0,62}")
_SENTENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.;:()'/_-]{38,298}[A-Za-z0-9.)]")
_LONGEST_WORD = 32
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE_MARKS = frozenset(" ./-_+@~")
_MAX_PLACE = 512
_MAX_NAME = 255
_MAX_PORT = 65535
_MAX_URL = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """Marks a value whose form is closed; `form` says which. Only the ones of this module count."""

    form: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """Marks a field that the deployment may set by a variable; every other one is promoted with the code."""


DEPLOYMENT = Deployment()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by number or by a name reserved for it (RFC 6761 §6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of a URL that was checked."""
    return urlsplit(url).hostname or ""


def _url(text: str) -> str:
    if len(text) > _MAX_URL or not text.isascii() or not text.startswith(("https://", "http://")):
        raise ValueError("a URL begins with https://")
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL holds no user and no password")
    if "?" in text or "#" in text:
        raise ValueError("a URL has no query and no fragment here")
    host = parts.hostname or ""
    if _URL.fullmatch(text) is None or not (is_loopback(host) if "[" in text else _is_host(host)):
        raise ValueError("a URL names a host, in lower case")
    if not _is_port(parts.netloc) or (parts.path and _PATH.fullmatch(parts.path) is None):
        raise ValueError("a URL has a path of plain characters")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("http is for loopback only; use https")
    return text


def _is_host(host: str) -> bool:
    """A name, an IPv4 address as it is usually written, or a loopback address."""
    if _NUMBER_LIKE.fullmatch(host.rpartition(".")[2]) is None:
        return is_loopback(host) or _HOST.fullmatch(host) is not None
    try:  # what ends in a number is read as an address by some, whatever its form
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _is_port(netloc: str) -> bool:
    _, colon, port = netloc.rpartition("]")[2].partition(":")
    return not colon or (_PORT.fullmatch(port) is not None and int(port) <= _MAX_PORT)


def _store_url(text: str) -> str:
    scheme, _, place = text.partition("://")
    host, _, port = place.rpartition(":")
    if scheme not in ("rediss", "redis") or not _is_host(host) or not _PORT.fullmatch(port):
        raise ValueError("expected `rediss://host:port`, without user, password and path")
    if int(port) > _MAX_PORT:
        raise ValueError("a port is at most 65535")
    if scheme == "redis" and not is_loopback(host):
        raise ValueError("redis:// is for loopback only; use rediss://")
    return text


def _origin(text: str) -> str:
    _url(text)
    if urlsplit(text).path:
        raise ValueError("an origin has no path")
    return text


def _hostname(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError("expected a host name in lower case")
    return text


def _identifier(text: str) -> str:
    if len(text) > 64 or _IDENTIFIER.fullmatch(text) is None:  # noqa: PLR2004 - the length of a label
        raise ValueError("expected a lower-case name such as `eu-west` of at most 64 characters")
    return text


def _subject(text: str) -> str:
    if _SUBJECT.fullmatch(text) is None:
        raise ValueError("expected a SPIFFE ID or the subject of a token")
    return text


def _peer(text: str) -> str:
    if len(text) > _MAX_URL or _PEER.fullmatch(text) is None or ".." in text:
        raise ValueError("expected a SPIFFE ID, or a trust domain as `spiffe://acme.example`")
    return text


def _claim(text: str) -> str:
    if _CLAIM.fullmatch(text) is None:
        raise ValueError("expected the name of a claim")
    return text


def _owner(text: str) -> str:
    if _OWNER.fullmatch(text) is None:
        raise ValueError("expected a group, never a person: `@acme/orders`")
    return text


def _sentence(text: str) -> str:
    words = text.split(" ")
    if _SENTENCE.fullmatch(text) is None or not all(1 <= len(word) <= _LONGEST_WORD for word in words):
        raise ValueError("expected a sentence in plain words, of 40 to 300 characters")
    return text


def _day(value: object) -> dt.date:
    text = str(value) if isinstance(value, str | dt.date) else ""
    try:
        if _DAY.fullmatch(text) is not None:
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("expected a day, such as 2027-01-31")


def _endpoint(text: str) -> str:
    path = text.removeprefix("unix://")
    if text == "github://actions":
        return text
    if not path.startswith("/") or not _is_path(path):
        raise ValueError(
            "expected `unix:///path/to/socket`, the absolute path of a token file, or `github://actions`"
        )
    return text


def _store_path(text: str) -> str:
    if len(text) > _MAX_NAME or _STORE_PATH.fullmatch(text) is None:
        raise ValueError("expected a mount and a path, such as `payments/creds/refunds`")
    return text


def _arn(text: str) -> str:
    if _ARN.fullmatch(text) is None:
        raise ValueError("expected the ARN of a role")
    return text


def _address(value: object) -> object:
    match value:
        case str():
            host, _, port = value.rpartition(":")
            host = host.removeprefix("[").removesuffix("]")
        case (str(host), int(number)):
            port = str(number)
        case _:
            raise ValueError("expected `host:port`")
    if _PORT.fullmatch(port) is None or int(port) > _MAX_PORT:
        raise ValueError("expected `host:port`, such as `127.0.0.1:8443`")
    if "%" in host or not _is_ip(host):
        raise ValueError("a listener has an IP address, such as `127.0.0.1` or `0.0.0.0`")
    return (host, int(port))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _is_path(text: str) -> bool:
    """Plain characters, a bounded length, and no way up."""
    parts = PurePosixPath(text).parts
    return (
        _FILE.fullmatch(text) is not None
        and ".." not in parts
        and all(len(part) <= _MAX_NAME for part in parts)
    )


def _is_place(text: str) -> bool:
    """As people name folders: letters of any script with their marks, digits and spaces; no way up.

    Nothing that ends a value elsewhere (quotes, commas, colons), and nothing that is not seen.
    """
    return (
        len(text) <= _MAX_PLACE
        and all(each in _PLACE_MARKS or _is_letter_or_digit(each) for each in text)
        and ".." not in PurePosixPath(text).parts
        and all(len(part.encode()) <= _MAX_NAME for part in PurePosixPath(text).parts)
    )


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category in ("Mn", "Mc", "Nd")


def _absolute(value: object) -> Path:
    text = str(value) if isinstance(value, str | PurePath) else ""
    if not text.startswith("/") or not _is_place(text):
        raise ValueError(
            "expected an absolute path of letters, digits, spaces and `./-_+@~`, without `..`, of at most"
            f" {_MAX_PLACE} characters"
        )
    return Path(text)


def _data_file(value: object, info: ValidationInfo) -> Path:
    text = str(value) if isinstance(value, str | PurePath) else ""
    if text.startswith("/") or not _is_path(text) or not PurePosixPath(text).parts:
        raise ValueError("a data file is a path below the server's data directory, without `..`")
    directory = (info.context or {}).get("data_directory")
    return Path(text) if directory is None else Path(directory) / text


def _reference(value: object, info: ValidationInfo) -> SecretRef:
    if not isinstance(value, str | SecretRef):
        raise ValueError("a reference is `file:` or `openbao:` and a path")  # noqa: TRY004 - pydantic's way
    directory = (info.context or {}).get("credentials_directory")
    return parse_secret_ref(str(value), credentials_directory=directory)


Url = Annotated[str, Closed("URL"), AfterValidator(_url)]
"""An https URL (http on loopback only) without user, password, query and fragment; kept byte for byte."""
Origin = Annotated[str, Closed("origin"), AfterValidator(_origin)]
"""A `Url` without a path."""
StoreUrl = Annotated[str, Closed("store URL"), AfterValidator(_store_url)]
"""`rediss://host:port` (redis:// on loopback only)."""
Hostname = Annotated[str, Closed("host name"), AfterValidator(_hostname)]
"""A host name in lower case (RFC 1123)."""
Identifier = Annotated[str, Closed("identifier"), AfterValidator(_identifier)]
"""A lower-case name such as `eu-west-1`, at most 64 characters."""
Subject = Annotated[str, Closed("subject"), AfterValidator(_subject)]
"""A SPIFFE ID, or the `sub` of a platform's token."""
PeerName = Annotated[str, Closed("peer"), AfterValidator(_peer)]
"""A SPIFFE ID, or `spiffe://` and a trust domain for all of its workloads."""
Claim = Annotated[str, Closed("claim"), AfterValidator(_claim)]
"""The name of a claim, where it is allowed with a value (`kind=person`)."""
Owner = Annotated[str, Closed("group"), AfterValidator(_owner)]
"""Who answers for something: a group such as `@acme/orders`."""
Sentence = Annotated[str, Closed("sentence"), AfterValidator(_sentence)]
"""A reason in plain words, of 40 to 300 characters."""
Day = Annotated[dt.date, Closed("day"), BeforeValidator(_day)]
"""A date."""
Endpoint = Annotated[str, Closed("endpoint"), AfterValidator(_endpoint)]
"""`unix:///…`, the absolute path of a token file, or `github://actions`."""
StorePath = Annotated[str, Closed("path in a store"), AfterValidator(_store_path)]
"""A mount and a path in a secret store: `payments/creds/refunds`."""
Arn = Annotated[str, Closed("ARN of a role"), AfterValidator(_arn)]
"""The name of a role in AWS."""
Address = Annotated[tuple[str, int], Closed("address"), BeforeValidator(_address)]
"""`host:port` with an IP address."""
Duration = Annotated[float, Closed("duration"), BeforeValidator(_duration), Field(gt=0, le=86400 * 400)]
"""`250ms`, `10s`, `2m`, `1h`, `400d`; seconds."""
AbsolutePath = Annotated[Path, Closed("absolute path"), PlainValidator(_absolute, Path)]
"""An absolute path without `..`."""
DataFile = Annotated[Path, Closed("data file"), PlainValidator(_data_file, Path)]
"""A path below the server's data directory; absolute once the settings are loaded, scratch in tests."""
Reference = Annotated[
    SecretRef, Closed("reference"), PlainValidator(_reference, str), PlainSerializer(str, return_type=str)
]
"""The place of a secret: `file:/run/secrets/key`, `openbao:payments/creds#password`."""

_BESIDE: Final = frozenset(
    {
        annotated_types.Ge,
        annotated_types.Gt,
        annotated_types.Le,
        annotated_types.Lt,
        annotated_types.Interval,
        annotated_types.Len,
        annotated_types.MinLen,
        annotated_types.MaxLen,
        Deployment,
    }
)


def is_bound(mark: object) -> bool:
    """Whether a mark only narrows or describes its type, and so may stand beside any."""
    if isinstance(mark, FieldInfo):
        return all(is_bound(each) for each in mark.metadata)
    return type(mark) in _BESIDE


_TYPES: Final = (
    Url,
    Origin,
    StoreUrl,
    Hostname,
    Identifier,
    Subject,
    PeerName,
    Claim,
    Owner,
    Sentence,
    Day,
    Endpoint,
    StorePath,
    Arn,
    Address,
    Duration,
    AbsolutePath,
    DataFile,
    Reference,
)
_MADE_HERE: Final = tuple(
    (get_args(each)[0], tuple(mark for mark in get_args(each)[1:] if not is_bound(mark))) for each in _TYPES
)


def is_closed(annotation: Any, marks: tuple[Any, ...]) -> bool:
    """Whether a type and its marks (bounds left out) are those of a closed type: the same objects."""
    return any(
        annotation == kind and len(marks) == len(own) and all(a is b for a, b in zip(marks, own, strict=True))
        for kind, own in _MADE_HERE
    )
