"""Is there a private key? PEM (RFC 7468), the same in base64, JWK (RFC 7517), PuTTY's files."""

import re
from collections.abc import Iterator

from launchworthy.detection.benign import is_placeholder
from launchworthy.detection.randomness import looks_generated
from launchworthy.detection.shape import Shape, decoded

_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----(?P<body>[^-]{0,200})", re.DOTALL
)
_PEM_BODY = re.compile(r"[A-Za-z0-9+/=]{20,}")
_PEM_IN_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]{60,9000}")
_JWK_PRIVATE = re.compile(r'"(?:d|k)"\s{0,9}:\s{0,9}"(?P<value>[A-Za-z0-9_-]{22,2000})"')
_JWK_TYPE = re.compile(r'"kty"\s{0,9}:\s{0,9}"(?:RSA|EC|OKP|oct|AKP)"')
_JWK_REACH = 1500
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d:[^\n]*\n(?:[^\n]*\n){2,12}?Private-Lines: \d+")


def private_keys(text: str) -> Iterator[Shape]:
    """Every private key; a header without a key behind it is none."""
    if "PRIVATE KEY" in text:
        yield from _pem(text)
    if "LS0tLS1CRUdJTi" in text:
        yield from _pem_in_base64(text)
    if '"kty"' in text:
        yield from _jwk(text)
    if "PuTTY-User-Key-File" in text:
        for found in _PUTTY.finditer(text):
            yield Shape("private-key", found.group(), found.start())


def _pem(text: str) -> Iterator[Shape]:
    for found in _PEM.finditer(text):
        body = _PEM_BODY.search(found["body"].replace("\\n", "\n"))
        if body is not None and not is_placeholder(body.group()):
            yield Shape("private-key", found.group(), found.start())


def _pem_in_base64(text: str) -> Iterator[Shape]:
    for found in _PEM_IN_BASE64.finditer(text):
        if "PRIVATE KEY" in decoded("".join(found.group().split())[:128]):
            yield Shape("private-key", found.group(), found.start())


def _jwk(text: str) -> Iterator[Shape]:
    for found in _JWK_PRIVATE.finditer(text):
        around = text[max(0, found.start() - _JWK_REACH) : found.end() + _JWK_REACH]
        if _JWK_TYPE.search(around) is not None and looks_generated(found["value"]):
            yield Shape("private-jwk", found["value"], found.start("value"))
