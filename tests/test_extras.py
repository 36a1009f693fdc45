"""A missing package is reported with the command that installs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from calfeed.cli import cli
from calfeed.cli.serving.composers import open_composers
from calfeed.clock import SteadyClock
from calfeed.delivery.engine.spans import reporting_spans
from calfeed.delivery.mail.bounces.returned import judge_bounce
from calfeed.delivery.mail.signing import make_signer
from calfeed.delivery.senders import load_channels
from calfeed.errors import SettingsError, StoreError
from calfeed.settings import Settings
from calfeed.store.database import Database


def test_postgresql_without_its_driver_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'calfeed\[postgresql\]'"):
        Database("postgresql://127.0.0.1:1/calfeed", tmp_path / "keys")


def test_channels_without_apprise_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text('[chat]\nurl = "json://127.0.0.1:1/"\n')
    monkeypatch.setitem(sys.modules, "apprise", None)
    for name in [name for name in sys.modules if name.startswith("calfeed.delivery.channels.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SettingsError, match=r"pip install 'calfeed\[channels\]'"):
        load_channels(Settings(channels=channels))


def test_push_without_its_libraries_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "http_ece", None)
    for name in [name for name in sys.modules if name.startswith("calfeed.delivery.push.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SettingsError, match=r"pip install 'calfeed\[push\]'"):
        open_composers(Settings(push_contact="mailto:desk@example.org"), SteadyClock())


def test_traces_without_opentelemetry_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        pytest.raises(SettingsError, match=r"pip install 'calfeed\[tracing\]'"),
        reporting_spans("http://127.0.0.1:1/v1/traces"),
    ):
        pass


def test_signing_mails_without_dkimpy_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "dkim", None)
    with pytest.raises(SettingsError, match=r"pip install 'calfeed\[mail\]'"):
        make_signer(tmp_path / "key.pem", "cal1", "example.org")


def test_reading_bounces_without_flufl_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "flufl.bounce", None)
    with pytest.raises(SettingsError, match=r"pip install 'calfeed\[mail\]'"):
        judge_bounce(b"Subject: Undelivered\r\n\r\n")


@pytest.mark.parametrize("missing", ["resvg_py", "uharfbuzz"])
def test_exporting_pictures_without_their_libraries_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["export", "public", "--pictures"])
    assert "pip install 'calfeed[pictures]'" in str(done.exception)
    assert not (tmp_path / "public").exists()
