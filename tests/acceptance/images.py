"""Images of `deploy/container/Containerfile`, which buildah builds upon a small Debian."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.installing.closure import ROOT

FOLDER = ROOT / "deploy" / "container"
ROOT_ARCHIVE = "CALFEED_TEST_CONTAINERS"
"""The environment variable with the path of the archive of a root that images are built upon."""

BUILD_ARGUMENTS = ("--isolation", "chroot", "--network", "host")

_DEBIAN = ("--quiet", "--variant=minbase", "--include=python3,python3-venv,ca-certificates")
_BASE = "calfeed-base:test"


def make_root(archive: Path) -> None:
    """Make the archive of a root that images can be built upon, with Debian's mmdebstrap."""
    subprocess.run(["mmdebstrap", *_DEBIAN, "bookworm", archive], check=True)


def buildah(*words: str | Path) -> str:
    """Run buildah, which has to succeed, and return what it printed."""
    done = subprocess.run(["buildah", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.strip()


def import_root(archive: Path, folder: Path) -> None:
    """Make the base of the images from an archive; `folder` is a new one."""
    folder.mkdir()
    folder.joinpath("Containerfile").write_text(f"FROM scratch\nADD {archive.name} /\n")
    shutil.copy(archive, folder)
    buildah("build", "-t", _BASE, folder)


def build_image(name: str, wheel: Path, folder: Path) -> None:
    """Build the image of a wheel upon the base, by the steps that a reader of the docs takes."""
    (folder / "dist").mkdir(parents=True)
    for file in ("requirements.lock", ".dockerignore"):
        shutil.copy(ROOT / file, folder)
    shutil.copy(wheel, folder / "dist")
    places = [word for place in ("/etc/pip.conf", "/etc/ssl/certs") for word in _mount(place)]
    buildah(
        *("build", "--format", "docker", *BUILD_ARGUMENTS, *places),
        *("--build-arg", f"BASE=localhost/{_BASE}", "-t", name),
        *("-f", FOLDER / "Containerfile", folder),
    )


def _mount(place: str) -> list[str]:
    return ["-v", f"{place}:{place}:ro"] if Path(place).exists() else []


@contextmanager
def container_of(image: str) -> Iterator[str]:
    """A container of an image, and its name, until the block ends."""
    made = buildah("from", "--pull-never", f"localhost/{image}")
    try:
        yield made
    finally:
        buildah("rm", made)


def configuration_of(image: str) -> dict[str, Any]:
    """What the image says of its processes: `Env`, `User`, `Entrypoint`, `WorkingDir`."""
    found: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", f"localhost/{image}"))
    configuration: dict[str, Any] = found["Docker"]["config"]
    return configuration


def remove_images(*images: str) -> None:
    """Remove images and their base."""
    buildah("rmi", "--force", *(f"localhost/{image}" for image in (*images, _BASE)))
