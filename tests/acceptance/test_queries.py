"""No query, however hostile, makes the server fail or grow."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.queries import ask, check, make_site


def test_hostile_queries_are_answered_without_a_failure_or_growth(tmp_path: Path) -> None:
    """The long form is `python -m tests.acceptance.queries --count 100000`."""
    site = make_site(tmp_path / "site", events=60)
    with site.serving(anew=True) as serve:
        seen = ask(site, serve, count=1_000, seed=7)
        assert check(seen) == []
        assert "Traceback" not in serve.everything
    assert {200, 304, 404, 405} <= set(seen.statuses)
