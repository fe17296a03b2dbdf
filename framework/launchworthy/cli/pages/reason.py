"""Why was it refused? The pages of reasons: of problems (`no-record`) and of refusals (`token.audience`).

What a caller may see of a refusal is one word; these pages are for whoever reads the audit.
"""

import tomllib
from collections.abc import Iterator
from importlib import resources

from pydantic import BaseModel, ConfigDict

from launchworthy.cli.pages.layout import labelled
from launchworthy.vocabulary import Reason, wire_word


class ReasonText(BaseModel):
    """What a reason means, and what to do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    means: str
    do: str


def problem_texts() -> dict[str, ReasonText]:
    """The reasons of `Problem`s: what a refused start or a command prints."""
    return _read("reasons.toml")


def refusal_texts() -> dict[str, ReasonText]:
    """The reasons of the audit, `vocabulary.Reason`."""
    return _read("refusals.toml")


def problem_pages() -> dict[str, str]:
    """A page for each reason that a refused start or a command prints."""
    return {name: "\n".join(_page(name, text, None)).rstrip() for name, text in problem_texts().items()}


def refusal_pages() -> dict[str, str]:
    """A page for each reason of the audit."""
    return {
        name: "\n".join(_page(name, text, _seen(Reason(name)))).rstrip()
        for name, text in refusal_texts().items()
    }


def word_pages() -> dict[str, str]:
    """A page for each word that a caller sees in place of a reason."""
    words: dict[str, list[str]] = {}
    for name in refusal_texts():
        word = _seen(Reason(name))
        if word is not None:
            words.setdefault(word, []).append(name)
    return {word: "\n".join(_word_page(word, names)).rstrip() for word, names in words.items()}


def _word_page(word: str, names: list[str]) -> Iterator[str]:
    yield f" {word}"
    yield ""
    yield from labelled("Means", "what a caller sees instead of a reason; it is one of", " · ".join(names))
    yield from labelled(
        "Do",
        "the terminal of `launchworthy dev` says which, and so does the audit:",
        "launchworthy audit show --call CALL DIRECTORY",
        "and then: launchworthy explain REASON",
    )


def _seen(reason: Reason) -> str | None:
    """The word that a caller sees; nobody calls a server that has not started."""
    return None if reason.family == "startup" else wire_word(reason).value


def _page(name: str, text: ReasonText, word: str | None) -> Iterator[str]:
    yield f" {name}"
    yield ""
    yield from labelled("Means", text.means)
    yield from labelled("Do", *text.do.strip().splitlines())
    if word is not None:
        yield from labelled("Callers", f"see `{word}` and a call id, nothing more")


def _read(name: str) -> dict[str, ReasonText]:
    text = (resources.files("launchworthy.cli.pages") / name).read_text(encoding="utf-8")
    return {reason: ReasonText.model_validate(table) for reason, table in tomllib.loads(text).items()}
