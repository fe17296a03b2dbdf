"""The first call is not kept waiting by what it does not use."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import {module}
print(sorted({{".".join(name.split(".")[:2]) for name in sys.modules}} & set({wanted})))
"""
MODELS = {"launchworthy.manifest", "launchworthy.settings", "pydantic", "starlette", "mcp", "grpc"}
GATE = {"launchworthy.settings", "launchworthy.approval", "launchworthy.attestation", "mcp"}


def loaded_by(module: str, wanted: set[str]) -> set[str]:
    script = SCRIPT.format(module=module, wanted=sorted(wanted))
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return {name for name in wanted if repr(name) in done.stdout}


@pytest.mark.parametrize(
    ("module", "left_out"),
    [("launchworthy.cli.development_session", MODELS), ("launchworthy.testing.world", GATE)],
)
def test_what_a_first_call_does_not_use_is_not_loaded_for_it(module, left_out):
    assert loaded_by(module, left_out) == set()


def test_a_build_verifies_its_record_with_what_production_installs():
    """`python3 noxfile.py -s build` ends with `verify-record`, where no extra of `promote` is installed."""
    extras = {"yaml", "psutil", "rich", "launchworthy.testing"}
    assert loaded_by("launchworthy.promotion.verifying", extras) == set()
    assert loaded_by("launchworthy.promotion.promoting", extras) >= {"yaml", "psutil"}


def test_the_twin_is_loaded_where_it_is_used():
    assert loaded_by("launchworthy.server", MODELS | GATE) >= {"launchworthy.settings", "mcp", "pydantic"}


@pytest.mark.parametrize(("before", "after"), [("enable", True), ("disable", False)])
def test_the_collector_is_left_as_it_was(before, after):
    script = f"import gc; gc.{before}(); import launchworthy.server; print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(after)


def test_the_collector_works_again_where_the_server_could_not_be_loaded():
    script = """
import gc, sys
sys.modules["launchworthy.server.running"] = None
try:
    import launchworthy.server
except ImportError:
    print(gc.isenabled())
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "True"
