"""What may a harness do at the door of a body? In a rehearsal only: count, hold up, shorten, reach out.

Outside the simulated world nothing of this is set, and a call runs as its manifest says.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_REACH_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsing:
    """What the world file asks for.

    Attributes:
        execution_pipe: a file descriptor that gets one byte for each body that is entered.
        hold: a file with the seconds that a body waits at its door; an empty one holds nobody up.
        reach: a file with an address, `192.0.2.1:443`, that is connected to as the body would; or empty.
        longest: the seconds that a call may take, where its manifest allows more.
    """

    execution_pipe: int | None
    hold: Path | None
    reach: Path | None
    longest: float | None

    def held(self) -> float:
        """The seconds that the body at the door waits; read each time, so that a harness can change them."""
        if self.hold is None:
            return 0.0
        text = self.hold.read_text(encoding="ascii").strip()
        return float(text) if text else 0.0

    def reached(self) -> None:
        """Connect to where the harness says, from within the call.

        Raises:
            OSError: it cannot be connected to; a `PermissionError` where this call may not.
        """
        text = "" if self.reach is None else self.reach.read_text(encoding="ascii").strip()
        if text:
            host, _, port = text.rpartition(":")
            socket.create_connection((host, int(port)), timeout=_REACH_SECONDS).close()

    def entered(self) -> None:
        """Write the byte; where it cannot be written, the body does not run."""
        if self.execution_pipe is not None:
            os.write(self.execution_pipe, b"\x01")

    def limit(self, promised: float) -> float:
        """The seconds that a call may take."""
        return promised if self.longest is None else min(promised, self.longest)


NOT_REHEARSED: Final = Rehearsing(execution_pipe=None, hold=None, reach=None, longest=None)
"""Production, staging, and everything else that no harness looks at."""
