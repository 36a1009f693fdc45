"""Check that the words of a language have the types and placeholders of another's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import cast

from calfeed.errors import Fault

_CATEGORIES = ("zero", "one", "two", "few", "many", "other")


def check_words(
    place: str, given: object, model: object, faults: list[Fault], *, plural: bool
) -> object:
    """Return `given`, a text, a list of texts or a table of texts, completed from `model`.

    Faults are added to `faults`. `model` is the same entry in another language, None to require a
    complete `given`. With `plural`, `given` is a table of plural forms, which are not completed:
    another language has other forms.
    """
    if given is None:
        faults.append(Fault(place, "is missing"))
        return None
    check = _check_plural if plural else _CHECKS[type(model)]
    return check(place, given, model, faults)


def _check_text(place: str, given: object, model: object, faults: list[Fault]) -> object:
    text = cast(str, model)
    if not isinstance(given, str):
        faults.append(Fault(place, f'must be a text, such as "{text}"'))
    elif (found := _placeholders(given)) != (wanted := _placeholders(text)):
        shown = " and ".join(f"{{{name}}}" for name in sorted(wanted or ())) or "none"
        wrong = "are not well formed" if found is None else "are not those of the English text"
        faults.append(Fault(place, f"the placeholders in braces {wrong}; write {shown}"))
    return given


def _check_list(place: str, given: object, model: object, faults: list[Fault]) -> object:
    texts = cast(Sequence[str], model)
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(texts):
        faults.append(Fault(place, f"must be a list of {len(texts)} texts"))
        return given
    pairs = zip(given, texts, strict=True)
    return tuple(_check_text(f"{place}/{n}", *pair, faults) for n, pair in enumerate(pairs))


def _check_table(place: str, given: object, model: object, faults: list[Fault]) -> object:
    texts = cast(Mapping[str, str], model)
    if not isinstance(given, Mapping):
        faults.append(Fault(place, f"must be a table with {', '.join(texts)}"))
        return given
    unknown = given.keys() - texts.keys()
    faults += [Fault(f"{place}/{key}", "is not a text of calfeed") for key in sorted(unknown)]
    return {
        key: _check_text(f"{place}/{key}", given.get(key, text), text, faults)
        for key, text in texts.items()
    }


def _check_plural(place: str, given: object, model: object, faults: list[Fault]) -> object:
    if not isinstance(given, Mapping) or "other" not in given:
        faults.append(Fault(place, "must be a table of plural forms, at least `other`"))
        return given
    for category, text in given.items():
        if category not in _CATEGORIES:
            known = ", ".join(_CATEGORIES)
            faults.append(Fault(f"{place}/{category}", f"is not a plural category: {known}"))
        elif not isinstance(text, str) or _placeholders(text) not in ({"count"}, set()):
            faults.append(Fault(f"{place}/{category}", "must be a text, with {count} or without"))
    return given


_CHECKS: Mapping[type, Callable[[str, object, object, list[Fault]], object]] = {
    str: _check_text,
    list: _check_list,
    tuple: _check_list,
    dict: _check_table,
}
"""The checks by the type of the `model`."""


def _placeholders(text: str) -> set[str] | None:
    """Return the names in braces; None if braces are unbalanced or hold anything but a name."""
    try:
        parts = [
            (name, spec, conversion)
            for _, name, spec, conversion in Formatter().parse(text)
            if name is not None
        ]
    except ValueError:
        return None
    if any(spec or conversion or not name.isidentifier() for name, spec, conversion in parts):
        return None
    return {name for name, _, _ in parts}
