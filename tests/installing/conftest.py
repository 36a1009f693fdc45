"""The wheel, built once for all tests of all workers."""

from __future__ import annotations

import fcntl

import pytest

from tests.installing.building import Built, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Built:
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "built"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = tmp_path_factory.mktemp("building")
            build(made)
            made.rename(folder)
    return Built(next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")))
