"""What does a harness do at the door of a body? It lets it wait, or reach out; files tell the server."""

from collections.abc import Mapping
from pathlib import Path


class Door:
    """The door of every body of one server."""

    def __init__(self, directory: Path, longest_call: float | None) -> None:
        """Keep its files in a folder of the world; without a `longest_call` there is no door.

        Args:
            directory: of the world.
            longest_call: seconds that a call may take, where its manifest allows more.
        """
        self._directory = directory
        self._longest_call = longest_call

    def hold(self, seconds: float) -> None:
        """Let each body wait from now on, as if it were slow."""
        self._write("hold", str(seconds))

    def reach(self, address: str) -> None:
        """Let each body connect to `host:port` first; to nothing if that is empty."""
        self._write("reach", address)

    def fields(self) -> Mapping[str, object]:
        """What the world file says of it."""
        if self._longest_call is None:
            return {}
        files = {"hold": self._write("hold", "0"), "reach": self._write("reach", "")}
        return {"longest_call": self._longest_call, **files}

    def _write(self, name: str, text: str) -> str:
        fresh = self._directory / f"{name}.new"
        fresh.write_text(f"{text}\n", encoding="ascii")
        return str(fresh.replace(self._directory / name))
