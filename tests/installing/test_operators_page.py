"""What the quickstart for operators names and writes is right; `machine.py` types all of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from calfeed import __version__
from calfeed.cli import cli
from calfeed.settings import Settings
from tests.acceptance.site import BIN
from tests.delivery.receiver import make_certificate
from tests.docs_pages import DOCS
from tests.installing.closure import ROOT
from tests.installing.typing import Typed, Written, read_steps
from tests.ports import free_port

STEPS = list(read_steps(DOCS / "quickstarts" / "operator.md"))
COMMANDS = [step.command for step in STEPS if isinstance(step, Typed)]
FILES = {step.path: step.text for step in STEPS if isinstance(step, Written)}
UNITS = "/etc/systemd/system"


def find_program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"there is no {name}")
    assert found is not None, f"there is no {name}"
    return found


def test_every_file_of_a_release_that_is_used_is_in_it() -> None:
    used = re.findall(r"calfeed-([\d.]+)/(\S+)", "\n".join(COMMANDS))
    assert len(used) == 4
    assert {version for version, _ in used} == {__version__}
    assert [path for _, path in used if not list(ROOT.glob(path))] == []


def test_every_command_of_calfeed_is_one() -> None:
    used = re.findall(r"/bin/calfeed (\w+)", "\n".join(COMMANDS))
    assert used
    assert set(used) <= set(cli.list_commands(click.Context(cli)))


def test_the_settings_are_settings() -> None:
    names = tomllib.loads(FILES["/srv/calfeed/calfeed.toml"])
    assert {name.removesuffix("_file") for name in names} - {"keys"} <= Settings.model_fields.keys()
    assert "keys_file" in Settings.model_fields


def test_nginx_finds_nothing_wrong_with_its_file(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path)
    text = FILES["/etc/nginx/conf.d/calfeed.conf"]
    text = text.replace("/etc/ssl/certs/calendar.pem", str(certificate))
    text = text.replace("/etc/ssl/private/calendar.key", str(tmp_path / "key.pem"))
    # It takes the ports also for a test.
    for port in ("80;", "443 "):
        for host in ("", "[::]:"):
            here = f"listen 127.0.0.1:{free_port()}{port[-1]}"
            text = text.replace(f"listen {host}{port}", here)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n{text}}}\n"
    )
    done = subprocess.run(
        [find_program("nginx"), "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(conf)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """The services that the page makes of them, with the file that it adds."""
    started = {unit for line in COMMANDS for unit in re.findall(r"calfeed-\w+@\d+", line)}
    for unit in started:
        kind = unit.partition("@")[0]
        text = (ROOT / "deploy" / "systemd" / f"{kind}.service").read_text("utf-8")
        text = text.replace("/opt/calfeed/bin/calfeed", str(BIN / "calfeed"))
        tmp_path.joinpath(f"{kind}@.service").write_text(text)
    added = tmp_path / "calfeed-web@.service.d" / "port.conf"
    added.parent.mkdir()
    added.write_text(FILES[f"{UNITS}/calfeed-web@.service.d/port.conf"])
    names = [str(tmp_path / f"{unit}.service") for unit in sorted(started)]
    done = subprocess.run(
        [find_program("systemd-analyze"), "verify", "--man=no", *names],
        capture_output=True,
        text=True,
    )
    assert (len(names), done.returncode, done.stdout + done.stderr) == (4, 0, "")
