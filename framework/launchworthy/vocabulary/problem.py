"""What is wrong, where, and what to do: the four-part message of every refused start and command.

The parts stay apart in every format (a terminal, a JSON line, a report), and a `Problem` never holds
a secret: whoever makes one names the field, not the value.
"""

import json
from dataclasses import dataclass

from launchworthy.vocabulary.printable import printable

EX_TEMPFAIL = 75
"""sysexits(3): refused, and a restart may help."""
EX_CONFIG = 78
"""sysexits(3): refused, and only a change can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        reason: stable, kebab-case, a page of `launchworthy explain`: `secret-by-value`.
        what: one sentence, lower case, no full stop, user input in backticks, never a secret.
        where: `config/production.toml:28`, or None where no file is meant.
        fix: what to do, a line each; further lines are to be pasted.
        field: the dotted name of the field it is about, where there is one.
    """

    reason: str
    what: str
    fix: tuple[str, ...]
    where: str | None = None
    field: str | None = None

    def lines(self) -> tuple[str, ...]:
        """The body of the message as a person reads it, without the line that names the reason."""
        first = f"{self.where} {self.what}" if self.where else self.what
        arrows = tuple(("→ " if number == 0 else "  ") + line for number, line in enumerate(self.fix))
        return (first, *arrows)

    def as_json(self) -> dict[str, str]:
        """The same parts by name."""
        parts = {"reason": self.reason, "what": self.what, "fix": "\n".join(self.fix), "explain": self.reason}
        if self.where is not None:
            parts["where"] = self.where
        if self.field is not None:
            parts["field"] = self.field
        return parts


class ProblemError(Exception):
    """Input of a person (a manifest, a setting, a policy, a record) cannot be used; carries why.

    Raises nothing itself; whoever catches it prints the problems and picks the exit code.
    """

    def __init__(self, *problems: Problem) -> None:
        """Hold one or more problems; none at all is a programmer's error."""
        if not problems:
            raise ValueError("a ProblemError needs a problem")
        self.problems = problems
        super().__init__("; ".join(f"[{problem.reason}] {problem.what}" for problem in problems))


class StartupRefused(ProblemError):
    """The server does not start. `exit_code` is 78 where only a change can help, 75 where a restart may."""

    def __init__(self, stage: str, *problems: Problem, exit_code: int = EX_CONFIG) -> None:
        """Name the stage (`settings`, `identity`, …) that refused."""
        super().__init__(*problems)
        self.stage = stage
        self.exit_code = exit_code


def render_text(headline: str, problem: Problem) -> str:
    """`launchworthy: not started [secret-by-value]` and the indented body.

    It may name what a stranger has named, as a file of an archive; a terminal does nothing that it says.
    """
    body = "\n".join(f"  {printable(line)}" for line in problem.lines())
    return f"launchworthy: {headline} [{problem.reason}]\n{body}\n    launchworthy explain {problem.reason}"


def render_json(event: str, problem: Problem, **more: str | int) -> str:
    """One line for where stderr is no terminal."""
    return json.dumps({"level": "error", "event": event, **problem.as_json(), **more}, ensure_ascii=True)
