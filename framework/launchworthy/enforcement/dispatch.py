"""The inner enforcement point: what the SDK asks for runs only if exactly that was authorised.

The SDK's server holds no function of ours, only the handlers below: so it coerces nothing, there is no
second way to a body, and what reaches a handler without an `Authorized` (stdio, an in-memory client, a nested
call, a task left behind) is refused. `Authorized.arguments` are what a body gets, whatever the SDK made of
the request.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import (
    SERVER_INFO_META_KEY,
    CallToolRequestParams,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    Tool,
)

from launchworthy.enforcement.answers import INTERNAL_ERROR
from launchworthy.enforcement.authorized import Passage, take
from launchworthy.enforcement.bodies import Body, BodyFailed
from launchworthy.enforcement.request import Revision
from launchworthy.enforcement.results import (
    ToolResult,
    failed_result,
    prompt_messages,
    resource_result,
    tool_result,
)
from launchworthy.enforcement.served_completers import completion_values
from launchworthy.enforcement.served_function import ServedFunction
from launchworthy.manifest import ServerManifest, TargetKey, TargetKind
from launchworthy.vocabulary import Reason, Refused, wire_word

FORBIDDEN = 403
BodyKey = tuple[TargetKey, str | None]
"""A target, and the argument that is completed; None is the target's own body."""
SdkContext = ServerRequestContext[dict[str, Any], Any]
_VISIBLE: ContextVar[frozenset[TargetKey]] = ContextVar("launchworthy.visible", default=frozenset())


@contextmanager
def showing(visible: frozenset[TargetKey]) -> Iterator[None]:
    """Let lists show these targets, for as long as the exchange lasts; otherwise they show nothing."""
    token = _VISIBLE.set(visible)
    try:
        yield
    finally:
        _VISIBLE.reset(token)


def sdk_server(
    manifest: ServerManifest, version: str, bodies: Mapping[BodyKey, Body]
) -> Server[dict[str, Any]]:
    """The SDK's server over our targets."""
    inner = InnerPoint(bodies)
    completes = any(argument is not None for _, argument in bodies)
    server: Server[dict[str, Any]] = Server(
        manifest.name,
        title=manifest.title,
        description=manifest.description,
        version=version,
        on_list_tools=inner.list_tools,
        on_list_resources=inner.list_resources,
        on_list_resource_templates=inner.list_resource_templates,
        on_read_resource=inner.read_resource,
        on_list_prompts=inner.list_prompts,
        on_get_prompt=inner.get_prompt,
        on_subscriptions_listen=inner.listen,
        on_completion=inner.complete if completes else None,
    )
    server.add_request_handler("tools/call", CallToolRequestParams, inner.call_tool)
    # the tracing middleware that is there by default costs 20 µs, and nothing exports its spans
    sealed = RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=manifest.name)
    server.middleware[:] = [sealed]
    inner.stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
    return server


