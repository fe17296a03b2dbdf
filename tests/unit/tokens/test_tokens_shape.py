"""What the package promises about itself: pure where it says so, and one place where claims become signed."""

import ast
import subprocess
import sys
from pathlib import Path

import launchworthy.tokens

FOLDER = Path(launchworthy.tokens.__file__).parent


def test_importing_the_package_opens_no_way_to_the_network() -> None:
    loaded = "import sys, launchworthy.tokens; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded],
        env={"PYTHONPATH": str(FOLDER.parents[1])},
        capture_output=True,
        check=True,
    ).stdout.split()
    assert {b"httpx2", b"ssl", b"asyncio", b"starlette", b"mcp"}.isdisjoint(modules)
    assert b"launchworthy.tokens.claims" in modules


def test_signed_claims_are_made_in_the_verifier_and_nowhere_else() -> None:
    makers = {
        path.relative_to(FOLDER.parent).as_posix()
        for path in FOLDER.parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "SignedClaims"
    }
    assert makers == {"tokens/verifier.py"}
