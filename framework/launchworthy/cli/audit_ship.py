"""How do records get to where they are kept? `audit ship`: run beside the server, for as long as it runs."""

import platform
import signal
import ssl
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchworthy.cli.ending import UNDECIDED, YES, end, say, undecided_on_problems
from launchworthy.vocabulary import Problem, ProblemError

if TYPE_CHECKING:
    from launchworthy.audit.sinks import Sink

EVERY_SECONDS = 1.0
_PORTS = {"syslog": 6514, "otlp": 4318}


class Receiver(StrEnum):
    """What takes the records."""

    OTLP = "otlp"
    SYSLOG = "syslog"


def ship(
    directory: Annotated[Path, typer.Argument(help="The server's audit directory.")],
    *,
    receiver: Annotated[Receiver, typer.Option("--to", help="What takes them.")],
    url: Annotated[
        str,
        typer.Option("--url", help="Where: https://host:4318 or tls://host:6514."),
    ],
    state: Annotated[
        Path | None, typer.Option("--state", help="Where it is noted how far it is; else in the directory.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Roots to verify the receiver by; else the system's.")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", help="Our certificate and key (PEM), for mutual TLS.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Ship what is there, and end.")] = False,
) -> None:
    """Ship records to a receiver, at least once each; a dead receiver is waited for.

    With --once: 0 everything was taken, 2 the receiver did not take it.
    """
    from launchworthy.audit.cursor import CURSOR_PREFIX, Cursor
    from launchworthy.audit.shipping import Shipper, ship_for_ever
    from launchworthy.audit.sinks import SinkUnavailable

    with undecided_on_problems():
        sink = _sink(receiver, url, ca, cert)
        if not directory.is_dir():
            raise ProblemError(_problem("there is no such directory", str(directory)))
        cursor = Cursor(state or directory / f"{CURSOR_PREFIX}{receiver.value}.json")
        shipper = Shipper(directory, cursor, sink)
        try:
            if once:
                typer.echo(f"{shipper.ship()} records")
                end(YES)
            stop = _stopped()
            ship_for_ever(shipper, wait=stop.wait, say=_say, every=EVERY_SECONDS)
        except SinkUnavailable as error:
            say("could not decide", _problem(f"the receiver takes nothing: {error}", url))
            end(UNDECIDED)
        except OSError as error:
            raise ProblemError(_problem(f"cannot be used: {error.strerror}", str(directory))) from None
        finally:
            sink.close()
    end(YES)


def _sink(receiver: Receiver, url: str, ca: Path | None, cert: Path | None) -> "Sink":
    """The receiver at a URL; without TLS on loopback only.

    Raises:
        ProblemError: the URL, the roots or the certificate cannot be used.
    """
    from urllib.parse import urlsplit

    from launchworthy.settings.closed import is_loopback

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[receiver.value]
    except ValueError:
        raise ProblemError(_problem("is no URL", url)) from None
    schemes = ("https", "http") if receiver is Receiver.OTLP else ("tls", "tcp")
    if parts.scheme not in schemes or not host or parts.username or parts.query or parts.fragment:
        raise ProblemError(_problem(f"begins with {schemes[0]}:// and names a host and a port only", url))
    safe = parts.scheme == schemes[0]
    if not safe and not is_loopback(host):
        raise ProblemError(_problem(f"is not on loopback: records go over {schemes[0]}://", url))
    tls = _tls(ca, cert)
    if receiver is Receiver.OTLP:
        from launchworthy.audit.sinks.otlp import OtlpSink

        return OtlpSink(url, tls=tls)
    from launchworthy.audit.sinks.syslog import SyslogSink

    return SyslogSink(host, port, tls=tls if safe else None, name=platform.node())


def _tls(ca: Path | None, cert: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert is not None:
            context.load_cert_chain(cert)
    except (OSError, ssl.SSLError):
        raise ProblemError(
            _problem("roots or certificate cannot be read", f"{ca or ''} {cert or ''}")
        ) from None
    return context


def _stopped() -> threading.Event:
    """Set by SIGTERM and Ctrl-C: what was taken is noted by then."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - this command's own log


def _problem(what: str, where: str) -> Problem:
    return Problem(
        reason="not-shipped",
        where=where.strip(),
        what=what,
        fix=("launchworthy audit ship DIRECTORY --to otlp --url https://collector.acme.example:4318",),
    )
