"""How does a marked function become something that can be served?

Its signature gives the strict model of its arguments and the published schema; its docstring the description;
its manifest the annotations. What would only fail at the first call (a result without a schema, a parameter
that JSON cannot fill, another app than the server opens, an example that does not fit) stops the start.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from mcp.server.mcpserver.exceptions import InvalidSignature
from mcp.server.mcpserver.resolve import find_resolved_parameters
from mcp.server.mcpserver.utilities.context_injection import find_context_parameter
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata, func_metadata
from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map
from mcp_types import ToolAnnotations
from pydantic.errors import PydanticUserError

from launchworthy.credentials import Call
from launchworthy.enforcement.arguments import Arguments, Form, UnfitArguments, spelled
from launchworthy.enforcement.request import Asked
from launchworthy.enforcement.served_completers import completer_marks, undeclared_argument
from launchworthy.manifest import Effect, Mark, Served, TargetKey, TargetKind, TargetManifest
from launchworthy.vocabulary import Problem, ProblemError

_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_INSTANCES = frozenset({"default", "const", "enum", "examples"})
"""Keywords of JSON Schema whose values are data, not schemas."""
_FORMS = {TargetKind.TOOL: Form.JSON, TargetKind.PROMPT: Form.TEXT, TargetKind.RESOURCE: Form.URI}
_ANNOTATIONS = {
    Effect.READ: ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True),
    Effect.WRITE: ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False),
    Effect.DESTRUCTIVE: ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFunction:
    """A function with all that serving it needs.

    Attributes:
        manifest: what it promises.
        mark: the function and where it is.
        is_async: whether it is a coroutine function; another runs in a worker thread.
        call_parameter: the name of its `Call` parameter, if it has one.
        app_type: the X of its `Call[X]`, if it says one.
        arguments: what it takes.
        metadata: the SDK's reading of it, for converting results.
        description: its docstring.
        input_schema: as published; closed at every level.
        mirrored: whether arguments are repeated in `Mcp-Param-*` headers.
        completers: what says what its arguments could be; for each, or for none.
    """

    manifest: TargetManifest
    mark: Mark
    is_async: bool
    call_parameter: str | None
    app_type: type | None
    arguments: Arguments
    metadata: FuncMetadata
    description: str
    input_schema: dict[str, Any]
    mirrored: bool
    completers: Mapping[str, "ServedFunction"]

    def check_completed(self, asked: Asked) -> Mapping[str, Any]:
        """Validate what a completion of one of its arguments would get.

        Raises:
            UnfitArguments: it has no such argument, or its completion does not take such a text.
        """
        given: Mapping[str, str] = asked.arguments["given"]  # type: ignore[assignment]  # as it was read
        for name in (asked.completing or "", *given):
            if name not in self.completers:
                raise undeclared_argument(name)
        taken = self.completers[asked.completing or ""].arguments
        asked_for = {name: value for name, value in asked.arguments.items() if taken.takes(name)}
        return taken.validate(asked_for).values

    @property
    def key(self) -> TargetKey:
        """What tells one target from another."""
        return self.manifest.key

    @property
    def annotations(self) -> ToolAnnotations:
        """What clients may assume; from the manifest, never from the code."""
        return _ANNOTATIONS[self.manifest.effect]

    @property
    def mime_type(self) -> str:
        """Of a resource's content, from the type of its result."""
        result = inspect.signature(self.mark.function, eval_str=True).return_annotation
        return {str: "text/plain", bytes: "application/octet-stream"}.get(result, "application/json")


def serve_functions(served: Sequence[Served]) -> tuple[ServedFunction, ...]:
    """Prepare every matched function.

    Raises:
        ProblemError: all that is wrong with any of them.
    """
    functions: list[ServedFunction] = []
    problems: list[Problem] = []
    for one in served:
        try:
            function = _serve(one)
        except ProblemError as error:
            problems.extend(error.problems)
        else:
            functions.append(function)
            problems.extend(_example(function))
    if problems:
        raise ProblemError(*problems)
    return tuple(functions)


def check_app(functions: Sequence[ServedFunction], app: object) -> None:
    """Compare what functions expect as `call.app` with what the server has opened.

    Raises:
        ProblemError: `other-app`.
    """
    problems = [
        Problem(
            reason="other-app",
            where=function.mark.where,
            what=f"`{function.mark.function.__name__}` takes Call[{function.app_type.__name__}], "
            f"and the server opens {type(app).__name__}",
            fix=("name the type that `Server(app=…)` yields",),
        )
        for served in functions
        for function in (served, *served.completers.values())
        if function.app_type is not None and not isinstance(app, function.app_type)
    ]
    if problems:
        raise ProblemError(*problems)


def _serve(one: Served) -> ServedFunction:
    completers = {
        argument: _serve_one(mark, one.manifest, Form.JSON, {})
        for argument, mark in completer_marks(one).items()
    }
    return _serve_one(one.mark, one.manifest, _FORMS[one.manifest.kind], completers)


