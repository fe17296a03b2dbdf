"""Sigstore's library, which the session `interop-sigstore` installs, and where the helpers lie."""

import importlib.util
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
for folder in (
    "unit/attestation",
    "unit/promotion",
    "integration/attestation_build",
    "integration/forgeries",
):
    sys.path.insert(0, str(TESTS / folder))


@pytest.fixture(scope="session", autouse=True)
def _library() -> None:
    if importlib.util.find_spec("sigstore") is None:
        pytest.skip("sigstore is not here; the session interop-sigstore installs it")
