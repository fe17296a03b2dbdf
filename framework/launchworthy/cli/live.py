"""What does `promote --live URL` ask, print and leave behind? Evidence, and never a record."""

import hashlib
import os
import ssl
import time
import webbrowser
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launchworthy.cli.ending import NO, UNDECIDED, YES
from launchworthy.vocabulary import Environment, Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.promotion.live.document import LiveDocument
    from launchworthy.promotion.live.running import Deployment
    from launchworthy.promotion.place import Place
    from launchworthy.settings import ProjectFiles, Settings

_MARKS = {"right": "ok ", "wrong": "NO ", "not_run": " · "}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What was typed.

    Attributes:
        url: of the deployment.
        environment: `rehearsal` for one in the simulated world; else its URL says which it is.
        client: the id of a client that the authorization server knows, or a URL (CIMD).
        client_key: the file with its private key.
        token_command: prints tokens, where a person must sign in.
        sign_in: whether the person who runs this signs in for them.
        ca: certificates to believe instead of the system's.
        trust: the platform's trust policy.
        output: the folder for the document; `evidence` if None.
    """

    url: str
    environment: Environment
    client: str | None
    client_key: Path | None
    token_command: str | None
    sign_in: bool
    ca: Path | None
    trust: Path
    output: Path | None


def run_live(options: LiveOptions, *, as_json: bool) -> int:
    """Look at a deployment, write what was seen, print it; returns the exit code.

    Raises:
        ProblemError: it cannot be asked.
    """
    from launchworthy.promotion.live.running import LiveRun, default_file
    from launchworthy.promotion.place import find_place
    from launchworthy.promotion.promoting import write_whole

    place = find_place(Path.cwd())
    deployment = _deployment(options, place)
    document = LiveRun(deployment).run()
    file = default_file(place.root, deployment.environment)
    if options.output is not None:
        file = options.output / file.name
    content = document.render()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content)
    code = NO if document.wrong else UNDECIDED if document.missing else YES
    if as_json:
        typer.echo(content.decode(), nl=False)
    else:
        typer.echo("\n".join(_lines(document, file, content, place.root, code)))
    return code


def _deployment(options: LiveOptions, place: "Place") -> "Deployment":
    from launchworthy.cli.check import show_progress
    from launchworthy.manifest import load_manifests
    from launchworthy.probe.address import read_url, require_private
    from launchworthy.promotion.live.authorization_server import KnownClient, read_client
    from launchworthy.promotion.live.running import Deployment
    from launchworthy.promotion.live.sign_in import SignIn
    from launchworthy.promotion.project import pinned_roots
    from launchworthy.settings import read_project

    url = read_url(options.url)
    require_private(url)
    if (options.client is None) != (options.client_key is None) and not (options.client and options.sign_in):
        what = "--client and --client-key go together"
        raise ProblemError(
            Problem(
                reason="live-client", what=what, fix=("name both, or neither; a public client: --sign-in",)
            )
        )
    if options.sign_in and options.token_command is not None:
        what = "--sign-in and --token-command are two ways to tokens"
        raise ProblemError(Problem(reason="live-option", what=what, fix=("name one of them",)))
    files = read_project(place.root, place.package)
    settings = _settings(options, files)
    meant = Environment.PRODUCTION if options.environment is Environment.REHEARSAL else settings.environment
    domain = settings.identity.expected_id.removeprefix("spiffe://").partition("/")[0]
    client = None
    if options.client is not None:
        public = KnownClient(client_id=options.client, key=None)
        client = public if options.client_key is None else read_client(options.client, options.client_key)
    return Deployment(
        url=url,
        environment=options.environment if options.environment is Environment.REHEARSAL else meant,
        settings=settings,
        manifests=load_manifests(files.manifests()),
        roots=pinned_roots(options.trust, meant, place.root).get(domain, ()),
        client=client,
        token_command=options.token_command,
        sign_in=SignIn(show=_show) if options.sign_in else None,
        environ=dict(os.environ),
        verify=_believed(options.ca),
        clock=time.time,
        progress=show_progress,
    )


def _show(purpose: str, address: str) -> None:
    """Let whoever runs this sign in, in the browser that is here or in another one of this machine."""
    typer.echo(f"\n sign in for {purpose}:\n   {address}", err=True)
    webbrowser.open(address)


def _settings(options: LiveOptions, files: "ProjectFiles") -> "Settings":
    """The settings of the environment whose resource the URL is.

    Raises:
        ProblemError: `live-elsewhere`: it is nobody's.
    """
    from launchworthy.probe.remote_issuer import is_loopback
    from launchworthy.settings import inspect_settings

    if options.environment is Environment.REHEARSAL:
        if not is_loopback(options.url):
            raise ProblemError(_elsewhere(options.url, "is not on this machine, where rehearsals are"))
        return inspect_settings(files, Environment.PRODUCTION)
    for environment in (Environment.STAGING, Environment.PRODUCTION):
        settings = inspect_settings(files, environment)
        if settings.server.resource == options.url:
            return settings
    what = "is neither staging's nor production's `server.resource`, byte for byte"
    raise ProblemError(_elsewhere(options.url, what))


def _elsewhere(url: str, what: str) -> Problem:
    fix = ("name the public URL as config/<environment>.toml does; launchworthy probe asks any other server",)
    return Problem(reason="live-elsewhere", what=f"`{url[:200]}` {what}", fix=fix)


def _believed(ca: Path | None) -> ssl.SSLContext:
    from launchworthy.cli.probe import believed

    return believed(ca)


def _lines(document: "LiveDocument", file: Path, content: bytes, root: Path, code: int) -> "list[str]":
    head = {YES: "HOLDS", NO: "DOES NOT HOLD", UNDECIDED: "UNDECIDED"}[code]
    lines = [f"\n {head}   {document.url} · {document.environment} · {document.requests} requests\n"]
    for row in document.rows:
        lines.append(f" {_MARKS[row.how.value]} {row.step.value:<21}{row.says}")
        if row.person is not None:
            lines.append(f"    → {row.person}")
    if document.missing:
        lines.append(f"\n not seen: {', '.join(step.value for step in document.missing)}")
    relative = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    lines.append(f"\n {relative}   exit {code}")
    if code == YES and document.environment == "staging":
        expires = datetime.fromtimestamp(document.started_at, UTC) + timedelta(days=6)
        lines += [
            "\n For production, commit the file, add this to promotion.toml, and have it approved:",
            "   [[evidence]]",
            '   control = "TR-05"',
            f'   says    = "the public way to staging, looked at on {datetime.now(UTC):%Y-%m-%d}"',
            f'   file    = "{relative}"',
            f'   sha256  = "{hashlib.sha256(content).hexdigest()}"',
            '   owner   = "…"',
            f"   expires = {expires:%Y-%m-%d}",
        ]
    return lines
