"""When may a signal end a judgement? At any moment but those in which something would be left behind.

Ctrl-C, SIGTERM and a closed terminal all end in `KeyboardInterrupt`, once: whoever cleans up is not disturbed
again. While a process is being started, or files take the place of others, the signal waits.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Signals:
    """What has come, and whether it must wait."""

    def __init__(self) -> None:
        self.came = False
        self._held = 0
        self._waiting = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.came:
            return
        self.came = True
        if self._held:
            self._waiting = True
        else:
            raise KeyboardInterrupt

    def hold(self) -> None:
        self._held += 1

    def let_go(self) -> None:
        self._held -= 1
        if self._waiting and not self._held:
            self._waiting = False
            raise KeyboardInterrupt


_signals = _Signals()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn the first signal that ends a process into `KeyboardInterrupt`; what is ignored stays ignored."""
    before = {each: signal.getsignal(each) for each in _ENDING}
    heeded = [each for each in _ENDING if before[each] is not signal.SIG_IGN]
    _signals.came = False
    for each in heeded:
        signal.signal(each, _signals.handle)
    try:
        yield
    finally:
        for each in heeded:
            signal.signal(each, before[each])


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have a signal wait until this is done; for moments only. Threads are never disturbed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _signals.hold()
    try:
        yield
    finally:
        _signals.let_go()
