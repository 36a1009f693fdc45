"""A mail as plain text."""

from __future__ import annotations

from calfeed.reminders.mail.content import Content, Fact, Footer


def _write_fact(fact: Fact) -> str:
    return f"{fact.label}: " + ", ".join(filter(None, (fact.text, fact.day, fact.url)))


def write_text(content: Content, footer: Footer) -> str:
    """Write what a mail says as plain text, in blocks that a blank line separates."""
    blocks = [f"{content.kicker}: {content.title}" if content.kicker else content.title]
    for entry in content.entries:
        lines = [f"- {entry.title}", *(f"  {line}" for line in entry.lines)]
        blocks.append("\n".join([*lines, f"  {entry.url}"] if entry.url else lines))
    if content.facts:
        blocks.append("\n".join(map(_write_fact, content.facts)))
    blocks += content.paragraphs
    if content.small:
        blocks.append("\n".join(content.small))
    if content.action:
        label, url = content.action
        blocks.append(f"{label}:\n{url}")
    last = list(filter(None, [footer.reason, *(f"{label}:\n{url}" for label, url in footer.links)]))
    if last:
        blocks.append("\n".join(["-- ", *last]))
    return "\n\n".join(blocks) + "\n"
