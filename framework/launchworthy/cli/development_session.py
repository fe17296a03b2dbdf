"""How does a second terminal reach the running `launchworthy dev`? Through its session file and real OAuth.

`dev` leaves the address, the issuer and the simulated client's key in `.launchworthy/dev/session.json`,
readable by this user alone; tokens are then asked for by a signed assertion (RFC 7523), as any client would.
"""

import json
import os
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpx2
import typer
from joserfc.jwk import ECKey

from launchworthy.cli.ending import NO, UNDECIDED, YES, end, say
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.client_assertion import client_assertion
from launchworthy.testing.project_root import project_root
from launchworthy.vocabulary import Problem, Secret, ToolError

if TYPE_CHECKING:
    from launchworthy.testing.world import World

DIRECTORY = Path(".launchworthy") / "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a running `launchworthy dev` leaves for other commands."""

    url: str
    issuer: str
    token_endpoint: str
    client_id: str
    client_key: dict[str, Any]
    scopes: tuple[str, ...]


def leave_session(root: Path, world: "World") -> Path:
    """Write the session file of a running world; returns where."""
    client = world.issuer.client
    session = Session(
        url=world.url,
        issuer=world.issuer.issuer,
        token_endpoint=world.issuer.token_endpoint,
        client_id=client.client_id,
        client_key=dict(client.key.as_dict(private=True)),
        scopes=world.scopes,
    )
    path = root / DIRECTORY / "session.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(session), file)
    return path


def running_at(root: Path) -> str | None:
    """Where `launchworthy dev` serves this project already; a session that nobody answers for is none."""
    try:
        session = _session_file(root)
        httpx2.get(session.issuer, timeout=2.0, trust_env=False)
    except (FileNotFoundError, ValueError, TypeError, KeyError, httpx2.TransportError):
        return None
    return session.url


def print_token(scopes: tuple[str, ...] | None) -> int:
    """Print a token with these scopes, or with all there are."""
    session = _session(_root())
    typer.echo(_token(session, session.scopes if scopes is None else scopes).reveal())
    return YES


def call_tool(name: str, arguments: tuple[str, ...], scopes: tuple[str, ...] | None) -> int:
    """Call one tool and print its result as JSON; 1 where it was refused or failed."""
    root = _root()
    session = _session(root)
    declared = _declared(root, name)
    given = {**declared.get("example", {}), **_arguments(arguments)}
    wanted = tuple(declared.get("scopes", ())) if scopes is None else scopes
    token = _persons_token(session, wanted) if _asks_its_caller(declared) else _token(session, wanted)
    with Client(session.url, token, approve=_asked_here) as client:
        try:
            result = client.call(name, **given)
        except Refused as refused:
            _explain(refused)
            return NO
        except ToolError as error:
            typer.echo(f"{name}: {error}", err=True)
            return NO
        except httpx2.TransportError:
            end_without_server()
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    return YES


def _asks_its_caller(declared: Mapping[str, Any]) -> bool:
    """Whether it is called for the simulated person, who can be asked on the page; a machine cannot.

    Nobody is asked where the manifest does not say so; only then is it not read with the framework's models,
    which take longer to load than the call takes.
    """
    if "approval" not in declared and declared.get("effect") != "destructive":
        return False
    from launchworthy.manifest import ApprovalMode
    from launchworthy.testing.project import rule_of

    rule = rule_of(declared)
    return rule is not None and rule.mode is ApprovalMode.URL and rule.by == "caller"


def _asked_here(question: str) -> bool:
    """Ask whoever runs the command; nobody there is a no. An address is opened in a browser."""
    typer.echo(question, err=True)
    if question.rpartition("\n")[2].startswith("http"):
        typer.echo("open it in a browser; this waits", err=True)
        return True
    try:
        return typer.confirm("approve it?", default=False, err=True)
    except typer.Abort:
        return False


def end_without_server() -> NoReturn:
    """Say that nothing runs here, and end."""
    problem = Problem(
        reason="dev-not-running",
        what="no `launchworthy dev` runs in this project",
        fix=("start it in another terminal: launchworthy dev",),
    )
    say("could not decide", problem)
    end(UNDECIDED)


def _root() -> Path:
    try:
        return project_root(Path.cwd())
    except FileNotFoundError as error:
        problem = Problem(reason="no-project", what=str(error), fix=("run this inside a project",))
        say("could not decide", problem)
        end(UNDECIDED)


def _session(root: Path) -> Session:
    try:
        return _session_file(root)
    except FileNotFoundError:
        end_without_server()


def _session_file(root: Path) -> Session:
    found = json.loads((root / DIRECTORY / "session.json").read_text())
    return Session(**{**found, "scopes": tuple(found["scopes"])})


def _token(session: Session, scopes: tuple[str, ...]) -> Secret:
    key = ECKey.import_key(session.client_key)
    form = {
        "grant_type": "client_credentials",
        "client_id": session.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client_assertion(session.client_id, key, session.issuer, int(time.time())),
        "resource": session.url,
        "scope": " ".join(scopes),
    }
    try:
        answer = httpx2.post(session.token_endpoint, data=form, timeout=5.0, trust_env=False)
    except httpx2.TransportError:
        end_without_server()
    return _read_token(session, answer)


def _persons_token(session: Session, scopes: tuple[str, ...]) -> Secret:
    """A token of the simulated person, who consents to it as to any client's."""
    from launchworthy.testing.person_token import person_token

    try:
        answer = person_token(session.token_endpoint, resource=session.url, scopes=scopes)
    except httpx2.TransportError:
        end_without_server()
    return _read_token(session, answer)


def _read_token(session: Session, answer: httpx2.Response) -> Secret:
    body = answer.json()
    if answer.status_code != httpx2.codes.OK:
        problem = Problem(
            reason="no-token",
            what=f"the embedded provider refused: {body.get('error_description', body.get('error'))}",
            fix=(f"it knows the scopes {' '.join(session.scopes)}",),
        )
        say("could not decide", problem)
        end(UNDECIDED)
    return Secret(body["access_token"])


def _declared(root: Path, name: str) -> Mapping[str, Any]:
    for path in sorted((root / "manifests").glob("*.toml")):
        tools: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("tools", {})
        if name in tools:
            declared: Mapping[str, Any] = tools[name]
            return declared
    return {}


def _arguments(pairs: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"`{pair}` is no NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _explain(refused: Refused) -> None:
    typer.echo(f"{refused}   call {refused.call}", err=True)
    if refused.scopes:
        typer.echo(f"→ this call needs the scope {' '.join(refused.scopes)}", err=True)
    typer.echo("the terminal of `launchworthy dev` shows why", err=True)
