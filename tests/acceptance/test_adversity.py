"""`serve` goes on serving when files, folders and its own output cannot be used."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

from tests.acceptance.site import BIN, Running, Site, until
from tests.patience import PATIENCE
from tests.privileges import WITHOUT_PRIVILEGES

FEED = "/calendars/afghan-refugees-pakistan.ics"
FILE = "afghan-refugees-pakistan.yaml"
START = "start: 2025-06-30"


def feed_with(site: Site, day: date) -> bytes:
    """The feed, as soon as the stay ends on this day in it."""
    line = f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\n".encode()
    return until(lambda: feed if line in (feed := site.get(FEED)[0]) else b"", f"{day}")


@contextmanager
def serving(site: Site) -> Iterator[Running]:
    """`calfeed serve` as a user who may not do everything."""
    with site.running("serve", through=WITHOUT_PRIVILEGES) as serve:
        serve.until_it_says("Ctrl-C ends it.")
        yield serve


def test_a_folder_without_rights_is_reported_and_read_when_they_are_given_back(site: Site) -> None:
    site.do("publish")
    folder = site.events / "more"
    folder.mkdir()
    (folder / "calendar.yaml").write_text("name: More\ntime_zone: UTC\nevents: {}\n")
    folder.chmod(0o644)
    problem = "events/more: cannot be read: permission denied; give the user"
    with serving(site) as serve:
        assert problem in serve.output
        site.edit(FILE, START, "start: 2025-12-31")
        until(lambda: serve.output.count(problem) == 2, "what the save came to")
        assert b"DTSTART;VALUE=DATE:20250630\r\n" in site.get(FEED)[0]
        folder.chmod(0o755)
        feed_with(site, date(2025, 12, 31))
        assert "Traceback" not in serve.everything


def test_an_output_that_nobody_reads_any_more_ends_nothing(site: Site) -> None:
    """As in `calfeed serve 2>&1 | head -1`."""
    process = subprocess.Popen(
        [BIN / "calfeed", "serve"],
        cwd=site.folder,
        env=site.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        process.stdout.close()
        until(lambda: is_answered(site), "it serves")
        days = [date(2025, 6, 30), date(2025, 12, 30), date(2025, 12, 31)]
        for old, new in pairwise(days):
            site.edit(FILE, f"start: {old}", f"start: {new}")
            feed_with(site, new)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()


def is_answered(site: Site) -> bool:
    try:
        return bool(site.get(FEED))
    except OSError:
        return False


def test_a_log_on_a_full_disk_ends_nothing(site: Site) -> None:
    with site.running("serve", output=Path("/dev/full")):
        until(lambda: is_answered(site), "it serves")
        site.edit(FILE, START, "start: 2025-12-31")
        feed_with(site, date(2025, 12, 31))


def test_a_data_folder_that_cannot_be_written_to_serves_what_was_published_last(
    site: Site,
) -> None:
    """And publishes, without a new start, when it can be written to again."""
    site.do("publish")
    data = site.folder / "var"
    data.chmod(0o555)
    site.edit(FILE, START, "start: 2025-12-31")
    with serving(site) as serve:
        assert "can only be read: calfeed cannot write to its folder" in serve.output
        assert "The feeds are served as they were published last." in serve.output
        serve.until_it_says("not published: ")
        assert b"DTSTART;VALUE=DATE:20250630\r\n" in site.get(FEED)[0]
        data.chmod(0o700)
        feed_with(site, date(2025, 12, 31))
        assert "Traceback" not in serve.everything


def test_a_data_folder_with_nothing_in_it_that_cannot_be_written_to_is_an_error(
    site: Site,
) -> None:
    (site.folder / "var").mkdir(mode=0o555)
    done = subprocess.run(
        [*WITHOUT_PRIVILEGES, BIN / "calfeed", "serve"],
        cwd=site.folder,
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("calfeed: the database ")
    assert "Traceback" not in done.stderr
