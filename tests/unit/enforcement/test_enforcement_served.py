"""What can be served, and what stops the start: everything that would fail only at the first call."""

import asyncio
import functools
import importlib.util
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from launchworthy.credentials import Call
from launchworthy.enforcement.exchange import build_exchange
from launchworthy.enforcement.published import published, published_of
from launchworthy.enforcement.results import prompt_messages, resource_result, tool_result
from launchworthy.enforcement.served_function import check_app, close, serve_functions
from launchworthy.enforcement.visible import VisibleTargets
from launchworthy.enforcement.workers import Workers
from launchworthy.manifest import Manifests, Served, Server, TargetKind, load_manifests, match
from launchworthy.vocabulary import Environment, Principal, PrincipalKind, ProblemError

SERVER = b"""
name = "shop"
title = "Shop"
description = "A shop for tests"
[ownership]
owner = "@acme/shop"
on_call = "https://on-call.acme.example/shop"
security = "security@acme.example"
approvers = ["@acme/leads"]
runbook = "RUNBOOK.md"
reviewed = 2026-11-20
[scopes]
entry = ["shop:read"]
[data]
classification = "internal"
tenancy = "single"
audit_retention = "400d"
[lifecycle]
stage = "active"
decommission = "RUNBOOK.md#decommission"
"""
TOOL = '[tools.f]\neffect = "read"\nscopes = ["shop:read"]\n'
HEADER = """
from dataclasses import dataclass
from typing import Annotated, Any
from pydantic import BaseModel, Field
from launchworthy.credentials import Call
from launchworthy.manifest import prompt, resource, tool
"""


@functools.cache
def _counter() -> Iterator[int]:
    return iter(range(10_000))


def matched(tmp_path, code: str, manifest: str = TOOL) -> tuple[Manifests, Server[Any, Any], tuple[Served, ...]]:
    name = f"served_{next(_counter())}"
    path = tmp_path / f"{name}.py"
    path.write_text(HEADER + textwrap.dedent(code))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    manifests = load_manifests({"manifests/server.toml": SERVER, "manifests/tools.toml": manifest.encode()})
    server = Server(module)
    return manifests, server, match(manifests, server.marks())


def serve(tmp_path, code: str, manifest: str = TOOL):
    return serve_functions(matched(tmp_path, code, manifest)[2])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("@tool\ndef f() -> dict: ...", "result-without-schema"),
        ("@tool\ndef f(): ...", "result-without-schema"),
        ("@dataclass(slots=True)\nclass R:\n    x: int\n@tool\ndef f() -> R: ...", "result-without-schema"),
        ("class R: ...\n@tool\ndef f() -> R: ...", "result-without-schema"),
        ("from mcp_types import CallToolResult\n@tool\ndef f() -> CallToolResult: ...", "result-without-schema"),
        ("@tool\ndef f(x) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(*x: int) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(**x: int) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(x: int, /) -> int: ...", "argument-without-schema"),
        ("@tool\ndef f(_x: int) -> int: ...", "argument-without-schema"),
        ("class R: ...\n@tool\ndef f(x: R) -> int: ...", "argument-without-schema"),
        ("from mcp.server.mcpserver import Context\n@tool\ndef f(x: Context) -> int: ...", "argument-without-schema"),
        (
            "from mcp.server.mcpserver import Resolve\ndef who(): ...\n"
            "@tool\ndef f(x: Annotated[str, Resolve(who)]) -> int: ...",
            "argument-without-schema",
        ),
        ("@tool\ndef f(a: Call[Any], b: Call[Any]) -> int: ...", "two-calls"),
        ("@tool\ndef f(x: 'Missing') -> int: ...", "unknown-annotation"),
        ("@tool\ndef f(x: Annotated[float, Field(json_schema_extra={'x-mcp-header': 'X'})]) -> int: ...", "bad-header-annotation"),
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
        "@dataclass(frozen=True, kw_only=True)\nclass R:\n    x: int\n@tool\nasync def f(copy: int, *, schema: str = '') -> R | None: ...",
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
    assert {problem.reason for problem in raised.value.problems} == {"result-without-schema", "argument-without-schema"}


def test_an_example_that_does_not_fit_stops_the_start(tmp_path):
    code = "@tool\ndef f(x: int) -> int: ..."
    assert serve(tmp_path, code, TOOL + "example = { x = 1 }\n")
    with pytest.raises(ProblemError) as raised:
        serve(tmp_path, code, TOOL + 'example = { x = "1" }\n')
    [problem] = raised.value.problems
    assert (problem.reason, problem.where) == ("example-does-not-fit", "manifests/tools.toml:1")
    assert "`x` (int_type)" in problem.what


def test_an_example_of_a_resource_is_text_in_its_uri(tmp_path):
    manifest = '[resources.f]\nuri = "shop://f/{x}/{y}"\nscopes = ["shop:read"]\nexample = { x = 1, y = true }\n'
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
    call = RunningCall(
        id=CallId("4T7K-9QX2-M0DV"), principal=principal, environment=Environment.STAGING, app=None,
        unbound_log=structlog.get_logger(), report=report,
    )  # fmt: skip
    assert isinstance(call, Call)
    assert call.log is not None
    asyncio.run(call.progress(1))


