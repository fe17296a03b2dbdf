"""How does a server run, from the command to the exit code?

0 drained after SIGTERM or SIGINT · 75 refused, a restart may help · 78 refused, or drained because its record
was revoked: only a change can help.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from contextlib import AsyncExitStack
from typing import Any, NoReturn

from launchworthy.audit import events
from launchworthy.audit.oplog import configure as configure_operations_log
from launchworthy.manifest import Server
from launchworthy.server.parts import Ending, Parts, Surroundings
from launchworthy.server.record_watch import REVOKED, remind_of_the_record, watch_the_record
from launchworthy.server.startup import start
from launchworthy.server.status import keep_status
from launchworthy.vocabulary import EX_CONFIG, StartupRefused, render_json, render_text

THREADS_END_SECONDS = 1.0
"""For threads, after the last call has been answered."""


def run(server: Server[Any, Any]) -> NoReturn:
    """Serve until SIGTERM; what `python -m <package>` does. Ends the process with its exit code."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for chatty, level in (("uvicorn", logging.ERROR), ("httpx2", logging.WARNING), ("mcp", logging.WARNING)):
        logging.getLogger(chatty).setLevel(level)  # uvicorn warns of each stranger; the audit counts them
    log = configure_operations_log(sys.stderr, readable=sys.stderr.isatty(), clock=time.time_ns)
    surroundings = Surroundings(environ=dict(os.environ), operations_log=log)
    _end(_run_loop(server, surroundings))


def _end(code: int) -> NoReturn:
    """End with this exit code, and wait for no thread: a function that outlived its call may never return."""
    until = time.monotonic() + THREADS_END_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
    raise SystemExit(code)


def _run_loop(server: Server[Any, Any], surroundings: Surroundings) -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            return runner.run(serve(server, surroundings))
        except StartupRefused as refused:
            say(refused)
            return refused.exit_code


def loop_factory() -> Any:
    """The loop of uvloop, where it installs: a request costs three quarters of what it costs on asyncio's."""
    try:
        from launchworthy.egress.loop import GuardedLoop  # noqa: PLC0415 - uvloop does not install everywhere
    except ModuleNotFoundError:
        return None
    return GuardedLoop


async def serve(server: Server[Any, Any], surroundings: Surroundings) -> int:
    """Start, serve, drain; returns the exit code.

    Raises:
        StartupRefused: a stage refused; everything that was opened is closed by then.
    """
    async with AsyncExitStack() as stack:
        parts = Parts(definition=server, surroundings=surroundings, stack=stack)
        _end_on_signals(parts.ending)
        await start(parts)
        await _serve_until(parts)
        return EX_CONFIG if parts.ending.cause == REVOKED else 0


def _end_on_signals(ending: Ending) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.by, "signal")


async def _serve_until(parts: Parts) -> None:
    listeners = (parts.listener, parts.health)
    async with asyncio.TaskGroup() as group:
        serving = [group.create_task(listener.serve(), name=listener.name) for listener in listeners]
        for listener in listeners:
            await listener.accepting()
        parts.keep(keep_status(parts), "status")
        parts.keep(remind_of_the_record(parts), "record-reminder")
        parts.keep(watch_the_record(parts), "record-watch")
        parts.audit.record(events.ServerReady(resource=parts.settings.server.resource), critical=True)
        gc.collect()
        gc.freeze()  # the import heap is scanned no more: a tenth of the p99
        waiting = group.create_task(parts.ending.wait())
        await asyncio.wait([waiting, *serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        parts.draining = True
        parts.gate.drain()
        parts.audit.record(events.ServerStopping(reason=parts.ending.cause or "listener"), critical=True)
        parts.listener.end()
        await serving[0]
        parts.health.end()


def say(refused: StartupRefused) -> None:
    """Print why on stderr: for people in a terminal, one JSON line elsewhere."""
    for problem in refused.problems:
        if sys.stderr.isatty():
            text = render_text("not started", problem)
        else:
            text = render_json("server.refused", problem, stage=refused.stage, exit=refused.exit_code)
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where the message goes
