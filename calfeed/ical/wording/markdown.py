"""Convert Markdown (CommonMark) to plain text and safe HTML, for calendar apps and pages.

Imported only for texts in Markdown, as its libraries are needed for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_SCHEMES = {"http", "https", "mailto", "tel"}
_TAGS = {"a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li"}
_TAGS |= {"ol", "p", "pre", "strong", "ul"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (markdown-it's name)
        """Reject relative links, because a feed has no base URL; rejected links stay as text."""
        return url.partition(":")[0].lower() in _SCHEMES


class _PageMarkdown(_Markdown):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (markdown-it's name)
        """Accept links inside the site too; `//host/path` leads out of it."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return super().validateLink(url) or not (parts.scheme or url.startswith("//"))


def _render_image(
    _: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """Render an image as a link, so that viewing a calendar does not contact the image's host."""
    address = str(tokens[index].attrGet("src") or "")
    return f'<a href="{escape(address)}">{escape(tokens[index].content or address)}</a>'


_MARKDOWN = _Markdown("commonmark", {"html": False})
_MARKDOWN.add_render_rule("image", _render_image)
_PAGE_MARKDOWN = _PageMarkdown("commonmark", {"html": False})
_PAGE_MARKDOWN.add_render_rule("image", _render_image)


def to_html(markdown: str) -> str:
    """Convert to an HTML fragment with text markup, lists and links, without external content."""
    return _clean(str(_MARKDOWN.render(markdown)))


def to_page_html(markdown: str, resolve: Callable[[str], str]) -> str:
    """Convert to the HTML of a page that has a title, so headings are one level lower.

    Links inside the site are kept: `resolve` returns the address of one, which is a path, a
    relative path or only a fragment.
    """
    tokens = _PAGE_MARKDOWN.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        for inner in token.children or ():
            name = {"link_open": "href", "image": "src"}.get(inner.type, "")
            address = str(inner.attrGet(name) or "")
            if address and not urlsplit(address).scheme:
                inner.attrSet(name, resolve(address))
    return _clean(str(_PAGE_MARKDOWN.renderer.render(tokens, _PAGE_MARKDOWN.options, {})))


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=lambda tag, name, value: value or None,  # drops empty attributes
        url_schemes=_SCHEMES,
        link_rel="noreferrer",
    ).strip()


def to_text(markdown: str) -> str:
    """Convert to plain text; a link becomes "text: https://…"."""
    return _blocks(SyntaxTreeNode(_MARKDOWN.parse(markdown)).children)


def _blocks(nodes: Sequence[SyntaxTreeNode], between: str = "\n\n") -> str:
    return between.join(text for text in map(_block, nodes) if text)


def _block(node: SyntaxTreeNode) -> str:
    if node.type == "bullet_list":
        return _items(node, ["- "] * len(node.children))
    if node.type == "ordered_list":
        first = int(node.attrs.get("start", 1))
        return _items(node, [f"{first + count}. " for count in range(len(node.children))])
    if node.type == "blockquote":
        return _indent(_blocks(node.children), "> ", "> ")
    if node.type in ("fence", "code_block"):
        return node.content.rstrip("\n")
    if node.type == "hr":
        return "---"
    return _inline(node).strip()


def _items(node: SyntaxTreeNode, marks: Sequence[str]) -> str:
    """Format the items of a list; only loose items have empty lines inside."""
    texts = [_blocks(item.children, "\n" if _is_tight(item) else "\n\n") for item in node.children]
    lines = [_indent(text, mark, " " * len(mark)) for text, mark in zip(texts, marks, strict=True)]
    return "\n".join(lines)


def _is_tight(item: SyntaxTreeNode) -> bool:
    return all(node.hidden for node in item.children if node.type == "paragraph")


def _indent(text: str, first: str, rest: str) -> str:
    head, *lines = text.split("\n")
    return "\n".join([first + head, *(rest + line if line else rest.rstrip() for line in lines)])


def _inline(node: SyntaxTreeNode) -> str:
    if node.type == "softbreak":
        return " "
    if node.type == "hardbreak":
        return "\n"
    if node.type == "image":
        return _link(node.content, str(node.attrs.get("src", "")))
    text = "".join(map(_inline, node.children)) if node.children else _content_of(node)
    if node.type != "link":
        return text
    address = str(node.attrs.get("href", ""))
    if node.info == "auto":
        return address.removeprefix("mailto:")
    return _link(text, address)


def _content_of(node: SyntaxTreeNode) -> str:
    return node.content if node.type in ("text", "code_inline") else ""


def _link(text: str, address: str) -> str:
    if not address:
        return text
    return address if text.strip() in ("", address) else f"{text}: {address}"
