"""May we connect to this address, for this issuer?

A URL that an issuer publishes can lead anywhere its owner, or whoever owns its DNS, wants: into this
network, or to the cloud's metadata service. So every address is judged after the name was resolved, and
the address that was judged is the one connected to.

1. link-local, metadata, multicast, reserved and unspecified addresses: never
2. loopback: in the simulated world only, and there nothing else
3. private ones: only where the issuer's own host is private
"""

from collections.abc import Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from launchworthy.tokens.endpoint import EndpointError
from launchworthy.tokens.shown import shown

_METADATA = frozenset(
    map(ip_address, ("100.100.100.200", "168.63.129.16", "169.254.169.254", "192.0.0.192", "fd00:ec2::254"))
)
_NAT64 = ip_network("64:ff9b::/96")


class Reach(StrEnum):
    """From where an address can be reached."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    NEVER = "never"


def reach_of(address: str) -> Reach:
    """Judge one address; one that carries an IPv4 address inside is judged by that.

    Raises:
        ValueError: it is no IP address.
    """
    plain = _unwrapped(ip_address(address))
    if plain in _METADATA or _is_special(plain):
        return Reach.NEVER
    if plain.is_loopback:
        return Reach.LOOPBACK
    return Reach.PUBLIC if plain.is_global else Reach.PRIVATE


def check_addresses(addresses: Sequence[str], *, loopback: bool, private: bool) -> None:
    """Refuse unless every address may be connected to.

    Args:
        addresses: what the name resolved to.
        loopback: whether this is the simulated world, where nothing but loopback will do.
        private: whether private addresses will do.

    Raises:
        EndpointError: there is none, or one may not be connected to.
    """
    if not addresses:
        raise EndpointError("the name leads to no address")
    acceptable = (
        {Reach.LOOPBACK} if loopback else {Reach.PUBLIC, Reach.PRIVATE} if private else {Reach.PUBLIC}
    )
    for address in addresses:
        if (reach := reach_of(address)) not in acceptable:
            raise EndpointError(
                f"the name leads to {shown(address)} ({reach.value}), where we do not connect"
            )


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside a mapped, 6to4 or NAT64 one (RFC 4291 §2.5.5.2, RFC 3056, RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.teredo is not None or address.is_site_local):
        return True
    if isinstance(address, IPv4Address) and int(address) >> 24 == 0:
        return True
    reserved = address.is_reserved and not address.is_loopback
    return address.is_link_local or address.is_multicast or address.is_unspecified or reserved
