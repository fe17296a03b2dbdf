"""Where may this call connect to?

1. a name is looked up only if the manifest names it; `localhost` and addresses need no lookup
2. an address is connected to if it stands in the manifest with its port, or a declared name with that port
   was looked up and led there
3. in the simulated world nothing but this machine, and only for who declares anything at all
4. what was denied is remembered: a call that swallows the error has failed all the same
5. what the framework does for a call (`ours`) is its own: it is judged by the settings, not by `egress`
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock
from typing import Final, NoReturn, Self

from launchworthy.manifest import Destination

Address = IPv4Address | IPv6Address
MOST_ADDRESSES: Final = 256
"""That are remembered of one name; the oldest go first."""
_SHOWN = 120


class EgressDenied(PermissionError):
    """The manifest does not name this destination; nothing was sent."""


class Names:
    """Which addresses have declared names led to, in this process?

    For all calls together: clients keep what they have looked up.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._known: dict[str, OrderedDict[Address, None]] = {}
        self._lock = Lock()

    def watch(self, hosts: Iterable[str]) -> None:
        """Remember where these names lead; no other is remembered."""
        with self._lock:
            for host in hosts:
                self._known.setdefault(host, OrderedDict())

    def learn(self, host: object, addresses: Iterable[object]) -> None:
        """Remember where a name led."""
        known = self._known.get(plain_name(host))
        if known is None:
            return
        with self._lock:
            for address in map(read_address, addresses):
                if address is not None:
                    known[address] = None
                    known.move_to_end(address)
            while len(known) > MOST_ADDRESSES:
                known.popitem(last=False)

    def lead_to(self, host: str, address: Address) -> bool:
        """Whether this name has led there."""
        return address in self._known.get(host, ())


class CallEgress:
    """What one call may reach.

    Attributes:
        denied: the first thing it reached for in vain; None if there was none.
    """

    __slots__ = ("_allowed", "_names", "_outside", "_simulated", "denied")

    def __init__(self, allowed: tuple[Destination, ...], names: Names, *, simulated: bool) -> None:
        """Begin with nothing denied.

        Args:
            allowed: what the manifest names.
            names: where names have led.
            simulated: whether this world ends at this machine.
        """
        self._allowed = allowed
        self._names = names
        self._simulated = simulated
        self._outside: Token[CallEgress | None]
        self.denied: str | None = None

    def check_name(self, host: object) -> None:
        """Judge a look-up before it is made.

        Raises:
            EgressDenied: the manifest names no such host.
        """
        if host is None or read_address(host) is not None:
            return
        name = plain_name(host)
        if name in {"", "localhost"} or any(one.host == name for one in self._allowed):
            return
        self.deny(f"{_shown(host)} was looked up")

    def check_address(self, address: object) -> None:
        """Judge what a socket is to connect or to send to, as Python has it: a tuple, or a path.

        Raises:
            EgressDenied: the manifest does not name it.
        """
        if not (isinstance(address, tuple) and len(address) > 1 and isinstance(address[1], int)):
            self.deny(f"{_shown(address)}, which is no host and port")
        self.check(address[0], address[1])

    def check(self, host: object, port: object) -> None:
        """Judge one host and one port.

        Raises:
            EgressDenied: the manifest does not name them.
        """
        at = read_address(host)
        if at is None:
            allowed = not self._simulated and any(
                one.host == plain_name(host) and one.port == port for one in self._allowed
            )
        elif self._simulated:
            allowed = at.is_loopback and len(self._allowed) > 0
        else:
            allowed = any(one.port == port and self._leads_to(one.host, at) for one in self._allowed)
        if not allowed:
            self.deny(f"{_shown(host)}:{port}")

    def deny(self, what: str) -> NoReturn:
        """Remember what was reached for in vain.

        Raises:
            EgressDenied: always.
        """
        why = "in the simulated world only this machine" if self._simulated else "`egress` does not name it"
        if self._simulated and not self._allowed:
            why = "the manifest has no `egress`"
        message = f"reached for {what}: {why}"
        if self.denied is None:
            self.denied = message
        raise EgressDenied(message)

    def __enter__(self) -> Self:
        """Judge everything that is done in this context, and in the tasks and threads that begin in it."""
        self._outside = _CALL.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Judge what was begun in there, and nothing else any more."""
        _CALL.reset(self._outside)

    def _leads_to(self, host: str, address: Address) -> bool:
        if host == "localhost":
            return address.is_loopback
        return read_address(host) == address or self._names.lead_to(host, address)


_CALL: ContextVar[CallEgress | None] = ContextVar("launchworthy.egress", default=None)


def current() -> CallEgress | None:
    """The call whose code this is; None outside of calls, and in what is ours."""
    return _CALL.get()


@contextmanager
def carried(call: CallEgress | None) -> Iterator[None]:
    """Judge by this call what is done here."""
    token = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(token)


@contextmanager
def ours() -> Iterator[None]:
    """Connect for the framework, to what the settings name, while a call is running."""
    with carried(None):
        yield


def read_address(host: object) -> Address | None:
    """The IP address that this is; None for a name. An IPv4 address in IPv6 is the IPv4 address.

    Only IPv6 has zones: what comes after the `%` of `192.0.2.7%evil.example` makes it a name, and it is asked
    of whoever answers for `evil.example`.
    """
    text = host.decode("latin-1") if isinstance(host, bytes) else host
    if not isinstance(text, str):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # without its zone


def plain_name(host: object) -> str:
    """A host name in its one spelling."""
    text = host.decode("latin-1") if isinstance(host, bytes) else str(host)
    return text.lower().removesuffix(".")


def _shown(what: object) -> str:
    text = what.decode("latin-1") if isinstance(what, bytes) else str(what)
    return f"`{text[:_SHOWN]}`"
