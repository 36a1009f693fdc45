"""A mail as plain text."""

from __future__ import annotations

from calfeed.ical.wording.words import Words, words_in
from calfeed.reminders.mail.content import Content, Fact, Footer


def _write_fact(fact: Fact, words: Words) -> str:
    text = words.list_comma.join(filter(None, (fact.text, fact.day, fact.url)))
    return words.label(fact.label, text)


def write_text(content: Content, footer: Footer, language: str) -> str:
    """Write the content of a mail as plain text, in blocks separated by blank lines.

    `language` (BCP 47 tag) is that of the mail, for its punctuation.
    """
    words = words_in(language)

    def link(label: str, url: str) -> str:
        return words.label(label, f"\n{url}").replace(" \n", "\n")

    title = content.title
    blocks = [words.label(content.kicker, title) if content.kicker else title]
    for entry in content.entries:
        lines = [f"- {entry.title}", *(f"  {line}" for line in entry.lines)]
        blocks.append("\n".join([*lines, f"  {entry.url}"] if entry.url else lines))
    if content.facts:
        blocks.append("\n".join(_write_fact(fact, words) for fact in content.facts))
    blocks += content.paragraphs
    if content.small:
        blocks.append("\n".join(content.small))
    if content.action:
        blocks.append(link(*content.action))
    links = (link(*each) for each in footer.links)
    last = list(filter(None, [footer.reason, footer.site.name, *links]))
    if last:
        blocks.append("\n".join(["-- ", *last]))
    return "\n\n".join(blocks) + "\n"
