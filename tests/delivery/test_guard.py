"""The guard: which addresses and URLs are posted to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.delivery.guard import check_url, refuse_address, show_url
from calfeed.errors import InvalidInputError

REFUSED = {
    "this machine itself": ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"],
    "a loopback address": ["127.0.0.1", "127.255.255.255", "::1", "::ffff:7f00:1"],
    "private": [
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "::ffff:10.0.0.1",
        "fc00::1",
        "fd12:3456::1",
        "fdff:ffff::1",
    ],
    "private (shared by a provider's customers)": ["100.64.0.1", "100.127.255.255"],
    "a cloud provider's internal service": ["168.63.129.16", "::ffff:168.63.129.16"],
    "link-local (cloud metadata among others)": ["169.254.169.254", "::ffff:a9fe:a9fe"],
    "reserved for protocols": ["192.0.0.1", "192.0.0.170", "2001:1::1", "2001:20::1"],
    "for documentation only": [
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.255",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff:ffff::1",
    ],
    "a 6to4 relay": ["192.88.99.1"],
    "for benchmarks only": ["198.18.0.1", "198.19.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": [
        "240.0.0.1",
        "255.255.255.255",
        "::2",
        "::7f00:1",
        "64:ff9c::1",
        "100::1",
        "4000::1",
        "fe00::1",
    ],
    "a NAT64 address": ["64:ff9b::a9fe:a9fe", "64:ff9b::8.8.8.8", "64:ff9b:1::1"],
    "a Teredo address": ["2001::1", "2001:0:7f00:1::"],
    "a 6to4 address": ["2002:7f00:1::", "2002:808:808::1"],
    "reserved for segment routing": ["5f00::1"],
    "link-local": ["fe80::1", "fe80::1%eth0", "febf::1"],
    "private (site-local)": ["fec0::1", "feff::1"],
    "not an IP address": ["", "localhost", "127.1", "2130706433", "0x7f.1", "127.0.0.1 "],
}
ALLOWED = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
]


@pytest.mark.parametrize(
    ("address", "reason"),
    [(address, reason) for reason, addresses in REFUSED.items() for address in addresses],
)
def test_an_address_that_is_not_public_is_refused_with_its_reason(
    address: str, reason: str
) -> None:
    assert refuse_address(address) == reason


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert refuse_address(address) is None


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_when_mapped_into_ipv6(address: object) -> None:
    assert refuse_address(f"::ffff:{address}") == refuse_address(str(address))


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.org/hooks?a=1", "https://example.org/hooks?a=1"),
        ("https://Example.ORG", "https://example.org/"),
        ("HTTPS://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80", "http://example.org/"),
        ("http://example.org:443/", "http://example.org:443/"),
        ("https://münchen.example/ü", "https://xn--mnchen-3ya.example/%C3%BC"),
        ("http://1.1/", "http://1.0.0.1/"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
    ],
)
def test_a_url_gets_its_one_normal_form(url: str, normal: str) -> None:
    assert check_url(url, allow_private=False) == normal
    assert check_url(normal, allow_private=False) == normal


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no URL"),
        ("example.org/hooks", "no URL"),
        ("https://", "no URL"),
        ("https:example.org", "no URL"),
        ("https://exa%2fmple.org/", "no URL"),
        ("https://example.org:99999/", "no URL"),
        ("https://example.org\\@10.0.0.1/", "user name"),
        ("https://example.org\\hooks", "no URL"),
        ("https://example.org/\ud800", "control characters"),
        ("https://faß.example/", "ASCII form"),
        ("https://" + "ü" * 70 + ".example/", "ASCII form"),
        ("ftp://example.org/", "https:// or http://, not ftp:"),
        ("file:///etc/passwd", "https:// or http://, not file:"),
        ("https://user:hunter2@example.org/", "user name"),
        ("https://@example.org/", "user name"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org/#", "fragment"),
        (" https://example.org/", "white space"),
        ("https://example.org/\r\nHost: other", "white space"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org/" + "a" * 2048, "longer than 2048"),
        ("https://example.org/" + "ü" * 1000, "longer than 2048"),
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_cannot_be_posted_to_is_refused_in_clear_words(
    url: str, words: str, allow_private: bool
) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        check_url(url, allow_private)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.org:8443/", "port 8443"),
        ("http://127.1/", "127.0.0.1 is a loopback address"),
        ("http://2130706433/", "127.0.0.1 is a loopback address"),
        ("http://0x7f.1/", "127.0.0.1 is a loopback address"),
        ("http://１２７.1/", "127.0.0.1 is a loopback address"),
        ("http://0177.0.0.1/", "127.0.0.1 is a loopback address"),
        ("http://[::ffff:7f00:1]/", "is a loopback address"),
        ("http://[fe80::1%25eth0]/", "is link-local"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
    ],
)
def test_other_ports_and_private_addresses_need_the_operator_s_leave(url: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        check_url(url, allow_private=False)
    check_url(url, allow_private=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/", "https://example.org/"),
        ("https://example.org/hooks", "https://example.org/hooks"),
        ("https://example.org:8443/api-v2/x9", "https://example.org:8443/api-v2/…"),
        ("https://example.org/hooks?token=abc", "https://example.org/hooks?…"),
        ("https://example.org/3f9a81c2/in", "https://example.org/…"),
        ("https://user:secret@example.org/a", "https://example.org/a"),
        ("https://example.org/averyveryverylongfirstsegment", "https://example.org/…"),
        ("no url at all", "…"),
        ("\ud800", "…"),
    ],
)
def test_a_url_is_shown_without_what_could_be_a_token(url: str, shown: str) -> None:
    assert show_url(url) == shown
