"""What runs behind `launchworthy dev`? A simulated world that stays, and a server that may be restarted."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from launchworthy.cli.development_clients import client_lines, configuration
from launchworthy.cli.development_session import DIRECTORY, leave_session, running_at
from launchworthy.cli.ending import INTERRUPTED, NO, UNDECIDED, YES, end, say
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.process import NotStarted, ServerProcess
from launchworthy.testing.project import TestedProject
from launchworthy.testing.world import World
from launchworthy.vocabulary import SIMULATED_TRUST_DOMAIN, Problem

_WATCHED = ("src/**/*.py", "manifests/*.toml", "policy/**/*.cedar", "config/development.toml")
_LOOK_SECONDS = 0.5
_SAID_WHY = (75, 78)
"""Exit codes of a start that was refused: the server has said why, in this terminal."""


def serve(*, reload: bool) -> int:
    """Serve until Ctrl-C; the world, and so every token, survives a reload."""
    with _world() as (project, world):
        known = _stamps(project.root)
        server = _start(project, world)
        try:
            _say_how_to_connect(project.name, world)
            while True:
                known = _wait_for_change(project.root, known, server, reload=reload)
                server = _start_anew(project, world, server)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            server.stop()


def demonstrate(*, keep: bool) -> int:
    """One allowed and one refused call, and a client configuration."""
    with _world() as (project, world), world.server(project.package) as server:
        typer.echo(f"started  {project.name} as {world.subject} at {world.url}")
        outcome = _two_calls(world)
        typer.echo("\nclient configuration:")
        typer.echo(json.dumps(configuration(project.name, world.url), indent=2))
        if outcome == YES and keep:
            typer.echo("\nserving until Ctrl-C")
            try:
                server.wait(timeout=None)
            except KeyboardInterrupt:
                return INTERRUPTED
        return outcome


@contextmanager
def _world() -> Iterator[tuple[TestedProject, World]]:
    try:
        project = TestedProject.find(Path.cwd())
    except FileNotFoundError as error:
        say("not started", Problem(reason="no-project", what=str(error), fix=("run this inside a project",)))
        end(UNDECIDED)
    running = running_at(project.root)
    if running is not None:
        problem = Problem(
            reason="dev-running",
            what=f"another `launchworthy dev` of this project serves {running}",
            fix=("call it: launchworthy dev call TOOL", "or end it first: Ctrl-C in its terminal"),
        )
        say("not started", problem)
        end(UNDECIDED)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal too leaves no server
        signal.signal(ending, _end_soon)
    directory = project.root / DIRECTORY
    for stale in ("stdout.txt", "stderr.txt", "session.json"):
        (directory / stale).unlink(missing_ok=True)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with project.world(directory, sandboxes=True) as world:
        session = leave_session(project.root, world)
        _keep_roots(directory, world)
        try:
            yield project, world
        except NotStarted as failed:
            if failed.stderr or failed.exit_code not in _SAID_WHY:
                typer.echo(failed.stderr or str(failed), err=True, nl=not failed.stderr)
            end(NO)
        finally:
            session.unlink(missing_ok=True)


_asked_to_end = threading.Event()


def _end_soon(_number: int, _frame: FrameType | None) -> None:
    """Raise where it can be heard; in a destructor it cannot, so it is remembered too."""
    _asked_to_end.set()
    raise KeyboardInterrupt


def _keep_roots(directory: Path, world: World) -> None:
    """Archive this world's roots, so that its audit can be verified after it is gone."""
    archive = directory / "trust" / SIMULATED_TRUST_DOMAIN
    archive.mkdir(parents=True, exist_ok=True)
    (archive / f"{time.time_ns()}.pem").write_bytes(world.authority.bundle_pem())


def _start(project: TestedProject, world: World) -> ServerProcess:
    server = world.server(project.package, inherit_output=True)
    server.start()
    try:
        server.wait_ready()
    except BaseException:
        server.stop()  # late, or Ctrl-C came meanwhile: it must not outlive this terminal
        raise
    return server


def _wait_for_change(
    root: Path, known: dict[Path, int], server: ServerProcess, *, reload: bool
) -> dict[Path, int]:
    """Wait until files are not those that the server was started with, and return what they are now."""
    while True:
        if _asked_to_end.wait(_LOOK_SECONDS):
            raise KeyboardInterrupt
        if not reload and not server.running:
            raise NotStarted(server.stop(), server.stderr)
        now = _stamps(root)
        if reload and now != known:
            typer.echo(f"changed: {', '.join(sorted(map(str, _changed(known, now))))}", err=True)
            return now


def _start_anew(project: TestedProject, world: World, server: ServerProcess) -> ServerProcess:
    """Stop it and start its successor; one that does not start is returned as stopped."""
    server.stop()
    try:
        return _start(project, world)
    except NotStarted:
        typer.echo("not started; waiting for the next change", err=True)
        return server


def _changed(before: dict[Path, int], now: dict[Path, int]) -> set[Path]:
    return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}


def _stamps(root: Path) -> dict[Path, int]:
    return {
        path.relative_to(root): path.stat().st_mtime_ns
        for pattern in _WATCHED
        for path in root.glob(pattern)
        if path.is_file()
    }


def _two_calls(world: World) -> int:
    with world.client(*world.scopes) as caller:
        tools = [tool["name"] for tool in caller.tools()]
        typer.echo(f"allowed  tools/list with a token   200  {', '.join(tools)}")
    with Client(world.url, None) as stranger:
        try:
            stranger.tools()
        except Refused as refused:
            typer.echo(f"refused  tools/list without one   {refused.status}  {refused.challenge}")
            return YES if refused.status == _UNAUTHORIZED else NO
    typer.echo("a call without a token was answered", err=True)
    return NO


_UNAUTHORIZED = 401


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _say_how_to_connect(name: str, world: World) -> None:
    typer.echo(f"serving at  {world.url}   as {world.subject}", err=True)
    typer.echo(
        f"issuer      {world.issuer.issuer}   (sign-in page, client registration, client credentials)",
        err=True,
    )
    entering = Path(sys.prefix, "bin", "activate")
    if entering.is_file():  # where `launchworthy` is, which another terminal does not know yet
        typer.echo(f"in another terminal, after `source {_from_here(entering)}`:", err=True)
    else:
        typer.echo("in another terminal:", err=True)
    typer.echo(
        "  launchworthy dev call TOOL [NAME=VALUE]...    the manifest's example, and just its scopes",
        err=True,
    )
    typer.echo(
        "  launchworthy dev token                        a token, for a client that wants one pasted",
        err=True,
    )
    typer.echo(
        f"  launchworthy audit show {DIRECTORY / 'audit'}    who did what, was it allowed, and why",
        err=True,
    )
    typer.echo(
        f"  launchworthy audit verify --trust {DIRECTORY / 'trust'} {DIRECTORY / 'audit'}",
        err=True,
    )
    typer.echo("clients, which sign in by themselves on a page with one button:", err=True)
    for line in client_lines(name, world.url):
        typer.echo(line, err=True)
