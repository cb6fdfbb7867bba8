from __future__ import annotations

import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.errors import FailureClass, SourceError
from pulsetui.pipeline.downloader.addresses import AddressRefusedError, check_literal, checked_socket, is_public
from pulsetui.pipeline.downloader.http_source import HttpSource
from pulsetui.pipeline.downloader.ranges import Recorded
from pulsetui.settings.models import Downloads
from tests.pipeline.downloader.servers import Content, fixed, serving

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001:0:7f00:1::",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
ODD_FORMS = ["127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "127.0.1", "0"]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_or_special_address_is_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_in_the_internet_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_dress(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    dresses = [(0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)]
    if not is_public(address):
        assert not any(is_public(ipaddress.IPv6Address(dress)) for dress in dresses)


@pytest.mark.parametrize("host", ODD_FORMS)
@pytest.mark.parametrize("allow_private", [True, False])
def test_an_address_in_an_odd_form_is_refused_even_where_private_ones_are_allowed(
    host: str, *, allow_private: bool
) -> None:
    with pytest.raises(SourceError) as caught:
        check_literal(host, allow_private=allow_private)
    assert caught.value.failure is FailureClass.PERMANENT


@pytest.mark.parametrize("host", ["example.org", "1.example.org", "3com.com", "0x.example", "xn--nxasmq6b.example"])
def test_a_name_is_left_to_the_resolver(host: str) -> None:
    check_literal(host, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_socket_is_made_for_a_private_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(AddressRefusedError):
        checked_socket((family, socket.SOCK_STREAM, 0, "", (address, 443)), allow_private=False)


def test_a_socket_is_made_for_what_is_allowed() -> None:
    checked_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("1.1.1.1", 443)), allow_private=False).close()
    checked_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 443)), allow_private=True).close()


class Names(AbstractResolver):
    """Resolves each name to what the test says, in turn."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the protocol's
    ) -> list[ResolveResult]:
        address = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def refused(source: HttpSource, url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await source.open(url, Recorded())
    await source.close()
    return caught.value


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_to_a_private_address_is_never_connected_to(address: str) -> None:
    async with serving(Content(b"secret")) as server:
        source = HttpSource(Downloads(allow_http=True), resolver=lambda: Names(address))
        error = await refused(source, server.url(host="innocent.example"))

    assert error.failure is FailureClass.PERMANENT
    assert "allow_private_addresses" in error.hint
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", *ODD_FORMS])
async def test_a_literal_private_address_is_never_connected_to(host: str) -> None:
    async with serving(Content(b"secret")) as server:
        error = await refused(HttpSource(Downloads(allow_http=True)), server.url(host=host))

    assert error.failure is FailureClass.PERMANENT
    assert server.connections == 0


async def test_wide_digits_are_no_way_around() -> None:
    async with serving(Content(b"secret")) as server:
        error = await refused(HttpSource(Downloads(allow_http=True)), server.url(host="１２７.0.0.1"))

    assert error.failure is FailureClass.PERMANENT
    assert server.connections == 0


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/x", "//[::1]:{port}/x", "http://2130706433:{port}/x"])
async def test_a_redirect_to_a_private_address_is_not_followed(target: str) -> None:
    """The first hop is public as far as the check sees: its name is let through to loopback by an allowed name only."""
    async with serving(Content(b"secret")) as inner:
        answer = fixed("302 Found", {"Location": target.format(port=inner.port)})
        async with serving(answer) as outer:
            source = FirstHopAllowed(outer.port)
            error = await refused(source, outer.url(host="public.example"))

    assert error.failure is FailureClass.PERMANENT
    assert (outer.connections, inner.connections) == (1, 0)


class FirstHopAllowed(HttpSource):
    """Sends the first hop through a source that may reach loopback, as a public server would be reached."""

    def __init__(self, port: int) -> None:
        super().__init__(Downloads(allow_http=True))
        self._port = port
        self._outside = HttpSource(
            Downloads(allow_http=True, allow_private_addresses=True), resolver=lambda: Names("127.0.0.1")
        )

    async def _request(self, target, headers):  # type: ignore[no-untyped-def]
        if target.port == self._port:
            return await self._outside._request(target, headers)
        return await super()._request(target, headers)

    async def close(self) -> None:
        await self._outside.close()
        await super().close()


async def test_a_name_is_checked_again_each_time_it_is_resolved() -> None:
    """DNS rebinding: the name was public when it was first looked at."""
    async with serving(Content(b"secret")) as server:
        source = HttpSource(Downloads(allow_http=True), resolver=lambda: Names("127.0.0.1"))
        first = await refused(source, server.url(host="rebind.example"))
        second = await refused(source, server.url(host="rebind.example"))

    assert first.failure is second.failure is FailureClass.PERMANENT
    assert server.connections == 0
