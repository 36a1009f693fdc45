"""Let git, rsync and slow writers change a folder under `serve`, and see what people are told.

`python -m tests.acceptance.checkouts` publishes a calendar of 1,500 files, and then does 200 things
at random to the folder: it checks out other branches, in which 600 of the events stand in files of
other names, merges, rebases, copies with rsync, writes a file with pauses. With `--changes 0` the
events stay the same all along, and nobody may be told anything; otherwise in some of the steps
one event changes, and that is told, once. It prints the figures, and fails where anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until

_HEAD = "name: Big\ntime_zone: UTC\n"
# Renames that git looks for among files that are much alike are none.
_GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "merge.renames=false"]
_PAUSES = (0.0, 0.3, 1.5, 4.0)  # seconds from one thing to the next: no rest, and some
_SLOW = 2.5  # seconds in the middle of a file


@dataclass(frozen=True)
class Event:
    """What one event says."""

    slug: str
    summary: str
    day: int
    cancelled: bool = False

    def __str__(self) -> str:
        status = ", status: cancelled" if self.cancelled else ""
        return f"  {self.slug}: {{summary: {self.summary}, start: 2040-01-{self.day:02}{status}}}\n"


class Truth:
    """The events as they have to be published, and what has to be told of how they became so."""

    def __init__(self, count: int, choose: random.Random) -> None:
        self.events = {f"e-{number}": Event(f"e-{number}", "It", 1) for number in range(count)}
        self.slow = {f"s-{number}": Event(f"s-{number}", "It", 1) for number in range(10)}
        self.told: Counter[tuple[str, str]] = Counter()
        self._choose = choose
        self._left = sorted(self.events)
        choose.shuffle(self._left)

    def change(self) -> None:
        """Change an event that did not change before, or add one."""
        slug = self._left.pop()
        event = self.events[slug]
        kind = self._choose.choice(["added", "moved", "changed", "cancelled", "withdrawn"])
        if kind == "added":
            slug = f"new-{slug}"
            self.events[slug] = Event(slug, "New", 9)
        elif kind == "withdrawn":
            del self.events[slug]
        else:
            self.events[slug] = {
                "moved": replace(event, day=20),
                "changed": replace(event, summary="Other"),
                "cancelled": replace(event, cancelled=True),
            }[kind]
        self.told[f"event.{kind}".replace("withdrawn", "cancelled"), slug] += 1


class Tree:
    """The folder that is watched, in a git repository, and all that is done to it."""

    def __init__(self, site: Site, truth: Truth, others: int, choose: random.Random) -> None:
        self._site, self._truth = site, truth
        self._others = others  # how many events stand in files of other names
        self._choose = choose
        self._number = 0
        self.done: Counter[str] = Counter()
        shutil.rmtree(site.events)
        site.events.mkdir()
        (site.folder / ".gitignore").write_text("/*\n!/events/\n")
        (site.events / "big").mkdir()
        self._git("init", "-q", "-b", "main")
        self._write_slowly(pause=0)
        self._commit("main", self._layout())
        self._git("reset", "-q", "--hard", "main")

    def act(self) -> None:
        """Do one thing to the folder."""
        act = self._choose.choice(
            [self._check_out, self._merge, self._rebase, self._copy, self._write_slowly]
        )
        act()
        self.done[act.__name__.strip("_")] += 1
        time.sleep(self._choose.choice(_PAUSES))  # the moments are what is tried here

    def finish(self) -> None:
        """Leave the events in the folder as they have to be published."""
        self._check_out()

    def _check_out(self) -> None:
        self._git("checkout", "-q", self._commit(self._name(), self._layout(), "HEAD"))

    def _merge(self) -> None:
        theirs, ours = self._part_ways()
        self._git("checkout", "-q", ours)
        self._git("merge", "-q", "--no-edit", theirs)

    def _rebase(self) -> None:
        theirs, ours = self._part_ways()
        self._git("checkout", "-q", ours)
        self._git("rebase", "-q", theirs)

    def _copy(self) -> None:
        """Like a deployment by rsync, which writes into the files that are there."""
        with TemporaryDirectory(dir=self._site.folder) as name:
            for path, text in self._layout().items():
                file = Path(name, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            source, target = f"{name}/events/big/", f"{self._site.events}/big/"
            words = ["rsync", "-a", "--inplace", "--delete", source, target]
            subprocess.run(words, check=True)
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", "Copied")

    def _write_slowly(self, pause: float = _SLOW) -> None:
        """Like an editor on a slow share: some events, a pause, and the rest."""
        lines = [f"{_HEAD}events:\n", *map(str, self._truth.slow.values())]
        with (self._site.events / "slow.yaml").open("w") as file:
            file.writelines(lines[:8])
            file.flush()
            time.sleep(pause)  # it is what is tried here
            file.writelines(lines[8:])

    def _layout(self) -> dict[str, str]:
        """The files of the big calendar, some of them with names that they had never before."""
        number = self._next()
        slugs = sorted(self._truth.events)
        others = set(self._choose.sample(slugs, min(self._others, len(slugs))))
        files = {"events/big/calendar.yaml": _HEAD}
        for slug in slugs:
            name = f"{slug}-{number}" if slug in others else slug
            files[f"events/big/{name}.yaml"] = f"events:\n{self._truth.events[slug]}"
        return files

    def _part_ways(self) -> tuple[str, str]:
        """Make two branches that give other names to the files of other events.

        The second has as many commits as a person makes: it takes events away, and brings them
        back in the next one.
        """
        base = self._committed()
        both = self._commit(self._name(), base, "HEAD")
        half = sorted(path for path in base if not path.endswith("calendar.yaml"))
        self._choose.shuffle(half)
        number, middle = self._next(), self._others // 2
        theirs = self._commit(self._name(), self._rename(base, half[:middle], number), both)
        ours, files = both, base
        for part in (half[middle : middle + middle // 2], half[middle + middle // 2 : 2 * middle]):
            less = {path: text for path, text in files.items() if path not in part}
            files = self._rename(files, part, number)
            ours = self._commit(self._name(), less, ours)
            ours = self._commit(ours, files, ours)
        return theirs, ours

    @staticmethod
    def _rename(files: Mapping[str, str], paths: list[str], number: int) -> dict[str, str]:
        renamed = {path: f"{path.removesuffix('.yaml')}-{number}.yaml" for path in paths}
        return {renamed.get(path, path): text for path, text in files.items()}

    def _committed(self) -> dict[str, str]:
        """The big calendar as the last commit has it, with what changed since in its files."""
        names = self._git("ls-tree", "-r", "--name-only", "HEAD", "events/big").split()
        texts = {path: (self._site.folder / path).read_text() for path in names}
        files = {"events/big/calendar.yaml": _HEAD}
        missing = dict(self._truth.events)
        for path, text in texts.items():
            slug = text.removeprefix("events:\n").partition(":")[0].strip()
            if event := missing.pop(slug, None):
                files[path] = f"events:\n{event}"
        files |= {f"events/big/{slug}.yaml": f"events:\n{one}" for slug, one in missing.items()}
        return files

    def _commit(self, branch: str, files: Mapping[str, str], parent: str = "") -> str:
        """Make a commit of these files, beside what is checked out, and return its branch."""
        slow = "events/slow.yaml"
        files = {**files, slow: (self._site.folder / slow).read_text()}
        parts = [f"commit refs/heads/{branch}\ncommitter A <a@example.org> 1 +0000\ndata 1\nx\n"]
        if parent:
            parts.append(f"from {self._git('rev-parse', parent).strip()}\n")
        parts.append("deleteall\n")
        for path, text in files.items():
            parts.append(f"M 644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        self._git("fast-import", "--quiet", "--force", given="".join(parts))
        return branch

    def _git(self, *words: str, given: str = "") -> str:
        done = subprocess.run(
            [*_GIT, "-c", "gc.auto=0", *words],
            cwd=self._site.folder,
            input=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"git {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _name(self) -> str:
        return f"b-{self._next()}"


@dataclass(frozen=True)
class Result:
    """How often each thing was done, what had to be told of which event, and what was."""

    done: Counter[str]
    wanted: Counter[tuple[str, str]]
    told: Counter[tuple[str, str]]

    def __str__(self) -> str:
        rows = [(count, name) for name, count in sorted(self.done.items())]
        rows += [(self.wanted.total(), "changes"), (self.told.total(), "messages")]
        return "\n".join(f"{count:>8,}  {name}" for count, name in rows)

    def check(self) -> None:
        """Raise AssertionError unless everything that changed was told, once, and nothing else."""
        assert self.told == self.wanted, (self.told - self.wanted, self.wanted - self.told)


def change_and_listen(folder: Path, *, files: int, steps: int, changes: float, seed: int) -> Result:
    """Do so many things to a calendar of so many files; an event changes in a share of them."""
    choose = random.Random(seed)
    site, truth = Site(folder), Truth(files, choose)
    tree = Tree(site, truth, files * 2 // 5, choose)
    # A grace time would hide what is published for a moment.
    at_once = {"CALFEED_GRACE": "0"}
    with Receiver() as receiver, site.serving(environment=at_once):
        site.ask("endpoint", "add", receiver.url)
        for step in range(1, steps + 1):
            if choose.random() < changes:
                truth.change()
            tree.act()
            if step % 20 == 0:
                print(f"{step} steps, {len(receiver.posts)} messages", flush=True)
        tree.finish()
        # What there is to publish is published by `serve`; nobody else does it here.
        until(lambda: _is_published(site), "everything is published")
        until(lambda: len(receiver.posts) >= truth.told.total(), "the messages")
        until(lambda: not site.ask("delivery", "list", "--pending"), "the last one")
        told = Counter(
            (post.message["type"], post.message["data"]["event"]["slug"]) for post in receiver.posts
        )
    return Result(tree.done, truth.told, told)


def _is_published(site: Site) -> bool:
    return str(site.ask("diff")["summary"]).startswith("nothing to publish")


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_500)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--changes", type=float, default=0.3, help="the share of the steps")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="calfeed-checkouts-") as name:
        result = change_and_listen(
            Path(name) / "site",
            files=asked.files,
            steps=asked.steps,
            changes=asked.changes,
            seed=asked.seed,
        )
    print(result)
    print(f"{time.monotonic() - began:>8,.0f}  seconds")
    result.check()


if __name__ == "__main__":
    main()
