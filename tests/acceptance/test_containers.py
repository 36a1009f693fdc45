"""The files of `deploy/container/` are right, and the image is built and run where that is wanted.

Building takes a minute or two and needs buildah, so it happens only if CALFEED_TEST_CONTAINERS
names the archive of a root with Python and venv, as Debian's mmdebstrap makes it:
`mmdebstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm root.tar`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from calfeed.cli import cli
from calfeed.settings import Settings
from tests.acceptance.images import (
    BUILD_ARGUMENTS,
    FOLDER,
    ROOT_ARCHIVE,
    build_image,
    container_of,
    import_root,
    remove_images,
)
from tests.acceptance.site import until
from tests.installing.building import build
from tests.installing.closure import ROOT
from tests.patience import PATIENCE
from tests.ports import free_port

COMPOSE = sorted(FOLDER.glob("compose*.yaml"))
IMAGE = "calfeed:test"


def services_of(path: Path) -> dict[str, Any]:
    """The services of a compose file that are calfeed's, and the file's secrets."""
    content = yaml.safe_load(path.read_text("utf-8"))
    services = content["services"]
    for service in services.values():
        for name in service.get("secrets", ()):
            assert name in content["secrets"]
    return {name: one for name, one in services.items() if one["image"] == "calfeed"}


def test_there_is_a_file_for_one_machine_and_one_for_postgresql() -> None:
    assert [path.name for path in COMPOSE] == ["compose.postgresql.yaml", "compose.yaml"]
    assert list(services_of(FOLDER / "compose.yaml")) == ["calfeed"]
    assert list(services_of(FOLDER / "compose.postgresql.yaml")) == [
        *("publish", "web-1", "web-2", "worker-1", "worker-2"),
    ]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_services_run_commands_with_settings_that_there_are_and_are_confined(path: Path) -> None:
    known = {f"CALFEED_{name.upper()}" for name in Settings.model_fields}
    for service in services_of(path).values():
        (command,) = service["command"]
        assert command in cli.list_commands(None)  # type: ignore[arg-type] # it reads none
        for name, value in service["environment"].items():
            assert name.removesuffix("_FILE") in known or name in known, name
            secret = re.fullmatch("/run/secrets/(.+)", value)
            assert secret is None or secret[1] in service["secrets"]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "/tmp" in service["tmpfs"]
        healthy = service.get("healthcheck", {}).get("disable") is not True
        assert healthy == (command in ("serve", "web")), "the image's check requests a port"


def test_nginx_is_the_one_outside_containers_but_for_names_and_places() -> None:
    def read(path: Path) -> list[str]:
        lines = path.read_text("utf-8").splitlines()
        lines = lines[lines.index("upstream calfeed {") :]
        return [re.sub(r" /etc/ssl/\S+", "", one) for one in lines if " max_fails=0;" not in one]

    container, outside = FOLDER / "nginx.conf", ROOT / "deploy" / "nginx" / "calfeed.conf"
    assert read(container) == read(outside)
    for name in ("web-1", "web-2"):
        assert f"server {name}:8000 max_fails=0;" in container.read_text("utf-8")


def test_an_image_is_built_from_two_files_and_nothing_else() -> None:
    """What is copied is let through, and what is secret or large is not."""
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    through = [one.removeprefix("!") for one in rest]
    text = (FOLDER / "Containerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert copied == through
    for name in ("var/calfeed.keys", "calfeed.toml", ".git/config", "events/site.yaml"):
        assert not any(fnmatch(name, one) for one in through)
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text


@pytest.fixture
def root() -> Path:
    given = os.environ.get(ROOT_ARCHIVE)
    if given is None:
        pytest.skip(f"{ROOT_ARCHIVE} is not set")
    return Path(given)


@pytest.fixture
def container(root: Path, tmp_path: Path) -> Iterator[str]:
    """A container of the image, which is built upon the given root."""
    import_root(root, tmp_path / "base")
    _, wheel = build(tmp_path)
    build_image(IMAGE, wheel, tmp_path / "context")
    try:
        with container_of(IMAGE) as made:
            yield made
    finally:
        remove_images(IMAGE)


def test_the_image_serves_as_nobody_in_particular(container: str, tmp_path: Path) -> None:
    events, port = tmp_path / "events", free_port()
    shutil.copytree(ROOT / "events", events)
    run = ["buildah", "run", *BUILD_ARGUMENTS[:2], "--network", "host"]
    run += ["-v", f"{events}:/srv/calfeed/events:ro", "--env", f"CALFEED_PORT={port}", container]
    identity = subprocess.run([*run, "--", "id", "-u"], capture_output=True, text=True)
    assert identity.stdout.strip() == "10001"
    with (tmp_path / "log").open("wb") as log:
        serve = subprocess.Popen([*run, "--", "calfeed", "serve"], stdout=log, stderr=log)
    try:
        check = (FOLDER / "Containerfile").read_text("utf-8")
        (code,) = re.findall(r'"-c", "(.*)"\]', check)
        probe = [*run, "--", "python3", "-c", code.replace(":8000", f":{port}")]

        def is_healthy() -> bool:
            assert serve.poll() is None, (tmp_path / "log").read_text()
            return subprocess.run(probe, capture_output=True).returncode == 0

        until(is_healthy, "the image's own check")
    finally:
        serve.terminate()
        serve.wait(PATIENCE)
