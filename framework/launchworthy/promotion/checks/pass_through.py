"""Can the team's code get at the caller's token at all? By its syntax: what it imports, names and looks into.

A tool is handed a `Call` and never a request, so whoever wants the token has to go around: to the SDK, which
keeps a context of its own, into the inside of the framework, into the private parts of a call, or by way of
the interpreter to the frames and objects of others. None of that has a use in a tool.
"""

import ast
from collections.abc import Iterator

from launchworthy.promotion.checks.assertions import broken, seen
from launchworthy.promotion.checks.source import Mention, mentions
from launchworthy.promotion.finding import Assertion
from launchworthy.promotion.project import Project
from launchworthy.promotion.registry import registry

_OPEN = ("launchworthy.server.run",)
"""What the package imports of the framework's parts: `__main__` starts the server."""
_HOLD_REQUESTS = ("mcp.server", "mcp.shared", "mcp.client", "fastmcp", "starlette", "uvicorn")
_AROUND = ("gc", "inspect.currentframe", "inspect.stack", "sys._getframe", "sys._current_frames", "ctypes")
_NAMES = frozenset(
    {"get_access_token", "get_http_request", "get_http_headers", "access_token", "callers_token", "unseal"}
    | {"_getframe", "_current_frames", "currentframe", "request_context", "subject_token"}
)
_FIX = "what a tool may know of its caller is `call.principal`; what it may borrow is `call.upstream(…)`"


@registry.check("ID-06")
def tools_cannot_reach_the_callers_token(project: Project) -> Iterator[Assertion]:
    """No module imports what holds requests, names what holds tokens, or looks into a call."""
    for mention in mentions(project):
        if (what := _forbidden(mention)) is not None:
            yield broken(what, mention.where, _FIX)
    for path, tree in project.modules:
        for name, line in _looks_inside(tree):
            yield broken(f"`{name}` looks into the inside of a call", f"{path}:{line}", _FIX)
    if not project.modules:
        yield broken(f"there is no module in src/{project.package}", None, "commit the package")
    yield seen(f"none of {len(project.modules)} modules reaches a request, a token, or the inside of a call")


def _forbidden(mention: Mention) -> str | None:
    name = mention.name
    if mention.imported:
        inside = name.startswith("launchworthy.") and name.count(".") > 1 and name not in _OPEN
        if inside or _below(name, _HOLD_REQUESTS):
            return f"the package imports `{name}`, where requests and tokens are"
        if _below(name, _AROUND):
            return f"the package imports `{name}`, which leads to the objects of others"
    return f"the package names `{name}`, which holds a token" if name in _NAMES else None


def _below(name: str, parents: tuple[str, ...]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def _looks_inside(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Private attributes of a parameter that is annotated as a `Call`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = {
                each.arg
                for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                if each.annotation is not None and _is_call(each.annotation)
            }
            for inner in ast.walk(node):
                match inner:
                    case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                        name in calls and attribute.startswith("_")
                    ):
                        yield f"{name}.{attribute}", inner.lineno
                    case ast.Call(func=ast.Name(id="getattr" | "vars"), args=[ast.Name(id=name), *_]) if (
                        name in calls
                    ):
                        yield f"{ast.unparse(inner)}", inner.lineno


def _is_call(annotation: ast.expr) -> bool:
    """Whether it is `Call`, `Call[…]`, or either of them as a text."""
    match annotation:
        case ast.Subscript(value=value):
            return _is_call(value)
        case ast.Name(id="Call") | ast.Attribute(attr="Call"):
            return True
        case ast.Constant(value=str() as text):
            return text.partition("[")[0].strip() in {"Call", "launchworthy.Call"}
        case _:
            return False
