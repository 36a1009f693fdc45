"""Where there is an egress proxy, everything goes through it, and no one learns its password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calfeed.delivery.transport.fetching import fetch
from calfeed.delivery.transport.transfer import Request
from calfeed.errors import InvalidInputError
from tests.delivery.proxy import PASSWORD, Proxy
from tests.delivery.receiver import (
    PatientSender,
    Receiver,
    collect,
    make_certificate,
    needs_openssl,
    post,
)

NAME = "receiver.example"  # which only the proxy knows
URL = f"http://{NAME}/status/204"
HEADERS = {"webhook-signature": "v1,c2lnbmF0dXJl", "x-token": "t0ken"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def proxy(receiver: Receiver) -> Iterator[Proxy]:
    with Proxy({NAME: receiver.port}) as proxy:
        yield proxy


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_message_goes_through_the_proxy_which_looks_the_name_up(
    proxy: Proxy, receiver: Receiver, scheme: str
) -> None:
    with PatientSender(egress_proxy=proxy.url(scheme)) as sender:
        sender.submit([Request("key", URL, HEADERS, b"{}")])
        assert collect(sender, 1)[0].status == 204
    (came,) = receiver.posts
    assert came.headers.items() >= HEADERS.items()
    assert came.headers["host"] == NAME
    assert not [name for name in came.headers if name.startswith("proxy-auth")]
    assert NAME.encode() in proxy.asked[0]


@needs_openssl
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_of_a_message_over_https_the_proxy_sees_the_host_and_no_more(
    tmp_path: Path, scheme: str
) -> None:
    certificate, context = make_certificate(tmp_path)
    host = "127.0.0.1"  # the certificate is for it
    with Receiver(tls=context) as receiver, Proxy({host: receiver.port}) as proxy:
        url = receiver.url("/status/204", host)
        with PatientSender(egress_proxy=proxy.url(scheme), ca_file=str(certificate)) as sender:
            sender.submit([Request("key", url, HEADERS, b"{}")])
            assert collect(sender, 1)[0].status == 204
    (came,) = receiver.posts
    assert came.headers.items() >= HEADERS.items()
    assert not [name for name in came.headers if name.startswith("proxy-")]
    (asked,) = proxy.asked
    assert host.encode() in asked
    assert b"webhook" not in asked
    assert b"t0ken" not in asked


@needs_openssl
def test_a_proxy_s_own_certificate_is_checked_like_a_receiver_s(
    tmp_path: Path, receiver: Receiver
) -> None:
    certificate, context = make_certificate(tmp_path)
    with Proxy({NAME: receiver.port}, context) as proxy:
        with PatientSender(egress_proxy=proxy.url("https")) as sender:
            assert "not trusted" in str(post(sender, URL).error)
        assert proxy.asked == []
        with PatientSender(egress_proxy=proxy.url("https"), ca_file=str(certificate)) as sender:
            assert post(sender, URL).status == 204


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("target", ["http", "https"])
def test_what_the_proxy_refuses_is_not_delivered_and_nothing_goes_around_it(
    proxy: Proxy, receiver: Receiver, scheme: str, target: str
) -> None:
    around = receiver.url("/status/204", "localhost").replace("http:", f"{target}:")
    with PatientSender(egress_proxy=proxy.url(scheme)) as sender:
        outcome = post(sender, around)
    assert outcome.status in (None, 403)
    if (scheme, target) != ("http", "http"):  # there the proxy answers in the receiver's place
        assert "proxy" in str(outcome.error)
    assert receiver.posts == []


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("target", ["http", "https"])
def test_a_proxy_that_lets_nobody_in_is_an_error_without_its_password(
    receiver: Receiver, proxy: Proxy, scheme: str, target: str
) -> None:
    wrong = proxy.url(scheme, "desk:hunter2@")
    with PatientSender(egress_proxy=wrong) as sender:
        outcome = post(sender, URL.replace("http:", f"{target}:"))
        assert "hunter2" not in f"{outcome} {sender!r}"
    assert outcome.status in (None, 407)
    assert receiver.posts == []


def test_a_proxy_that_is_not_there_is_an_error_and_nothing_goes_around_it(
    receiver: Receiver,
) -> None:
    with PatientSender(egress_proxy="http://127.0.0.1:1") as sender:
        assert "no connection" in str(post(sender, receiver.url("/status/204")).error)
    assert receiver.posts == []


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_what_is_fetched_goes_through_the_proxy_too(
    proxy: Proxy, receiver: Receiver, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    # The receiver takes no GET: that it says so shows that it was reached.
    with pytest.raises(InvalidInputError, match=f"{NAME} responds with 501"):
        fetch(URL, egress_proxy=proxy.url(scheme), max_bytes=1000)
    assert len(proxy.asked) == 1
    for private in ("http://127.1/", "http://[::1]/", f"http://{NAME}:8080/"):
        with pytest.raises(InvalidInputError, match="CALFEED_ALLOW_PRIVATE_ENDPOINTS"):
            fetch(private, egress_proxy=proxy.url(scheme), max_bytes=1)
    with pytest.raises(InvalidInputError) as caught:
        fetch("https://other.example/", egress_proxy=proxy.url(scheme), max_bytes=1)
    assert PASSWORD not in str(caught.value)
