"""What if a token reaches the operations log after all? The last line: tokens and keys are cut out.

Nothing should ever be found here: no part of the server formats a token. So a hit is counted by kind, is a
metric, and fails tests; the text goes out with `[scrubbed:<kind>]` in its place. A closed list of shapes that
are nothing but secrets; finding secrets in projects is another matter (`launchworthy.detection`).
"""

import re
from collections import Counter

_KINDS = {
    "private_key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)",
    "jwt": r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}|eyJ[A-Za-z0-9_+/-]{40,}",
    "authorization": r"(?i:\b(?:bearer|dpop|basic)[ ]+[A-Za-z0-9._~+/-]{8,}=*)(?![A-Za-z0-9._~+/=\"-])",
    "parameter": (
        r"(?i:\b(?:access_token|refresh_token|id_token|client_secret|client_assertion|code_verifier|password)"
        r"[\"']?[ ]*[=:][ ]*[\"']?)[A-Za-z0-9._~+/%-]{8,}=*"
    ),
    "userinfo": r"(?<=://)[^/\s:@\"']{1,64}:[^/\s@\"']{1,256}(?=@)",
    "aws": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "github": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,})",
    "gitlab": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "google": r"\b(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})",
    "openbao": r"\b(?:hv[sbr]|s)\.[A-Za-z0-9_-]{24,}",
    "package_index": r"\b(?:pypi-[A-Za-z0-9_-]{50,}|npm_[A-Za-z0-9]{36})",
    "slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "service": r"\b(?:sk-[A-Za-z0-9_-]{20,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,})",
}
_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))


class Scrubber:
    """Cuts secrets out of texts.

    Attributes:
        hits: how often, by kind; all zero in a server that is right.
    """

    def __init__(self) -> None:
        """Nothing was found yet."""
        self.hits: Counter[str] = Counter()

    def scrub(self, text: str) -> str:
        """The text without what looks like a token or a key."""
        return _ANY.sub(self._cut, text)

    def _cut(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or "secret"
        self.hits[kind] += 1
        return f"[scrubbed:{kind}]"
