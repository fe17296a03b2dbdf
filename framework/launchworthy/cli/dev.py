"""How does a developer meet the server? It runs here, in the simulated world, and can be called at once."""

from typing import Annotated

import typer

from launchworthy.cli.ending import end, needs_extra

app = typer.Typer(
    help="Serve here on the embedded identity provider, and call what is served.", invoke_without_command=True
)


@app.callback()
def dev(
    context: typer.Context,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew whenever a file of the project changes.")
    ] = False,
) -> None:
    """Serve this project in the simulated world until Ctrl-C, and say how to connect."""
    if context.invoked_subcommand is not None:
        return
    needs_extra("dev", lambda: __import__("rich"))
    from launchworthy.cli.development import serve

    end(serve(reload=reload))


@app.command()
def call(
    tool: Annotated[str, typer.Argument(help="The tool's name.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Over those of the manifest's example."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Instead of just the scopes that the tool needs.")
    ] = None,
) -> None:
    """Call a tool of the running `launchworthy dev`, with its example and just the scopes it needs."""
    from launchworthy.cli.development_session import call_tool

    end(call_tool(tool, tuple(arguments or ()), None if scope is None else tuple(scope)))


@app.command()
def token(
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A scope; all of them if none is named.")
    ] = None,
) -> None:
    """Print a token of the embedded provider for the running `launchworthy dev`."""
    from launchworthy.cli.development_session import print_token

    end(print_token(None if scope is None else tuple(scope)))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep serving afterwards, until Ctrl-C.")] = False,
) -> None:
    """Start the server, make one allowed and one refused call, print a client configuration, and stop."""
    from launchworthy.cli.development import demonstrate

    end(demonstrate(keep=keep))
