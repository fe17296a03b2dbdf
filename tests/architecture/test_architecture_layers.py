"""The shape of the code is what docs/architecture.md says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import launchworthy

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "framework" / "launchworthy"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400
VAGUE = {"core", "common", "utils", "util", "helpers", "base", "types", "manager", "misc"}


def _loaded_after(statement: str, *names: str) -> list[str]:
    script = f"import sys; {statement}; print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCE.parent)},
    )
    return ast.literal_eval(done.stdout)


def test_imports_point_down(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(SOURCE.parent)
    result = lint_imports(no_cache=True)
    assert result == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_answers_one_question_in_at_most_400_lines(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert path.stem not in VAGUE
    assert ast.get_docstring(ast.parse(text)), "the first line says which question the file answers"


def test_the_public_names_are_these_and_no_others():
    assert launchworthy.__all__ == [
        "AppSettings",
        "Call",
        "DataFile",
        "Server",
        "ToolError",
        "Workload",
        "__version__",
        "completion",
        "prompt",
        "resource",
        "tool",
    ]
    for name in launchworthy.__all__:
        assert getattr(launchworthy, name) is not None
    assert dir(launchworthy) == launchworthy.__all__


def test_what_is_not_public_is_not_there():
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        launchworthy.nothing  # noqa: B018


HEAVY = (
    "mcp",
    "grpc",
    "starlette",
    "cedarpy",
    "spiffe",
    "authlib",
    "redis",
    "rich",
    "structlog",
    "pydantic_settings",
)


def test_importing_the_package_loads_nothing_heavy():
    assert _loaded_after("import launchworthy", *HEAVY, "pydantic") == []


def test_marking_tools_loads_no_sdk():
    assert _loaded_after("from launchworthy import tool, Server", "mcp", "grpc", "starlette", "spiffe") == []


def test_the_build_hook_is_cheap():
    assert _loaded_after("import launchworthy.attestation.build_hook", *HEAVY) == []


def test_what_serves_never_loads_the_simulated_world_or_the_gate():
    worlds = ("launchworthy.testing", "launchworthy.promotion", "launchworthy.probe")
    assert _loaded_after("import launchworthy.server", *worlds) == []


def test_spiffe_and_authlib_are_loaded_by_who_needs_them_only():
    assert _loaded_after("import launchworthy.server", "spiffe", "grpc", "authlib") == []
