"""What can be served, and what stops the start: everything that would fail only at the first call."""

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import structlog
from served_functions import TOOL, matched, serve

from launchworthy.credentials import Call
from launchworthy.enforcement.exchange import build_exchange
from launchworthy.enforcement.published import published, published_of
from launchworthy.enforcement.rehearsing import NOT_REHEARSED
from launchworthy.enforcement.served_function import check_app, close
from launchworthy.enforcement.visible import VisibleTargets
from launchworthy.manifest import TargetKind
from launchworthy.vocabulary import Environment, Principal, PrincipalKind, ProblemError

RESOLVED = """
from mcp.server.mcpserver import Resolve
def who(): ...
@tool
def f(x: Annotated[str, Resolve(who)]) -> int: ...
"""
ODD_HEADER = """
@tool
def f(x: Annotated[float, Field(json_schema_extra={'x-mcp-header': 'X'})]) -> int: ...
"""
GENEROUS = """
@dataclass(frozen=True, kw_only=True)
class R:
    x: int
@tool
async def f(copy: int, *, schema: str = '') -> R | None: ...
"""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("@tool\ndef f() -> dict: ...", "result-without-schema"),
        ("@tool\ndef f(): ...", "result-without-schema"),
        ("@dataclass(slots=True)\nclass R:\n    x: int\n@tool\ndef f() -> R: ...", "result-without-schema"),
        ("class R: ...\n@tool\ndef f() -> R: ...", "result-without-schema"),
        (
            "from mcp_types import CallToolResult\n@tool\ndef f() -> CallToolResult: ...",
            "result-without-schema",
        ),
        ("@tool\ndef f(x) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(*x: int) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(**x: int) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(x: int, /) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(_x: int) -> int: ...", "argument-without-schema"),
        ("class R: ...\n@tool\ndef f(x: R) -> int: ...", "argument-without-schema"),
        (
            "from mcp.server.mcpserver import Context\n@tool\ndef f(x: Context) -> int: ...",
            "argument-without-schema",
        ),
        (RESOLVED, "argument-without-schema"),
        ("@tool\ndef f(a: Call[Any], b: Call[Any]) -> int: ...", "two-calls"),
        ("@tool\ndef f(x: 'Missing') -> int: ...", "unknown-annotation"),
        (ODD_HEADER, "bad-header-annotation"),
    ],
)
def test_what_cannot_be_served_stops_the_start_and_says_where(tmp_path, code, reason):
    with pytest.raises(ProblemError) as raised:
        serve(tmp_path, code)
    [problem] = raised.value.problems
    assert problem.reason == reason
    assert problem.where.startswith("served_")
    assert problem.fix


@pytest.mark.parametrize(
    "code",
    [
        "@tool\ndef f() -> int: ...",
        "@tool\ndef f() -> None: ...",
        "@tool\ndef f() -> dict[str, int]: ...",
        "@tool\ndef f() -> list[dict[str, int]]: ...",
        GENEROUS,
        "class R(BaseModel):\n    x: int\n@tool\ndef f(call: Call[Any], x: R) -> R: ...",
        "@tool\ndef f(call: Call) -> int: ...",
    ],
)
def test_what_has_a_schema_can_be_served(tmp_path, code):
    [function] = serve(tmp_path, code)
    assert function.input_schema["additionalProperties"] is False
    assert "call" not in function.input_schema.get("properties", {})


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    manifest = TOOL + TOOL.replace("tools.f", "tools.g")
    with pytest.raises(ProblemError) as raised:
        serve(tmp_path, "@tool\ndef f() -> dict: ...\n@tool\ndef g(x) -> int: ...", manifest)
    assert {problem.reason for problem in raised.value.problems} == {
        "result-without-schema",
        "argument-without-schema",
    }


def test_an_example_that_does_not_fit_stops_the_start(tmp_path):
    code = "@tool\ndef f(x: int) -> int: ..."
    assert serve(tmp_path, code, TOOL + "example = { x = 1 }\n")
    with pytest.raises(ProblemError) as raised:
        serve(tmp_path, code, TOOL + 'example = { x = "1" }\n')
    [problem] = raised.value.problems
    assert (problem.reason, problem.where) == ("example-does-not-fit", "manifests/tools.toml:1")
    assert "`x` (int_type)" in problem.what


def test_an_example_of_a_resource_is_text_in_its_uri(tmp_path):
    manifest = (
        '[resources.f]\nuri = "shop://f/{x}/{y}"\nscopes = ["shop:read"]\nexample = { x = 1, y = true }\n'
    )
    assert serve(tmp_path, "@resource\ndef f(x: int, y: bool) -> str: ...", manifest)


def test_an_argument_named_like_a_method_of_a_model_keeps_its_name(tmp_path):
    [function] = serve(tmp_path, "@tool\ndef f(copy: int, json: str) -> int: ...")
    validated = function.arguments.validate({"copy": 1, "json": "x"})
    assert validated.values == validated.plain == {"copy": 1, "json": "x"}


def test_the_values_of_policy_and_audit_are_those_of_the_body_whatever_serialises_them(tmp_path):
    code = """
        from pydantic import AfterValidator, PlainSerializer
        @tool
        def f(x: Annotated[str, AfterValidator(str.strip), PlainSerializer(lambda _: "harmless")]) -> int: ...
    """
    [function] = serve(tmp_path, code)
    validated = function.arguments.validate({"x": "  /etc/passwd "})
    assert validated.values == validated.plain == {"x": "/etc/passwd"}


@dataclass
class Shop:
    name: str


