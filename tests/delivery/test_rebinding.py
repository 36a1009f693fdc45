"""Names that change where they point gain nothing: shown where every address can be reached."""

from __future__ import annotations

import subprocess

import pycurl
import pytest

from calfeed.delivery.transport.fetching import fetch
from calfeed.delivery.transport.guard import check_url
from calfeed.delivery.transport.sender import Outcome
from calfeed.delivery.transport.transfer import Request, Transfer
from calfeed.errors import InvalidInputError
from tests.delivery.island import Internet, Names, on_island
from tests.delivery.networks import NEIGHBOURS, NETWORKS, inside_of
from tests.delivery.receiver import PatientSender, collect, post, request
from tests.patience import PATIENCE

PUBLIC = "93.184.216.34"
OTHER = "2606:4700:4700::1111"
PRIVATE = "169.254.169.254"
NAME = "hooks.example"
URL = f"http://{NAME}/keep"
CLOSING = f"http://{NAME}/close"


def _remember_names(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let libcurl remember for so long, and not for a minute, what it was told of names."""

    class Remembering(Transfer):
        def prepare(self, request: Request) -> None:
            super().prepare(request)
            self.curl.setopt(pycurl.DNS_CACHE_TIMEOUT, int(seconds))

    patch.setattr("calfeed.delivery.transport.sender.Transfer", Remembering)


def _is_refused(outcome: Outcome) -> bool:
    return outcome.status is None and "CALFEED_ALLOW_PRIVATE_ENDPOINTS" in (outcome.error or "")


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@on_island
def test_no_address_of_the_table_is_reached_and_each_neighbour_is() -> None:
    """Without the guard all of these answer, but for multicast and addresses of one link."""
    refused = [address for network in NETWORKS for address in inside_of(network)]
    with Internet() as internet, PatientSender() as sender:
        for addresses in (refused, NEIGHBOURS):
            urls = {address: f"http://{_bracket(address)}/close" for address in addresses}
            sender.submit([request(url, address) for address, url in urls.items()])
            outcomes = {outcome.key: outcome for outcome in collect(sender, len(urls))}
            if addresses is refused:
                assert [key for key, one in outcomes.items() if not _is_refused(one)] == []
                assert internet.visits == []
        assert [key for key, one in outcomes.items() if one.status != 200] == []
        assert sorted(visit.address for visit in internet.visits) == sorted(NEIGHBOURS)
    with Internet() as internet, PatientSender(allow_private=True) as sender:
        for address in ("10.0.0.0", "127.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "fc00::1"):
            assert post(sender, f"http://{_bracket(address)}/close").status == 200


@on_island
def test_a_name_that_was_public_when_it_was_added_is_refused_once_it_is_private() -> None:
    with Names({NAME: [PUBLIC]}) as dns, Internet() as internet:
        url = check_url(URL, allow_private=False)
        with PatientSender() as sender:
            assert post(sender, url).status == 200
        for private in (PRIVATE, "127.0.0.1", "10.1.2.3", "::1", "fd00::1", "64:ff9b::7f00:1"):
            dns.names[NAME] = [private]
            assert check_url(URL, allow_private=False) == url  # a name is judged when connecting
            with PatientSender() as sender:
                assert _is_refused(post(sender, url))
        assert [visit.address for visit in internet.visits] == [PUBLIC]


@on_island
def test_a_name_that_changes_between_two_attempts_of_one_sender_is_refused() -> None:
    with pytest.MonkeyPatch.context() as patch, Names({NAME: [PUBLIC]}) as dns:
        _remember_names(patch, 0)
        with Internet() as internet, PatientSender() as sender:
            for addresses, arrives in (
                ([PUBLIC], True),
                ([PRIVATE], False),
                ([OTHER], True),
                (["127.0.0.1"], False),
                (["::1"], False),
                ([PUBLIC], True),
            ):
                dns.names[NAME] = addresses
                outcome = post(sender, CLOSING)
                assert (outcome.status == 200) is arrives
                assert _is_refused(outcome) is not arrives
            assert [visit.address for visit in internet.visits] == [PUBLIC, OTHER, PUBLIC]


@on_island
def test_what_libcurl_remembers_of_a_name_leads_to_no_private_address() -> None:
    """A kept connection, then a kept answer: both go on to where the guard has agreed."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Names({NAME: [PUBLIC]}) as dns,
        Internet() as internet,
    ):
        _remember_names(patch, PATIENCE)
        with PatientSender() as sender:
            assert post(sender, URL).status == 200
            dns.names[NAME] = [PRIVATE]
            assert post(sender, CLOSING).status == 200
            assert post(sender, URL).status == 200
        assert [visit.address for visit in internet.visits] == [PUBLIC] * 3
        first, second, third = (visit.client_port for visit in internet.visits)
        assert first == second != third


@on_island
def test_a_kept_connection_serves_no_other_name() -> None:
    """Not even one at the same address: so nobody's connection is anybody else's way in."""
    names = {NAME: [PUBLIC], "other.example": [PUBLIC], "private.example": [PRIVATE]}
    with Names(names), Internet() as internet, PatientSender() as sender:
        assert post(sender, URL).status == 200
        assert post(sender, "http://other.example/keep").status == 200
        assert post(sender, f"http://{PUBLIC}/keep").status == 200
        assert _is_refused(post(sender, "http://private.example/keep"))
        assert len({visit.client_port for visit in internet.visits}) == 3


@on_island
def test_of_several_addresses_only_public_ones_are_tried() -> None:
    """The first public one does not answer here, which is what an attacker would arrange."""
    dead = "9.9.9.9"
    subprocess.run(["ip", "route", "add", "unreachable", dead, "table", "local"], check=True)
    with Names({}) as dns, Internet() as internet:
        for addresses, arrives in (
            ([PUBLIC, PRIVATE], True),
            ([PRIVATE, PUBLIC], True),
            ([PUBLIC, "::1"], True),
            ([OTHER, "127.0.0.1"], True),
            ([dead, PRIVATE], False),
            ([PRIVATE, dead], False),
            ([dead, "::1", "fd00::1"], False),
            ([PRIVATE, "::1"], False),
        ):
            dns.names[NAME] = addresses
            with PatientSender() as sender:
                outcome = post(sender, CLOSING)
            assert (outcome.status == 200) is arrives, addresses
            assert _is_refused(outcome) is not arrives, addresses
        assert {visit.address for visit in internet.visits} == {PUBLIC, OTHER}


@on_island
def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    with Names({NAME: [PUBLIC]}), Internet() as internet, PatientSender() as sender:
        for host in (PRIVATE, "127.0.0.1", "[::1]", OTHER):
            assert post(sender, f"http://{NAME}/to/{host}").status == 302
        assert {visit.address for visit in internet.visits} == {PUBLIC}


@on_island
def test_what_is_fetched_follows_redirects_to_public_addresses_alone() -> None:
    names = {NAME: [PUBLIC], "other.example": [OTHER], "private.example": [PRIVATE]}
    with Names(names) as dns, Internet() as internet:
        assert fetch(f"http://{NAME}/to/other.example", max_bytes=1) == b""
        for host in ("private.example", PRIVATE, "127.1", "2130706433", "[::ffff:7f00:1]"):
            with pytest.raises(InvalidInputError, match="CALFEED_ALLOW_PRIVATE_ENDPOINTS"):
                fetch(f"http://{NAME}/to/{host}", max_bytes=1)
        dns.names[NAME] = [PRIVATE]
        with pytest.raises(InvalidInputError, match="link-local"):
            fetch(URL, max_bytes=1)
        assert {visit.address for visit in internet.visits} == {PUBLIC, OTHER}
