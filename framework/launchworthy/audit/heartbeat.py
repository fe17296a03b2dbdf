"""Who looks after the stream while nothing happens? One small task: a tick a second, and rotation."""

import asyncio

from launchworthy.audit.stream import AuditStream

TICK_SECONDS = 1.0
RETRY_TICKS = 30


async def keep(stream: AuditStream, *, every: float = TICK_SECONDS) -> None:
    """Tick until cancelled; where a stream has grown to its limit, go on in the next.

    A rotation that fails (no identity to bind the next key, no room) leaves the old stream in use, and is
    tried again after thirty ticks: calls are never refused because of the size of a file.

    Args:
        stream: what to look after.
        every: seconds between ticks.
    """
    wait = 0
    while True:
        await asyncio.sleep(every)
        stream.tick()
        wait = max(0, wait - 1)
        if wait or not stream.rotation_due:
            continue
        try:
            await stream.rotate()
        except Exception:  # noqa: BLE001 - a renewal loop: whatever a prover raises, the old stream goes on
            wait = RETRY_TICKS
