"""Every mutant is described, and its text stands in the code exactly once."""

import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parents[1] / "mutants" / "run.py"


def test_every_mutant_fits_the_code() -> None:
    found = subprocess.run([sys.executable, RUN, "--check"], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)