def _serve_one(
    mark: Mark, manifest: TargetManifest, form: Form, completers: Mapping[str, ServedFunction]
) -> ServedFunction:
    kind = manifest.kind
    try:
        parameters = tuple(inspect.signature(mark.function, eval_str=True).parameters.values())
    except NameError as error:
        raise _problem(
            mark, "unknown-annotation", f"uses `{error.name}`, which is not defined", "import it"
        ) from None
    calls = [parameter for parameter in parameters if _is_call(parameter.annotation)]
    problems = tuple(_parameter_problems(mark, parameters, calls))
    if problems:
        raise ProblemError(*problems)
    call = calls[0] if calls else None
    metadata = _metadata(mark, kind, call.name if call is not None else None)
    schema = close(metadata.arg_model.model_json_schema(by_alias=True))
    if (invalid := find_invalid_x_mcp_header(schema)) is not None:
        raise _problem(
            mark, "bad-header-annotation", f"has an unusable x-mcp-header: {invalid}", "correct it"
        )
    return ServedFunction(
        manifest=manifest,
        mark=mark,
        is_async=inspect.iscoroutinefunction(mark.function),
        call_parameter=call.name if call is not None else None,
        app_type=_app_type(call) if call is not None else None,
        arguments=Arguments(metadata.arg_model, form),
        metadata=metadata,
        description=inspect.getdoc(mark.function) or "",
        input_schema=schema,
        mirrored=bool(x_mcp_header_map(schema)),
        completers=completers,
    )


def _metadata(mark: Mark, kind: TargetKind, call: str | None) -> FuncMetadata:
    structured = kind is TargetKind.TOOL
    try:
        metadata = func_metadata(
            mark.function, skip_names=[call] if call is not None else [], structured_output=structured
        )
        metadata.arg_model.model_json_schema(by_alias=True)
    except InvalidSignature:
        metadata = None
    except PydanticUserError as error:
        code = (error.code or "unusable").replace("-", " ")
        raise _problem(
            mark,
            "argument-without-schema",
            f"has an argument that JSON cannot fill ({code})",
            "give it another type",
        ) from None
    if metadata is None or (structured and metadata.output_schema is None):
        shown = inspect.formatannotation(inspect.signature(mark.function).return_annotation)
        raise _problem(
            mark,
            "result-without-schema",
            f"`{mark.name}` returns `{shown}`, which has no schema",
            "return a dataclass (not a slotted one), a pydantic model, a TypedDict, or dict[str, …]",
        )
    return metadata


def _parameter_problems(
    mark: Mark, parameters: Sequence[inspect.Parameter], calls: Sequence[inspect.Parameter]
) -> Iterator[Problem]:
    if len(calls) > 1:
        yield from _problem(mark, "two-calls", f"`{mark.name}` takes its call twice", "take it once").problems
    injected = {*find_resolved_parameters(mark.function), find_context_parameter(mark.function)}
    for parameter in parameters:
        what = None
        if parameter.kind not in _KEYWORD:
            what = "cannot be given by name"
        elif parameter.annotation is parameter.empty:
            what = "has no type"
        elif parameter.name.startswith("_"):
            what = "begins with an underscore"
        elif parameter.name in injected:
            what = "would be filled in by the SDK, which fills in nothing here; take a Call"
        if what is not None:
            told = f"the argument `{parameter.name}` of `{mark.name}` {what}"
            yield from _problem(mark, "argument-without-schema", told, "give it a name and a type").problems


def _example(function: ServedFunction) -> Iterator[Problem]:
    declared = function.manifest.example
    if declared is None:
        return
    as_text = function.manifest.kind is not TargetKind.TOOL
    example = {name: spelled(value) if as_text else value for name, value in declared.items()}
    try:
        function.arguments.validate(example)
    except UnfitArguments as unfit:
        told = ", ".join(f"`{fault.field}` ({fault.kind})" for fault in unfit.faults)
        yield Problem(
            reason="example-does-not-fit",
            where=function.manifest.where,
            what=f"the example of `{function.manifest.name}` does not fit {function.mark.where}: {told}",
            fix=("give arguments that the function takes",),
        )


def close(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, saying what is enforced: no object takes members that it does not name."""
    return {
        name: value if name in _INSTANCES else _closed(value) for name, value in _with_end(schema).items()
    }


def _closed(value: Any) -> Any:
    if isinstance(value, dict):
        return close(value)
    return [_closed(item) for item in value] if isinstance(value, list) else value


def _with_end(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "object" and ("properties" in schema or "additionalProperties" not in schema):
        return {**schema, "additionalProperties": False}
    return schema


def _is_call(annotation: object) -> bool:
    return annotation is Call or get_origin(annotation) is Call


def _app_type(call: inspect.Parameter) -> type | None:
    """The class that an app can be compared with; None where anything will do, or nothing can be compared."""
    told = get_args(call.annotation)
    wanted = (get_origin(told[0]) or told[0]) if told else Any
    comparable = isinstance(wanted, type) and wanted is not Any and not getattr(wanted, "_is_protocol", False)
    return wanted if comparable else None


def _problem(mark: Mark, reason: str, what: str, fix: str) -> ProblemError:
    return ProblemError(Problem(reason=reason, where=mark.where, what=what, fix=(fix,)))
