"""Programs of others: a session `interop-…` installs them, and without them their tests are skipped."""

import os
from pathlib import Path

import pytest
from foreign_node import Node


@pytest.fixture(scope="session")
def node() -> Node:
    folder = os.environ.get("INTEROP_NODE", "")
    if not folder:
        pytest.skip("INTEROP_NODE names no folder of installed programs; a session `interop-…` does that")
    return Node(Path(folder))
