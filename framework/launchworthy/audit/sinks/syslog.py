"""How do records get to a syslog server? RFC 5424 messages over TLS (RFC 5425), or over TCP on loopback.

Each message is the line as it was written, with stream and seq beside it (RFC 6587 §3.4.1 framing by length).
Syslog has no acknowledgement. A batch has a connection of its own, which we end when all is written, and the
batch counts as taken when the server has ended it too: it has read to the end. A server that never does, or
resets, gets the batch again. So does one that ends it first.
A server that reads to the end and then forgets is beyond what syslog can tell.
"""

import re
import select
import socket
import ssl

from launchworthy.audit.reading import Record
from launchworthy.audit.sinks.sink import Line, SinkUnavailable

SECONDS = 10.0
_LOG_AUDIT = 13
_WARNING, _INFORMATIONAL = 4, 6
_EXAMPLE_ENTERPRISE = 32473
"""RFC 5612: for documentation. Nobody owns a number for this project."""
_MAX_NAME = 255
_MAX_MESSAGE_ID = 32
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


class SyslogSink:
    """Sends to one server."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, name: str) -> None:
        """Send there.

        Args:
            host: of the server.
            port: of the server.
            tls: how it is verified; None for plain TCP, which is for loopback.
            name: of this machine, as messages bear it.
        """
        self._address = (host, port)
        self._tls = tls
        self._name = _NOT_PRINTABLE.sub("_", name)[:_MAX_NAME] or "-"

    def send(self, lines: tuple[Line, ...]) -> None:
        """Send the lines, and wait until the server has read to the end.

        Raises:
            SinkUnavailable: it cannot be known that it has.
        """
        try:
            with socket.create_connection(self._address, timeout=SECONDS) as plain:
                if self._tls is None:
                    _hand_over(plain, self._messages(lines))
                else:
                    with self._tls.wrap_socket(plain, server_hostname=self._address[0]) as safe:
                        safe.sendall(self._messages(lines))
                        safe.unwrap()  # our close_notify, and then theirs
        except (OSError, ValueError) as error:
            raise SinkUnavailable(type(error).__name__) from None

    def close(self) -> None:
        """Nothing is held."""

    def _messages(self, lines: tuple[Line, ...]) -> bytes:
        return b"".join(b"%d %b" % (len(message), message) for message in map(self._message, lines))

    def _message(self, line: Line) -> bytes:
        record = line.record
        head = " ".join(
            (
                f"<{_LOG_AUDIT * 8 + _severity(record)}>1",
                record.time,
                self._name,
                "launchworthy",
                "-",
                record.type[:_MAX_MESSAGE_ID],
                f'[launchworthy@{_EXAMPLE_ENTERPRISE} stream="{_escaped(record.stream)}" seq="{record.seq}"]',
            )
        )
        return head.encode() + b" " + line.raw


def _escaped(value: str) -> str:
    """RFC 5424 §6.3.3."""
    return re.sub(r'(["\\\]])', r"\\\1", value)


def _hand_over(connection: socket.socket, messages: bytes) -> None:
    """Write everything, say that this is all, and wait for the server to end it too.

    Raises:
        OSError: the server ended it first, or its system has reset it.
    """
    connection.sendall(messages)
    if select.select([connection], [], [], 0)[0]:
        raise OSError("the server ended the connection first")
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        continue


def _severity(record: Record) -> int:
    return _WARNING if record.type.endswith((".denied", ".rejected", ".degraded")) else _INFORMATIONAL
