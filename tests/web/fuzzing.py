"""Every operation of the API, asked with what its own document allows and forbids.

`python -m tests.web.fuzzing 5000` asks so many times, and says what came of it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
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
"""What a token may that sees nothing of the private calendar."""

WINDOW = {"from": "2027-01-01", "to": "2027-06-01"}

ASKERS = ("admin", "scoped", "anonymous")


def load_operations(api: ApiSite) -> Iterator[Any]:
    """The operations of the API's document."""
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", api.application)
    for found in schema.get_all_operations():
        yield found.ok()


def token_of(api: ApiSite, asker: str) -> str | None:
    """The token of one who asks."""
    return {"admin": ADMIN, "scoped": api.make_token(*SCOPED), "anonymous": None}[asker]


def fuzz(api: ApiSite, operation: Any, asker: str, examples: int) -> Counter[int]:
    """Ask an operation many times, check each answer, and return the statuses there were.

    Names in addresses are sometimes those of what there is.
    """
    token = token_of(api, asker)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    parts = [part.name for part in operation.path_parameters]
    known = {name: api.known[name] for name in parts}
    strategies = [operation.as_strategy(mode) for mode in GenerationMode]
    if parts:
        strategies += [
            operation.as_strategy(mode, path_parameters=known)
            for mode in GenerationMode
            if mode is GenerationMode.POSITIVE or operation.query or operation.body
        ]
    names = {one.name for one in operation.query}
    if "cursor" in names:
        window = WINDOW if "from" in names else {}
        good = operation.as_strategy(path_parameters=known) if parts else operation.as_strategy()
        strategies.append(good.map(lambda case: _settle(case, window)))
    if operation.label in ("POST /endpoints", "POST /registrations"):
        strategies.append(operation.as_strategy().map(_give_url))
    statuses: Counter[int] = Counter()

    @given(st.one_of(strategies))
    @settings(
        max_examples=examples,
        deadline=None,
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
            leaks = [word for word in PRIVATE if word in said]
            assert not leaks, f"{operation.label} says {leaks}"

    ask()
    return statuses


def _settle(case: Any, window: dict[str, str]) -> Any:
    """A case of a list that there is: with a window as it has to be, and from the first page."""
    case.query.update(window)
    case.query.pop("cursor", None)
    return case


def _give_url(case: Any) -> Any:
    """A case of adding an endpoint that is accepted, as words by chance are no URL or filter."""
    case.body.update({"url": "https://example.org/hooks", "filters": {}})
    for name in ("options", "headers", "secret"):
        case.body.pop(name, None)
    return case


def main(cases: int) -> None:
    """Ask so many times in all, and print what came of it."""
    total: Counter[int] = Counter()
    with TemporaryDirectory() as folder:
        api = make_api_site(Path(folder))
        api.fill()
        listed = list(load_operations(api))
        for operation in listed:
            for asker in ASKERS:
                found = fuzz(api, operation, asker, -(-cases // (len(listed) * len(ASKERS))))
                total += found
                print(f"{operation.label} {asker}: {dict(sorted(found.items()))}", flush=True)
                if operation.method == "delete":
                    api.fill()
        api.site.database.close()
    print(f"{total.total():,} cases: {dict(sorted(total.items()))}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
