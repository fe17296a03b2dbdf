"""Which commands and links does a document hold?

Commands stand in code: in a fence without a language (or of a shell), and in backticks. In what the
framework prints, and in comments of the template, they begin a clause. Nothing else is looked at.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template"
SOURCE = ROOT / "framework" / "launchworthy"
SHELL = {"", "sh", "console"}
_FENCE = re.compile(r"(?ms)^(?P<mark>```+)(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=mark)\s*$")
_SPAN = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"(?:^|(?<=[\s($|&;=]))launchworthy(?= +[a-z-])(?P<rest>.*)")
_SESSION = re.compile(r"\b(?:noxfile\.py|nox) -s ([a-z-]+)")
_SHORT = re.compile(r"(?:audit|control|dev|identity|manifest|policy|secrets) [a-z].*")
_END = re.compile(r" [#|·→]|\s*[;>)]|&&| {2,}(?![- ])|`")
_CLAUSE = re.compile(r'(?m)(?:^|/|[:;,("|`-] ?)(launchworthy [a-z-]+[^\n,:;()"`]*)')
_LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(([^)\s]+)\)")
_JINJA = re.compile(r"\{%-?.*?-?%\}")


def documents() -> Iterator[tuple[str, str]]:
    """Every document of ours by its path: Markdown as it is, and of the template without its logic."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted(TEMPLATE.rglob("*.md.jinja")):
        text = _JINJA.sub(" ", path.read_text(encoding="utf-8")).replace("{{ there }}", "launchworthy")
        yield str(path.relative_to(ROOT)), re.sub(r"\{\{.*?\}\}", "x", text)
    source = [path for kind in ("*.py", "*.toml") for path in SOURCE.rglob(kind)]
    for path in sorted([*source, *_others(TEMPLATE)]):
        clauses = _CLAUSE.findall(path.read_text(encoding="utf-8"))
        if clauses:
            yield str(path.relative_to(ROOT)), "\n".join(f"`{clause}`" for clause in clauses)


def _others(template: Path) -> list[Path]:
    return [path for path in template.rglob("*") if path.is_file() and ".md" not in path.name]


def fences(text: str, languages: set[str]) -> Iterator[str]:
    """What stands in fences of these languages, a continued line as one."""
    for fence in _FENCE.finditer(text):
        if fence["language"] in languages:
            yield re.sub(r"\\\n\s*", "", fence["body"])


def _code(text: str) -> Iterator[str]:
    for body in fences(text, SHELL):
        yield from body.splitlines()
    for span in _SPAN.finditer(_FENCE.sub("", text)):
        yield span[1]


def commands(text: str) -> list[tuple[str, ...]]:
    """The words after `launchworthy`, of every command."""
    found = []
    for line in _code(text):
        short = [line] if _SHORT.fullmatch(line) else []
        for rest in short + [call["rest"] for call in _CALL.finditer(line)]:
            said = _END.split(rest.strip(), maxsplit=1)[0].rstrip(".")
            try:
                found.append(tuple(shlex.split(said)))
            except ValueError:  # a quote that goes on elsewhere
                found.append(tuple(said.split()))
    return found


def sessions(text: str) -> list[str]:
    """The names after `noxfile.py -s`."""
    return _SESSION.findall(text)


def links(text: str) -> list[str]:
    """Where its links lead, those that begin with a scheme left out."""
    found = _LINK.findall(_SPAN.sub("", _FENCE.sub("", text)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """What a `#` may lead to: each heading, as code hosts spell it."""
    heads = re.findall(r"^#+ (.*)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
