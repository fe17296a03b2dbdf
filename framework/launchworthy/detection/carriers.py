"""Is a secret carried by something else? URLs, headers, command lines, logins of registries."""

import re
from collections.abc import Iterator

from launchworthy.detection.benign import is_benign, is_placeholder, is_reference
from launchworthy.detection.judgement import Place, judge
from launchworthy.detection.randomness import looks_generated
from launchworthy.detection.shape import Shape, decoded

_URL = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,30})://(?P<user>[^\s/:@"'<>`|,\\]{0,128})"""
    r""":(?P<value>[^\s/"'<>`\\]{1,256}?)@(?P<host>[^\s/:@"'<>`,]{1,253})"""
)
_URL_REACH = 420
_URL_LEAD = 31
_BUILT = re.compile(r"^[$%{<*]|[$%}>]$|\{")
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1", "host.docker.internal"})  # noqa: S104
_MIN_URL_PASSWORD = 3
_HEADER = re.compile(
    r"(?P<scheme>bearer|basic|token|apikey)[ \t]{1,40}(?P<value>[a-z0-9._~+/=-]{8,900})(?![a-z0-9._~+/=-])"
)
_DOCKER = re.compile(r"""["']auth["']\s{0,9}:\s{0,9}["'](?P<value>[A-Za-z0-9+/=]{8,900})["']""")
_COMMANDS = (
    (
        ("curl ", "wget ", "http ", "https ", "xh "),
        re.compile(
            r"""\b(?:curl|wget|http|https|xh)\b[^\n|]{0,300}?\s(?:-u|--user|--proxy-user|--auth)[ =]{1,9}"""
            r"""["']?[^\s:"'$]{1,64}:(?P<value>[^\s"']{3,128})"""
        ),
    ),
    (("sshpass",), re.compile(r"""\bsshpass\s+-p[ \t]{0,40}["']?(?P<value>[^\s"'|;&]{3,128})""")),
    (
        ("mysql", "mariadb"),
        re.compile(
            r"""\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|]{0,200}?\s-p["']?(?P<value>[^\s"'|;&]{3,128})"""
        ),
    ),
    (
        ("docker login", "redis-cli"),
        re.compile(
            r"""\b(?:docker\s+login\b[^\n|]{0,200}?\s-p|redis-cli\b[^\n|]{0,200}?\s-a)[ \t]{1,40}"""
            r"""["']?(?P<value>[^\s"'|;&]{3,128})"""
        ),
    ),
    (
        ("ldap",),
        re.compile(r"""\bldap\w{3,9}\b[^\n|]{0,200}?\s-w[ \t]{1,40}["']?(?P<value>[^\s"'|;&]{3,128})"""),
    ),
    (
        ("htpasswd ",),
        re.compile(
            r"""\bhtpasswd\s+-[A-Za-z]*b[A-Za-z]*\s+\S{1,200}\s+\S{1,64}\s+["']?(?P<value>[^\s"'|;&\\]{3,128})"""
        ),
    ),
    (("-pass",), re.compile(r"""-pass(?:in|out)?[ \t]{1,40}pass:["']?(?P<value>[^\s"'|;&]{3,128})""")),
)
_MIN_BASIC = 3
_CALLS = (
    "login(",
    "auth=(",
    "auth = (",
    "auth(",
    "authentication(",
    "credential(",
    "credentials(",
    "getconnection(",
)
_USER_AND_PASSWORD = re.compile(
    r"""[^,"'()\n]{0,60}(?:"[^"\n]{1,300}"[ ]?,\s{0,9}(?=["'][^"'\n]{1,128}["'],))?"""
    r"""(?P<first>["'])[^"'\n]{1,128}(?P=first)\s{0,9},\s{0,40}(?P<quote>["'])(?P<value>[^"'\n]{3,128})(?P=quote)"""
)
_STATEMENTS = (
    (
        ("identified ", "password '"),
        re.compile(
            r"\b(?:user|role|login|to)\b[^\n;]{0,160}?"
            r"\b(?:identified[ ]{1,9}(?:with[ ]{1,9}\S{1,40}[ ]{1,9})?by|(?:with|encrypted)[ ]{1,9}password)"
            r"[ ]{1,9}'(?P<value>[^'\n]{3,128})'",
            re.IGNORECASE,
        ),
    ),
    (("@tcp(", "@unix("), re.compile(r"[\w.-]{1,64}:(?P<value>[^@\s\"']{3,128})@(?:tcp|unix)\(")),
    (("sqlplus",), re.compile(r"\bsqlplus\b[^\n|]{0,99}?\s[\w.-]{1,64}/(?P<value>[^@\s\"'/]{3,128})@")),
    (
        ("chpasswd",),
        re.compile(
            r"""\b[a-z_][\w-]{0,31}:(?P<value>[^\s"'|]{3,128})["']?[ ]{0,9}\|[ ]{0,9}(?:sudo )?chpasswd"""
        ),
    ),
    (
        ("chpasswd:",),
        re.compile(
            r"\bchpasswd:[ ]{0,9}\n(?:[ ]{1,40}[^\n]{0,200}\n){0,9}?[ ]{1,40}(?:-[ ]{1,9})?[a-z_][\w-]{0,31}:"
            r"(?P<value>[^\s:]{3,128})$",
            re.MULTILINE,
        ),
    ),
)


