"""Does the body come in time, and does it fit?

At most so many bytes; complete within 10 s; and after a moment's grace never slower than 1 KiB a second,
since a body that drips costs a place for as long as it likes (rule 33).
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from launchworthy.enforcement.reply import Receive
from launchworthy.vocabulary import Reason, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a body must come.

    Attributes:
        seconds: the longest it may take.
        grace: seconds before the rate counts.
        bytes_per_second: the rate.
    """

    seconds: float
    grace: float
    bytes_per_second: int

    def __post_init__(self) -> None:
        """Refuse a pace that every body keeps, or none."""
        if self.seconds <= 0 or self.grace <= 0 or self.bytes_per_second <= 0:
            raise ValueError("a pace is positive")

    def allowance(self, received: int) -> float:
        """Seconds from the beginning until the next piece must have come."""
        return min(self.seconds, self.grace + received / self.bytes_per_second)


RULE_33: Final = Pace(seconds=10.0, grace=3.0, bytes_per_second=1024)


async def read_body(receive: Receive, *, max_bytes: int, pace: Pace) -> bytes:
    """Read one request's body.

    Raises:
        Refused: `http.size`, or `http.deadline` if it came too slowly or the client left.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    chunks: list[bytes] = []
    received = 0
    try:
        async with asyncio.timeout_at(begun + pace.allowance(0)) as limit:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(Reason.HTTP_DEADLINE, "the client left before its body was complete")
                chunk: bytes = message.get("body", b"")
                received += len(chunk)
                if received > max_bytes:
                    raise Refused(Reason.HTTP_SIZE, f"a body of more than {max_bytes} bytes")
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunk if len(chunks) == 1 else b"".join(chunks)
                limit.reschedule(begun + pace.allowance(received))
    except TimeoutError:
        raise Refused(Reason.HTTP_DEADLINE, f"{received} bytes came in time, and no more") from None
