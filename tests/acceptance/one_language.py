"""A site that is all in one language: its name, pages, calendars, and dates in each state."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tests.acceptance.site import Site
from tests.wording.corpus import TITLES

ACCENT = "#7a1f5c"
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
    '<circle cx="20" cy="20" r="18" fill="#7a1f5c"/></svg>'
)
CALENDAR, OTHER, GONE = "2030", "2031", "2029"
"""The names of the calendars, which are in no language: one with all, a short one, a withdrawn."""


class Words(NamedTuple):
    """What the people of a site write in its files."""

    site: str
    title: str
    lead: str
    privacy: str
    desk: str
    about: str
    other: str
    hearing: str
    review: str
    appeal: str
    meeting: str
    ruling: str
    reply: str
    category: str
    court: str
    contact: str
    online: str


WORDS = {
    "fr": Words(
        site="Agenda de l’asile",
        title="Les dates qui comptent",
        lead="Suivies par l’association, mises à jour le jour même.",
        privacy="Nous gardons **peu de données**.\n\n- Vos adresses sont chiffrées.",
        desk="Cour du droit d’asile",
        about="Quand la cour se réunit.",
        other="Préfecture",
        hearing="Audience sur les délais",
        review="Réexamen du dossier",
        appeal="Recours contre la décision",
        meeting="Réunion des bénévoles",
        ruling="Jugement attendu",
        reply="Mémoire en réponse",
        category="audience",
        court="Greffe de la cour",
        contact="Accueil, 01 02 03 04 05",
        online="Rejoindre la salle",
    ),
    "ar": Words(
        site="مواعيد اللجوء",
        title="المواعيد المهمة",
        lead="تتابعها الجمعية وتحدّثها في اليوم نفسه.",
        privacy="نحتفظ **بالقليل من البيانات**.\n\n- عناوينكم مشفّرة.",
        desk="محكمة اللجوء",
        about="متى تنعقد المحكمة.",
        other="الولاية",
        hearing="جلسة المهل",
        review="إعادة النظر",
        appeal="الطعن في الحكم",
        meeting="اجتماع المتطوعين",
        ruling="الحكم المنتظر",
        reply="مذكرة الرد",
        category="جلسة",
        court="قلم المحكمة",
        contact="الاستقبال، ٠١٢٣",
        online="الدخول إلى القاعة",
    ),
}

_SITE = """\
name: {site}
title: {title}
text: {lead}
languages: [{language}]
logo: site/logo.svg
icon: site/icon.svg
accent: "{accent}"
privacy: site/privacy.md
imprint: site/privacy.md
accessibility: site/privacy.md
contact: desk@example.org
credit: no
"""
_CALENDAR = """\
name: {desk}
description: {about}
language: {language}
time_zone: Europe/Paris
color: seagreen
reminders: [1 week, 1 day, 2 hours]
working_days: {{holidays: [DZ]}}
events:
  m1:
    summary: {hearing}
    description: "**{about}**"
    format: markdown
    start: {moved}
    duration: 2 hours
    location: {place}
    categories: [{category}]
    conference: {{url: "https://meet.example.org/1", label: {online}}}
    organizer: {{name: {court}, email: court@example.org}}
    contact: {contact}
    geo: 48.85, 2.35
    sources: [{{title: {cause}, date: 2026-01-02, url: "https://example.org/1"}}]
    {note}
  c1: {{summary: {review}, start: 2040-05-02 10:00, status: {status}}}
  p1: {{summary: {ruling}, start: {postponed}}}
  w1: {{summary: {appeal}, kind: deadline, start: 14 days after p1}}
  o1: {{summary: {ruling}, start: 2040-06}}
  o2: {{summary: {ruling}, start: 2040-06-03..2040-06-07}}
  o3: {{summary: {ruling}, start: 2040-06-15 time to be confirmed}}
  b1: {{summary: {hearing}, start: 2040-10-12, categories: [{category}]}}
  b2: {{summary: {reply}, kind: deadline, start: 3 working days before b1, at: "17:00"}}
  b3: {{summary: {reply}, kind: deadline, start: 20 working days after b1}}
  d1: {{summary: {reply}, kind: deadline, start: 2040-03-01, {done}}}
  r1: {{summary: {meeting}, start: 2024-01-08 18:30, {weekly}}}
  k1: {{summary: {appeal}, kind: deadline, {corrected}}}
  old: {{summary: {hearing}, start: 2025-02-03, end: 2025-02-05}}
  zone: {{summary: {meeting}, start: 2040-09-01 09:00, time_zone: Asia/Karachi}}
  {more}
"""
_SHORT = """\
name: {other}
language: {language}
time_zone: Europe/Paris
events:
  x1: {{summary: {appeal}, start: 2040-02-03}}
"""


def write_site(site: Site, language: str, start: datetime | None = None) -> None:
    """Write the files of the site as they are at first, or after each of its dates has changed.

    Then it has a date more, that begins at `start` with a reminder a minute before.
    """
    words = WORDS[language]._asdict() | TITLES[language]._asdict()
    words |= {"language": language, "accent": ACCENT}
    later = start is not None
    changing = {
        "moved": "2040-04-18 14:00" if later else "2040-04-11 10:00",
        "note": f"note: {words['note']}" if later else "",
        "status": "cancelled" if later else "confirmed",
        "postponed": "postponed" if later else "2040-06-20",
        "done": "done: met" if later else "busy: false",
        "corrected": "start: 2040-07-12, correction: 2040-07-02" if later else "start: 2040-07-02",
        "more": "",
        "weekly": "duration: 1 hour, repeat: {rule: FREQ=WEEKLY}",
    }
    if start is not None:
        at = f"{start:%Y-%m-%d %H:%M:%SZ}"
        changing["more"] = (
            f"s1: {{summary: {words['meeting']}, start: {at}, reminders: [1 minute]}}"
        )
    files = {
        "site.yaml": _SITE,
        f"{CALENDAR}.yaml": _CALENDAR,
        f"{OTHER}.yaml": _SHORT,
        f"{GONE}.yaml": _SHORT,
    }
    if later:
        del files[f"{GONE}.yaml"]
        (site.events / f"{GONE}.yaml").unlink()
    else:
        for path in site.events.glob("*.yaml"):
            path.unlink()
        (site.events / "site").mkdir()
        for name in ("logo.svg", "icon.svg"):
            (site.events / "site" / name).write_text(ICON)
        (site.events / "site" / "privacy.md").write_text(words["privacy"], "utf-8")
    for name, text in files.items():
        site.write(name, text.format_map(words | changing))
