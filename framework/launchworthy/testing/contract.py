"""What does every server of ours do, whatever it serves? The contract tests, for a project's own test run.

A generated project holds one line, `from launchworthy.testing.contract import *`, so that new tests arrive
with the framework. They start the project's own server once and ask it what a stranger, a forger and a caller
with too few scopes would ask.
"""

import time
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from launchworthy.manifest import implied_scopes
from launchworthy.testing.client import Client, Refused
from launchworthy.testing.project import TestedProject
from launchworthy.testing.running import RunningServer

__all__ = [
    "contract_project",
    "contract_server",
    "test_a_call_without_a_token_is_refused_and_told_where_to_get_one",
    "test_a_token_for_another_audience_is_refused",
    "test_a_tool_is_listed_only_to_who_may_call_it",
    "test_an_expired_token_is_refused",
    "test_each_tool_needs_each_of_its_scopes",
    "test_what_no_manifest_declares_is_unknown",
]
_UNAUTHORIZED, _FORBIDDEN, _BAD_REQUEST = 401, 403, 400


@pytest.fixture(scope="module")
def contract_project(request: pytest.FixtureRequest) -> TestedProject:
    """The project that is tested."""
    return TestedProject.find(request.config.rootpath)


@pytest.fixture(scope="module")
def contract_server(
    contract_project: TestedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """Its server, started once for all of these tests."""
    folder = tmp_path_factory.mktemp("contract")
    with (
        contract_project.world(folder) as world,
        world.server(contract_project.package) as process,
    ):
        yield RunningServer(world, process)


def test_a_call_without_a_token_is_refused_and_told_where_to_get_one(contract_server: RunningServer) -> None:
    """RFC 6750 §3.1, RFC 9728 §5.1: 401, a pointer to the metadata, and no error."""
    with contract_server.stranger() as caller, pytest.raises(Refused) as refused:
        caller.tools()
    challenge = refused.value.challenge or ""
    _expect(refused.value.status == _UNAUTHORIZED, f"answered {refused.value.status}")
    _expect("resource_metadata=" in challenge and "error=" not in challenge, challenge)


def test_a_token_for_another_audience_is_refused(contract_server: RunningServer) -> None:
    """A token for another server of the same issuer is worth nothing here (RFC 8707)."""
    _refuses(contract_server, claims={"aud": "https://probe.invalid/mcp"})


def test_an_expired_token_is_refused(contract_server: RunningServer) -> None:
    """Beyond the leeway, an expired token is worth nothing."""
    now = int(time.time())
    _refuses(contract_server, claims={"iat": now - 400, "exp": now - 100})


def test_each_tool_needs_each_of_its_scopes(
    contract_server: RunningServer, contract_project: TestedProject
) -> None:
    """Without one of its scopes a tool is a 403 that names all of them, and does not run."""
    server = tomllib.loads((contract_project.root / "manifests" / "server.toml").read_text(encoding="utf-8"))
    implies = {scope: tuple(others) for scope, others in server["scopes"].get("implies", {}).items()}
    for name, declared in _tools(contract_project).items():
        for missing in declared["scopes"]:
            contract_server.world.executions.taken()
            others = [
                scope for scope in contract_project.scopes if missing not in implied_scopes([scope], implies)
            ]
            with contract_server.client(*others) as caller, pytest.raises(Refused) as refused:
                caller.call(name, **declared.get("example", {}))
            _expect(refused.value.status == _FORBIDDEN, f"{name} without {missing}: {refused.value.status}")
            _expect(set(refused.value.scopes) == set(declared["scopes"]), f"{name}: {refused.value.scopes}")
            _expect(contract_server.world.executions.taken() == 0, f"{name} ran")


def test_what_no_manifest_declares_is_unknown(
    contract_server: RunningServer, contract_project: TestedProject
) -> None:
    """A tool that is not declared cannot be called, whatever the scopes."""
    with contract_server.client(*contract_project.scopes) as caller, pytest.raises(Refused) as refused:
        caller.call("no_manifest_declares_this")
    _expect(refused.value.status in (_BAD_REQUEST, _FORBIDDEN), f"answered {refused.value.status}")


def test_a_tool_is_listed_only_to_who_may_call_it(
    contract_server: RunningServer, contract_project: TestedProject
) -> None:
    """Lists show what the scopes allow, and nothing else."""
    tools = _tools(contract_project)
    for scope in contract_project.scopes:
        with contract_server.client(scope) as caller:
            listed = {tool["name"] for tool in caller.tools()}
        for name in listed:
            _expect(scope in tools[name]["scopes"] or len(tools[name]["scopes"]) > 1, f"{name} with {scope}")


def _refuses(server: RunningServer, **changes: Any) -> None:
    """The changed token is refused, and its unchanged twin is not."""
    scopes = server.world.scopes
    with (
        Client(server.url, server.world.token(*scopes, **changes)) as caller,
        pytest.raises(Refused) as refused,
    ):
        caller.tools()
    _expect(refused.value.status == _UNAUTHORIZED, f"answered {refused.value.status}")
    _expect(refused.value.reason == "invalid_token", f"said {refused.value.reason}")
    with server.client(*scopes) as twin:
        _expect(twin.tools() != [], "the unchanged twin saw no tool")


def _expect(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - what an assertion says
    if not condition:
        pytest.fail(otherwise)


def _tools(project: TestedProject) -> dict[str, Any]:
    """Every tool that is declared for development."""
    found: dict[str, Any] = {}
    for path in sorted((project.root / "manifests").glob("*.toml")):
        declared = tomllib.loads(path.read_text(encoding="utf-8")).get("tools", {})
        found |= {
            name: tool
            for name, tool in declared.items()
            if "development" in tool.get("environments", ["development"])
            and tool.get("visibility") != "secret"
        }
    return found
