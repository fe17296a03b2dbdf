"""What does a server do that it may not do here? Habits of prototypes, each with what stands in its place."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from launchworthy.detection import find_secrets, is_sensitive_name
from launchworthy.manifest import TargetKind
from launchworthy.migration.foreign import ForeignTarget, Source, Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One place that has to change.

    Attributes:
        where: `server.py:17`.
        what: what is done there.
        instead: what to do in its place.
    """

    where: str
    what: str
    instead: str


_CALLS: Final = {
    "os.getenv": ("reads the environment", "a field of AppSettings, or a credential lent for the call"),
    "os.environ.get": ("reads the environment", "a field of AppSettings, or a credential lent for the call"),
    "load_dotenv": ("loads a .env file", "config/<environment>.toml; secrets come by reference"),
    "dotenv.load_dotenv": ("loads a .env file", "config/<environment>.toml; secrets come by reference"),
    "os.system": (
        "runs a shell",
        "a library, or subprocess without a shell",
    ),
    "eval": ("evaluates text", "parse what is meant"),
    "exec": ("executes text", "parse what is meant"),
    "pickle.loads": ("unpickles", "JSON, into a type"),
}
_CLIENTS: Final = frozenset({"requests", "httpx", "aiohttp", "urllib3", "httpx2"})
_AUTH: Final = frozenset({"auth", "token_verifier", "auth_server_provider"})


def habits(sources: Sources, targets: tuple[ForeignTarget, ...]) -> tuple[Habit, ...]:
    """Every one, file by file."""
    return (
        *(habit for source in sources.parsed for habit in _of_file(source)),
        *(habit for target in targets for habit in _of_target(target)),
    )


def secrets_of(texts: Iterator[tuple[str, str]]) -> Iterator[Habit]:
    """Every secret by value in texts with their paths; the value is not told."""
    for path, text in texts:
        for finding in find_secrets(text, path=path):
            under = f" in `{finding.field}`" if finding.field is not None else ""
            yield Habit(
                where=f"{path}:{finding.line}",
                what=f"holds a secret{under}: {finding.kind.replace('-', ' ')}",
                instead="rotate it first; then a credential that is lent for the call, or a reference",
            )


def _of_file(source: Source) -> Iterator[Habit]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield from _of_call(source.path, node)
        elif isinstance(node, ast.Subscript) and _dotted(node.value) in {"os.environ", "environ"}:
            yield _habit(source.path, node, "reads the environment", _CALLS["os.getenv"][1])
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _of_import(source.path, node)


def _of_call(path: str, call: ast.Call) -> Iterator[Habit]:
    name = _dotted(call.func)
    if name in _CALLS:
        yield _habit(path, call, *_CALLS[name])
    words = {word.arg: word.value for word in call.keywords if word.arg is not None}
    shell = words.get("shell")
    if isinstance(shell, ast.Constant) and shell.value is True:
        yield _habit(path, call, *_CALLS["os.system"])
    if name.rpartition(".")[2] == "run":
        transport = words.get("transport") or (call.args[0] if call.args else None)
        if isinstance(transport, ast.Constant) and transport.value in {"stdio", "sse"}:
            yield _habit(
                path,
                call,
                f"serves over {transport.value}",
                "`run(server)`: streamable HTTP behind every check",
            )
    if not _AUTH.isdisjoint(words):
        yield _habit(
            path, call, "brings its own token verifier", "[issuers.<name>] of config/<environment>.toml"
        )
    headers = words.get("headers")
    if isinstance(headers, ast.Dict) and any(
        isinstance(key, ast.Constant) and isinstance(key.value, str) and is_sensitive_name(key.value)
        for key in headers.keys
    ):
        yield _habit(
            path, call, "signs a request itself", "`async with call.upstream(name)`: signed, one host"
        )


def _of_import(path: str, node: ast.Import | ast.ImportFrom) -> Iterator[Habit]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
    for name in names:
        if name.partition(".")[0] in _CLIENTS:
            yield _habit(
                path,
                node,
                f"calls others with `{name}`",
                "`async with call.upstream(name)` for each upstream, named in [credentials.<name>]",
            )


def _of_target(target: ForeignTarget) -> Iterator[Habit]:
    for what, instead in _shortcomings(target):
        yield Habit(where=target.where, what=what, instead=instead)


def _shortcomings(target: ForeignTarget) -> Iterator[tuple[str, str]]:
    for argument in target.arguments:
        if argument.annotation is None:
            yield f"takes `{argument.name}` without a type", "say its type: arguments are validated by it"
    if not target.has_schema and target.kind is TargetKind.TOOL:
        said = f"returns `{target.returns}`" if target.returns is not None else "says nothing of its result"
        yield said, "return a dataclass or a model: results have a schema"
    if not target.described:
        yield "has no docstring", "say what it does: a model reads it"
    if target.context is not None:
        said = f"takes the SDK's context as `{target.context}`"
        yield said, "`call: Call[App]`: id, principal, app, log, progress"


def _habit(path: str, node: ast.expr | ast.stmt, what: str, instead: str) -> Habit:
    return Habit(where=f"{path}:{node.lineno}", what=what, instead=instead)


def _dotted(node: ast.expr) -> str:
    """`os.environ.get`; of what is no such name, what follows it."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(names))
