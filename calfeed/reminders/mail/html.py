"""A mail as HTML: inline styles for light, a style sheet for dark, nothing from other hosts.

Mail clients drop much of HTML, so no layout needs a style sheet, and no text needs an image.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from calfeed.ical.wording.words import words_in
from calfeed.model.texts import text_direction
from calfeed.reminders.mail.content import Content, Entry, Fact, Footer, MailSite

_FONT = (
    "font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans Arabic',Tahoma,sans-serif"
)
_URGENT, _CALM = "#9a3412", MailSite.accent

_DARK = """
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
body,.page{background:#16181b!important}
.card{background:#202327!important;border-color:#363b41!important}
.card,.title,.value,.lead{color:#eceff1!important}
.label,.small,.former,.foot,.foot a{color:#a9b1b8!important}
.urgent{color:#f4a46c!important}
.calm{color:#7fd1b5!important}
.link{color:#8ec2ff!important}
.button{background:#2f7d66!important;color:#fff!important}
.line{border-color:#363b41!important}
}
"""


def write_html(content: Content, footer: Footer, language: str) -> str:
    """Write what a mail says as an HTML document in the reader's language and direction."""
    direction = text_direction(language)
    tone, color = ("urgent", _URGENT) if content.urgent else ("calm", _CALM)
    parts = [
        f'<p class="{tone}" style="margin:0 0 6px;font-size:15px;font-weight:bold;color:{color}">'
        f"{_text(content.kicker)}</p>"
        if content.kicker != content.title
        else "",
        '<h1 class="title" style="margin:0 0 16px;font-size:22px;line-height:1.35;color:#1b1f23">'
        f'<span dir="auto">{_text(content.title)}</span></h1>',
        *map(_write_entry, content.entries),
        *(_write_fact(fact, words_in(language).list_comma) for fact in content.facts),
        *(
            '<p class="lead" style="margin:12px 0;font-size:16px;line-height:1.55;color:#1b1f23" '
            f'dir="auto">{_text(paragraph)}</p>'
            for paragraph in content.paragraphs
        ),
        *(
            '<p class="small" style="margin:12px 0 0;font-size:14px;line-height:1.5;color:#57606a">'
            f"{_text(line)}</p>"
            for line in content.small
        ),
        _write_action(content, footer.site.accent),
    ]
    return (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{direction}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(content.subject)}</title><style>{_DARK}</style></head>\n"
        f'<body style="margin:0;padding:0;background:#f3f4f2">'
        f'<div class="page" dir="{direction}" lang="{escape(language)}" '
        f'style="background:#f3f4f2;padding:16px 10px 28px;{_FONT}">\n'
        '<div class="card" style="max-width:560px;margin:0 auto;padding:22px 24px 26px;'
        'background:#ffffff;border:1px solid #dcdfe3;border-radius:10px;color:#1b1f23">\n'
        + "\n".join(filter(None, parts))
        + f"\n</div>\n{_write_footer(footer)}\n</div></body></html>\n"
    )


def _write_fact(fact: Fact, comma: str) -> str:
    value = _text(fact.text)
    if fact.url:
        value = _link(fact.url, value)
    day = f'{comma}<span dir="auto">{_text(fact.day)}</span>' if fact.day else ""
    style, name = "font-size:17px;color:#1b1f23", "value"
    if fact.former:
        style, name = "font-size:16px;color:#57606a;text-decoration:line-through", "former"
    return (
        '<p style="margin:0 0 12px;line-height:1.5">'
        f'<span class="label" style="font-size:14px;color:#57606a">{_text(fact.label)}</span><br>'
        f'<span class="{name}" style="{style}" dir="auto">{value}</span>{day}</p>'
    )


def _write_entry(entry: Entry) -> str:
    title = _text(entry.title)
    if entry.url:
        title = _link(entry.url, title)
    lines = "".join(
        '<br><span class="label" style="font-size:15px;color:#57606a" '
        f'dir="auto">{_text(line)}</span>'
        for line in entry.lines
    )
    return (
        '<p class="line" style="margin:0;padding:12px 0;line-height:1.5;'
        'border-top:1px solid #dcdfe3"><span class="value" style="font-size:17px;color:#1b1f23" '
        f'dir="auto">{title}</span>{lines}</p>'
    )


def _write_action(content: Content, accent: str) -> str:
    if content.action is None:
        return ""
    label, url = content.action
    return (
        f'<p style="margin:22px 0 0"><a class="button" href="{escape(url)}" '
        f'style="display:inline-block;padding:11px 20px;border-radius:8px;background:{accent};'
        f'color:#ffffff;font-size:16px;font-weight:bold;text-decoration:none">{_text(label)}</a></p>'
    )


def _write_footer(footer: Footer) -> str:
    style = "margin:0 0 6px;font-size:13px;line-height:1.5;color:#57606a"
    lines: Iterable[str] = (
        _text(footer.reason),
        f"<strong>{_text(footer.site.name)}</strong>" if footer.site.name else "",
        *(
            f'<a href="{escape(url)}" style="color:#57606a">{_text(label)}</a>'
            for label, url in footer.links
        ),
    )
    written = "".join(f'<p class="foot" style="{style}">{line}</p>' for line in lines if line)
    return f'<div style="max-width:560px;margin:18px auto 0;padding:0 24px">{written}</div>'


def _link(url: str, written: str) -> str:
    return f'<a class="link" href="{escape(url)}" style="color:#0b57d0">{written}</a>'


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")
