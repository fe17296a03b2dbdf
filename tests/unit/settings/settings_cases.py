"""A project in memory, a world beside it, and what a refusal says in every way it can be looked at."""

import contextlib
import io
import json
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from launchworthy.settings import AppSettings, ProjectFiles, Settings, load_settings
from launchworthy.vocabulary import Problem, ProblemError, render_json, render_text

PRODUCTION = """\
# Production.

[server]
resource = "https://orders.acme.example/mcp"
listen = "0.0.0.0:8443"
health_bind = "0.0.0.0:8081"
tls = "ingress"

[identity]
kind = "spiffe"
expected_id = "spiffe://acme.example/ns/orders/sa/orders"
trust_domains = ["acme.example"]
endpoint = "unix:///spiffe-workload-api/spire-agent.sock"

[issuers.acme]
issuer = "https://login.acme.example"
algorithms = ["ES256", "RS256"]
max_lifetime = "1h"

[audit]
directory = "/var/log/launchworthy"
anchor = "stdout"

[promotion]
records = "/etc/launchworthy/records"

[control]
file = "/etc/launchworthy/control.toml"
"""

WORLD = """\
[server]
resource = "http://127.0.0.1:8443/mcp"
listen = "127.0.0.1:8443"
health_bind = "127.0.0.1:8081"
data_directory = "{directory}/data"

[identity]
kind = "spiffe"
expected_id = "spiffe://dev.invalid/simulated/orders"
trust_domains = ["dev.invalid"]
endpoint = "unix://{directory}/agent.sock"
socket_owner_uids = [1000]
start_deadline = "10s"

[issuers.acme]
issuer = "http://127.0.0.1:9000"
jwks_uri = "http://127.0.0.1:9000/keys"
key_fresh = 1

[audit]
directory = "{directory}/audit"

[control]
file = "{directory}/control.toml"

[world]
execution_pipe = "{directory}/pipe"
"""

OWN_WORLD = WORLD.replace("key_fresh = 1", 'algorithms = ["ES256"]')
"""For development, whose settings need name no issuer."""


def project(**configurations: str) -> ProjectFiles:
    """A project with these `config/<environment>.toml`."""
    return ProjectFiles(
        root=Path("/srv/orders"),
        installed=False,
        package="orders",
        files={f"config/{name}.toml": text.encode() for name, text in configurations.items()},
    )


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A text with each of these replaced; one that is not there is a mistake of the test."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def world_file(directory: Path, text: str = WORLD) -> str:
    """Write a world file; its path."""
    directory.chmod(0o700)
    file = directory / "world.toml"
    file.write_text(text.replace("{directory}", str(directory)), encoding="utf-8")
    return str(file)


def in_production(text: str = PRODUCTION, app: type[AppSettings] | None = None, **variables: str) -> Settings:
    """Load as a production server would."""
    return load_settings(
        {"LAUNCHWORTHY_ENVIRONMENT": "production", **variables}, project(production=text), app
    )


def in_rehearsal(
    directory: Path,
    text: str = PRODUCTION,
    world: str = WORLD,
    app: type[AppSettings] | None = None,
    **variables: str,
) -> Settings:
    """Load as a rehearsed server would."""
    environ = {"LAUNCHWORTHY_ENVIRONMENT": "rehearsal", "LAUNCHWORTHY_WORLD": world_file(directory, world)}
    return load_settings({**environ, **variables}, project(production=text), app)


def refused(error: pytest.ExceptionInfo[ProblemError]) -> Problem:
    """The problem that is told first."""
    return error.value.problems[0]


def everything_said(error: BaseException) -> str:
    """All that an exception, and every one behind it, shows to whoever looks: printed, logged, pickled."""
    said: list[str] = []
    seen: set[int] = set()
    rest: list[BaseException | None] = [error]
    while rest:
        each = rest.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        rest += [each.__cause__, each.__context__]
        said += [
            str(each),
            repr(each),
            repr(each.args),
            repr(vars(each)),
            repr(getattr(each, "__notes__", ())),
        ]
        said += traceback.format_exception(each)
        if isinstance(each, ValidationError):
            said += [repr(each.errors()), each.json()]
        if isinstance(each, ProblemError):
            for problem in each.problems:
                said += [repr(problem), render_text("not started", problem), render_json("x", problem)]
                said.append(json.dumps(problem.as_json()))
        with contextlib.suppress(TypeError, pickle.PicklingError, AttributeError):
            said.append(pickle.dumps(each).decode("latin-1"))
        for attribute in ("doc", "object"):
            said.append(str(getattr(each, attribute, "")))
    out = io.StringIO()
    traceback.print_exception(error, file=out)
    return "\n".join([*said, out.getvalue()])
