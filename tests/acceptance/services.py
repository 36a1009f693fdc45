"""Web servers and workers that are started, killed and upgraded: as processes, or in containers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Self

import yaml
from sqlalchemy.engine import make_url

import calfeed
from tests.acceptance.forking import can_fork, start_forker
from tests.acceptance.images import (
    FOLDER,
    ROOT_ARCHIVE,
    build_image,
    buildah,
    configuration_of,
    container_of,
    import_root,
    make_root,
    remove_images,
)
from tests.acceptance.parts import AnyProcess
from tests.acceptance.site import Site, until
from tests.installing.building import build, renumber
from tests.patience import PATIENCE
from tests.ports import free_port

NEWER = "99.0.0"
"""The number that this version has as the next one."""

WEB, WORKER = "web", "worker"

_SOCKET = "/run/postgresql"


class Service(ABC):
    """A web server or a worker of a site; `with` it. `newer` says which version begins next."""

    def __init__(self, site: Site, kind: str, number: int) -> None:
        self.kind = kind
        self.port = free_port() if kind == WEB else None
        self.newer = False
        self.name = f"{kind}-{number}"
        self._site = site
        self._log = site.folder / f"{self.name}.log"
        self._process: AnyProcess | None = None
        self._began = datetime.now(UTC)

    @abstractmethod
    def _start(self, log: int) -> AnyProcess:
        """Start it in a process group of its own; what it prints goes to this file."""

    @abstractmethod
    def _kill(self, process: AnyProcess) -> None:
        """SIGKILL for everything of it at once."""

    def begin(self) -> None:
        """Start it, without waiting until it works."""
        self._began = datetime.now(UTC)
        with self._log.open("ab") as log:
            self._process = self._start(log.fileno())

    def await_start(self) -> None:
        """Wait until it works."""
        until(self._works, f"{self.name} to work", PATIENCE)

    def kill(self) -> None:
        """End it as when a container or a machine is gone."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._kill(self._process)
            self._process.wait()

    def stop(self) -> None:
        """Stop it as systemd or a container engine does."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(PATIENCE) in (0, -signal.SIGTERM), self._log.read_text("utf-8")

    def _works(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text("utf-8")[-4000:]
        if self.port is None:
            beats = self._site.ask("status")["processes"]
            return any(self._is_mine(one["host"], one["pid"], one["started"]) for one in beats)
        with suppress(OSError):
            return self._site.get("/healthz", self.port)[0] == b"ok\n"
        return False

    def _is_mine(self, host: str, pid: int, started: str) -> bool:
        assert self._process is not None
        return pid == self._process.pid and datetime.fromisoformat(started) >= self._began

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class ProcessService(Service):
    """One that is a process of this machine. The newer version is a copy of the package."""

    def _start(self, log: int) -> AnyProcess:
        more = {"PYTHONPATH": str(self._make_newer())} if self.newer else {}
        if self.port:
            more["CALFEED_PORT"] = str(self.port)
        words = ["web", "--processes", "1"] if self.kind == WEB else ["worker"]
        environment = self._site.environment | more
        if can_fork(environment):
            return start_forker().start(words, self._site.folder, environment, log, log)
        return subprocess.Popen(
            [sys.executable, "-m", "calfeed", *words],
            cwd=self._site.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _kill(self, process: AnyProcess) -> None:
        os.killpg(process.pid, signal.SIGKILL)

    def _make_newer(self) -> Path:
        folder = self._site.folder.with_name("newer")
        if not folder.exists():
            shutil.copytree(Path(calfeed.__file__).parent, folder / "calfeed")
            renumber(folder / "calfeed", NEWER)
        return folder


@dataclass(frozen=True)
class Image:
    """An image of calfeed: its name, and where its files are."""

    name: str
    root: Path


class ContainedService(Service):
    """One in a container, run as `compose.postgresql.yaml` says, but with the machine's network.

    systemd-nspawn is the engine: it needs no daemon. The database is reached by its socket.
    """

    def __init__(self, site: Site, kind: str, number: int, images: Sequence[Image]) -> None:
        super().__init__(site, kind, number)
        self._images = images
        compose = yaml.safe_load((FOLDER / "compose.postgresql.yaml").read_text("utf-8"))
        self._composed = compose["services"][self.name]
        self._user, _, self._group = configuration_of(images[0].name)["User"].partition(":")
        database = make_url(site.environment["CALFEED_DATABASE_URL"])
        self._socket = database.query["host"]
        there = database.set(query={"host": _SOCKET}).render_as_string(hide_password=False)
        secrets = {
            "database-url": there.encode(),
            "calfeed-keys": site.keys.read_bytes(),
            "admin-token": token_urlsafe().encode(),
        }
        assert secrets.keys() == set(self._composed["secrets"])
        self._secrets = site.folder / f"{self.name}-secrets"
        self._secrets.mkdir()
        for name, content in secrets.items():
            self._secrets.joinpath(name).write_bytes(content)
            self._secrets.joinpath(name).chmod(0o600)
            os.chown(self._secrets / name, int(self._user), int(self._group))

    def _start(self, log: int) -> subprocess.Popen[bytes]:
        image = self._images[self.newer]
        configuration = configuration_of(image.name)
        settings = dict(line.split("=", 1) for line in configuration["Env"])
        settings |= self._composed["environment"]
        settings |= {
            name: text
            for name, text in self._site.environment.items()
            if name.startswith("CALFEED_") and f"{name}_FILE" not in settings
        }
        if self.port:
            settings["CALFEED_PORT"] = str(self.port)
        assert self._composed["read_only"] is True
        assert self._composed["cap_drop"] == ["ALL"]
        assert self._composed["security_opt"] == ["no-new-privileges:true"]
        words = ["--quiet", "--register=no", "--keep-unit", "--link-journal=no", "--read-only"]
        words += [f"--directory={image.root}", "--kill-signal=SIGTERM"]
        words += [f"--machine={self.name}", f"--hostname={self.name}"]
        words += [f"--chdir={configuration['WorkingDir']}"]
        words += [f"--tmpfs={place}:mode=1777" for place in self._composed["tmpfs"]]
        words += [f"--bind-ro={self._secrets}:/run/secrets", f"--bind={self._socket}:{_SOCKET}"]
        words += [f"--setenv={name}={text}" for name, text in settings.items()]
        confined = ["setpriv", f"--reuid={self._user}", f"--regid={self._group}", "--clear-groups"]
        confined += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        command = [*confined, *configuration["Entrypoint"], *self._composed["command"]]
        return subprocess.Popen(
            ["systemd-nspawn", *words, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _kill(self, process: AnyProcess) -> None:
        """Kill the first process of the container, and with it all that runs there."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    def _is_mine(self, host: str, pid: int, started: str) -> bool:
        return host == self.name and datetime.fromisoformat(started) >= self._began


@contextmanager
def built_images(folder: Path) -> Iterator[Sequence[Image]]:
    """The image of this version, and the one of the newer, in a new folder."""
    folder.mkdir()
    archive = Path(os.environ.get(ROOT_ARCHIVE) or folder / "root.tar")
    if not archive.exists():
        make_root(archive)
    import_root(archive, folder / "base")
    versions = {f"calfeed-{number}:test": number for number in (calfeed.__version__, NEWER)}
    with ExitStack() as stack:
        stack.callback(remove_images, *versions)
        images = []
        for name, version in versions.items():
            place = folder / version
            place.mkdir()
            build_image(name, build(place, version).wheel, place / "context")
            container = stack.enter_context(container_of(name))
            images.append(Image(name, Path(buildah("mount", container))))
        yield images
