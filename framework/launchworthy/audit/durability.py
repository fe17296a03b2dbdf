"""When is a record on the disk? Group commit: one thread syncs the file for everybody who waits.

A record that must survive a loss of power is written at once, like any other, and then waits for the next
`fdatasync` that begins after it. While one runs, the next group gathers; so the wait is between one and two
syncs, however many wait, and the event loop never stands still for the disk.
"""

import asyncio
from threading import Condition, Thread

from launchworthy.audit.disk import AppendFile
from launchworthy.audit.unwritable import AuditUnwritable

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class GroupSync:
    """Syncs one file; the thread starts with the first who waits.

    Attributes:
        failure: what the last sync of all said, if it failed.
    """

    def __init__(self, file: AppendFile) -> None:
        """Be ready to sync this file."""
        self._file = file
        self._condition = Condition()
        self._waiters: list[_Waiter] = []
        self._finishing = False
        self._thread: Thread | None = None
        self.failure: AuditUnwritable | None = None

    async def wait(self) -> None:
        """Return when everything that was written before this call is on the disk.

        Raises:
            AuditUnwritable: it is not, and it cannot be known what is; the file is poisoned.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._condition:
            if self._finishing:
                raise AuditUnwritable("the audit stream is closed")
            self._waiters.append((loop, done))
            self._start()
            self._condition.notify()
        await done

    def finish(self) -> Thread:
        """Sync a last time and close the file, in the thread, which is returned to be joined."""
        with self._condition:
            self._finishing = True
            thread = self._start()
            self._condition.notify()
        return thread

    def _start(self) -> Thread:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="audit-sync", daemon=True)
            self._thread.start()
        return self._thread

    def _run(self) -> None:
        finishing = False
        while not finishing:
            with self._condition:
                while not self._waiters and not self._finishing:
                    self._condition.wait()
                group, self._waiters = self._waiters, []
                finishing = self._finishing
            self.failure = self._sync()
            _tell(group, self.failure)
        self._file.close()

    def _sync(self) -> AuditUnwritable | None:
        try:
            self._file.sync()
        except AuditUnwritable as error:
            return error
        return None


def _tell(group: list[_Waiter], failure: AuditUnwritable | None) -> None:
    """Wake everybody, each on the loop it waits on."""
    for loop, done in group:
        try:
            loop.call_soon_threadsafe(_settle, done, failure)
        except RuntimeError:  # the loop was closed: nobody waits there any more
            continue


def _settle(done: "asyncio.Future[None]", failure: AuditUnwritable | None) -> None:
    if done.done():
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
