"""Each import contract is broken once on purpose, and fires."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BREACHES = {
    "imports point down, never up or sideways": ("tokens/scopes.py", "import launchworthy.identity.phase"),
    "the core does no I/O": ("policy/explain.py", "import socket"),
    "only enforcement, server and testing know the SDK": ("promotion/lock.py", "import mcp.server"),
    "what runs in production cannot import the simulated world or the gate": (
        "server/readiness.py",
        "import launchworthy.testing.client",
    ),
}


def test_each_contract_fires_when_it_is_broken(tmp_path):
    shutil.copytree(
        ROOT / "framework", tmp_path / "framework", ignore=shutil.ignore_patterns("__pycache__", ".*")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, line in BREACHES.values():
        file = tmp_path / "framework" / "launchworthy" / path
        file.write_text(f"{file.read_text()}\n{line}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "framework"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    for contract in BREACHES:
        assert f"{contract} BROKEN" in done.stdout, done.stdout
