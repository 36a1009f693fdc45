"""Mails name the site that sends them, and link its privacy notice."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from calfeed.model.site import Site
from calfeed.store.catalog.publishes import latest_publish
from calfeed.store.catalog.site import save_site
from tests.mail.branch import Follower, MailBranch
from tests.publish.desk import BASE, STAY

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

SITE = Site(
    name={"en": "Lyon & friends", "ur": "لیون"},
    languages=("en", "ur"),
    accent="#7a1f5c",
    about={"privacy": {"en": "We keep nothing."}},
)
ADA, BASIT = "ada@example.net", "basit@example.net"


def parts(mail: EmailMessage) -> tuple[str, str]:
    """The plain text and the HTML of a mail."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content()


def publish_site(branch: MailBranch, site: Site) -> None:
    with branch.database.write() as connection:
        save_site(connection, site, latest_publish(connection))


def test_a_mail_names_the_site_in_the_readers_language(branch: MailBranch) -> None:
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA), Follower(BASIT, language="ur"))
    branch.publish(STAY.format(start="2025-08-31"))
    publish_site(branch, SITE)
    branch.deliver()
    text, html = parts(branch.post.to(ADA)[-1].mail)
    assert "\nLyon & friends\n" in text
    assert f"\nPrivacy:\n{BASE}/privacy/?lang=en\n" in text
    assert "<strong>Lyon &amp; friends</strong>" in html
    assert f'<a href="{BASE}/privacy/?lang=en"' in html
    assert "background:#7a1f5c" in html
    assert "calfeed" not in text + html
    text, html = parts(branch.post.to(BASIT)[-1].mail)
    assert "\nلیون\n" in text
    assert f"{BASE}/privacy/?lang=ur" in html


def test_a_site_that_changes_is_in_the_next_mail(branch: MailBranch) -> None:
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA))
    branch.publish(STAY.format(start="2025-08-31"))
    publish_site(branch, SITE)
    branch.deliver()
    branch.publish(STAY.format(start="2025-09-30"))
    publish_site(branch, SITE.model_copy(update={"name": {"en": "Lille"}}))
    branch.deliver()
    first, second = (parts(mail.mail)[0] for mail in branch.post.to(ADA)[-2:])
    assert "\nLyon & friends\n" in first
    assert "\nLille\n" in second


def test_a_site_without_a_name_adds_nothing_to_mails(branch: MailBranch) -> None:
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA))
    branch.publish(STAY.format(start="2025-08-31"))
    branch.deliver()
    text, html = parts(branch.post.to(ADA)[-1].mail)
    assert "privacy" not in text.lower()
    assert "background:#1d5c4a" in html
