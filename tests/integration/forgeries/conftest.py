"""Where the helpers of the forgeries lie."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
for folder in (
    TESTS / "unit" / "attestation",
    TESTS / "unit" / "promotion",
    TESTS / "integration" / "attestation_build",
):
    sys.path.insert(0, str(folder))
