"""The guard at its post: in the sender, for each connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.delivery.transport.guard import check_url
from tests.delivery.networks import LOOPBACK_FORMS
from tests.delivery.receiver import PatientSender, Receiver, collect, post, request


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.mark.parametrize(
    "host",
    [*LOOPBACK_FORMS, "localhost", "LOCALHOST", "localhost.", "any.localhost", "ｌocalhost"],
)
def test_whatever_its_spelling_a_loopback_address_is_refused_before_connecting(
    receiver: Receiver, host: str
) -> None:
    url = check_url(receiver.url("/status/204", host), allow_private=True)
    with PatientSender() as sender:
        error = post(sender, url).error
    assert error is not None
    assert "is a loopback address" in error
    assert receiver.posts == []


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("[::1]", "a loopback address"),
        ("[64:ff9b::7f00:1]", "a NAT64 address"),
        ("[2002:7f00:1::]", "a 6to4 address"),
        ("169.254.169.254", "link-local"),
        ("10.0.0.1", "private"),
        ("0.0.0.0", "this machine itself"),
        ("224.0.0.1", "multicast"),
        ("168.63.129.16", "a cloud provider's internal service"),
    ],
)
def test_other_addresses_that_are_not_public_are_refused_too(host: str, reason: str) -> None:
    with PatientSender() as sender:
        error = post(sender, f"http://{host}/").error
    assert error is not None
    assert f"is {reason}" in error


@pytest.mark.parametrize("addresses", ["127.0.0.1", "10.0.0.1,127.0.0.1", "[::1],127.0.0.1"])
def test_a_name_that_leads_to_private_addresses_is_refused(
    receiver: Receiver, addresses: str
) -> None:
    """As when a name that was public at first is pointed at loopback later."""
    resolve = [f"rebound.example:{receiver.port}:{addresses}"]
    url = receiver.url("/status/204", "rebound.example")
    with PatientSender(resolve=resolve) as sender:
        error = post(sender, url).error
        assert error is not None
        assert "CALFEED_ALLOW_PRIVATE_ENDPOINTS" in error
    assert receiver.posts == []
    with PatientSender(resolve=resolve, allow_private=True) as sender:
        assert post(sender, url).status == 204


def test_the_guard_lends_libcurl_a_socket_for_what_it_allows(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No public address can be reached in a test, so the table has one network less."""
    monkeypatch.setattr("calfeed.delivery.transport.transfer.find_refusal", lambda _: None)
    with PatientSender() as sender:
        sender.submit([request(receiver.url("/status/204"), key) for key in range(50)])
        assert {outcome.status for outcome in collect(sender, 50)} == {204}


def test_a_bug_in_the_guard_is_an_outcome(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("calfeed.delivery.transport.transfer.find_refusal", lambda _: 1 / 0)
    with PatientSender() as sender:
        outcome = post(sender, receiver.url("/status/204"))
    assert outcome.error == "no socket could be opened (ZeroDivisionError)"
    assert receiver.posts == []
    assert "no socket could be opened" in caplog.text
