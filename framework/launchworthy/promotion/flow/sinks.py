"""Where do a caller's words do harm? One call at a time, given which of its expressions hold such words."""

import ast
import re
from collections.abc import Callable, Container, Iterator
from typing import Final

from launchworthy.promotion.flow.modules import Module

Tainted = Callable[[ast.expr], bool]

_SHELLS: Final = frozenset(
    {
        "os.system",
        "os.popen",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "asyncio.create_subprocess_shell",
    }
)
_PROGRAMS: Final = frozenset(
    {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")}
    | {"asyncio.create_subprocess_exec"}
)
_CODE: Final = frozenset({"eval", "exec", "builtins.eval", "builtins.exec"})
_CODE_OF_WORDS: Final = frozenset(
    {"compile", "__import__", "importlib.import_module", "pickle.loads", "pickle.load", "marshal.loads",
     "yaml.load", "yaml.unsafe_load", "runpy.run_path", "runpy.run_module"}
)  # fmt: skip
_SQL: Final = frozenset({"execute", "executemany", "executescript", "fetchrow", "fetchval"})
_SQL_TEXT: Final = frozenset({"sqlalchemy.text", "sqlalchemy.sql.text", "psycopg.sql.SQL"})
_FILES: Final = re.compile(
    r"(builtins\.|io\.|aiofiles\.|codecs\.|tarfile\.|gzip\.)?open|zipfile\.ZipFile|sqlite3\.connect"
    r"|os\.(open|remove|unlink|rename|replace|listdir|scandir|makedirs|mkdir|rmdir|removedirs|chmod|symlink|link|walk)"
    r"|shutil\.\w+"
)
_OF_A_PATH: Final = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "open", "unlink", "rmdir", "mkdir", "touch",
     "iterdir", "rename", "symlink_to", "hardlink_to", "chmod"}
)  # fmt: skip
_VERBS: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "ws_connect"}
)
_HTTP: Final = re.compile(rf"(httpx2?|requests|aiohttp|urllib3)\.({'|'.join(sorted(_VERBS))})")
_NAMES_A_FILE: Final = frozenset({"file", "path", "src", "dst"})
_FIRST_IS_THE_METHOD: Final = frozenset({"request", "stream"})
_CONNECTIONS: Final = frozenset({"socket.create_connection", "asyncio.open_connection"})
_FIXED_HOST = re.compile(r"https?://[^/\s?#@\\]+[/?#]|/(?!/)")
CLIENTS = re.compile(
    r"(httpx2?\.(Async)?Client|requests\.[Ss]ession|aiohttp\.ClientSession|urllib3\.PoolManager)"
)


def harm_of(call: ast.Call, module: Module, tainted: Tainted, clients: Container[str]) -> Iterator[str]:
    """What a call does with a caller's words, a few words each; and what is harm whatever it is given.

    Args:
        call: the call.
        module: where it stands.
        tainted: whether an expression holds a caller's words.
        clients: names of HTTP clients in this function.
    """
    meaning = module.meaning(call.func)
    first = call.args[0] if call.args else None
    words = first is not None and tainted(first)
    yield from _programs(call, meaning, first, tainted)
    if meaning in _CODE and not isinstance(first, ast.Constant):
        yield f"runs what it was given as code: `{meaning}`"
    chosen = call.args[1:2] if meaning in {"getattr", "setattr"} else call.args
    if (meaning in _CODE_OF_WORDS or chosen is not call.args) and any(map(tainted, chosen)):
        yield f"lets a caller choose code: `{meaning}`"
    if words and (meaning in _SQL_TEXT or (isinstance(call.func, ast.Attribute) and call.func.attr in _SQL)):
        yield "puts a caller's words into the text of a query"
    yield from _files(call, meaning, tainted)
    if _reaches(call, meaning, tainted, clients):
        yield "lets a caller choose the host that it connects to"
    yield from _unverified(call, meaning)


def _programs(call: ast.Call, meaning: str, first: ast.expr | None, tainted: Tainted) -> Iterator[str]:
    if first is None or _is_fixed(first):
        return
    if meaning in _SHELLS or (meaning in _PROGRAMS and _has(call, "shell", True)):
        yield f"hands a text to a shell: `{meaning}`"
    elif meaning in _PROGRAMS:
        program = first.elts[0] if isinstance(first, ast.List | ast.Tuple) and first.elts else first
        if tainted(program) and not isinstance(program, ast.Starred):
            yield f"lets a caller choose the program: `{meaning}`"
    elif meaning in {"os.execv", "os.execvp", "os.spawnv", "pty.spawn"} and tainted(first):
        yield f"lets a caller choose the program: `{meaning}`"


def _is_fixed(command: ast.expr) -> bool:
    """Whether it stands there as it is, a text or a list of texts."""
    parts = command.elts if isinstance(command, ast.List | ast.Tuple) else [command]
    return all(isinstance(each, ast.Constant) for each in parts)


def _files(call: ast.Call, meaning: str, tainted: Tainted) -> Iterator[str]:
    named = [
        *call.args,
        *(each.value for each in call.keywords if each.arg in _NAMES_A_FILE),
    ]
    by_function = _FILES.fullmatch(meaning) is not None and any(map(tainted, named[:2]))
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    by_method = method in _OF_A_PATH and isinstance(call.func, ast.Attribute) and tainted(call.func.value)
    if by_function or by_method:
        yield f"lets a caller choose a file: `{meaning or method}`"


def _reaches(call: ast.Call, meaning: str, tainted: Tainted, clients: Container[str]) -> bool:
    if meaning in _CONNECTIONS:
        return bool(call.args) and tainted(call.args[0])
    function = call.func
    of_a_client = (
        isinstance(function, ast.Attribute)
        and function.attr in _VERBS
        and isinstance(function.value, ast.Name)
        and function.value.id in clients
    )
    if not of_a_client and meaning != "urllib.request.urlopen" and _HTTP.fullmatch(meaning) is None:
        return False
    verb = function.attr if isinstance(function, ast.Attribute) else ""
    place = 1 if verb in _FIRST_IS_THE_METHOD else 0
    addresses = [*call.args[place : place + 1], *(each.value for each in call.keywords if each.arg == "url")]
    return any(tainted(each) and not _has_fixed_host(each) for each in addresses)


def _has_fixed_host(address: ast.expr) -> bool:
    match address:
        case ast.JoinedStr(values=[ast.Constant(value=str() as start), *_]):
            return _FIXED_HOST.match(start) is not None
        case ast.BinOp(left=left, op=ast.Add()):
            return _has_fixed_host(left)
        case ast.Constant(value=str() as start):
            return _FIXED_HOST.match(start) is not None
        case _:
            return False


def _unverified(call: ast.Call, meaning: str) -> Iterator[str]:
    if _has(call, "verify", False) or meaning == "ssl._create_unverified_context":
        yield "believes any certificate"


def _has(call: ast.Call, name: str, value: object) -> bool:
    return any(
        each.arg == name and isinstance(each.value, ast.Constant) and each.value.value is value
        for each in call.keywords
    )
