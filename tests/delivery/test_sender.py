"""The sender against real receivers on loopback, good ones and bad ones."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calfeed import __version__
from calfeed.delivery.transport.sender import Request, Sender
from calfeed.errors import InvalidInputError
from calfeed.reminders.signing import make_secret, sign_headers, verify
from tests.delivery.office import wait_until
from tests.delivery.receiver import (
    PatientSender,
    Receiver,
    collect,
    make_certificate,
    needs_openssl,
    post,
    request,
)
from tests.patience import longer_and_longer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sender() -> Iterator[Sender]:
    """A sender that may post to loopback."""
    with PatientSender(allow_private=True) as sender:
        yield sender


@pytest.mark.parametrize("status", [200, 204, 400, 404, 410, 500, 502])
def test_the_outcome_of_an_answer_is_its_status(
    sender: Sender, receiver: Receiver, status: int
) -> None:
    before = datetime.now(UTC)
    outcome = post(sender, receiver.url(f"/status/{status}"))
    assert (outcome.key, outcome.status, outcome.error) == ("key", status, None)
    assert outcome.retry_after is None
    assert before <= outcome.started_at <= datetime.now(UTC)
    assert 0 <= outcome.milliseconds < (datetime.now(UTC) - before).total_seconds() * 1000 + 1


def test_a_message_arrives_as_it_was_signed(sender: Sender, receiver: Receiver) -> None:
    secret, body = make_secret(bytes(32)), '{"text": "یاد دہانی"}'.encode()
    headers = sign_headers("msg_1", datetime.now(UTC), body, [secret])
    sender.submit([Request(1, receiver.url("/status/204"), headers, body)])
    assert collect(sender, 1)[0].status == 204
    (came,) = receiver.posts
    verify(came.headers, came.body, secret)
    assert came.headers["user-agent"] == f"calfeed/{__version__}"


def test_a_large_body_goes_out_whole_and_without_waiting_for_leave(
    sender: Sender, receiver: Receiver
) -> None:
    body = b"x" * 3_000_000
    sender.submit([request(receiver.url("/status/204"), body=body)])
    assert collect(sender, 1)[0].status == 204
    assert receiver.posts[0].body == body
    assert "expect" not in receiver.posts[0].headers


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_comes_with_the_outcome(
    sender: Sender, receiver: Receiver, status: int
) -> None:
    outcome = post(sender, receiver.url(f"/status/{status}"))
    assert (outcome.status, outcome.retry_after) == (status, "7")
    # The handle is used again; nothing of this answer is left for the next.
    assert post(sender, receiver.url("/status/500")).retry_after is None


def test_a_redirect_is_not_followed(sender: Sender, receiver: Receiver) -> None:
    assert post(sender, receiver.url("/moved")).status == 302
    assert [came.path for came in receiver.posts] == ["/moved"]


def test_the_start_of_the_answer_is_kept_as_text_without_nul(
    sender: Sender, receiver: Receiver
) -> None:
    assert post(sender, receiver.url("/text")).response_start == "grüße\ufffd"


def test_an_endless_answer_is_cut_short_and_its_status_counts(
    sender: Sender, receiver: Receiver
) -> None:
    outcome = post(sender, receiver.url("/huge"))
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.response_start == "x" * 1024


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/reset", "the connection broke before the response was complete"),
        ("/closed", "the connection was closed without a response"),
        ("/half", "the connection was closed before the response was complete"),
        ("/garbage", "the response is not HTTP"),
        ("/headers", ""),
    ],
)
def test_a_broken_answer_is_an_error_in_words(
    sender: Sender, receiver: Receiver, path: str, words: str
) -> None:
    outcome = post(sender, receiver.url(path))
    assert outcome.status is None
    assert outcome.error is not None
    assert words in outcome.error
    assert post(sender, receiver.url("/status/204")).status == 204


@pytest.mark.parametrize("path", ["/hang", "/slow"])
def test_an_answer_that_is_not_complete_in_time_is_an_error(receiver: Receiver, path: str) -> None:
    for seconds in longer_and_longer(0.2):
        with Sender(allow_private=True, timeout=seconds) as sender:
            outcome = post(sender, receiver.url(path))
        assert outcome.status is None
        assert outcome.milliseconds >= seconds * 1000
        if not (outcome.error or "").startswith("no connection"):
            break
    assert re.fullmatch(r"no complete answer after \d+\.\d seconds", outcome.error or "")


def test_nothing_listening_is_an_error(sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = post(sender, f"http://127.0.0.1:{port}/")
    assert outcome.error == "no connection: nothing accepts one at this address and port"


def test_a_name_that_does_not_resolve_is_an_error(sender: Sender) -> None:
    assert post(sender, "http://nowhere.invalid/").error == "the host name cannot be resolved"


@pytest.mark.parametrize(
    "bad",
    [
        Request(1, "http://exämple.invalid/secret", {}, b""),
        Request(1, "gopher://127.0.0.1/secret", {}, b""),
        Request(1, "http://127.0.0.1:1/secret", {"a": "secret\r\nb: c"}, b""),
        Request(1, "http://127.0.0.1:1/secret", {"a": "sécret→"}, b""),
        Request(1, "http:// /secret", {}, b""),
    ],
)
def test_a_request_that_cannot_be_sent_is_an_error_that_repeats_nothing(
    sender: Sender, receiver: Receiver, bad: Request
) -> None:
    sender.submit([bad, request(receiver.url("/status/204"), key=2)])
    outcomes = {outcome.key: outcome for outcome in collect(sender, 2)}
    assert outcomes[1].error
    assert "secret" not in outcomes[1].error
    assert outcomes[2].status == 204
    assert "secret" not in repr(bad)


@needs_openssl
def test_a_certificate_nobody_vouches_for_is_an_error(sender: Sender, tmp_path: Path) -> None:
    certificate, context = make_certificate(tmp_path)
    with Receiver(tls=context) as receiver:
        error = post(sender, receiver.url("/status/204")).error
        assert error is not None
        assert error.startswith("the server's certificate is not trusted (")
        assert receiver.posts == []
        with PatientSender(allow_private=True, ca_file=str(certificate)) as trusting:
            assert post(trusting, receiver.url("/status/204")).status == 204


@needs_openssl
def test_no_bytes_of_a_certificate_end_the_requests_to_others(
    sender: Sender, receiver: Receiver, tmp_path: Path
) -> None:
    """libcurl passes them on as they are; these are not UTF-8."""
    certificate, context = make_certificate(tmp_path, b"gr\xfc\xdfe")
    with (
        Receiver(tls=context) as hostile,
        PatientSender(allow_private=True, ca_file=str(certificate)) as trusting,
    ):
        sender.submit([request(receiver.url("/hang"), "waits")])
        error = post(sender, hostile.url("/status/204")).error
        assert error is not None
        assert error.startswith("the server's certificate is not trusted (")
        assert sender.results(0) == [], "the other request goes on"
        outcome = post(trusting, hostile.url("/status/204"))
        assert outcome.status == 204
        assert outcome.certificate_until is not None
        receiver.released.set()


def test_plain_http_where_tls_is_expected_is_an_error(sender: Sender, receiver: Receiver) -> None:
    error = post(sender, receiver.url("/").replace("http:", "https:")).error
    assert error is not None
    assert error.startswith("no TLS connection")


@pytest.mark.parametrize(
    ("broken", "error", "logged"),
    [
        ("sender.Sender._release", "calfeed failed while sending", "restarts"),
        ("transfer.Transfer.outcome", "cannot be read", "outcome of a request"),
    ],
)
def test_after_a_bug_of_its_own_the_sender_goes_on_and_loses_nothing(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    error: str,
    logged: str,
) -> None:
    with PatientSender(allow_private=True) as sender:
        with monkeypatch.context() as patch:
            patch.setattr(f"calfeed.delivery.transport.{broken}", lambda *_: 1 / 0)
            sender.submit([request(receiver.url("/status/204"), key) for key in range(20)])
            outcomes = collect(sender, 20)
        assert {outcome.key for outcome in outcomes} == set(range(20))
        assert {outcome.error for outcome in outcomes} == {f"{error} (ZeroDivisionError)"}
        assert logged in caplog.text
        assert post(sender, receiver.url("/status/204")).status == 204


def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with PatientSender(allow_private=True) as sender:
        assert post(sender, receiver.url("/status/204")).status == 204


def test_an_egress_proxy_is_used_where_one_is_given(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with PatientSender(egress_proxy=receiver.url("")) as sender:
        outcome = post(sender, "http://example.invalid/status/204")
    assert outcome.error is None
    assert [came.headers["host"] for came in receiver.posts] == ["example.invalid"]


def test_connections_are_used_again(sender: Sender, receiver: Receiver) -> None:
    for _ in range(5):
        assert post(sender, receiver.url("/status/204")).status == 204
    assert len({came.client_port for came in receiver.posts}) == 1


def test_each_of_many_requests_has_exactly_one_outcome(sender: Sender, receiver: Receiver) -> None:
    keys = range(2000)
    paths = ["/status/204", "/status/500", "/closed", "/status/204", "/status/204"]
    wanted = {key: paths[key % len(paths)] for key in keys}
    sender.submit([request(receiver.url(path), key) for key, path in wanted.items()])
    outcomes = collect(sender, 2000)
    assert Counter(outcome.key for outcome in outcomes) == Counter(keys)
    for outcome in outcomes:
        assert isinstance(outcome.key, int)
        path = wanted[outcome.key]
        assert outcome.status == (None if path == "/closed" else int(path[-3:]))


def test_requests_from_many_threads_are_all_sent(sender: Sender, receiver: Receiver) -> None:
    def submit(thread: int) -> None:
        for number in range(50):
            sender.submit([request(receiver.url("/status/204"), (thread, number))])

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({outcome.key for outcome in collect(sender, 200)}) == 200


def test_a_host_that_hangs_holds_up_no_other(receiver: Receiver) -> None:
    with Receiver() as stuck, PatientSender(allow_private=True, max_per_host=2) as sender:
        sender.submit([request(stuck.url("/hang"), f"stuck {number}") for number in range(10)])
        sender.submit([request(receiver.url("/status/204"), number) for number in range(10)])
        assert {outcome.key for outcome in collect(sender, 10)} == set(range(10))
        assert len(stuck.posts) <= 2


def test_what_stands_in_line_is_signed_when_its_turn_comes(receiver: Receiver) -> None:
    """A receiver refuses a message that was signed minutes before it came."""
    posted_before: list[int] = []

    def sign() -> dict[str, str]:
        posted_before.append(len(receiver.posts))
        return {"webhook-timestamp": "now"}

    with PatientSender(allow_private=True, max_per_host=1) as sender:
        url = receiver.url("/status/204")
        sender.submit([Request(key, url, {}, b"{}", sign) for key in range(5)])
        collect(sender, 5)
    assert posted_before == [0, 1, 2, 3, 4]
    assert all(post.headers["webhook-timestamp"] == "now" for post in receiver.posts)


def test_time_in_line_does_not_count_towards_the_time_limit(receiver: Receiver) -> None:
    for seconds in longer_and_longer(1):
        with Sender(allow_private=True, max_in_flight=1, timeout=seconds) as sender:
            sender.submit([request(receiver.url("/hang"))])
            sender.submit([request(receiver.url("/status/204"), n) for n in range(3)])
            statuses = [outcome.status for outcome in collect(sender, 4)]
        assert statuses[0] is None
        if statuses[1:] == [204, 204, 204]:
            break
    assert statuses == [None, 204, 204, 204]


def test_closing_gives_everything_unfinished_an_outcome(receiver: Receiver) -> None:
    sender = PatientSender(allow_private=True, max_in_flight=4)
    sender.submit([request(receiver.url("/hang"), key) for key in range(20)])
    sender.close()
    sender.close()
    sender.submit([request(receiver.url("/status/204"), 20)])
    outcomes = collect(sender, 21)
    assert {outcome.key for outcome in outcomes} == set(range(21))
    assert {outcome.error for outcome in outcomes} == {"stopped before a response"}
    assert all(came.path == "/hang" for came in receiver.posts)


def test_without_outcomes_there_is_nothing_to_wait_for_past_the_timeout(sender: Sender) -> None:
    assert sender.results(0.01) == []
    assert sender.results(0) == []


@pytest.mark.parametrize("limits", [{"max_in_flight": 0}, {"max_in_flight": 401}])
def test_limits_out_of_range_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match="from 1 to 400"):
        Sender(max_in_flight=limits["max_in_flight"])
    with pytest.raises(InvalidInputError, match="at least 1"):
        Sender(max_per_host=0)


def test_what_is_taken_back_before_its_turn_is_not_posted_and_has_no_outcome(
    receiver: Receiver,
) -> None:
    with PatientSender(allow_private=True, max_in_flight=1) as sender:
        sender.submit([request(receiver.url("/hang"), "first")])
        wait_until(lambda: len(receiver.posts) == 1)
        sender.submit([request(receiver.url("/status/204"), number) for number in range(6)])
        taken = sender.recall(lambda one: one.key in (1, 3, 5))
        assert [one.key for one in taken] == [1, 3, 5]
        receiver.released.set()
        assert [outcome.key for outcome in collect(sender, 4)] == ["first", 0, 2, 4]
    assert len(receiver.posts) == 4
