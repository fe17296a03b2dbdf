"""How does this file write a name and its value? By its name, never by guessing from its content."""

import re
from enum import Enum

from launchworthy.detection.judgement import Place


class Dialect(Enum):
    """How far an unquoted value goes, and how much a value must show."""

    LINES = "lines"  # `.env`, INI, YAML, TOML: a value goes to the end of its line
    WORDS = "words"  # shells and Dockerfiles: a value goes to the next blank
    SOURCE = "source"  # programming languages and notebooks: a value is quoted
    PROSE = "prose"  # documents for people


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SOURCES = _words(
    "py pyi pyx ipynb js jsx mjs cjs ts tsx vue svelte go rs java kt kts scala groovy gradle rb php c h cc "
    "cpp cxx hpp cs fs swift m mm lua pl pm r jl ex exs erl hs clj cljs dart sql proto graphql css scss less"
)
_WORDS = _words("sh bash zsh fish ksh ps1 psm1 bat cmd mk dockerfile containerfile jenkinsfile makefile")
_PROSE = _words("md mdx markdown rst adoc asciidoc txt html htm tex po pot")
_LAST_PART = re.compile(r"[^./\\]*$")


def dialect_of(path: str) -> Dialect:
    """The dialect of a path; a file with an unknown name is read as configuration, the strictest way."""
    basename = path.replace("\\", "/").rpartition("/")[2].lower()
    if basename.startswith((".env", "dockerfile", "containerfile")):
        return Dialect.LINES if basename.startswith(".env") else Dialect.WORDS
    found = _LAST_PART.search(basename)
    suffix = found.group() if found is not None else basename
    if suffix in _SOURCES:
        return Dialect.SOURCE
    if suffix in _WORDS:
        return Dialect.WORDS
    if suffix in _PROSE:
        return Dialect.PROSE
    return Dialect.LINES


PLACE = {
    Dialect.LINES: Place.CONFIGURATION,
    Dialect.WORDS: Place.CONFIGURATION,
    Dialect.SOURCE: Place.SOURCE,
    Dialect.PROSE: Place.PROSE,
}
