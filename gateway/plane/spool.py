"""The local record of calls: two appends for each attempt, made to survive this process.

Every process appends to a file of its own and holds its lock for life; a file whose lock can be had was left
behind by a process that died, and belongs to whoever takes the lock. The recorder drains both into SQL. Closed
attempts are numbered, and drained in that order: so one number tells how far a process' records have come.
A spool holds billing data, never prompts or keys.
"""

import errno
import fcntl
import logging
import os
import secrets
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from gateway.core import codec
from gateway.proxy.observers import CallSpool

_log = logging.getLogger(__name__)
_SUFFIX = ".spool"
LEAST_ROOM_BYTES = 64 * 1024
_BLANK = b"\n" * 4096
_OPENED, _CLOSED, _CARRIED = "o", "c", "x"


@dataclass(slots=True)
class _Finished:
    """An attempt that is not in the ledger yet, and the file that holds it until it is."""

    attempt: AttemptRecord
    since: float
    segment: "_Segment"


class Spool(CallSpool):
    """The calls of this process. It is told of attempts on the loop; the rest is called by the recorder."""

    def __init__(
        self,
        folder: Path,
        name: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        segment_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        """`name` is the process', which no other has had."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.name = name or f"{os.getpid()}-{secrets.token_hex(6)}"
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._open: dict[str, AttemptRecord] = {}
        self._finished: deque[_Finished] = deque()
        self._closed = 0
        self._count = 0
        self._segment = self._new_segment()
        self._full_at = segment_bytes
        self._full: list[_Segment] = []

    def attempt_opened(self, attempt: AttemptRecord) -> None:
        """Raises OSError if the disk refuses."""
        opened = attempt.opened
        with self._lock:
            segment = self._segment
            try:
                segment.append(codec.encode_line({"t": _OPENED, "r": opened}))
            except OSError as error:
                self._note(_reason(error))
                raise
            self._open[opened.attempt_id] = attempt
            if segment.size >= self._full_at:
                self._rotate_or_go_on()

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        """Note the end and give it its number. Where the disk refuses, memory still carries it to the ledger."""
        with self._lock:
            if self._open.pop(attempt.opened.attempt_id, None) is None:
                _log.error("Attempt %s was closed without being open.", attempt.opened.attempt_id)
                return
            self._closed = seq = attempt.seq = self._closed + 1
            segment = self._segment
            try:
                segment.append(codec.encode_line({"t": _CLOSED, "r": attempt.closed, "s": seq}))
            except OSError as error:
                self._note(_reason(error))
            segment.waiting += 1
            self._finished.append(_Finished(attempt, self._clock(), segment))
            if segment.size >= self._full_at:
                self._rotate_or_go_on()

    def examine(self) -> None:
        """Look for trouble, and for its end: without calls, which are sent elsewhere meanwhile, nobody else would."""
        try:
            room = os.statvfs(self.folder)
        except OSError as error:
            return self._note(_reason(error))
        if room.f_bavail * room.f_frsize < LEAST_ROOM_BYTES:
            self._note("no space is left")
        elif self.trouble:
            self._try_again()
        return None

    def _note(self, trouble: str) -> None:
        """Told when it begins and when it ends, and not for each call."""
        if trouble and not self.trouble:
            _log.error(
                "The spool in %s cannot be written: %s. Calls are refused meanwhile.", self.folder, trouble
            )
        elif self.trouble and not trouble:
            _log.warning("The spool in %s can be written again.", self.folder)
        self.trouble = trouble

    def _try_again(self) -> None:
        with self._lock:
            try:
                # A record that says nothing, as long as one that does.
                self._segment.append(_BLANK)
            except OSError as error:
                self._note(_reason(error))
            else:
                self._note("")

    @property
    def lag_s(self) -> float:
        """Age of the oldest finished attempt that is not in the ledger yet; 0.0 when all are."""
        # Without the lock, which every call would take: the recorder may take the last one away at any time.
        try:
            return max(0.0, self._clock() - self._finished[0].since)
        except IndexError:
            return 0.0

    @property
    def waiting(self) -> int:
        """Finished attempts that are not in the ledger yet."""
        return len(self._finished)

    @property
    def size(self) -> int:
        """In bytes, of this process' files."""
        with self._lock:
            return self._segment.size + sum(segment.size for segment in self._full)

    def finished(self, count: int) -> list[AttemptRecord]:
        """The oldest finished attempts, at most `count`. They stay until `forget`."""
        with self._lock:
            return [entry.attempt for entry in islice(self._finished, count)]

    def forget(self, count: int) -> None:
        """The oldest `count` are in the ledger now."""
        with self._lock:
            # Closing the spool forgets everything, also while a drain is on its way.
            for _ in range(min(count, len(self._finished))):
                self._finished.popleft().segment.waiting -= 1
        self._discard_drained()

    def orphans(self) -> Iterator["Orphan"]:
        """Files that dead processes left behind, each claimed until it is discarded or released.

        Those of one process in their order: none comes while an earlier one is another's to drain.
        """
        held = set()
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            process = _process_of(path)
            orphan = None if process in held else _claim(path)
            if orphan is not None:
                yield orphan
            elif path.exists():
                held.add(process)

    def has_files_of(self, process: str) -> bool:
        """Whether anything of that process is left to drain."""
        return any(_process_of(path) == process for path in self.folder.glob(f"*{_SUFFIX}"))

    def reject(self, content: object, reason: str) -> None:
        """Put aside what the ledger will never take, for a person to look at."""
        _log.error("A record was moved to %s: %s", self.folder / f"{self.name}.rejected", reason)
        text = content.decode(errors="replace") if isinstance(content, bytes) else content
        line = codec.encode_line({"reason": reason, "record": text})
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with open(os.open(self.folder / f"{self.name}.rejected", flags, 0o600), "ab") as file:  # noqa: PTH123
            file.write(line)

    def close(self) -> None:
        """Let go of the files. What is not in the ledger stays in them for whoever starts next."""
        with self._lock:
            self._segment.waiting += len(self._open)
            segments, self._full = [*self._full, self._segment], []
            self._finished.clear()
            self._open.clear()
        for segment in segments:
            segment.close(keep=segment.waiting > 0)

    def _new_segment(self) -> "_Segment":
        self._count += 1
        return _Segment(self.folder, f"{self.name}-{self._count:06}")

    def _rotate_or_go_on(self) -> None:
        try:
            self._rotate()
        except OSError:
            _log.exception("The spool could not begin a new file; it goes on with the old one.")
            self._full_at = self._segment.size + self._segment_bytes

    def _rotate(self) -> None:
        """Begin a new file with the attempts that are still open, then strike them from the old one.

        In this order a death in between leaves an attempt in both: twice unknown, and so one row.
        """
        old, new = self._segment, self._new_segment()
        try:
            if self._open:
                opened = ({"t": _OPENED, "r": each.opened} for each in self._open.values())
                new.append(b"".join(map(codec.encode_line, opened)))
                old.append(codec.encode_line({"t": _CARRIED, "r": list(self._open)}))
        except OSError:
            new.close(keep=False)
            raise
        self._full.append(old)
        self._segment, self._full_at = new, new.size + self._segment_bytes

    def _discard_drained(self) -> None:
        with self._lock:
            drained = [segment for segment in self._full if not segment.waiting]
            self._full = [segment for segment in self._full if segment.waiting]
        for segment in drained:
            segment.close(keep=False)


class Orphan:
    """A file left behind, locked by us: nobody else drains it meanwhile."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.process = _process_of(path)

    def read(self) -> tuple[list[AttemptRecord], list[bytes]]:
        """Its attempts, and its unreadable lines but for a torn last one: that append never returned.

        Those that ended come first, in the order of their numbers. A version before this one gave none: 0.

        Raises codec.Newer for a file that only a later version can read.
        """
        opened: dict[str, AttemptOpened] = {}
        closed: dict[str, tuple[AttemptClosed, int]] = {}
        unreadable = []
        for line in self._path.read_bytes().split(b"\n")[:-1]:
            try:
                _take(line, opened, closed)
            except codec.Newer:
                raise
            except (ValueError, KeyError, TypeError):
                unreadable.append(line)
        ended = [
            AttemptRecord(opened.pop(name), end, seq=seq)
            for name, (end, seq) in closed.items()
            if name in opened
        ]
        return [*ended, *map(AttemptRecord, opened.values())], [line for line in unreadable if line]

    def discard(self) -> None:
        """All of it is in the ledger."""
        self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave it for the next round."""
        os.close(self._descriptor)


class _Segment:
    """One file of this process, locked while it is open. `waiting`: finished attempts not in the ledger."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{_SUFFIX}"
        draft = self._path.with_suffix(".draft")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(draft, flags, 0o600)
        # Under its real name only once it is locked: nobody may take it for left behind.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(self._path)
        self._is_torn = False
        self.size = 0
        self.waiting = 0

    def append(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._descriptor, line)
        self.size += written
        if written < len(line):
            self._is_torn = True
            raise OSError(errno.ENOSPC, "The spool's disk is full", str(self._path))
        self._is_torn = False

    def close(self, *, keep: bool) -> None:
        if self._descriptor < 0:
            return
        if not keep:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1


def _reason(error: OSError) -> str:
    """Without the path: whoever asks for readiness may be anybody."""
    return (error.strerror or type(error).__name__).lower()


def _claim(path: Path) -> Orphan | None:
    """None: it has gone, its process lives, or it is not ours to take."""
    try:
        # Whatever else bears such a name is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        _tell_once(path, str(error.strerror))
        return None
    if not _is_ours(path, descriptor):
        os.close(descriptor)
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink:
        return Orphan(path, descriptor)
    # Another process drained and removed it between our opening and our lock.
    os.close(descriptor)
    return None


def _is_ours(path: Path, descriptor: int) -> bool:
    """A file that we may not only read but remove, too: else it would be carried over again every second."""
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and os.geteuid() in {status.st_uid, 0}:
        return True
    _tell_once(path, "it is not a file of this user")
    return False


@lru_cache(maxsize=1024)
def _tell_once(path: Path, why: str) -> None:
    _log.warning("%s is left alone (%s); a process of its own user has to carry it over.", path, why)


def _process_of(path: Path) -> str:
    return path.stem.rpartition("-")[0]


def _take(
    line: bytes, opened: dict[str, AttemptOpened], closed: dict[str, tuple[AttemptClosed, int]]
) -> None:
    content = codec.parse(line)
    kind, record = content["t"], content["r"]
    if kind == _OPENED:
        opened[record["attempt_id"]] = codec.read(AttemptOpened, record)
    elif kind == _CLOSED:
        closed[record["attempt_id"]] = codec.read(AttemptClosed, record), int(content.get("s", 0))
    elif kind == _CARRIED:
        for attempt_id in record:
            opened.pop(attempt_id, None)
