"""Programs that judge, each of somebody else's, and a project that they look at."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration" / "promotion_rehearsals"))
from promoted_orders import PromotedOrders


@pytest.fixture(scope="session")
def judges(node) -> Iterator[None]:
    """Their programs on the PATH, and nothing else of their environments."""
    folder = os.environ.get("INTEROP_JUDGES", "")
    if not folder:
        pytest.skip("INTEROP_JUDGES names no folder with the judges; the session `interop-judges` does that")
    modules = node.folder / "node_modules"
    with pytest.MonkeyPatch.context() as patch:
        places = (str(modules / ".bin"), str(modules / "node" / "bin"), folder, os.environ["PATH"])
        patch.setenv("PATH", os.pathsep.join(places))
        yield


@pytest.fixture(scope="session")
def orders(tmp_path_factory) -> PromotedOrders:
    return PromotedOrders.make(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="session")
def multitool() -> Path:
    folder = os.environ.get("INTEROP_SARIF", "")
    if not folder:
        pytest.skip(
            "INTEROP_SARIF names no folder with the validator; the session `interop-judges` does that"
        )
    program = Path(folder, "node_modules", "@microsoft", "sarif-multitool-linux", "Sarif.Multitool")
    if not program.is_file():
        pytest.skip("the validator has no program for this system")
    return program
