"""The composers of a worker: mails and pushes, with the texts of the catalogs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from calfeed.delivery.engine.composing import Composer, Composers
from calfeed.delivery.mail.configuration import read_mail_settings
from calfeed.delivery.mail.pacing import DomainPacer
from calfeed.delivery.mail.personal_mails import MailAddresses, MailRoom
from calfeed.delivery.site_texts import SiteTexts
from calfeed.errors import SettingsError
from calfeed.model.site import Site
from calfeed.model.states import EndpointKind
from calfeed.reminders.mail.content import Wording
from calfeed.settings import Settings
from calfeed.web.pages.reader.offers import make_site_languages


def open_composers(settings: Settings, clock: Callable[[], datetime]) -> Composers:
    """Make the composers of mails and of pushes that the settings turn on.

    Raises SettingsError if settings are incomplete, or if a library that they need is not
    installed.
    """
    composers: dict[EndpointKind, Composer] = {}
    mail = read_mail_settings(settings)
    if mail is not None:
        composers[EndpointKind.MAIL] = MailRoom(
            MailAddresses(mail.sender, mail.bounces),
            settings.base_url,
            SiteTexts(_open_wording),
            clock,
            DomainPacer(mail.rate, time.monotonic),
        )
    if settings.push_contact is not None:
        composers[EndpointKind.PUSH] = _open_push(settings.push_contact, clock)
    return composers


def _open_push(contact: str, clock: Callable[[], datetime]) -> Composer:
    try:
        from calfeed.delivery.push.composing import PushComposer
    except ImportError as error:
        if error.name not in ("http_ece", "py_vapid"):
            raise
        raise SettingsError(
            "CALFEED_PUSH_CONTACT is set, but the libraries that push needs are not installed; "
            "run pip install 'calfeed[push]'"
        ) from error

    return PushComposer(contact, SiteTexts(_open_wording), clock)


def _open_wording(site: Site) -> Callable[[str], Wording]:
    return make_site_languages(site.languages, site.catalogs).wording_in
