"""The content of mails about following itself: confirmation, welcome, the operator's test."""

from __future__ import annotations

from collections.abc import Sequence

from calfeed.reminders.mail.content import Content, Fact, Wording


def describe_confirmation(names: Sequence[str], link: str, wording: Wording) -> Content:
    """Ask the reader to confirm a request; `names` are the titles of what was requested."""
    return _ask(
        wording.gettext("Please confirm that you want mails about dates"),
        wording.gettext(
            "Somebody, probably you, entered this address to follow dates by mail. "
            "Nothing is sent until you press the button on the page that this link opens."
        ),
        names,
        link,
        wording,
    )


def describe_further_request(names: Sequence[str], link: str, wording: Wording) -> Content:
    """Ask a person who already follows to confirm additions."""
    return _ask(
        wording.gettext("Please confirm that you want to follow more dates"),
        wording.gettext(
            "Somebody, probably you, entered this address again to follow dates by mail. "
            "Nothing changes until you press the button on the page that this link opens."
        ),
        names,
        link,
        wording,
    )


def describe_welcome(names: Sequence[str], page: str, wording: Wording) -> Content:
    """Welcome a person after the confirmation; `page` is the person's own page."""
    title = wording.gettext("You follow these dates by mail now")
    return Content(
        subject=title,
        kicker=wording.gettext("Confirmed"),
        title=title,
        paragraphs=(
            wording.gettext("From now on you get the mails that you chose."),
            wording.gettext(
                "If your mail program asks, say that you know the sender. Then it can move the "
                "entries in your calendar by itself."
            ),
        ),
        facts=_list_names(wording.gettext("You follow"), names),
        action=(wording.gettext("Open your own page"), page),
    )


def describe_test(wording: Wording) -> Content:
    """The mail of `calfeed mail test`."""
    title = wording.gettext("A test of the mail settings")
    text = wording.gettext("If you can read this, calfeed can send mails.")
    return Content(title, wording.gettext("Test"), title, (text,))


def _list_names(label: str, names: Sequence[str]) -> tuple[Fact, ...]:
    return (Fact(label, "\n".join(names)),) if names else ()


def _ask(title: str, text: str, names: Sequence[str], link: str, wording: Wording) -> Content:
    return Content(
        subject=title,
        kicker=wording.gettext("Follow by mail"),
        title=title,
        paragraphs=(text,),
        facts=_list_names(wording.gettext("You would follow"), names),
        small=(
            wording.gettext(
                "If it was not you, ignore this mail: nothing changes, and nothing else is sent "
                "about it."
            ),
        ),
        action=(wording.gettext("Confirm"), link),
    )
