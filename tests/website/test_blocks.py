"""Which addresses a page keeps out, and until when; and which network an address stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.channels.network import Network, network_named, network_of
from workers.channels.website.blocks import Block, Blocks

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
IPV4_BITS, IPV6_BITS = 32, 128

addresses = st.ip_addresses().filter(lambda one: getattr(one, "ipv4_mapped", None) is None)
untils = st.none() | st.timedeltas(timedelta(-2), timedelta(2)).map(lambda shift: NOW + shift)


def whole(address: IPv4Address | IPv6Address) -> Network:
    network = network_of(str(address), IPV6_BITS)
    assert network is not None
    return network


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    address = draw(addresses)
    prefix = draw(st.integers(0, address.max_prefixlen))
    return Block(whole(address).supernet(new_prefix=prefix), draw(untils))


@st.composite
def near(draw: st.DrawFn, blocked: list[Block]) -> IPv4Address | IPv6Address:
    """An address, most often one in or beside a blocked network."""
    if not blocked or draw(st.integers(0, 3)) == 0:
        return draw(addresses)
    network = draw(st.sampled_from(blocked)).network
    bits = network.max_prefixlen
    number = int(network.network_address) ^ draw(
        st.integers(0, (1 << min(bits - network.prefixlen + 1, bits)) - 1)
    )
    return (IPv4Address if network.version == 4 else IPv6Address)(number)


@given(st.lists(blocks(), max_size=6, unique_by=lambda one: one.network), st.data())
def test_who_is_in_a_network_is_kept_out_until_its_end(blocked: list[Block], data: st.DataObject) -> None:
    address = data.draw(near(blocked))
    expected = any(address in network and (until is None or until > NOW) for network, until in blocked)
    assert Blocks(blocked).keep_out(whole(address), NOW) == expected


@given(addresses, untils.filter(bool))
def test_a_block_ends_by_itself_at_its_time(address: IPv4Address | IPv6Address, until: datetime) -> None:
    held = Blocks([Block(whole(address), until)])
    assert held.keep_out(whole(address), until - timedelta(microseconds=1))
    assert not held.keep_out(whole(address), until)


@given(addresses, st.integers(32, IPV6_BITS))
def test_an_address_stands_for_its_network(address: IPv4Address | IPv6Address, prefix: int) -> None:
    network = network_of(str(address), prefix)
    assert network is not None
    assert address in network
    assert network.prefixlen == (IPV4_BITS if address.version == 4 else prefix)
    assert network_named(str(address), prefix) == network_named(str(network), prefix) == network


@given(st.ip_addresses(v=4))
def test_ipv4_within_ipv6_is_ipv4(address: IPv4Address) -> None:
    assert (
        network_of(f"::ffff:{address}") == network_of(str(address)) == network_named(f"::ffff:{address}", 64)
    )


def test_what_is_no_address_is_in_no_network() -> None:
    assert [network_of(text) for text in ("", "unix:", "1.2.3", "1.2.3.4:80")] == [None] * 4
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
    everybody = Blocks([Block(network_named("0.0.0.0/0", 64), None)])
    assert not everybody.keep_out(None, NOW)
    assert not everybody.keep_out(whole(ip_address("::1")), NOW)


@pytest.mark.parametrize("text", ["", "shop", "1.2.3.4/24", "1.2.3.0/33", "::ffff:1.2.3.0/120"])
def test_what_names_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        network_named(text, 64)
