"""What does the `WWW-Authenticate` of a server that is not ours say? RFC 9110 §11.6.1, all of its forms.

Ours must write one challenge in one form (`answer.read_challenge`). Others may write several, of several
schemes, with tokens where we have quoted strings; what breaks the grammar reads as malformed.
"""

import re
from collections.abc import Mapping

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar of RFC 9110 §5.6.2
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?:[ \t]+|$|(?=[ \t]*,))")
_PARAMETER = re.compile(rf'[ \t,]*({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))[ \t]*(?=,|$)')
_TOKEN68 = re.compile(r"[0-9A-Za-z._~+/-]+=*[ \t]*(?=,|$)")
_MOST = 8192
MALFORMED = "malformed"


def read_challenges(values: list[str]) -> Mapping[str, str] | None:
    """The parameters of the Bearer challenge, names in lower case.

    Returns:
        None where there is no Bearer challenge; one member, `malformed`, where two readers could differ.
    """
    found: Mapping[str, str] | None = None
    for value in values:
        for scheme, parameters in _challenges(value[:_MOST]):
            if scheme == MALFORMED:
                return {MALFORMED: value[:_MOST]}
            if scheme.lower() == "bearer":
                if found is not None:
                    return {MALFORMED: value[:_MOST]}
                found = parameters
    return found


def _challenges(value: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    rest = value.strip()
    while rest:
        parameter = _PARAMETER.match(rest) if found else None
        if parameter is not None:
            name = parameter[1].lower()
            if name in found[-1][1]:
                return [(MALFORMED, {})]
            quoted = parameter[2]
            found[-1][1][name] = parameter[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            rest = rest[parameter.end() :].strip()
            continue
        scheme = _SCHEME.match(rest)
        if scheme is None:
            return [(MALFORMED, {})]
        found.append((scheme[1], {}))
        rest = rest[scheme.end() :].strip()
        alone = None if _PARAMETER.match(rest) else _TOKEN68.match(rest)
        rest = rest[alone.end() :].strip() if alone is not None and "=" in alone[0] else rest
    return found
