"""The prompts of the suite, as plain functions."""

from mcp_types import EmbeddedResource, ImageContent, PromptMessage, TextContent, TextResourceContents

from conformance_server.samples import PIXEL, text_of
from launchworthy import completion, prompt


@prompt
def test_simple_prompt() -> str:
    """Without arguments."""
    return "This is a simple prompt for testing."


@prompt
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """With two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@completion(test_prompt_with_arguments, "arg1")
def arg1(typed: str) -> list[str]:
    """Complete the first argument."""
    return [value for value in ("test", "testing", "tested") if value.startswith(typed)]


@prompt
def test_prompt_with_embedded_resource(resourceUri: str) -> list[PromptMessage]:  # noqa: N803 - the suite's name
    """With a resource in it."""
    contents = TextResourceContents(
        uri=resourceUri, mime_type="text/plain", text="Embedded resource content for testing."
    )
    return [
        PromptMessage(role="user", content=EmbeddedResource(resource=contents)),
        PromptMessage(role="user", content=TextContent(text="Please process the embedded resource above.")),
    ]


@prompt
def test_prompt_with_image() -> list[PromptMessage]:
    """With a picture in it."""
    return [
        PromptMessage(role="user", content=ImageContent(data=text_of(PIXEL), mime_type="image/png")),
        PromptMessage(role="user", content=TextContent(text="Please analyze the image above.")),
    ]
