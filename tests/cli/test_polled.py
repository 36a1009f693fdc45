"""The commands of endpoints that are polled, and of those with a public key."""

from __future__ import annotations

import re

from calfeed.reminders.signing import check_receiver_key, make_secret
from calfeed.services.receivers.polling import fetch_messages
from calfeed.store.access.tokens import find_token
from tests.cli.records import JUNE, Records
from tests.delivery.office import SECRET

OWN = make_secret(bytes(32))


def test_it_is_added_given_a_token_and_tested(records: Records) -> None:
    records.publish(JUNE)
    shown = records.do("endpoint", "add", "poll:", "--type", "reminder.due")
    endpoint = shown.split()[1]
    scope = f"poll:{endpoint}"
    assert f"`calfeed token add --scope {scope}`" in shown
    token = records.ask("token", "add", "--scope", scope)["token"]
    with records.database.read() as connection:
        found = find_token(connection, token, records.now)
    assert found is not None
    assert found.scopes == (scope,)
    assert "poll:" in records.do("endpoint", "show", endpoint)
    assert "waits until the receiver polls" in records.do("endpoint", "test", endpoint)
    tested = records.ask("endpoint", "test", endpoint)
    records.deliver()
    fetched = fetch_messages(records.database, endpoint, [], 50, records.now)
    assert [message.delivery_id for message in fetched][-1] == tested["id"]
    assert len(fetched) == 2
    assert "until it is resumed or polled" in records.do("delivery", "list", "--held")


def test_a_rehearsal_of_the_command_line_says_where_a_polled_one_is_made(records: Records) -> None:
    records.publish(JUNE)
    endpoint = records.do("endpoint", "add", "poll:").split()[1]
    period = ("--from", "2025-06-01", "--to", "2025-07-01")
    refused = records.run("rehearse", *period, "--endpoint", endpoint)
    assert "rehearse it in the console or by the API" in str(refused.exception)


def test_the_private_key_of_an_endpoint_is_never_shown(records: Records) -> None:
    shown = records.do("endpoint", "add", "poll:", "--signature", "ed25519")
    endpoint, (key,) = shown.split()[1], re.findall(r"key +(whpk_\S+)", shown)
    assert check_receiver_key(key) == key
    described = records.ask("endpoint", "show", endpoint)
    assert described["public_key"] == key
    assert key in records.do("endpoint", "show", endpoint)
    rotated = records.ask("endpoint", "rotate", endpoint)
    assert rotated["secret"] == rotated["public_key"] != key
    back = records.ask("endpoint", "rotate", endpoint, "--signature", "hmac")
    assert back["secret"].startswith("whsec_")
    assert back["public_key"] is None
    again = records.ask("endpoint", "rotate", endpoint, "--signature", "ed25519")
    assert again["secret"].startswith("whpk_")
    own = records.ask("endpoint", "rotate", endpoint, "--secret", SECRET)
    assert own["secret"] == SECRET
    refused = records.run("endpoint", "rotate", endpoint, "--signature", "ed25519", "--secret", OWN)
    assert "leave the secret out" in str(refused.exception)
    for one in (described, rotated, back, again, own):
        assert "whsk_" not in str(one)
