"""What the suite wants tools to ask of their callers, and how its bodies can.

A function of this framework cannot ask for anything: the marks below only declare that there is something to
call. The bodies are here, behind the real gate and the real inner point, which this subclass passes as every
call does. So the suite sees that questions, sealed states and answers get through; no project can do this.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    PromptMessage,
    TextContent,
)

from launchworthy import prompt, tool
from launchworthy.enforcement.dispatch import InnerPoint, SdkContext
from launchworthy.manifest import TargetKind

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
MISSING_CAPABILITY = -32021
Answers = Mapping[str, Any]
Asked = InputRequiredResult | str


@tool
def test_input_required_result_elicitation() -> str:
    """Ask for a name."""
    raise NotImplementedError


@tool
def test_input_required_result_sampling() -> str:
    """Ask a model."""
    raise NotImplementedError


@tool
def test_input_required_result_list_roots() -> str:
    """Ask for roots."""
    raise NotImplementedError


@tool
def test_input_required_result_request_state() -> str:
    """Ask, and remember something meanwhile."""
    raise NotImplementedError


@tool
def test_input_required_result_multiple_inputs() -> str:
    """Ask for three things at once."""
    raise NotImplementedError


@tool
def test_input_required_result_multi_round() -> str:
    """Ask twice, one after the other."""
    raise NotImplementedError


@tool
def test_input_required_result_tampered_state() -> str:
    """Ask, and take only the state that was given."""
    raise NotImplementedError


@tool
def test_input_required_result_capabilities() -> str:
    """Ask only for what the client can do."""
    raise NotImplementedError


@tool
def test_missing_capability() -> str:
    """Need a client that can sample."""
    raise NotImplementedError


@prompt
def test_input_required_result_prompt() -> str:
    """Ask what a prompt is about."""
    raise NotImplementedError


def elicit(message: str, field: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(text: str) -> dict[str, Any]:
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 50}}


ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def ask(state: str | None = None, **requests: dict[str, Any]) -> InputRequiredResult:
    body: dict[str, Any] = {"resultType": "input_required", "inputRequests": requests}
    return InputRequiredResult.model_validate(body | ({} if state is None else {"requestState": state}))


def field_of(answers: Answers, key: str, field: str) -> str | None:
    """What was filled in, if it is a text."""
    content = getattr(answers.get(key), "content", None)
    value = content.get(field) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None


def _elicitation(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del state, capabilities
    name = field_of(answers, "user_name", "name")
    return ask(user_name=elicit("What is your name?", "name")) if name is None else f"Hello, {name}!"


def _sampling(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del state, capabilities
    if "capital_question" not in answers:
        return ask(capital_question=sample("What is the capital of France?"))
    return f"the model said: {answers['capital_question'].content}"


def _list_roots(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del state, capabilities
    if "client_roots" not in answers:
        return ask(client_roots=ROOTS)
    return f"roots: {[str(root.uri) for root in answers['client_roots'].roots]}"


def _state(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del capabilities
    if state != "remembered" or "confirm" not in answers:
        return ask("remembered", confirm=elicit("Please confirm", "ok", "boolean"))
    return "state-ok"


def _three(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del capabilities
    if state == "three" and {"user_name", "greeting", "client_roots"} <= set(answers):
        return "all three"
    name, greeting = elicit("What is your name?", "name"), sample("Generate a greeting")
    return ask("three", user_name=name, greeting=greeting, client_roots=ROOTS)


def _rounds(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del capabilities
    if state == "second" and "step2" in answers:
        return "both steps"
    if state == "first" and "step1" in answers:
        return ask("second", step2=elicit("Step 2: What is your favorite color?", "color"))
    return ask("first", step1=elicit("Step 1: What is your name?", "name"))


def _capabilities(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del answers, state
    able = {"user_name": elicit("What is your name?", "name")} if "elicitation" in capabilities else {}
    return ask(**able, **({"question": sample("What is it?")} if "sampling" in capabilities else {}))


def _sampling_needed(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del answers, state
    if "sampling" not in capabilities:
        needed = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=MISSING_CAPABILITY, message="this needs a client that can sample", data=needed)
    return "it can"


def _context(answers: Answers, state: str | None, capabilities: Answers) -> Asked:
    del state, capabilities
    context = field_of(answers, "user_context", "context")
    wanted = elicit("What context should the prompt use?", "context")
    return ask(user_context=wanted) if context is None else f"Use this: {context}"


BODIES: Mapping[str, Callable[[Answers, str | None, Answers], Asked]] = {
    "test_input_required_result_elicitation": _elicitation,
    "test_input_required_result_sampling": _sampling,
    "test_input_required_result_list_roots": _list_roots,
    "test_input_required_result_request_state": _state,
    "test_input_required_result_tampered_state": _state,
    "test_input_required_result_multiple_inputs": _three,
    "test_input_required_result_multi_round": _rounds,
    "test_input_required_result_capabilities": _capabilities,
    "test_missing_capability": _sampling_needed,
    "test_input_required_result_prompt": _context,
}


class InnerPointThatAsks(InnerPoint):
    """The real inner point; bodies of the table above run where the function's own would."""

    async def call_tool(self, ctx: SdkContext, params: CallToolRequestParams) -> Any:
        if params.name not in BODIES:
            return await super().call_tool(ctx, params)
        said = self._asked(TargetKind.TOOL, ctx, params, params.arguments or {})
        return CallToolResult(content=[TextContent(text=said)]) if isinstance(said, str) else said

    async def get_prompt(self, ctx: SdkContext, params: GetPromptRequestParams) -> Any:
        if params.name not in BODIES:
            return await super().get_prompt(ctx, params)
        said = self._asked(TargetKind.PROMPT, ctx, params, params.arguments or {})
        if not isinstance(said, str):
            return said
        return GetPromptResult(messages=[PromptMessage(role="user", content=TextContent(text=said))])

    def _asked(self, kind: TargetKind, ctx: SdkContext, params: Any, arguments: Mapping[str, Any]) -> Asked:
        passage, _ = self._claim(kind, params.name, arguments)
        capabilities = (ctx.meta or {}).get(CAPABILITIES, {})
        passage.outcome = "error"
        said = BODIES[params.name](params.input_responses or {}, params.request_state, capabilities)
        passage.outcome = "ok"
        return said