def test_every_object_of_a_published_schema_is_closed_but_free_ones():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": {"type": "object", "additionalProperties": True, "properties": {}}}},
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
    exchange = build_exchange(server, manifests, served, Environment.STAGING, None, None, structlog.get_logger())
    assert published(exchange) == shown


@pytest.mark.parametrize(
    ("annotation", "result"),
    [
        ("int", 3),
        ("str", "x"),
        ("None", None),
        ("list[int]", [1, 2]),
        ("dict[str, int]", {"a": 1}),
        ("list[dict[str, str]]", [{"a": "b"}]),
        ("tuple[int, str]", (1, "a")),
        ("int | None", None),
        ("bool", True),
        ("float", 1.5),
    ],
)
def test_results_are_written_as_the_sdk_writes_them(tmp_path, annotation, result):
    [function] = serve(tmp_path, f"@tool\ndef f() -> {annotation}: ...")
    assert_same_result(function.metadata, result)


def test_results_of_models_and_dataclasses_are_written_as_the_sdk_writes_them(tmp_path):
    code = """
        from datetime import date
        class M(BaseModel):
            x: int = Field(alias="the x")
            day: date = date(2026, 11, 20)
        @dataclass
        class D:
            m: M
            rest: list[M]
        @tool
        def f() -> D: ...
        @tool
        def g() -> M: ...
        @tool
        def h() -> list[M]: ...
    """
    manifest = TOOL + TOOL.replace("tools.f", "tools.g") + TOOL.replace("tools.f", "tools.h")
    functions = serve(tmp_path, code, manifest)
    module = sys.modules[functions[0].mark.function.__module__]
    one = module.M(**{"the x": 1})
    for function, result in zip(functions, (module.D(m=one, rest=[one]), one, [one, one]), strict=True):
        assert_same_result(function.metadata, result)


def assert_same_result(metadata, result):
    theirs = metadata.convert_result(result).model_dump(mode="json", by_alias=True, exclude_none=True)
    ours = tool_result(metadata, result)
    if not isinstance(ours, dict):
        ours = ours.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ours["content"] == [{"type": "text", "text": block["text"]} for block in theirs["content"]]
    assert ours["structuredContent"] == theirs.get("structuredContent")
    assert (ours["isError"], ours["resultType"]) == (False, "complete")


def test_a_result_of_another_type_is_no_result(tmp_path):
    [function] = serve(tmp_path, "@tool\ndef f() -> list[int]: ...")
    for wrong in (["x"], {"a": object()}, object()):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, the body has failed
            tool_result(function.metadata, wrong)


def test_content_blocks_are_left_to_the_sdk(tmp_path):
    code = "from mcp_types import TextContent\n@tool\ndef f() -> list[TextContent]: ..."
    [function] = serve(tmp_path, code)
    from mcp_types import CallToolResult, InputRequiredResult, TextContent

    assert isinstance(tool_result(function.metadata, [TextContent(type="text", text="x")]), CallToolResult)
    with pytest.raises(TypeError, match="asks for input"):
        tool_result(function.metadata, InputRequiredResult(input_requests={}, request_state="x"))


def test_prompts_and_resources_are_written():
    from mcp_types import PromptMessage, TextContent

    message = PromptMessage(role="assistant", content=TextContent(type="text", text="x"))
    assert prompt_messages(message) == [message]
    assert [one.role for one in prompt_messages(("a", {"role": "assistant", "content": "b"}))] == ["user", "assistant"]
    with pytest.raises(TypeError):
        prompt_messages([7])
    assert resource_result("a://b", "text/plain", "x").contents[0].text == "x"
    assert resource_result("a://b", "x/y", b"\x00").contents[0].blob == "AA=="
    with pytest.raises(Exception):  # noqa: B017, PT011
        resource_result("a://b", "x/y", object())


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
        return {name for _, name in VisibleTargets(manifests.targets.values(), environment).to(principal)}

    assert seen(Environment.STAGING, "shop:read", "other") == {"f"}
    assert seen(Environment.STAGING, "shop:read", "shop:write") == {"f", "g"}
    assert seen(Environment.PRODUCTION, "shop:read") == {"f", "i"}
    assert seen(Environment.STAGING, "shop:write") == set()
    assert seen(Environment.STAGING) == set()


def test_a_function_that_is_abandoned_keeps_its_place_until_it_ends():
    import threading

    async def use() -> None:
        workers, let_go, entered = Workers(places=1), threading.Event(), threading.Event()

        def stuck() -> str:
            entered.set()
            let_go.wait(5)
            return "late"

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await workers.run(stuck)
        assert entered.is_set()
        assert workers.running == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await workers.run(lambda: "no place")
        let_go.set()
        async with asyncio.timeout(5):
            assert await workers.run(lambda: "a place") == "a place"
            while workers.running:
                await asyncio.sleep(0.001)

    asyncio.run(use())


def test_a_worker_gives_back_results_and_errors_and_its_place():
    async def use() -> None:
        workers = Workers()
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        while workers.running:
            await asyncio.sleep(0.001)

    asyncio.run(use())