def carried(text: str, lowered: str) -> Iterator[Shape]:
    """Every secret that something else carries."""
    yield from _in_urls(text)
    yield from _in_headers(text, lowered)
    yield from _in_calls(text, lowered)
    for signs, pattern in _COMMANDS + _STATEMENTS:
        if any(sign in lowered for sign in signs):
            for found in pattern.finditer(text):
                if not is_benign(found["value"]):
                    yield Shape("command-line-password", found["value"], found.start("value"))
    if "auth" in text:
        for found in _DOCKER.finditer(text):
            if _is_login(found["value"]):
                yield Shape("registry-login", found["value"], found.start("value"))


def _in_urls(text: str) -> Iterator[Shape]:
    at = text.find("://")
    while at >= 0:
        line_end = text.find("\n", at, at + _URL_REACH)
        if text.find("@", at, line_end if line_end >= 0 else at + _URL_REACH) >= 0:
            start = at
            while start > max(0, at - _URL_LEAD) and (text[start - 1].isalnum() or text[start - 1] in "+.-"):
                start -= 1
            found = _URL.match(text, start)
            if found is not None and _is_password(found):
                yield Shape("url-password", found["value"], found.start("value"))
        at = text.find("://", at + 3)


def _is_password(found: re.Match[str]) -> bool:
    """Whether what stands between colon and `@` is a password, not a form to fill in or a local default."""
    user, value, host = found["user"], found["value"], found["host"]
    if len(value) < _MIN_URL_PASSWORD or value.isdigit() or host.startswith(("example.", "host")):
        return False
    if is_reference(value) or is_placeholder(value) or _BUILT.search(value) is not None:
        return False
    return not (user.lower() == value.lower() and host.lower() in _LOCAL)


def _in_calls(text: str, lowered: str) -> Iterator[Shape]:
    """`auth=("user", "password")`, `NetworkCredential("user", "password")`: told by what is called."""
    for sign in _CALLS:
        at = lowered.find(sign)
        while at >= 0:
            found = _USER_AND_PASSWORD.match(text, at + len(sign))
            if found is not None and judge("password", found["value"], Place.SOURCE) is not None:
                yield Shape("password-argument", found["value"], found.start("value"))
            at = lowered.find(sign, at + 1)


def _in_headers(text: str, lowered: str) -> Iterator[Shape]:
    """`Authorization: Bearer …` (RFC 6750 §2.1), `Basic …` (RFC 7617) and their relatives."""
    for found in _HEADER.finditer(lowered):
        start, end = found.span("value")
        value = text[start:end]
        if is_benign(value):
            continue
        if _is_login(value) if found["scheme"] == "basic" else looks_generated(value):
            yield Shape("authorization-header", value, start)


def _is_login(value: str) -> bool:
    """Whether this is `user:password` in base64, with a password that was chosen or generated."""
    user, colon, password = decoded(value).partition(":")
    printable = user.isprintable() and password.isprintable()
    return colon == ":" and printable and len(password) >= _MIN_BASIC and not is_benign(password)
