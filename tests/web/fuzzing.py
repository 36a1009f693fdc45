"""Every operation of the API, asked with what its own document allows and forbids.

`python -m tests.web.fuzzing 5000` asks so many times, as the operator, as whoever registered an
endpoint, with a token that may little and without one, and says what came of it. It ends in error
where an operation was never done. The URL of an empty database may follow.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from calfeed.reminders.messages import verify_id
from calfeed.services.registrations import CONFIRM_WITHIN
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from tests.web.api_site import ADMIN, PRIVATE, ApiSite, make_api_site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
]

SCOPED = ("read:open", "tokens")
"""The scopes of a token that may not see the private calendar."""

WINDOW = {"from": "2027-01-01", "to": "2027-06-01"}

ASKERS = ("admin", "scoped", "owner", "anonymous")

URL = "https://example.org/hooks"


@dataclass(frozen=True)
class Registered:
    """A registration, as who made it knows it."""

    id: str
    token: str
    challenge: str


def register(api: ApiSite, state: str = "active") -> Registered:
    """Register an endpoint, and bring it into a state: unverified, active or paused."""
    made = api.ask("POST", "/registrations", None, json={"url": URL}).json
    assert made is not None
    message = api.ask("GET", f"/messages/{verify_id(made['id'])}").json
    assert message is not None
    done = Registered(made["id"], made["token"], message["body"]["data"]["challenge"])
    steps = {"unverified": [], "active": ["confirm"], "paused": ["confirm", "pause"]}[state]
    for step in steps:
        given = {"json": {"challenge": done.challenge}} if step == "confirm" else {}
        answer = api.ask("POST", f"/registrations/{done.id}/{step}", done.token, **given)
        assert answer.status_code == 200, answer.text
    return done


def load_operations(api: ApiSite) -> Iterator[Any]:
    """The operations of the API's document."""
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", api.application)
    for found in schema.get_all_operations():
        yield found.ok()


def list_private_words(api: ApiSite) -> list[str]:
    """What no answer may say to whoever may not see the private calendar: words, and UIDs."""
    hidden = [one for one in api.site.state.snapshot.all_calendars.values() if not one.public]
    return [*PRIVATE, *(row.uid for one in hidden for row in one.rows)]


def fuzz(api: ApiSite, operation: Any, asker: str, examples: int) -> Counter[int]:
    """Ask an operation many times, check each answer, and return the statuses there were.

    Names in addresses are sometimes those of what there is, and bodies such as are accepted.
    """
    api.site.now += CONFIRM_WITHIN  # what earlier examples registered is dropped, and makes room
    state = {"confirm": "unverified", "resume": "paused"}.get(operation.path.split("/")[-1])
    mine = register(api, state or "active")
    token = {
        "admin": ADMIN,
        "scoped": api.make_token(*SCOPED),
        "owner": mine.token,
        "anonymous": None,
    }[asker]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    private = list_private_words(api)
    statuses: Counter[int] = Counter()

    @given(st.one_of(*_list_strategies(api, operation, mine)))
    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        response = case.call_and_validate(headers=headers, checks=CHECKS)
        statuses[response.status_code] += 1
        if asker != "admin":
            said = response.content.decode() + str(response.headers)
            leaks = [word for word in private if word in said]
            assert not leaks, f"{operation.label} says {leaks}"

    ask()
    return statuses


def _list_strategies(api: ApiSite, operation: Any, mine: Registered) -> Iterator[Any]:
    there = {**api.known, "endpoint": mine.id}
    known = {part.name: there[part.name] for part in operation.path_parameters}
    for mode in GenerationMode:
        yield operation.as_strategy(mode)
        if known and (mode is GenerationMode.POSITIVE or operation.query or operation.body):
            yield operation.as_strategy(mode, path_parameters=known)
    good = operation.as_strategy(path_parameters=known) if known else operation.as_strategy()
    names = {one.name for one in operation.query}
    if "cursor" in names:
        window = WINDOW if "from" in names else {}
        yield good.map(lambda case: _settle(case, window))
    if operation.body:
        body = _find_body(operation.label, api.known, mine)
        yield good.map(lambda case: _give(case, body))


def _settle(case: Any, window: Mapping[str, str]) -> Any:
    """A case of a list that there is: with a window as it has to be, and from the first page."""
    case.query.update(window)
    case.query.pop("cursor", None)
    return case


def _give(case: Any, body: Mapping[str, Any]) -> Any:
    """A case whose body is accepted, as words by chance are no URL and no filter."""
    case.body = json.loads(json.dumps(body))
    return case


def _find_body(label: str, known: Mapping[str, Any], mine: Registered) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "POST /endpoints": {"url": URL},
        "PATCH /endpoints/{endpoint}": {"description": "newsroom", "options": {"rate": 60}},
        "POST /endpoints/{endpoint}/rotate": {},
        "POST /deliveries/retry": {"deliveries": [known["delivery"]]},
        "POST /rehearsals": {"endpoint": known["endpoint"], **WINDOW},
        "POST /tokens": {"scopes": ["read:open"]},
        "POST /registrations": {"url": URL},
        "POST /registrations/{endpoint}/confirm": {"challenge": mine.challenge},
        "POST /registrations/{endpoint}/rotate": {},
    }
    return bodies[label]


def main(cases: int, database_url: str | None = None) -> None:
    """Ask so many times in all, and print what came of it."""
    total: Counter[int] = Counter()
    of: dict[str, Counter[int]] = {asker: Counter() for asker in ASKERS}
    never: list[str] = []
    with TemporaryDirectory() as folder:
        database = Database(database_url or f"sqlite:///{folder}/calfeed.sqlite3")
        migrate(database)
        api = make_api_site(database)
        listed = list(load_operations(api))
        for operation in listed:
            done = False
            for asker in ASKERS:
                api.fill()
                found = fuzz(api, operation, asker, -(-cases // (len(listed) * len(ASKERS))))
                of[asker] += found
                done = done or any(status < 300 for status in found)
                print(f"{operation.label} {asker}: {dict(sorted(found.items()))}", flush=True)
            if not done:
                never.append(operation.label)
        database.close()
    for asker, found in of.items():
        total += found
        print(f"{asker}: {found.total():,} cases: {dict(sorted(found.items()))}")
    print(f"{len(listed)} operations, {total.total():,} cases: {dict(sorted(total.items()))}")
    if never:
        sys.exit(f"never done: {', '.join(never)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
