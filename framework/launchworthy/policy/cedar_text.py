"""Where does each rule stand in a Cedar text?

Cedar's own errors have no position, so a file is cut into statements first, at the `;` that stand in no
string and in no comment. A wrong cut shows at once: each piece is parsed, and the whole is compared with its
pieces.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|//[^\n]*)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<end>;)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<operator>[.+*-]|&&|\|\||\b(?:if|has|is|in|like)\b)
    | (?P<other>\w+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
MAX_DEPTH = 32
MAX_OPERATORS = 400
"""Cedar's parser recurses on brackets and operators without a limit: 800 open ones end the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, without the comments around it.

    Attributes:
        text: from its first token to its `;`, where it has one.
        line: of its first token, counted from 1.
        depth: how many brackets are open at once.
        operators: how many operators it holds.
    """

    text: str
    line: int
    depth: int
    operators: int


def statements(text: str) -> tuple[Statement, ...]:
    """Cut a Cedar text; what is no Cedar becomes a statement that Cedar refuses."""
    found = []
    tokens: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup != "blank":
            tokens.append(token)
        if token.lastgroup == "end":
            found.append(_statement(text, tokens))
            tokens = []
    if tokens:
        found.append(_statement(text, tokens))
    return tuple(found)


def _statement(text: str, tokens: list[re.Match[str]]) -> Statement:
    start, end = tokens[0].start(), tokens[-1].end()
    kinds = [token.lastgroup for token in tokens]
    steps = accumulate((kind == "open") - (kind == "close") for kind in kinds)
    return Statement(
        text=text[start:end],
        line=text.count("\n", 0, start) + 1,
        depth=max(steps),
        operators=kinds.count("operator"),
    )
