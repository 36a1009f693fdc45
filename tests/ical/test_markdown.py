"""Markdown becomes text that reads well, and HTML that can do no harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.ical.wording.markdown import to_html, to_page_html, to_text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("One\nline\n\nand *another*", "One line\n\nand another"),
        ("hard  \nbreak", "hard\nbreak"),
        ("# Title\n\n`code` & **bold**", "Title\n\ncode & bold"),
        ("- a\n- b\n  - c\n- d", "- a\n- b\n  - c\n- d"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n\n  more\n- b", "- a\n\n  more\n- b"),
        ("> said\n>\n> twice", "> said\n>\n> twice"),
        ("```\nx  = 1\n\ny\n```", "x  = 1\n\ny"),
        ("a\n\n---\n\nb", "a\n\n---\n\nb"),
        ("[guide](https://x.example)", "guide: https://x.example"),
        ("[**the** guide](<https://x.example/a b>)", "the guide: https://x.example/a%20b"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("[](https://x.example)", "https://x.example"),
        ("[nowhere]()", "nowhere"),
        ("<https://x.example/é>", "https://x.example/%C3%A9"),
        ("<desk@x.example>", "desk@x.example"),
        ("![plan](https://x.example/p.png)", "plan: https://x.example/p.png"),
        ("[here](/page) [js](javascript:alert)", "[here](/page) [js](javascript:alert)"),
        ("<b>as it is</b> &amp;", "<b>as it is</b> &"),
        ("", ""),
    ],
)
def test_markdown_becomes_text_as_a_person_would_write_it(markdown: str, text: str) -> None:
    assert to_text(markdown) == text


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**a** [b](https://x.example/?c&d)", '<p><strong>a</strong> <a href="https://x.example/?c'
         '&amp;d" rel="noreferrer">b</a></p>'),
        ("![p\"l](https://x.example/p.png)", '<p><a href="https://x.example/p.png" '
         'rel="noreferrer">p"l</a></p>'),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html;base64,AA)", "<p>[x](data:text/html;base64,AA)</p>"),
    ],
)  # fmt: skip
def test_markdown_becomes_html_that_can_do_no_harm(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[a](/b/?c&d#e)", '<p><a href="@/b/?c&amp;d#e" rel="noreferrer">a</a></p>'),
        ("[a](../b/) ![p](c.png)", '<p><a href="@../b/" rel="noreferrer">a</a> '
         '<a href="@c.png" rel="noreferrer">p</a></p>'),
        ("[a][b]\n\n[b]: #c", '<p><a href="@#c" rel="noreferrer">a</a></p>'),
        ("[a](https://x.example)", '<p><a href="https://x.example" rel="noreferrer">a</a></p>'),
        ("[a](//x.example/b)", "<p>[a](//x.example/b)</p>"),
        ("[a](//[)", "<p>[a](//[)</p>"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("[a](data:text/html,b)", "<p>[a](data:text/html,b)</p>"),
        ("# a\n\nb\n---\n\n###### c", "<h2>a</h2>\n<h3>b</h3>\n<h6>c</h6>"),
        ("> # a", "<blockquote>\n<h2>a</h2>\n</blockquote>"),
        ("<h1>a</h1>", "<p>&lt;h1&gt;a&lt;/h1&gt;</p>"),
    ],
)  # fmt: skip
def test_on_a_page_links_may_stay_in_the_site_and_headings_are_below_the_title(
    markdown: str, html: str
) -> None:
    assert to_page_html(markdown, lambda link: f"@{link}") == html


PIECES = [
    "[a](",
    "](",
    ")",
    "![",
    "]",
    "<",
    ">",
    '"',
    "javascript:",
    "https://x.example",
    "\n",
    "- ",
]
PIECES += [
    "> ",
    "1. ",
    "*",
    "`",
    "```\n",
    "<img src=x onerror=y>",
    "<a href=",
    "&#x6a;",
    "&",
    "آ",
    " ",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=30))
def test_whatever_is_written_gives_text_and_only_harmless_tags(pieces: list[str]) -> None:
    markdown = "".join(pieces)
    check_harmless(to_html(markdown), "(?i)(https?|mailto|tel):")
    check_harmless(to_page_html(markdown, lambda link: f"@{link}"), "@|(?i:https?|mailto|tel):")
    assert isinstance(to_text(markdown), str)


def check_harmless(html: str, addresses: str) -> None:
    for tag, attributes in re.findall(r"<(\w+)([^>]*)>", html):
        assert re.fullmatch("a|blockquote|br|code|em|h[1-6]|hr|li|ol|p|pre|strong|ul", tag)
        found = re.fullmatch(r'(?: (?:href="([^"]*)"|rel="noreferrer"|start="\d+"))*', attributes)
        assert found is not None
        assert found[1] is None or re.match(addresses, found[1])
