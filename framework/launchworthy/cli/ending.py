"""Which exit code answers? One place turns outcomes and failures of commands into it.

0 yes · 1 no (held, refused, tampered) · 2 could not decide · 130 Ctrl-C, and SIGTERM where it cleans up.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from launchworthy.vocabulary import Problem, ProblemError, render_json, render_text

YES = 0
NO = 1
UNDECIDED = 2
INTERRUPTED = 130


def end(code: int) -> NoReturn:
    """End the command."""
    raise typer.Exit(code)


@contextmanager
def undecided_on_problems(headline: str = "could not decide") -> Iterator[None]:
    """Print the problems of malformed input and end with 2."""
    try:
        yield
    except ProblemError as error:
        for problem in error.problems:
            say(headline, problem)
        end(UNDECIDED)


@contextmanager
def interrupted() -> Iterator[None]:
    """End with 130 on Ctrl-C, SIGTERM or a closed terminal; what was started is stopped by then."""
    from launchworthy.promotion.interruption import ended_by_signals

    try:
        with ended_by_signals():
            yield
    except KeyboardInterrupt:
        end(INTERRUPTED)


def say(headline: str, problem: Problem) -> None:
    """Print one problem on stderr: for people in a terminal, a JSON line elsewhere."""
    if sys.stderr.isatty():
        text = render_text(headline, problem)
    else:
        text = render_json(f"command.{headline.replace(' ', '-')}", problem)
    print(text, file=sys.stderr)  # noqa: T201 - this is where the message goes


def needs_extra(extra: str, load: Callable[[], object]) -> None:
    """Import what an extra brings, or name the extra and end with 2."""
    try:
        load()
    except ModuleNotFoundError as error:
        say(
            "could not decide",
            Problem(
                reason="extra-missing",
                what=f"this command needs `{error.name}`, which is not installed",
                fix=(f"pip install 'launchworthy[{extra}]'",),
            ),
        )
        end(UNDECIDED)
