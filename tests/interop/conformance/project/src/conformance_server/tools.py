"""The tools of the suite, as plain functions."""

import asyncio
from typing import Annotated, Any

from mcp_types import AudioContent, EmbeddedResource, ImageContent, TextContent, TextResourceContents
from pydantic import Field

from conformance_server.samples import PIXEL, SILENCE, text_of
from launchworthy import Call, ToolError, tool


@tool
def test_simple_text() -> str:
    """Say something."""
    return "This is a simple text response for testing."


@tool
def test_image_content() -> ImageContent:
    """Show a picture."""
    return ImageContent(data=text_of(PIXEL), mime_type="image/png")


@tool
def test_audio_content() -> AudioContent:
    """Play a sound."""
    return AudioContent(data=text_of(SILENCE), mime_type="audio/wav")


@tool
def test_embedded_resource() -> EmbeddedResource:
    """Hand over a resource."""
    return _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")


@tool
def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Hand over several things."""
    return [
        TextContent(text="Multiple content types test:"),
        ImageContent(data=text_of(PIXEL), mime_type="image/png"),
        _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ]


@tool
def test_error_handling() -> str:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


@tool
async def test_tool_with_progress(call: Call[Any]) -> str:
    """Tell how far it is."""
    for done in (0, 50, 100):
        await call.progress(done, of=100)
        await asyncio.sleep(0.05)
    return "done"


@tool
async def test_logging_tool(call: Call[Any]) -> str:
    """Log something, which reaches no client."""
    call.log.info("conformance.logged")
    return "logged"


@tool
async def test_streaming_elicitation(call: Call[Any]) -> str:
    """Answer by a stream, and ask nothing: a request is never sent to a client."""
    await call.progress(1, of=1)
    return "streamed"


@tool
def echo_region(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    priority: Annotated[int, Field(json_schema_extra={"x-mcp-header": "Priority"})] = 1,
) -> str:
    """Repeat what stands in a header too."""
    return f"{region} {priority}"


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))
