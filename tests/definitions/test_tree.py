"""YAML text becomes a plain tree, and everything odd in it a problem with its place."""

from __future__ import annotations

import pytest

from calfeed.definitions.tree import MAX_FILE_BYTES, Document, read_tree


def read(text: str | bytes) -> Document:
    return read_tree("events/x.yaml", text.encode() if isinstance(text, str) else text)


def test_every_scalar_stays_a_string_and_only_nothing_is_none() -> None:
    document = read("a: no\nb: 09:30\nc: 1e3\nd: 2024-09-27\ne:\nf: ''\ng: ~\nh: [1, null]\n")
    assert document.problems == []
    assert document.value == {
        "a": "no",
        "b": "09:30",
        "c": "1e3",
        "d": "2024-09-27",
        "e": None,
        "f": "",
        "g": "~",
        "h": ["1", "null"],
    }


def test_marks_count_from_one_in_characters() -> None:
    document = read('a: {"ü😀": 1, b: [x,\n    y]}\n')
    assert document.marks == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", "ü😀"): (1, 5),
        ("a", "b"): (1, 14),
        ("a", "b", 0): (1, 18),
        ("a", "b", 1): (2, 5),
    }


@pytest.mark.parametrize(
    "text", ["\ufeffa: b\n", "a: b\r\n", "---\na: b\n...\n", "# c\na: b # d\n"]
)
def test_a_byte_order_mark_line_ends_and_comments_change_nothing(text: str) -> None:
    document = read(text)
    assert (document.value, document.problems) == ({"a": "b"}, [])


def test_a_problem_in_what_an_alias_repeats_stands_at_the_alias() -> None:
    document = read("a: &x {k: [v]}\nb: *x\n")
    assert document.value == {"a": {"k": ["v"]}, "b": {"k": ["v"]}}
    document.report(("b", "k", 0), "odd")
    assert str(document.problems[0]) == "events/x.yaml:2:1: b: odd"


@pytest.mark.parametrize("text", ["", "# only this\n", "---\n", "\ufeff"])
def test_an_empty_file_has_no_value_and_no_problem(text: str) -> None:
    document = read(text)
    assert (document.value, document.problems) == (None, [])


PROBLEMS = {
    "a: b: c\n": '1:4: a text with ": " in it needs quotes around it; write a: "b: c"',
    "a:\n\t- b\n": "2:1: is indented with a tab; YAML allows only spaces",
    "a: [1, 2\nb: c\n": "1:4: the [ that opens here is not closed",
    'a: "b\n': "1:4: the quote that opens here is not closed",
    "a: b\n---\nc: d\n": "2:1: a second document begins here",
    "a: 1\nb:\n  c: 1\n  c: 2\n": '4:3: b.c: "c" is already in line 3',
    "a: 1\n'a': 2\n": '2:1: a: "a" is already in line 1',
    "? [x, y]\n: z\n": "1:3: a key must be a plain text",
    "a: {[x]: y}\n": "1:5: a: a key must be a plain text",
    "a: &k b\nc:\n  *k : d\n": "3:3: c: a key must be a plain text",
    "a: 1\n?\n: b\n": "2:2: a key is missing",
    "a:\n  b: !!int 3\n": '2:6: a.b: the tag "tag:yaml.org,2002:int" is not supported',
    "a: !python/object:os.system x\n": '1:4: a: the tag "!python/object:os.system"',
    "a: &b c\n": '1:4: a: "&b" is an anchor in YAML that no alias uses; it would be lost',
    "a: &b c\nd: &b e\nf: *b\n": '1:4: a: "&b" is an anchor',
    "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> main\n": "2:1: this is a merge conflict",
    "a: *nobody\n": '1:4: a: there is no anchor "&nobody" above',
    "a: &x [b, *x]\n": '1:11: a.1: the alias "*x" is inside its own anchor',
    'a: b\nc: "d\\0"\n': "2:4: c: the control character U+0000 is not allowed",
    'a: "b\\rc"\n': "1:4: a: the control character U+000D",
    'a: "b\\u2028c"\n': "1:4: a: the control character U+2028",
    'a: "\\ud800"\n': "1:7: is not YAML: ",
    "a: b\nc: d\0\n": "2:5: the control character U+0000 is not allowed",
    "a: b\r\nc: \u2028d\n": "2:4: the control character U+2028 is not allowed",
    "%YAML 3.0\n---\na: b\n": "1:1: is not YAML: found incompatible YAML document",
}


@pytest.mark.parametrize(("text", "words"), PROBLEMS.items())
def test_what_is_wrong_is_told_with_its_place(text: str, words: str) -> None:
    (problem,) = read(text).problems
    assert str(problem).startswith(f"events/x.yaml:{words}")


def test_bytes_that_are_not_utf8_are_found_by_line_and_column() -> None:
    (problem,) = read("a: ä\nb: ü".encode() + b"\xff\n").problems
    assert (problem.line, problem.column) == (2, 5)
    assert "0xff" in problem.message


def test_several_problems_are_told_at_once() -> None:
    lines = [problem.line for problem in read("a: 1\na: 2\nb: !x 3\n? [k]\n: v\n").problems]
    assert lines == [2, 3, 4]


def test_the_first_of_two_equal_keys_counts() -> None:
    assert read("a: 1\na: {b: 2}\nc: 3\n").value == {"a": "1", "c": "3"}


@pytest.mark.parametrize("text", ["[" * 50_000, "a: " + "{b: " * 100, "- " * 30 + "x"])
def test_deep_nesting_is_refused_before_it_is_followed(text: str) -> None:
    (problem,) = read(text).problems
    assert "too deep" in problem.message


def test_depth_behind_aliases_counts() -> None:
    lines = ["- &a0 [x]"] + [f"- &a{i} [*a{i - 1}]" for i in range(1, 40)]
    (problem,) = read("\n".join(lines)).problems
    assert "too deep" in problem.message


def test_aliases_cannot_multiply_without_end() -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (problem,) = read("\n".join(lines)).problems
    assert "aliases of this file expand to more than" in problem.message


def test_a_file_that_is_too_large_is_refused_as_a_whole() -> None:
    (problem,) = read(b"#" * (MAX_FILE_BYTES + 1)).problems
    assert str(problem) == "events/x.yaml: is larger than 4 MiB; split it over several files"
