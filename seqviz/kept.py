"""What is worth keeping for the next one who asks, within one number of bytes for the whole process.

:func:`kept` is ``functools.lru_cache`` with a bound that means something: a trace may weigh a kilobyte or a hundred
megabytes. All results share one shelf; whoever was asked for longest ago goes first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from functools import lru_cache, wraps
from types import ModuleType, NoneType
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

from seqviz.language import current, speaking

__all__ = [
    "BUDGET",
    "SHELF",
    "Fixed",
    "Latest",
    "Shelf",
    "answered",
    "answering",
    "give_way",
    "kept",
    "kept_spoken",
    "turn",
    "weight",
]

BUDGET: Final = 200 * 2**20
"""Bytes that all kept results of the process may weigh together, with what they were asked for by."""

LARGE: Final = 300_000_000
"""Multiplications from which a computation waits for its turn: some tenths of a second."""

_LARGE_ONES: Final = threading.Lock()

SOON: Final = 0.05
"""Seconds in which a small computation is done; after them nobody gives way to it any more."""

_ANSWERING: Final[dict[int, float]] = {}
"""Until when large computations give way to a thread."""

_NOBODY: Final = threading.Condition()

_ITEM: Final = 100
"""Bytes that any Python object is taken to weigh itself."""

_PLAIN: Final = frozenset({bool, int, float, NoneType})

_SAMPLE: Final = 16
"""Items of a long list that are weighed; the others are taken to weigh as much."""

P = ParamSpec("P")
Made = TypeVar("Made")


class Fixed:
    """A frozen dataclass that is asked for its hash and its weight again and again: both are reckoned once.

    A subclass says ``__hash__ = Fixed.__hash__``, as a dataclass would otherwise make one of its own.
    """

    __slots__ = ("_hash", "_heavy")
    _hash: int
    _heavy: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            kind: Any = type(self)
            found = hash(tuple(getattr(self, name) for name in _fields(kind)))
            object.__setattr__(self, "_hash", found)
            return found

    def heavy(self) -> int:
        """What :func:`weight` says of it."""
        try:
            return self._heavy
        except AttributeError:
            found = _ITEM + _sum(_parts(self), set())
            object.__setattr__(self, "_heavy", found)
            return found


class Latest:
    """The last of each kind of thing that was computed for one person, and what it was made of."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Any, Any]] = {}

    def of(self, what: str, key: Any, make: Callable[[], Made]) -> Made:
        """What was made of an equal key, or else what is made now."""
        known = self._made.get(what)
        if known is None or known[0] != key:
            known = self._made[what] = (key, make())
        found: Made = known[1]
        return found

    def drop(self, what: str) -> None:
        """Forget one."""
        self._made.pop(what, None)


class Shelf:
    """Values by key, the least recently asked for first, of `budget` bytes together.

    One value may weigh half of it; a heavier one is not kept. Any thread may ask. While one thread makes a value the
    others that ask for it wait.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The value of a key, made where it is not there. An error of `make` is the caller's; nothing is kept of it."""
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    found: Made = self._values[key][0]
                    return found
                other = self._making.get(key)
                if other is None:
                    mine = self._making[key] = threading.Event()
                    break
            other.wait()
        try:
            value = make()
            self.put(key, value)
            return value
        finally:
            with self._lock:
                del self._making[key]
            mine.set()

    def peek(self, key: Hashable) -> Any:
        """The value of a key, or None where it is not there."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value that is at hand, unless the key has one."""
        size = weight(key) + weight(value)
        if size > self.budget // 2:
            return
        with self._lock:
            if key in self._values:
                return
            self._values[key] = (value, size)
            self.nbytes += size
            while self.nbytes > self.budget:
                _, (_, gone) = self._values.popitem(last=False)
                self.nbytes -= gone

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self.nbytes = 0


SHELF: Final = Shelf(BUDGET)
"""The shelf of this process."""


def kept(function: Callable[P, Made]) -> Callable[P, Made]:
    """Keep what a function of hashable values returned."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Made:
        return SHELF.get((function, args, *kwargs.items()), lambda: function(*args, **kwargs))

    return asked


def kept_spoken(function: Callable[P, Made]) -> Callable[P, Made]:
    """The same for what holds sentences: the language is one of the things that it was asked for by."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Made:
        language = current()

        def make() -> Made:
            with speaking(language):  # asked for once, and not for every word
                return function(*args, **kwargs)

        return SHELF.get((function, language, args, *kwargs.items()), make)

    return asked


@contextmanager
def turn(work: int) -> Iterator[None]:
    """Large computations go one after the other, so that a few of them leave the small ones of everybody else alone.

    `work` is in multiplications. Inside, nothing may be asked of the shelf that takes a turn itself.
    """
    if work > LARGE:
        answered()
    with _LARGE_ONES if work > LARGE else nullcontext():
        yield


def answering() -> None:
    """Somebody waits for what this thread computes, which is soon done: large computations give way to it."""
    _ANSWERING[threading.get_ident()] = time.monotonic() + SOON


def answered() -> None:
    """It is done, or it turned out to be large."""
    if _ANSWERING.pop(threading.get_ident(), None) is not None:
        with _NOBODY:
            _NOBODY.notify_all()


def give_way() -> None:
    """Between two parts of a large computation: wait while small ones are under way, for a moment at the most.

    Threads take turns at Python's interpreter by the half millisecond, so that a small computation beside a large one
    takes several times as long as alone; the large one is hardly later for letting it pass.
    """
    if _ANSWERING and threading.get_ident() not in _ANSWERING:
        with _NOBODY:
            _NOBODY.wait_for(_nobody, SOON)


def _nobody() -> bool:
    now = time.monotonic()
    return all(until < now for until in list(_ANSWERING.values()))


def weight(value: Any) -> int:
    """About how many bytes a value holds: arrays, bytes and text in full, of whatever it is made of, each once."""
    return _weight(value, set())


def _weight(value: Any, seen: set[int]) -> int:
    if type(value) in _PLAIN:
        return _ITEM
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):  # a view keeps the whole array alive
            value = value.base
    if id(value) in seen or isinstance(value, type | ModuleType):
        return 0
    seen.add(id(value))
    if isinstance(value, Fixed):
        return value.heavy()
    if isinstance(value, bytes | bytearray | str):
        return _ITEM + len(value) * (1 if not isinstance(value, str) or value.isascii() else 4)
    if (size := getattr(value, "nbytes", None)) is not None and not is_dataclass(value):
        return _ITEM + int(size)
    return _ITEM + _sum(_parts(value), seen)


@lru_cache(256)
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def _parts(value: Any) -> list[Any]:
    """What a value is made of."""
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    if isinstance(value, tuple | list | set | frozenset):
        return list(value)
    if is_dataclass(value):
        return [getattr(value, name) for name in _fields(value.__class__)]
    held = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    owner = getattr(value, "__self__", None)  # a method keeps what it is a method of
    return [*held, *getattr(value, "__dict__", {}).values(), *([] if owner is None else [owner])]


def _sum(items: list[Any], seen: set[int]) -> int:
    """Of a long list of things of one kind, which edits are, some are weighed for all."""
    alike = len(items) > _SAMPLE and is_dataclass(items[0]) and all(type(item) is type(items[0]) for item in items)
    some = items[:_SAMPLE] if alike else items
    return sum(_weight(item, seen) for item in some) * len(items) // max(1, len(some))