class InnerPoint:
    """The handlers of the SDK's server."""

    def __init__(self, bodies: Mapping[BodyKey, Body]) -> None:
        """What is served is looked up in `bodies`."""
        self.stamp: dict[str, Any] = {}
        self._bodies = bodies
        self._tools = {key: tool_of(body.served) for key, body in _of(bodies, TargetKind.TOOL)}
        self._prompts = {key: prompt_of(body.served) for key, body in _of(bodies, TargetKind.PROMPT)}
        resources = [(key, resource_of(body.served)) for key, body in _of(bodies, TargetKind.RESOURCE)]
        self._concrete = {key: one for key, one in resources if isinstance(one, Resource)}
        self._templates = {key: one for key, one in resources if isinstance(one, ResourceTemplate)}

    async def list_tools(self, ctx: SdkContext, params: PaginatedRequestParams | None) -> ListToolsResult:
        """The tools that this caller may see."""
        del ctx, params
        return ListToolsResult(tools=_shown(self._tools))

    async def list_prompts(self, ctx: SdkContext, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """The prompts that this caller may see."""
        del ctx, params
        return ListPromptsResult(prompts=_shown(self._prompts))

    async def list_resources(
        self, ctx: SdkContext, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The concrete resources that this caller may see."""
        del ctx, params
        return ListResourcesResult(resources=_shown(self._concrete))

    async def list_resource_templates(
        self, ctx: SdkContext, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """The resource templates that this caller may see."""
        del ctx, params
        return ListResourceTemplatesResult(resource_templates=_shown(self._templates))

    async def call_tool(self, ctx: SdkContext, params: CallToolRequestParams) -> ToolResult:
        """Run the tool that was authorised, with the values that were.

        Raises:
            MCPError: nothing of the kind was authorised.
        """
        passage, body = self._claim(TargetKind.TOOL, params.name, params.arguments or {})
        try:
            result = await body.run(passage, partial(tool_result, body.served.metadata))
        except BodyFailed as failed:
            result = failed_result(failed.text)
        if ctx.protocol_version == Revision.MODERN and isinstance(result, dict):
            result["_meta"] = self.stamp  # as the SDK would, which copies it deeply each time
        return result

    async def read_resource(self, ctx: SdkContext, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Read the resource that was authorised, with the variables that were.

        Raises:
            MCPError: nothing of the kind was authorised, or the body failed.
        """
        del ctx
        passage, body = self._claim(TargetKind.RESOURCE, params.uri, None)
        try:
            return await body.run(passage, partial(resource_result, params.uri, body.served.mime_type))
        except BodyFailed as failed:
            raise MCPError(code=INTERNAL_ERROR, message=failed.text) from None

    async def get_prompt(self, ctx: SdkContext, params: GetPromptRequestParams) -> GetPromptResult:
        """Render the prompt that was authorised, with the values that were.

        Raises:
            MCPError: nothing of the kind was authorised, or the body failed.
        """
        del ctx
        passage, body = self._claim(TargetKind.PROMPT, params.name, params.arguments or {})
        try:
            messages = await body.run(passage, prompt_messages)
        except BodyFailed as failed:
            raise MCPError(code=INTERNAL_ERROR, message=failed.text) from None
        return GetPromptResult(description=body.served.description, messages=messages)

    async def listen(
        self, ctx: SdkContext, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Refuse: streams are served before the SDK; that it is asked for them means another way in.

        Raises:
            MCPError: always.
        """
        del ctx, params
        raise _not_allowed()

    async def complete(self, ctx: SdkContext, params: CompleteRequestParams) -> CompleteResult:
        """Say what an argument could be, as it was authorised.

        Raises:
            MCPError: nothing of the kind was authorised, or the body failed.
        """
        del ctx
        if isinstance(params.ref, PromptReference):
            kind, named = TargetKind.PROMPT, params.ref.name
        else:
            kind, named = TargetKind.RESOURCE, params.ref.uri
        given = params.context.arguments if params.context is not None else None
        arguments = {"typed": params.argument.value, "given": given or {}}
        passage, body = self._claim(kind, named, arguments, completing=params.argument.name)
        try:
            return CompleteResult(completion=await body.run(passage, completion_values))
        except BodyFailed as failed:
            raise MCPError(code=INTERNAL_ERROR, message=failed.text) from None

    def _claim(
        self,
        kind: TargetKind,
        named: str,
        arguments: Mapping[str, Any] | None,
        *,
        completing: str | None = None,
    ) -> tuple[Passage, Body]:
        try:
            passage = take(kind, named, arguments, completing=completing)
        except Refused as refused:
            raise _not_allowed() from refused
        return passage, self._bodies[passage.authorized.target.key, completing]


def _not_allowed() -> MCPError:
    word = wire_word(Reason.TOOL_DISPATCH_MISMATCH).value
    return MCPError(code=FORBIDDEN, message="this call is not allowed", data={"reason": word})


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


def _of(bodies: Mapping[BodyKey, Body], kind: TargetKind) -> list[tuple[TargetKey, Body]]:
    return [(key, body) for (key, argument), body in bodies.items() if argument is None and key[0] is kind]


def _shown(published: Mapping[TargetKey, Any]) -> list[Any]:
    visible = _VISIBLE.get()
    return [one for key, one in published.items() if key in visible]
