"""An endpoint's own headers: which are accepted, and which are refused without being quoted."""

from __future__ import annotations

import pytest

from calfeed.delivery.transport.headers import find_header, parse_headers
from calfeed.errors import InvalidInputError


def test_headers_are_read_as_they_are_written() -> None:
    lines = ["Authorization: Bearer hunter2", "X-Desk:a:b", "x_y!:  two words\t"]
    assert parse_headers(lines) == {
        "Authorization": "Bearer hunter2",
        "X-Desk": "a:b",
        "x_y!": "two words",
    }
    assert find_header(parse_headers(lines), "x-desk ") == "X-Desk"
    assert find_header({}, "x-desk") is None


@pytest.mark.parametrize(
    "name",
    ["webhook-id", "Webhook-Anything", "Content-Type", "content-length", "HOST", "Connection"],
)
def test_what_calfeed_says_itself_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is set by calfeed itself"):
        parse_headers([f"{name}: hunter2"])


@pytest.mark.parametrize(
    "lines",
    [
        ["hunter2"],
        ["X Desk: hunter2"],
        [": hunter2"],
        ["X-Dësk: hunter2"],
        ["X-Desk:"],
        ["X-Desk: hunter2\r\nwebhook-id: 1"],
        ["X-Desk: hunter2\0"],
        ["X-Desk: hunter2\x7f"],
        ["X-Desk: hünter2 hunter2"],
        ["X-Desk: " + "hunter2" * 1000],
        ["X-Desk: hunter2", "x-desk: hunter2"],
        [f"X-{number}: hunter2" for number in range(21)],
    ],
)
def test_what_is_no_header_is_refused_and_its_value_is_not_repeated(lines: list[str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_headers(lines)
    assert "hunter2" not in str(refused.value)
