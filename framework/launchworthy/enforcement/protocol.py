"""How long may a connection take, and how much may its header section be?

uvicorn has no timers but the one between two requests: half a header, or the rest of a body that nobody
wants, keeps a connection for ever. These subclasses of its two protocols add what rule 33 demands:

* the first byte of a request within 10 s, its header section within 5 s, at most 64 fields and 32 KiB of it
* what is left of a body after its answer is read, and thrown away, for 10 s
* a bounded number of connections
* white space around header values is taken off, as RFC 9110 §5.5 has it; h11 does so, httptools does not
* what is no HTTP is answered once everything before it has been, never in its place
"""

import asyncio

from launchworthy.enforcement.connection_bounds import RULE_33, ConnectionLimits, Report, Terms
from launchworthy.vocabulary import Reason

__all__ = ["RULE_33", "ConnectionLimits", "Report", "bounded_h11", "bounded_httptools", "bounded_protocol"]


def report_nothing(reason: Reason) -> None:
    """Tell nobody."""


def bounded_protocol(
    limits: ConnectionLimits = RULE_33, report: Report = report_nothing
) -> type[asyncio.Protocol]:
    """The protocol class for `uvicorn.Config(http=…)`: over httptools where it installs, else over h11.

    Args:
        limits: what a connection may take; less strict ones are for tests.
        report: told of what is refused before there is a request that the gate could record.
    """
    try:
        import httptools  # noqa: F401, PLC0415 - it does not install everywhere
    except ModuleNotFoundError:
        return bounded_h11(limits, report)
    return bounded_httptools(limits, report)


def bounded_h11(limits: ConnectionLimits, report: Report) -> type[asyncio.Protocol]:
    """The protocol over h11."""
    from launchworthy.enforcement.protocol_h11 import H11  # noqa: PLC0415 - only where it is used

    return type("BoundedH11Protocol", (H11,), {"terms": Terms(limits=limits, report=report)})


def bounded_httptools(limits: ConnectionLimits, report: Report) -> type[asyncio.Protocol]:
    """The protocol over httptools."""
    from launchworthy.enforcement.protocol_httptools import HttpTools  # noqa: PLC0415 - it needs httptools

    return type("BoundedHttpToolsProtocol", (HttpTools,), {"terms": Terms(limits=limits, report=report)})
