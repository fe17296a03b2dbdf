"""Where does the project begin that somebody stands in? Nothing of it is read."""

from pathlib import Path


def project_root(start: Path) -> Path:
    """The folder at `start` or above it that holds `manifests/server.toml`.

    Raises:
        FileNotFoundError: there is none.
    """
    for root in (start, *start.parents):
        if (root / "manifests" / "server.toml").is_file():
            return root
    raise FileNotFoundError(f"no `manifests/server.toml` at {start} or above it")
