"""States are written as their enums, and moved only along the table of transitions."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import calfeed.store
from calfeed.model.states import (
    TRANSITIONS,
    DeliveryState,
    EndpointState,
    ReminderState,
    State,
    check_transition,
)
from calfeed.store.transitions import Transition
from tests.state_diagrams import PAGE, draw_all

PACKAGE = Path(calfeed.store.__file__).parents[1]
STATES: list[type[State]] = [DeliveryState, ReminderState, EndpointState]
WORDS = {state.value for states in STATES for state in states}
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "migrations" not in path.parts and path.name != "states.py"
]
TEMPLATES = sorted((PACKAGE / "web/templates").rglob("*.html"))

OTHER_THINGS = {
    ("ical/comparison/changes.py", "withdrawn"): "a kind of change of an event",
    ("logs.py", "failed"): "what the log says of a crash",
    ("publish/show.py", "planned"): "a field of the plan's JSON",
    ("publish/show.py", "withdrawn"): "a field of the plan's JSON, and of a calendar in its text",
    ("store/reports/polls.py", "sent"): "a column that counts answers to polls",
}
"""Words that are also the name of a state, but stand for something else."""

LABELS = {"failing", "lost"}
"""Labels that the console shows like a state of an endpoint, but that are not states."""


def find_words(path: Path) -> Iterator[tuple[str, int]]:
    """The words in a module that are the name of a state, with their lines.

    The name of a column is not one, and neither is a key beside others: that is a field of JSON.
    """
    tree = ast.parse(path.read_text("utf-8"))
    names: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [key for key in node.keys if isinstance(key, ast.Constant)]
            if not all(key.value in WORDS for key in keys):
                names |= {id(key) for key in keys}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Column":
            names.add(id(node.args[0]))
    quoted = re.compile(f"'({'|'.join(WORDS)})'")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in names:
            if node.value in WORDS:
                yield node.value, node.lineno
            for word in quoted.findall(node.value):
                yield word, node.lineno


def test_no_state_is_a_bare_string() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), word): line
        for path in MODULES
        for word, line in find_words(path)
    }
    bare = {place: line for place, line in found.items() if place not in OTHER_THINGS}
    assert not bare, "write the state as its enum"
    assert OTHER_THINGS.keys() <= found.keys(), "this is no exception any more"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_compare_with_states_that_there_are(path: Path) -> None:
    text = path.read_text("utf-8")
    compared = re.findall(r'\.state [!=]= "(\w+)"', text)
    lists = re.findall(r"\bname in \(([^)]*)\)", text)
    named = [word for found in lists for word in re.findall(r"'(\w+)'", found)]
    assert {*compared, *named} <= WORDS | LABELS


def written_transitions() -> list[Transition[Any]]:
    """Every transition that the store writes, from all of its modules."""
    found: dict[int, Transition[Any]] = {}
    for module in pkgutil.walk_packages(calfeed.store.__path__, "calfeed.store."):
        if ".migrations" not in module.name:
            values = vars(importlib.import_module(module.name)).values()
            found |= {id(value): value for value in values if isinstance(value, Transition)}
    return list(found.values())


@pytest.mark.parametrize("states", STATES)
def test_what_the_store_writes_is_what_the_table_allows(states: type[State]) -> None:
    """Each transition in the table is written somewhere, and no other one is."""
    written = {
        (source, target)
        for one in written_transitions()
        for source in one.sources
        for target in one.targets
        if isinstance(target, states) and source is not target
    }
    table = TRANSITIONS[states]
    assert written == {(source, target) for source in table for target in table[source]}


def writes_state(node: ast.AST) -> Iterator[ast.expr]:
    """The values that a piece of code gives to a column `state`."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "values":
        yield from (given.value for given in node.keywords if given.arg == "state")
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "state":
                yield value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and ast.unparse(target.slice) == "'state'":
                yield node.value


def test_only_a_transition_writes_a_state() -> None:
    """It makes the UPDATE, or its `to` gives the state of a new row."""
    for path in MODULES:
        if "store" in path.relative_to(PACKAGE).parts and path.name != "transitions.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for value in writes_state(node):
                    text = ast.unparse(value)
                    checked = isinstance(value, ast.Call) and text.split("(")[0].endswith(".to")
                    assert checked or text == "state", f"{path.name}:{node}: {text}"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (DeliveryState.DELIVERED, DeliveryState.PENDING),
        (None, DeliveryState.DELIVERED),
        (ReminderState.MISSED, ReminderState.SENT),
        (EndpointState.UNVERIFIED, EndpointState.PAUSED),
        (EndpointState.REMOVED, EndpointState.PAUSED),
    ],
)
def test_a_wrong_transition_cannot_be_made(source: State | None, target: State) -> None:
    with pytest.raises(ValueError, match="is not allowed"):
        check_transition(source, target)
    with pytest.raises(ValueError, match="is not allowed"):
        Transition[Any]([source], target)


def test_a_transition_writes_no_state_but_its_targets() -> None:
    settle = Transition([DeliveryState.PENDING], DeliveryState.DELIVERED, DeliveryState.FAILED)
    assert settle.to(DeliveryState.FAILED) is DeliveryState.FAILED
    with pytest.raises(ValueError, match="held is not one of delivered, failed"):
        settle.to(DeliveryState.HELD)


@pytest.mark.parametrize("states", STATES)
def test_every_state_can_be_reached_and_is_described(states: type[State]) -> None:
    table = TRANSITIONS[states]
    assert set(table) == {None, *states}
    reached: set[State] = set()
    waiting: list[State] = list(table[None])
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += table[state]
    assert reached == set(states)
    tree = ast.parse((PACKAGE / "model/states.py").read_text("utf-8"))
    classes = {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
    body = classes[states.__name__]
    members = [n for n, node in enumerate(body) if isinstance(node, ast.Assign)]
    assert len(members) == len(states)
    for number in members:
        assert isinstance(body[number + 1], ast.Expr), f"describe {ast.unparse(body[number])}"


def test_the_docs_draw_the_table_as_it_is() -> None:
    """`python -m tests.state_diagrams` draws it anew."""
    text = PAGE.read_text("utf-8")
    assert draw_all(text) == text
