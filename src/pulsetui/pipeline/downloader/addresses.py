"""Which addresses a download may connect to: not into this machine or its own networks, unless allowed.

The invariant: each connection goes to an address that was checked as it was about to be used. Names are checked after
resolving and literals before; the socket factory looks again at the very address that the socket will connect to, so
that nothing (a cache, a second look-up, an odd spelling) can slip between. Whether it is allowed at all is a setting.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING, Any

from pulsetui import faults
from pulsetui.errors import FailureClass, SourceError
from pulsetui.files.names import display_text

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
HINT = "set downloads.allow_private_addresses if the source is in your own network"

# IANA's special-purpose registries (RFC 6890), spelled out where `is_global` of some supported Python version says
# otherwise (it learned many of them with CVE-2024-4032), and ranges that lead to other addresses.
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        [
            "0.0.0.0/8",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "240.0.0.0/4",
            "::/96",  # IPv4-compatible, deprecated by RFC 4291
            "64:ff9b:1::/48",  # local NAT64, RFC 8215
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",  # site-local, deprecated by RFC 3879
        ],
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE | re.ASCII)


class AddressRefusedError(OSError):
    """A socket was about to connect to an address that isn't allowed (an OSError: aiohttp tries the next address)."""


def is_public(address: Address) -> bool:
    """Say whether an address is out in the Internet; one that carries an IPv4 address is judged by that too."""
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _SPECIAL if network.version == address.version)
    )


def check_literal(host: str, *, allow_private: bool) -> None:
    """Check the host of a URL if it is an address rather than a name.

    Numbers in other spellings (`127.1`, `0x7f.0.0.1`, `2130706433`, `0177.0.0.1`), which the system would take for IPv4
    addresses, are refused in any case: no name ends in a number (WHATWG URL, "ends in a number checker").

    Raises:
        SourceError: it isn't allowed.
    """
    address = _parsed(host)
    if address is None:
        if _NUMERIC_HOST.fullmatch(host):
            raise _refused(f"{display_text(host)} is not a plain IPv4 address")
    elif not _allowed(address, allow_private=allow_private):
        raise _refused(f"{address} is a private or special address")


def checked_socket(addr_info: tuple[Any, ...], *, allow_private: bool) -> socket.socket:
    """Make the socket for one `getaddrinfo` result, after a last look at its address.

    Raises:
        AddressRefusedError: it isn't allowed.
    """
    family, kind, protocol, _, target = addr_info
    address = _parsed(str(target[0]))
    if address is None or not _allowed(address, allow_private=allow_private):
        raise AddressRefusedError(f"{display_text(str(target[0]))} is a private or special address")
    faults.point("download.socket")
    return socket.socket(family, kind, protocol)


def checked_results(host: str, found: list[ResolveResult], *, allow_private: bool) -> list[ResolveResult]:
    """Return the addresses of a name that are allowed.

    Raises:
        SourceError: none is.
    """
    allowed = [
        result
        for result in found
        if (address := _parsed(result["host"])) is not None and _allowed(address, allow_private=allow_private)
    ]
    if not allowed:
        raise _refused(f"{display_text(host)} leads to a private or special address")
    return allowed


def checked_resolver(inner: AbstractResolver, *, allow_private: bool) -> AbstractResolver:
    """Return a resolver that gives only allowed addresses of what `inner` finds."""
    from aiohttp.abc import AbstractResolver  # takes 0.2 s, only when downloading

    class CheckedResolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            await faults.async_point("download.resolve")
            return checked_results(host, await inner.resolve(host, port, family), allow_private=allow_private)

        async def close(self) -> None:
            await inner.close()

    return CheckedResolver()


def _allowed(address: Address, *, allow_private: bool) -> bool:
    if allow_private:
        return not (address.is_multicast or address.is_unspecified)
    return is_public(address)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to this IPv6 address may end up at."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _parsed(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _refused(reason: str) -> SourceError:
    return SourceError(reason, failure=FailureClass.PERMANENT, hint=HINT)
