"""What does a control, a reason, an event or a field mean? `explain`."""

from typing import Annotated

import typer

from launchworthy.cli.ending import YES, end, undecided_on_problems


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Say what a name means, and what to do about it.")(explain)


def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A control (TOK-04), a reason (secret-by-value, token.audience), an event (tool.attempt), "
            "a case of the probe (dates.no-end), or one of controls, tools, server, settings, world, "
            "cases, policy.",
        ),
    ],
) -> None:
    """Say what a control, reason, event or field means, and what to do about it."""
    from launchworthy.cli.pages import find_page

    with undecided_on_problems():
        page = find_page(name)
    typer.echo(page.rstrip())
    end(YES)