def test_another_app_than_the_server_opens_stops_the_start(tmp_path):
    functions = serve(tmp_path, "from pathlib import Path\n@tool\ndef f(call: Call[Path]) -> int: ...")
    with pytest.raises(ProblemError) as raised:
        check_app(functions, Shop(name="x"))
    [problem] = raised.value.problems
    assert (problem.reason, problem.what) == ("other-app", "`f` takes Call[Path], and the server opens Shop")
    check_app(functions, tmp_path)


@pytest.mark.parametrize("told", ["Call", "Call[Any]", "Call[object]", "Call[None]", "Call[dict[str, int]]"])
def test_a_call_may_leave_the_app_open_or_say_that_there_is_none(tmp_path, told):
    functions = serve(tmp_path, f"@tool\ndef f(call: {told}) -> int: ...")
    check_app(functions, {} if "dict" in told else None)


def test_a_running_call_is_what_the_protocol_says():
    from launchworthy.enforcement.running_call import RunningCall
    from launchworthy.vocabulary import CallId

    async def report(done: float, of: float | None) -> None:
        """Nobody listens."""

    principal = Principal(
        issuer="https://a.example", subject="s", client="c", kind=PrincipalKind.MACHINE, scopes=frozenset(),
        actors=(), token_id="j", issued_at=1, expires_at=2,
    )  # fmt: skip
    told: list[str] = []
    call = RunningCall(
        id=CallId("4T7K-9QX2-M0DV"), principal=principal, environment=Environment.STAGING, _app=None,
        unbound_log=structlog.get_logger(), report=report, tell_changed=told.append,
        _book=SimpleNamespace(ended=False), _loop=None,
    )  # fmt: skip
    assert isinstance(call, Call)
    assert call.log is not None
    asyncio.run(call.progress(1))
    call.changed("shop://order/1")
    assert told == ["shop://order/1"]


def test_every_object_of_a_published_schema_is_closed_but_free_ones():
    schema = {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "properties": {"b": {"type": "object", "additionalProperties": True, "properties": {}}},
            },
            "free": {"type": "object", "additionalProperties": True},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "data": {"default": {"type": "object"}, "enum": [{"type": "object"}]},
        },
        "$defs": {"D": {"type": "object"}},
    }
    closed = close(schema)
    assert closed["additionalProperties"] is False
    assert closed["properties"]["a"]["additionalProperties"] is False
    assert closed["properties"]["a"]["properties"]["b"]["additionalProperties"] is False
    assert closed["properties"]["free"]["additionalProperties"] is True
    assert closed["properties"]["map"]["additionalProperties"] == {"type": "integer"}
    assert closed["properties"]["data"] == {"default": {"type": "object"}, "enum": [{"type": "object"}]}
    assert closed["$defs"]["D"]["additionalProperties"] is False
    assert "additionalProperties" not in schema


def test_what_is_published_can_be_pinned_without_a_server(tmp_path):
    code = """
        @tool
        def f(x: int) -> int:
            '''Add one.'''
        @resource
        def r(x: int) -> str:
            '''One thing.'''
        @resource
        def c() -> bytes:
            '''A picture.'''
        @prompt
        def p(x: str, y: int = 1) -> str:
            '''Say it.'''
    """
    manifest = (
        TOOL + '[resources.r]\nuri = "shop://r/{x}"\nscopes = ["shop:read"]\n'
        '[resources.c]\nuri = "shop://c"\nscopes = ["shop:read"]\n[prompts.p]\nscopes = ["shop:read"]\n'
    )
    manifests, server, served = matched(tmp_path, code, manifest)
    shown = published_of(served)
    tool = shown[(TargetKind.TOOL, "f")]
    assert (tool["name"], tool["description"]) == ("f", "Add one.")
    assert tool["annotations"] == {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True}
    assert tool["inputSchema"]["required"] == ["x"]
    assert shown[(TargetKind.RESOURCE, "r")]["uriTemplate"] == "shop://r/{x}"
    assert shown[(TargetKind.RESOURCE, "c")]["mimeType"] == "application/octet-stream"
    assert shown[(TargetKind.PROMPT, "p")]["arguments"] == [
        {"name": "x", "required": True},
        {"name": "y", "required": False},
    ]
    exchange = build_exchange(
        server, manifests, served, Environment.STAGING, None, NOT_REHEARSED, structlog.get_logger(), None
    )
    assert published(exchange) == shown


def test_visible_is_what_scopes_and_environment_allow(tmp_path):
    manifest = (
        TOOL + TOOL.replace("tools.f", "tools.g").replace('["shop:read"]', '["shop:read", "shop:write"]')
        + TOOL.replace("tools.f", "tools.h") + 'visibility = "secret"\n'
        + TOOL.replace("tools.f", "tools.i") + 'environments = ["production"]\n'
    )  # fmt: skip
    code = "\n".join(f"@tool\ndef {name}() -> int: ..." for name in "fghi")
    manifests, _, _ = matched(tmp_path, code, manifest)

    def seen(environment, *scopes):
        principal = Principal(
            issuer="https://a.example", subject="s", client="c", kind=PrincipalKind.MACHINE,
            scopes=frozenset(scopes), actors=(), token_id="j", issued_at=1, expires_at=2,
        )  # fmt: skip
        return {
            name
            for _, name in VisibleTargets(manifests.targets.values(), environment).to(
                principal, way_back=True
            )
        }

    assert seen(Environment.STAGING, "shop:read", "other") == {"f"}
    assert seen(Environment.STAGING, "shop:read", "shop:write") == {"f", "g"}
    assert seen(Environment.PRODUCTION, "shop:read") == {"f", "i"}
    assert seen(Environment.STAGING, "shop:write") == set()
    assert seen(Environment.STAGING) == set()
