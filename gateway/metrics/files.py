"""One process' numbers in files that outlive it, and the files of all processes of a host added up.

They are prometheus-client's own, one for counters, histograms and each kind of gauge; `NAME.lock` is held by its
process for life. Whoever reads adds what the dead counted to one file of all who ended, and removes theirs.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.core.private_files import open_private
from gateway.metrics.families import FAMILIES, Counter, Family, Gauge
from gateway.metrics.totals import Series

_ENDED = "ended"
_OUTLIVE = ("counter", "histogram", "gauge_max")
_MOST_OF_THE_DEAD = 50_000
"""Of a host's numbers; with more, those of processes that ended are forgotten: Prometheus takes that for a restart."""


class OwnFiles:
    """This process'. `name` is one that no other has had; without underscores, by which its readers go."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._lock = folder / f"{name}.lock"
        self._descriptor = _hold(self._lock)
        self._files: dict[str, MmapedDict] = {}
        self._keys: dict[Series, tuple[MmapedDict, str]] = {}

    def write(self, changed: Iterable[tuple[Series, float, float]]) -> None:
        for series, value, at in changed:
            file, key = self._keys.get(series) or self._place(series)
            file.write_value(key, value, at)

    def close(self) -> None:
        """Whoever reads next takes what was counted for that of a process that ended."""
        for file in self._files.values():
            file.close()
        os.close(self._descriptor)

    def _place(self, series: Series) -> tuple[MmapedDict, str]:
        kind = _kind_of(series.family)
        if kind not in self._files:
            path = self._folder / f"{kind}_{self._name}.db"
            self._files[kind] = _create(path)
            _draft_of(path).rename(path)
        place = self._keys[series] = self._files[kind], _key_of(series)
        return place


def read(folder: Path) -> list[Metric]:
    """Of all processes of this host, those that ended included."""
    with _alone(folder):
        _bury_the_dead(folder)
        return list(MultiProcessCollector.merge(_names(folder.glob("*.db"))))


def registry_of(folder: Path) -> CollectorRegistry:
    """Reads the files at each scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(folder))
    return registry


class _Collector(Collector):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """All families: also those of which nothing is counted yet, by name and help alone."""
        found = {metric.name: metric for metric in read(self._folder)}
        for family in FAMILIES:
            nothing = Metric(_base(family), family.help, _type_of(family))
            yield found.pop(_base(family), nothing)
        # What another version counts that runs beside this one, or ran before it.
        yield from found.values()


def _bury_the_dead(folder: Path) -> None:
    for lock in folder.glob("*.lock"):
        descriptor = os.open(lock, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            _bury(folder, lock.stem)
            lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _bury(folder: Path, name: str) -> None:
    for kind in _OUTLIVE:
        left = folder / f"{kind}_{name}.db"
        if left.exists():
            _add(left, folder / f"{kind}_{_ENDED}.db")
    for left in folder.glob(f"*_{name}.*"):
        left.unlink(missing_ok=True)


def _add(left: Path, ended: Path) -> None:
    """Into a new file in its place: a reader of the old one is not disturbed, and a death half-way loses nothing."""
    both = [each for each in (ended, left) if each.exists()]
    samples = [
        (metric, sample)
        for metric in MultiProcessCollector.merge(_names(both), accumulate=False)
        for sample in metric.samples
    ]
    file = _create(ended)
    for metric, sample in samples if len(samples) <= _MOST_OF_THE_DEAD else ():
        names, values = list(sample.labels), list(sample.labels.values())
        file.write_value(
            mmap_key(metric.name, sample.name, names, values, metric.documentation), sample.value, 0.0
        )
    file.close()
    _draft_of(ended).rename(ended)
    left.unlink()


def _kind_of(family: Family) -> str:
    return f"gauge_{family.merged}" if isinstance(family, Gauge) else _type_of(family)


def _type_of(family: Family) -> str:
    return type(family).__name__.lower()


def _base(family: Family) -> str:
    """By what prometheus-client knows it."""
    return family.name.removesuffix("_total") if isinstance(family, Counter) else family.name


def _key_of(series: Series) -> str:
    family, names, values = series.family, list(series.family.labels), list(series.labels)
    if series.le is not None:
        names, values = [*names, "le"], [*values, floatToGoString(series.le)]
    return mmap_key(_base(family), family.name + series.suffix, names, values, family.help)


def _create(path: Path) -> MmapedDict:
    """An empty one, as a draft: nobody reads it before it has its first bytes and its name."""
    draft = _draft_of(path)
    draft.unlink(missing_ok=True)
    os.close(open_private(str(draft), os.O_RDWR | os.O_CREAT))
    return MmapedDict(str(draft))


def _draft_of(path: Path) -> Path:
    return path.with_suffix(".draft")


def _hold(path: Path) -> int:
    """Under its real name only once it is held: nobody may take it for that of a dead one."""
    draft = path.with_suffix(".new")
    descriptor = open_private(str(draft), os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    draft.rename(path)
    return descriptor


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One reader at a time, since readers tidy up."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = open_private(str(folder / "readers"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _names(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
