"""The inner enforcement point: what the SDK asks for runs only if exactly that was authorised.

The SDK's server keeps no function of ours: its registries stay empty, and the methods through which it
lists and runs (public, and called by all of its transports) are ours. So the SDK coerces nothing, there is
no second way to a body, and whatever reaches these methods without an `Authorized` (stdio, an in-memory
client, a nested call, a task left behind) is refused. `Authorized.arguments` are what a body gets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mcp.server import MCPServer
from mcp.server.lowlevel import Server as LowLevelServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import Message, UserMessage, message_validator
from mcp.server.request_state import RequestStateBoundary
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    Prompt,
    PromptArgument,
    Resource,
    ResourceTemplate,
    TextContent,
    Tool,
)
from pydantic_core import to_json, to_jsonable_python

from launchworthy.enforcement.answers import INTERNAL_ERROR
from launchworthy.enforcement.authorized import Passage, take
from launchworthy.enforcement.bodies import Body, BodyFailed
from launchworthy.enforcement.served_function import ServedFunction
from launchworthy.manifest import ServerManifest, TargetKey, TargetKind
from launchworthy.vocabulary import Reason, Refused, wire_word

FORBIDDEN = 403
_VISIBLE: ContextVar[frozenset[TargetKey]] = ContextVar("launchworthy.visible", default=frozenset())


@contextmanager
def showing(visible: frozenset[TargetKey]) -> Iterator[None]:
    """Let lists show these targets, for as long as the exchange lasts; otherwise they show nothing."""
    token = _VISIBLE.set(visible)
    try:
        yield
    finally:
        _VISIBLE.reset(token)


class GuardedServer(MCPServer[dict[str, Any]]):
    """The SDK's server over our targets."""

    def __init__(self, manifest: ServerManifest, bodies: Mapping[TargetKey, Body]) -> None:
        """Describe the server; what it serves is looked up in `bodies`."""
        super().__init__(
            name=manifest.name, title=manifest.title, description=manifest.description, subscriptions=False
        )
        self._bodies = bodies
        boundary = [one for one in self.middleware if isinstance(one, RequestStateBoundary)]
        self.middleware[:] = boundary  # the tracing one costs 20 µs, and nothing exports its spans
        self._tools = {key: tool_of(body.served) for key, body in _of(bodies, TargetKind.TOOL)}
        self._prompts = {key: prompt_of(body.served) for key, body in _of(bodies, TargetKind.PROMPT)}
        resources = [(key, resource_of(body.served)) for key, body in _of(bodies, TargetKind.RESOURCE)]
        self._concrete = {key: one for key, one in resources if isinstance(one, Resource)}
        self._templates = {key: one for key, one in resources if isinstance(one, ResourceTemplate)}

    @property
    def lowlevel(self) -> LowLevelServer[dict[str, Any]]:
        """What `serve_one` takes; pinned by a contract test."""
        return self._lowlevel_server

    async def list_tools(self) -> list[Tool]:
        """The tools that this caller may see."""
        return _shown(self._tools)

    async def list_prompts(self) -> list[Prompt]:
        """The prompts that this caller may see."""
        return _shown(self._prompts)

    async def list_resources(self) -> list[Resource]:
        """The concrete resources that this caller may see."""
        return _shown(self._concrete)

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """The resource templates that this caller may see."""
        return _shown(self._templates)

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[dict[str, Any], Any] | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> CallToolResult | InputRequiredResult:
        """Run the tool that was authorised, with the values that were.

        Raises:
            MCPError: nothing of the kind was authorised.
        """
        passage, body = self._claim(TargetKind.TOOL, name, arguments)
        try:
            result = await body.run(passage)
            return _tool_result(body, passage, result)
        except BodyFailed as failed:
            return CallToolResult(content=[TextContent(type="text", text=failed.text)], is_error=True)

    async def read_resource(
        self,
        uri: Any,
        context: Context[dict[str, Any], Any] | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> Iterable[ReadResourceContents]:
        """Read the resource that was authorised, with the variables that were.

        Raises:
            MCPError: nothing of the kind was authorised, or the body failed.
        """
        passage, body = self._claim(TargetKind.RESOURCE, str(uri), None)
        try:
            content = _content(body, passage, await body.run(passage))
        except BodyFailed as failed:
            raise MCPError(code=INTERNAL_ERROR, message=failed.text) from None
        return [ReadResourceContents(content=content, mime_type=body.served.mime_type)]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[dict[str, Any], Any] | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> GetPromptResult:
        """Render the prompt that was authorised, with the values that were.

        Raises:
            MCPError: nothing of the kind was authorised, or the body failed.
        """
        passage, body = self._claim(TargetKind.PROMPT, name, arguments or {})
        try:
            messages = _messages(body, passage, await body.run(passage))
        except BodyFailed as failed:
            raise MCPError(code=INTERNAL_ERROR, message=failed.text) from None
        return GetPromptResult(
            description=body.served.description,
            messages=to_jsonable_python([one.model_dump() for one in messages]),
        )

    def _claim(
        self, kind: TargetKind, named: str, arguments: Mapping[str, Any] | None
    ) -> tuple[Passage, Body]:
        try:
            passage = take(kind, named, arguments)
        except Refused as refused:
            word = wire_word(Reason.TOOL_DISPATCH_MISMATCH).value
            raise MCPError(
                code=FORBIDDEN, message="this call is not allowed", data={"reason": word}
            ) from refused
        return passage, self._bodies[passage.authorized.target.key]


def tool_of(served: ServedFunction) -> Tool:
    """A tool as it is published."""
    return Tool(
        name=served.manifest.name,
        description=served.description,
        input_schema=served.input_schema,
        output_schema=served.metadata.output_schema,
        annotations=served.annotations,
    )


def prompt_of(served: ServedFunction) -> Prompt:
    """A prompt as it is published."""
    required = served.input_schema.get("required", ())
    arguments = [
        PromptArgument(name=name, description=schema.get("description"), required=name in required)
        for name, schema in served.input_schema.get("properties", {}).items()
    ]
    return Prompt(name=served.manifest.name, description=served.description, arguments=arguments)


def resource_of(served: ServedFunction) -> Resource | ResourceTemplate:
    """A resource, or a template of them, as it is published."""
    uri = served.manifest.uri or ""
    if "{" in uri:
        return ResourceTemplate(
            name=served.manifest.name,
            uri_template=uri,
            description=served.description,
            mime_type=served.mime_type,
        )
    return Resource(
        name=served.manifest.name, uri=uri, description=served.description, mime_type=served.mime_type
    )


def _of(bodies: Mapping[TargetKey, Body], kind: TargetKind) -> list[tuple[TargetKey, Body]]:
    return [(key, body) for key, body in bodies.items() if key[0] is kind]


def _shown(published: Mapping[TargetKey, Any]) -> list[Any]:
    visible = _VISIBLE.get()
    return [one for key, one in published.items() if key in visible]


def _tool_result(body: Body, passage: Passage, result: object) -> CallToolResult:
    """Convert as the SDK does; a result that is not of the declared type is a failure of the body."""
    try:
        converted = body.served.metadata.convert_result(result)
        if isinstance(converted, CallToolResult):
            return converted
        error: Exception = TypeError("the result asks for input")
    except Exception as raised:  # noqa: BLE001 - an enforcement point; a validation error's text holds the result
        error = raised
    raise body.failed_after(passage, error)


def _content(body: Body, passage: Passage, result: object) -> str | bytes:
    if isinstance(result, str | bytes):
        return result
    try:
        return to_json(result).decode()
    except Exception as raised:  # noqa: BLE001 - an enforcement point
        error = raised
    raise body.failed_after(passage, error)


def _messages(body: Body, passage: Passage, result: object) -> Sequence[Message]:
    """One text, one message, or several: text is the user's."""
    try:
        items = result if isinstance(result, list | tuple) else [result]
        return [_message(item) for item in items]
    except Exception as raised:  # noqa: BLE001 - an enforcement point
        error = raised
    raise body.failed_after(passage, error)


def _message(item: object) -> Message:
    if isinstance(item, Message):
        return item
    if isinstance(item, dict):
        return message_validator.validate_python(item)
    if isinstance(item, str):
        return UserMessage(item)
    raise TypeError("a prompt returns text or messages")
