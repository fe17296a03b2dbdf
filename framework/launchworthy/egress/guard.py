"""How does Python come to ask before it connects?

An audit hook sees every look-up and every connection that Python's own `socket` makes, and can refuse it; it
cannot be taken away again. Two wrappers help it and could be: one tells where names led (without it more is
refused, never less), one takes a call's judgement along into threads.
"""

import socket
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any, Final

from launchworthy.egress.calls import Names, carried, current

NAMES: Final = Names()
"""Of this process."""
_INSTALLED: Final[set[str]] = set()
_LOOKUPS: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_CONNECTIONS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_WATCHED: Final = _LOOKUPS | _CONNECTIONS | {"socket.getnameinfo"}


def install(hosts: Iterable[str]) -> None:
    """Have every look-up and connection of a call judged, from now on and for as long as the process lives.

    Args:
        hosts: all names that any target declares.
    """
    NAMES.watch(hosts)
    if not _INSTALLED:
        _INSTALLED.add("guard")
        sys.addaudithook(_judge)
        _tell_where_names_lead()
        _follow_into_threads()


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    """The hook: it runs for every event of the interpreter, so it leaves at once where it has no business."""
    if event not in _WATCHED:
        return
    call = current()
    if call is None:
        return
    if event in _LOOKUPS:
        call.check_name(arguments[0])
    elif event in _CONNECTIONS:
        if arguments[1] is not None:  # a datagram on a connected socket names nobody
            call.check_address(arguments[1])
    else:
        call.check_address(arguments[0])


def _tell_where_names_lead() -> None:
    look_up, by_name = socket.getaddrinfo, socket.gethostbyname

    @wraps(look_up)
    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        found = look_up(host, *arguments, **named)
        NAMES.learn(host, [at[0] for *_, at in found])
        return found

    @wraps(by_name)
    def gethostbyname(hostname: str) -> str:
        found = by_name(hostname)
        NAMES.learn(hostname, [found])
        return found

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname


def _follow_into_threads() -> None:
    threads: Any = threading.Thread
    pools: Any = ThreadPoolExecutor
    start, submit = threads.start, pools.submit

    @wraps(start)
    def start_carrying(thread: threading.Thread) -> None:
        call = current()
        if call is not None:
            run = thread.run

            def judged() -> None:
                with carried(call):
                    run()

            thread.run = judged  # type: ignore[method-assign]  # of this thread alone
        start(thread)

    @wraps(submit)
    def submit_carrying(
        pool: ThreadPoolExecutor, job: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> Future[Any]:
        call = current()
        if call is None:
            return submit(pool, job, *arguments, **named)  # type: ignore[no-any-return]

        def judged() -> Any:
            with carried(call):
                return job(*arguments, **named)

        with carried(None):  # the threads of a pool outlive the call that happened to start them
            return submit(pool, judged)  # type: ignore[no-any-return]

    threads.start, pools.submit = start_carrying, submit_carrying
