"""Where webhooks may go: a table of addresses, and what a URL must be."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest

from workers.outside.guard import RefusedAddressError, RefusedUrlError, check_url, may_reach, socket_factory

INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # what clouds tell their machines
    "100.64.0.1",  # carriers' own
    "192.0.0.8",
    "192.0.2.1",  # documentation
    "198.18.0.1",  # benchmarks
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "::ffff:127.0.0.1",  # IPv4 inside of IPv6
    "::ffff:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",  # NAT64
    "64:ff9b::7f00:1",
    "64:ff9b:1::8.8.8.8",  # NAT64 of somebody's own (RFC 8215): where the IPv4 address stands is his affair
    "64:ff9b:1:a00:0:100:808:808",  # that of 10.0.0.1 behind 48 bits (RFC 6052, 2.2)
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "203.162.4.190", "2606:4700:4700::1111", "2001:4860:4860::8888"]
PUBLIC += ["64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_inside_address_is_refused_before_a_socket_is_made(address: str) -> None:
    assert not may_reach(ip_address(address), ())
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(RefusedAddressError, match="no public address"):
        socket_factory(())((family, socket.SOCK_STREAM, 0, "", (address, 443)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not(address: str) -> None:
    assert may_reach(ip_address(address), ())


def test_networks_of_the_settings_are_allowed_and_no_others() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert may_reach(ip_address("10.1.2.3"), allowed)
    assert may_reach(ip_address("::ffff:10.1.2.3"), allowed)
    assert may_reach(ip_address("fd00::1"), allowed)
    assert not may_reach(ip_address("10.2.0.1"), allowed)
    assert not may_reach(ip_address("64:ff9b:1::10.1.2.3"), allowed)
    assert may_reach(ip_address("64:ff9b:1::8.8.8.8"), (ip_network("64:ff9b:1::/48"),))
    assert not may_reach(ip_address("127.0.0.1"), allowed)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/a?b=c",
        "https://hooks.example.com:8443",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_urls_that_will_do(url: str) -> None:
    check_url(url, https_only=True, allowed=())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example.com", "https://"),
        ("ftp://hooks.example.com", "https://"),
        ("file:///etc/passwd", "https://"),
        ("//hooks.example.com", "https://"),
        ("https://", "names no host"),
        ("https://:443/", "names no host"),
        ("https://a:b@hooks.example.com", "neither a user"),
        ("https://hooks.example.com/#x", "fragment"),
        ("https://hooks.example.com:99999", "no URL"),
        ("https://[::1", "no URL"),
        ("https://hooks.example.com/a b", "no blanks"),
        ("https://hộp.example.com/", "ASCII"),
        ("https://x/" + "a" * 3_000, "2048"),
        ("https://127.0.0.1/", "no public address"),
        ("https://127.1/", "no public address"),
        ("https://2130706433/", "no public address"),
        ("https://0x7f000001/", "no public address"),
        ("https://0177.0.0.1/", "no public address"),
        ("https://[::1]/", "no public address"),
        ("https://[::ffff:10.0.0.1]/", "no public address"),
        ("https://169.254.169.254/latest", "no public address"),
    ],
)
def test_urls_that_will_not(url: str, says: str) -> None:
    with pytest.raises(RefusedUrlError, match=says):
        check_url(url, https_only=True, allowed=())


def test_outside_production_tls_is_not_needed() -> None:
    check_url("http://hooks.example.com", https_only=False, allowed=())
    check_url("http://127.0.0.1:8000/hook", https_only=False, allowed=(ip_network("127.0.0.0/8"),))
