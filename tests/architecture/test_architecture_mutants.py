"""Every mutant is described, and its text stands in the code exactly once; no control is without one."""

import subprocess
import sys
from pathlib import Path

import pytest

MUTANTS = Path(__file__).parents[1] / "mutants"


@pytest.mark.parametrize("run", ["run.py", "run_controls.py"])
def test_every_mutant_fits_the_code(run: str) -> None:
    command = [sys.executable, MUTANTS / run, "--check"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)
