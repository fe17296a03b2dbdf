"""The last trust state is made in one place, and what is unchecked says so."""

import ast
from pathlib import Path

import launchworthy.enforcement

PACKAGE = Path(launchworthy.enforcement.__file__).parent


def makers(name: str, root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_authorized_is_made_by_the_gate_and_nowhere_else():
    assert makers("Authorized", PACKAGE.parent) == {"enforcement/calls.py"}


def test_every_exception_is_caught_in_the_enforcement_points_only():
    broad = {
        path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and "Exception" in ast.unparse(node.type or ast.Name("Exception")).split()[0:1]
    }
    assert broad <= {"gate.py", "bodies.py", "recorded_run.py"}


def test_every_file_answers_one_question_in_at_most_400_lines():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path


def test_the_core_imports_no_io_and_no_sdk():
    forbidden = {
        "os",
        "time",
        "socket",
        "asyncio",
        "httpx2",
        "starlette",
        "mcp",
        "mcp_types",
        "spiffe",
        "grpc",
        "structlog",
    }
    for path in (PACKAGE / "request").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names}.isdisjoint(forbidden), path
