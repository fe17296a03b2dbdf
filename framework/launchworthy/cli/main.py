"""Which command was asked for? The tree of commands; each one's own file does the rest."""

from typing import Annotated

import typer

from launchworthy._version import __version__
from launchworthy.cli import (
    adopt,
    approve,
    audit,
    check,
    control,
    dev,
    evidence,
    explain,
    identity,
    lock,
    manifest,
    migrate,
    policy,
    probe,
    promote,
    secrets,
    status,
)

app = typer.Typer(
    name="launchworthy",
    help="An MCP server that may run in production, and the proof that it still may.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(dev.app, name="dev", short_help="Serve here, in the simulated world, and call it.")
check.register(app)
lock.register(app)
explain.register(app)
promote.register(app)
probe.register(app)
approve.register(app)
adopt.register(app)
migrate.register(app)
evidence.register(app)
app.add_typer(manifest.app, name="manifest")
app.add_typer(policy.app, name="policy")
app.add_typer(secrets.app, name="secrets")
app.add_typer(audit.app, name="audit")
app.add_typer(identity.app, name="identity")
app.add_typer(control.app, name="control", short_help="Stop a tool or deny a caller at once.")
status.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"launchworthy {__version__}")
        raise typer.Exit


@app.callback()
def launchworthy(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Exit codes of every command: 0 yes, 1 no (held, refused, tampered), 2 could not decide."""


def main() -> None:
    """Run the command line."""
    app()
