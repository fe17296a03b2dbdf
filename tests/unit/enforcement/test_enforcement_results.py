"""What a body returned, written as the SDK writes it."""

import sys

import pytest
from served_functions import TOOL, serve

from launchworthy.enforcement.results import prompt_messages, resource_result, tool_result


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
    assert [one.role for one in prompt_messages(("a", {"role": "assistant", "content": "b"}))] == [
        "user",
        "assistant",
    ]
    with pytest.raises(TypeError):
        prompt_messages([7])
    assert resource_result("a://b", "text/plain", "x").contents[0].text == "x"
    assert resource_result("a://b", "x/y", b"\x00").contents[0].blob == "AA=="
    with pytest.raises(Exception):  # noqa: B017, PT011
        resource_result("a://b", "x/y", object())
