"""Errors carry data: each face words its advice from that, and none takes a message apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from calfeed.cli.advice import advise
from calfeed.definitions.reader import read_definitions
from calfeed.errors import (
    CalfeedError,
    DefinitionError,
    InvalidInputError,
    NotFoundError,
    PublishRefusedError,
    SealError,
)
from calfeed.reminders.filters import Filters
from calfeed.store.endpoints.records import Endpoint
from calfeed.web.api.problems import add_error_handlers

PACKAGE = Path(__file__).parents[1] / "calfeed"
APART = {
    *("partition", "rpartition", "split", "rsplit", "splitlines", "replace", "removeprefix"),
    *("removesuffix", "find", "rfind", "index", "rindex", "startswith", "endswith"),
    *("match", "fullmatch", "search", "sub", "findall", "finditer"),
}
"""The methods of texts and of regular expressions that take a text apart."""


def names_of_errors(tree: ast.AST) -> set[str]:
    """What errors are called in a module: where they are caught, and as parameters."""
    caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
    given = {
        node.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arg)
        and node.annotation is not None
        and ast.unparse(node.annotation).endswith("Error")
    }
    return {name for name in caught | given if name}


def find_taken_apart(tree: ast.AST) -> Iterator[str]:
    """The calls that take the message of an error apart."""
    errors = names_of_errors(tree)

    def is_message(node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name("str"), args=[ast.Name(name)]):
                return name in errors
            case ast.Attribute(value=ast.Name(name), attr="message" | "args"):
                return name in errors
            case ast.Subscript(slice=ast.Constant("msg")):
                return True
            case ast.Subscript(value=inner):
                return is_message(inner)
            case ast.Name(name):
                return name in kept
        return False

    kept: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and is_message(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            kept |= {target.id for target in targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in APART
            and any(map(is_message, (node.func.value, *node.args)))
        ):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def test_no_module_takes_the_message_of_an_error_apart() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}, {each}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for each in find_taken_apart(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'str(error).partition("; ")',
        'text = str(error)\n    text.replace("a", "b")',
        're.match("a", str(error))',
        'error.args[0].split(";")',
        'each["msg"].removeprefix("Value error, ")',
    ],
)
def test_a_message_that_is_taken_apart_is_found(line: str) -> None:
    assert len(list(find_taken_apart(ast.parse(f"try: ...\nexcept E as error:\n    {line}")))) == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            NotFoundError("endpoint", "ep_1"),
            'there is no endpoint "ep_1"; `calfeed endpoint list` shows the existing ones',
        ),
        (
            NotFoundError("delivery", 7),
            "there is no delivery 7; `calfeed delivery list` shows the existing ones",
        ),
        (NotFoundError("message", "msg_1"), 'there is no message "msg_1"'),
        (
            SealError("it cannot be read", endpoint="ep_1"),
            "it cannot be read; `calfeed endpoint update ep_1 --url URL` gives the endpoint a new "
            "URL and secret",
        ),
        (SealError("it cannot be read"), "it cannot be read"),
        (
            PublishRefusedError(["the whole calendar grants", "2 of the 3 coming events of desk"]),
            "this would withdraw the whole calendar grants, 2 of the 3 coming events of desk; "
            "nothing was published. If this is intended, run "
            "`calfeed publish --allow-removals`",
        ),
        (InvalidInputError("one; `two`"), "one; `two`"),
    ],
)
def test_the_command_line_names_the_command_that_helps(error: CalfeedError, advice: str) -> None:
    assert advise(error) == advice


@pytest.mark.parametrize(
    "why",
    [
        "the stored value was changed, or moved from another row",
        "there is no key in calfeed.keys; `calfeed keys make` prints one",
    ],
)
def test_the_api_gives_the_whole_reason_and_no_command_of_another_face(why: str) -> None:
    moment = datetime(2030, 1, 7, tzinfo=UTC)
    app = Flask("api")
    add_error_handlers(app)

    @app.get("/")
    def show() -> str:
        return Endpoint("ep_1", "", Filters(), "", moment, lost=why).require_readable().id

    answer = app.test_client().get("/").json
    assert answer is not None
    assert answer["status"] == 409
    assert answer["detail"] == (
        f"the URL, the headers and the secret of endpoint ep_1 cannot be read: {why}. "
        "Put the key back"
    )


def test_a_problem_has_the_value_and_the_reason_beside_its_message() -> None:
    text = "name: A\ntime_zone: UTC\nevents:\n  a: {summary: S, start: 2030-01-01, url: 'my \"x\"'}"
    with pytest.raises(DefinitionError) as caught:
        read_definitions({"events/a.yaml": text.encode()})
    (problem,) = caught.value.problems
    assert problem.error is not None
    assert problem.error.value == 'my "x"'
    assert problem.error.reason == "is not a URL; write one that begins with https://"
    assert problem.message == f'"{problem.error.value}" {problem.error.reason}'
