"""Who looks after the stream while nothing happens? One small task: a tick a second, and rotation."""

import asyncio

from launchworthy.audit.stream import AuditStream

TICK_SECONDS = 1.0
RETRY_ROTATION_SECONDS = 30.0


async def keep(stream: AuditStream) -> None:
    """Tick until cancelled; where a stream has grown to its limit, go on in the next.

    A rotation that fails (no identity to bind the next key, no room) leaves the old stream in use, and is
    tried again after half a minute: calls are never refused because of the size of a file.
    """
    wait = 0.0
    while True:
        await asyncio.sleep(TICK_SECONDS)
        stream.tick()
        wait = max(0.0, wait - TICK_SECONDS)
        if stream.rotation_due and wait == 0.0:
            try:
                await stream.rotate()
            except Exception:  # noqa: BLE001 - a renewal loop: whatever a prover raises, the old stream goes on
                wait = RETRY_ROTATION_SECONDS
