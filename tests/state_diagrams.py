"""The diagrams of states in docs/architecture.md, drawn from the table of transitions.

`python -m tests.state_diagrams` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from calfeed.model.states import TRANSITIONS, State

PAGE = Path(__file__).parents[1] / "docs/architecture.md"
_START, _END = "<!-- transitions: {} -->\n", "<!-- end -->\n"


def draw(states: type[State]) -> str:
    """A Mermaid state diagram; what leads nowhere is an end."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for source, targets in TRANSITIONS[states].items():
        named = [state.value for state in states if state in targets] or ["[*]"]
        lines += [f"    {source or '[*]'} --> {target}" for target in named]
    return "\n".join([*lines, "```", ""])


def draw_all(text: str) -> str:
    """A page's text with every diagram drawn anew between its marks."""
    for states in TRANSITIONS:
        before, mark, rest = text.partition(_START.format(states.__name__))
        _, end, after = rest.partition(_END)
        if not (mark and end):
            raise ValueError(f"the page has no place for the transitions of {states.__name__}")
        text = before + mark + draw(states) + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(draw_all(PAGE.read_text("utf-8")), "utf-8")
