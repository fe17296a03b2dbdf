"""Does this URI mean that declared resource, and what are its variables?

A declared URI is literal text and `{name}` variables; the manifest has seen to it that no two of them can
mean the same. A variable is one or more characters of a path segment (RFC 3986 §3.3, without the `&` and `,`
that the SDK ends a value at), and is decoded exactly once: a value can bring no separator of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote

MAX_URI = 4096
_VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_PLAIN = "!$'()*+;=:@"
_VALUE = r"((?:[A-Za-z0-9._~!$'()*+;=:@-]|%[0-9A-Fa-f]{2})+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class UriTemplate:
    """One declared URI, with variables or without.

    Attributes:
        text: as declared.
        variables: their names in order; none for a concrete URI.
        pattern: what matches the URIs that it means.
    """

    text: str
    variables: tuple[str, ...]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a URI that the manifest has accepted."""
        literals = _VARIABLE.split(text)[::2]
        pattern = _VALUE.join(re.escape(literal) for literal in literals)
        return cls(text=text, variables=tuple(_VARIABLE.findall(text)), pattern=re.compile(pattern))

    def match(self, uri: str) -> dict[str, str] | None:
        """The variables' values, decoded; None where the URI means something else."""
        found = self.pattern.fullmatch(uri)
        if found is None:
            return None
        try:
            values = [unquote(raw, errors="strict") for raw in found.groups()]
        except UnicodeDecodeError:
            return None
        return dict(zip(self.variables, values, strict=True))


def spell(template: str, values: Mapping[str, str]) -> str:
    """Write a URI in its one spelling; a variable that has no value stays as `{name}`."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return quote(values[name], safe=_PLAIN) if name in values else found[0]

    return _VARIABLE.sub(value, template)
