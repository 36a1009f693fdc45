"""The guard: which addresses and URLs are posted to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.delivery.transport.guard import check_url, find_refusal, show_url
from calfeed.errors import InvalidInputError
from tests.delivery.networks import LOOPBACK_FORMS, NEIGHBOURS, NETWORKS, inside_of

PUBLIC = ["1.1.1.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
NO_ADDRESSES = ["", "localhost", "127.1", "2130706433", "0x7f.1", "127.0.0.1 ", "127.0.0.1."]


@pytest.mark.parametrize(("network", "reason"), NETWORKS.items())
def test_a_network_that_is_not_public_is_refused_from_end_to_end_with_its_reason(
    network: str, reason: str
) -> None:
    assert {find_refusal(address) for address in inside_of(network)} == {reason}


@pytest.mark.parametrize("address", [*NEIGHBOURS, *PUBLIC])
def test_a_public_address_is_not_refused_however_near_a_private_one_it_is(address: str) -> None:
    assert find_refusal(address) is None


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_ip_address_is_refused(address: str) -> None:
    assert find_refusal(address) == "not an IP address"


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%1", "FE80::1", "febf::1%25lo"])
def test_an_address_is_judged_without_its_zone(address: str) -> None:
    assert find_refusal(address) == "link-local"


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_when_mapped_into_ipv6(address: object) -> None:
    assert find_refusal(f"::ffff:{address}") == find_refusal(str(address))


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
        ("", "not a valid URL"),
        ("example.org/hooks", "not a valid URL"),
        ("poll:", "not a valid URL"),
        ("https://", "not a valid URL"),
        ("https:example.org", "not a valid URL"),
        ("https://exa%2fmple.org/", "not a valid URL"),
        ("https://example.org:99999/", "not a valid URL"),
        ("https://example.org\\@10.0.0.1/", "user name"),
        ("https://example.org\\hooks", "not a valid URL"),
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
        *((f"http://{form}/", "is a loopback address") for form in LOOPBACK_FORMS),
        ("http://0/", "0.0.0.0 is this machine itself"),
        ("http://[64:ff9b::127.0.0.1]/", "is a NAT64 address"),
        ("http://[::127.0.0.1]/", "is reserved"),
        ("http://[fe80::1%25eth0]/", "is link-local"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
    ],
)
def test_other_ports_and_private_addresses_need_the_operator_s_leave(url: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        check_url(url, allow_private=False)
    check_url(url, allow_private=True)


@pytest.mark.parametrize("host", ["127.0.0.1..", "127.0.0.1%00.example.org", "[::1]."])
def test_a_form_that_nobody_reads_alike_is_no_host(host: str) -> None:
    with pytest.raises(InvalidInputError, match="not a valid URL"):
        check_url(f"http://{host}/", allow_private=True)


def test_an_address_of_one_link_keeps_its_zone() -> None:
    url = "http://[fe80::1%25eth0]:8080/"
    assert check_url(url, allow_private=True) == url


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


def test_http_is_refused_where_only_https_may_be() -> None:
    assert check_url("https://example.org/x", False, https_only=True) == "https://example.org/x"
    for url in ("http://example.org/x", "HTTP://example.org/x"):
        with pytest.raises(InvalidInputError, match="CALFEED_HTTPS_ENDPOINTS_ONLY"):
            check_url(url, True, https_only=True)
