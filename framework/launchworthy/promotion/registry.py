"""Which code decides which control? Checks read facts, rehearsals ask a running server; both give assertions.

A check is a small pure function over the facts of a project; a rehearsal arranges one world, asks the server,
and says what it saw of each control that it is about. Nothing here decides: `finding.conclude` does.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchworthy.promotion.finding import Assertion, ControlId

if TYPE_CHECKING:
    from launchworthy.promotion.project import Project
    from launchworthy.promotion.rehearsals.stage import Stage

CheckFunction = Callable[["Project"], Iterable[Assertion]]
RehearsalFunction = Callable[["Stage"], Iterable[tuple[ControlId, Assertion]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One reading of the facts.

    Attributes:
        control: what it is about.
        name: of the function, for people.
        run: yields what it looked at; `NotApplicable` says that there is nothing to look at.
    """

    control: ControlId
    name: str
    run: CheckFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """One drill against the running server.

    Attributes:
        controls: all that it says something about.
        name: of the function, for people.
        run: arranges its world, and yields what it saw, control by control.
    """

    controls: tuple[ControlId, ...]
    name: str
    run: RehearsalFunction


class Registry:
    """The checks and rehearsals of this release."""

    def __init__(self) -> None:
        """Start empty; importing `promotion.checks` and `promotion.rehearsals` fills it."""
        self.checks: list[Check] = []
        self.rehearsals: list[Rehearsal] = []

    def check(self, control: str) -> Callable[[CheckFunction], CheckFunction]:
        """Register a check: `@registry.check("GOV-01")`."""

        def register(function: CheckFunction) -> CheckFunction:
            self.checks.append(Check(control=ControlId(control), name=function.__name__, run=function))
            return function

        return register

    def rehearsal(self, *controls: str) -> Callable[[RehearsalFunction], RehearsalFunction]:
        """Register a rehearsal: `@registry.rehearsal("KEY-01", "KEY-02")`."""

        def register(function: RehearsalFunction) -> RehearsalFunction:
            ids = tuple(ControlId(each) for each in controls)
            self.rehearsals.append(Rehearsal(controls=ids, name=function.__name__, run=function))
            return function

        return register

    def decided(self) -> Iterator[ControlId]:
        """Every control that something here decides."""
        yield from sorted(
            {check.control for check in self.checks}
            | {control for rehearsal in self.rehearsals for control in rehearsal.controls}
        )


registry = Registry()
"""Filled by the modules of `promotion.checks` and `promotion.rehearsals`."""


def whole_registry() -> Registry:
    """The registry with every check and every rehearsal in it."""
    for package in ("checks", "rehearsals"):
        importlib.import_module(f"launchworthy.promotion.{package}")
    return registry
