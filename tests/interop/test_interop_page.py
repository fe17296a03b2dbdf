"""The page says what was tried, in which version: it and the sessions are kept in step."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "interoperability.md").read_text()
NOXFILE = (ROOT / "noxfile.py").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
PINS = {
    name: version
    for path in (ROOT / "tests" / "interop").glob("*/package.json")
    for name, version in json.loads(path.read_text())["dependencies"].items()
}


def test_every_session_is_on_the_page_and_in_ci_and_no_other():
    sessions = set(re.findall(r'name="(interop-[a-z-]+)"', NOXFILE))
    assert len(sessions) >= 5
    assert sessions == {name for row in ROWS for name in re.findall(r"`(interop-[a-z-]+)`", row)}
    ci = (ROOT / ".ci" / "run").read_text()
    assert {name for name in sessions if name not in ci} == set()


@pytest.mark.parametrize("package", sorted(PINS))
def test_what_npm_installs_is_pinned_and_said(package):
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[a-z0-9.]+)?", PINS[package])
    assert re.search(rf"`{re.escape(package)}`\)?( \|)? {re.escape(PINS[package])}", PAGE), PINS[package]


@pytest.mark.parametrize("package", ["mcp", "fastmcp"])
def test_what_pip_installs_is_said(package):
    pinned = re.search(rf"^{package}==([0-9.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert any(f"(`{package}`) | {pinned[1]} |" in row for row in ROWS)


def test_the_version_of_keycloak_is_said():
    pinned = re.search(r'^KEYCLOAK, JAVA = "([0-9.]+)", (\d+)', NOXFILE, re.MULTILINE)
    assert pinned is not None
    assert any(f"| Keycloak | {pinned[1]} |" in row and f"Java {pinned[2]} or newer" in row for row in ROWS)
