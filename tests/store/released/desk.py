"""The content of the stored databases of each release, except the UIDs."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BASE = "https://calendar.example.org"
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TOKEN = "a-token-of-a-reader-in-the-released-database"

DESK = """
name: {{en: Desk, ur: ڈیسک}}
time_zone: Asia/Karachi
reminders: [1 week, 1 day]
events:
  stay: {{summary: The stay ends, start: {stay}, note: it was extended}}
  meeting:
    summary: The desk meets
    start: 2026-11-03 10:30
    duration: 45 minutes
    repeat: {{rule: FREQ=WEEKLY;COUNT=30}}
  guest: {{summary: A guest, start: 2030-02-01, uid: guest@example.org}}
{more}
"""
VISIT = "  visit: {summary: The visit, start: 2027-03-01}"
BOARD = """
name: Board
time_zone: UTC
visibility: private
events:
  budget: {summary: The budget, start: 2027-05-01 09:00}
"""
