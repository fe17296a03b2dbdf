"""What may a setting hold? Closed types only: no field takes any text, so none can take a secret.

Each is an `Annotated` type that a team's `AppSettings` may use as well. The markers are looked for when a
class is defined (`class_check.py`): a plain `str` has none and is refused.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from launchworthy.manifest import parse_duration

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*([_.-][a-z0-9]+)*")
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/@._~-]{0,254}")
_CLAIM = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,127}(=[A-Za-z0-9_.:/-]{1,128})?")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Closed:
    """Marks a text whose form is closed; `form` says which."""

    form: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """Marks a field that the deployment may set by a variable; every other one is promoted with the code."""


DEPLOYMENT = Deployment()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by number or by the one name for it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of a URL that was checked."""
    return urlsplit(url).hostname or ""


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"}:
        raise ValueError("a URL begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL holds no user and no password")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("a URL has no query and no fragment here")
    host = parts.hostname or ""
    if not (is_loopback(host) or _HOST.fullmatch(host)) or parts.netloc != parts.netloc.lower():
        raise ValueError("a URL names a host, in lower case")
    if parts.port == 0 or (parts.path and _PATH.fullmatch(parts.path) is None):
        raise ValueError("a URL has a path of plain characters")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("http is for loopback only; use https")
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


def _claim(text: str) -> str:
    if _CLAIM.fullmatch(text) is None:
        raise ValueError("expected the name of a claim")
    return text


def _endpoint(text: str) -> str:
    path = text.removeprefix("unix://")
    if not path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ValueError("expected `unix:///path/to/socket` or the absolute path of a token file")
    return text


def _address(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        raise ValueError("expected `host:port`")  # noqa: TRY004 - pydantic's way to refuse
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
        raise ValueError("expected `host:port`, such as `127.0.0.1:8443`")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError("a listener has an IP address, such as `127.0.0.1` or `0.0.0.0`") from None
    return (host, int(port))


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts or "\x00" in str(path):
        raise ValueError("expected an absolute path")
    return path


def _data_file(path: Path, info: ValidationInfo) -> Path:
    if path.is_absolute() or not path.parts or ".." in path.parts or "\x00" in str(path):
        raise ValueError("a data file is a path below the server's data directory, without `..`")
    directory = (info.context or {}).get("data_directory")
    return path if directory is None else Path(directory) / path


Url = Annotated[str, Closed("URL"), AfterValidator(_url)]
"""An https URL (http on loopback only) without user, password, query and fragment; kept byte for byte."""
Origin = Annotated[str, Closed("origin"), AfterValidator(_origin)]
"""A `Url` without a path."""
Hostname = Annotated[str, Closed("host name"), AfterValidator(_hostname)]
"""A host name in lower case (RFC 1123)."""
Identifier = Annotated[str, Closed("identifier"), AfterValidator(_identifier)]
"""A lower-case name such as `eu-west-1`, at most 64 characters."""
Subject = Annotated[str, Closed("subject"), AfterValidator(_subject)]
"""A SPIFFE ID, or the `sub` of a platform's token."""
Claim = Annotated[str, Closed("claim"), AfterValidator(_claim)]
"""The name of a claim, where it is allowed with a value (`kind=person`)."""
Endpoint = Annotated[str, Closed("endpoint"), AfterValidator(_endpoint)]
"""`unix:///…`, or the absolute path of a token file."""
Address = Annotated[tuple[str, int], Closed("address"), BeforeValidator(_address)]
"""`host:port` with an IP address."""
Duration = Annotated[float, Closed("duration"), BeforeValidator(_duration), Field(gt=0, le=86400 * 400)]
"""`250ms`, `10s`, `2m`, `1h`, `400d`; seconds."""
AbsolutePath = Annotated[Path, Closed("absolute path"), AfterValidator(_absolute)]
"""An absolute path without `..`."""
DataFile = Annotated[Path, Closed("data file"), AfterValidator(_data_file)]
"""A path below the server's data directory; absolute once the settings are loaded, scratch in tests."""
