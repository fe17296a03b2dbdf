"""Where does a simulated server get the framework's own keys? A file of its own, made for one world."""

import base64
import os
from pathlib import Path

_BYTES = 48


def lend_key(file: Path) -> None:
    """Write a fresh key where the world file says that it is."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(base64.b64encode(os.urandom(_BYTES)) + b"\n")
