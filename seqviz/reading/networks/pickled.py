"""A pickle read as data: what it would have called is noted down, and nothing is called.

The opcodes are those of `pickletools <https://docs.python.org/3/library/pickletools.html>`_, which also holds every
length in them against the bytes that are there. A name in the pickle is a name here, never looked up.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from typing import IO, Any, Final, NamedTuple

from seqviz.language import tr

__all__ = ["Made", "Name", "Ordered", "Steps", "read_pickle"]

MAX_BYTES: Final = 2**24
MAX_OPCODES: Final = 500_000

_LONGEST: Final = 256
_SCALARS: Final = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 "
    "BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 FLOAT BINFLOAT"
)
_PUSHED: Final = frozenset(_SCALARS.split())
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Name(NamedTuple):
    """A class or function that the pickle names."""

    module: str
    name: str


class Made:
    """What the pickle would have had made: by what, from what, and the state that it was ``given``."""

    __slots__ = ("args", "by", "given", "items")

    def __init__(self, by: Any, args: Any) -> None:
        self.by, self.args = by, args
        self.given: Any = None
        self.items: dict[str, Any] = {}

    @property
    def state(self) -> Any:
        """Its attributes: the first part of a state in several."""
        return _first(self.given)


class Ordered(dict[str, Any]):
    """An OrderedDict, which may have a state beside its items."""

    state: Any = None


def _text(key: Any, otherwise: str) -> str:
    """A key of a dict as a text; ``otherwise`` where it has none."""
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key[:_LONGEST].decode("utf-8", "replace")
    if isinstance(key, float) or key is None or (isinstance(key, int) and abs(key) < 2**63):
        return str(key)
    if isinstance(key, tuple) and len(key) <= 8 and not any(isinstance(each, tuple) for each in key):
        return ", ".join(_text(each, otherwise) for each in key)[:_LONGEST]
    return otherwise


def _first(state: Any) -> Any:
    return state[0] if isinstance(state, tuple) and state else state


Build = Callable[[Any, Any], Any]


class Steps:
    """How many opcodes may still be read."""

    def __init__(self) -> None:
        self.left = MAX_OPCODES


def read_pickle(
    data: bytes | IO[bytes],
    build: Build,
    stored: Callable[[Any], Any],
    *,
    most: int = MAX_BYTES,
    steps: Steps | None = None,
) -> Any:
    """What a pickle describes: dicts, lists, tuples, texts and numbers as they are, anything else as ``Made``.

    Args:
        data: the pickle, or an open file, which is left behind the pickle.
        build: takes a :class:`Name` (or whatever stands in its place) and arguments, and gives what they stand for.
        stored: takes the description of something that lies outside the pickle, and gives what stands for it.
        most: bytes that are read.
        steps: how many opcodes may still be read, of this and of other pickles.

    Returns:
        The object. Of a dict the keys are texts, whatever they were.

    Raises:
        ValueError: one sentence; it is damaged, too long, or of a kind that torch does not write.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    begun, machine, steps = file.tell(), _Machine(build, stored), steps or Steps()
    try:
        for opcode, argument, _ in pickletools.genops(file):
            steps.left -= 1
            if steps.left < 0:
                raise _TooLong(tr("The file's list of contents has more than {most:,} entries.", most=MAX_OPCODES))
            if file.tell() - begun > most:
                raise _TooLong(tr("The file's list of contents is larger than {most} MiB.", most=most // 2**20))
            machine.step(opcode.name, argument)
        return machine.stack[-1]
    except _TooLong:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(
            tr("The file's list of contents cannot be read; it may have been cut short or changed.")
        ) from error


class _TooLong(ValueError):
    """A pickle that goes on for longer than is read."""


class _Machine:
    """Python's pickle machine without its hands."""

    def __init__(self, build: Build, stored: Callable[[Any], Any]) -> None:
        self.build, self.stored = build, stored
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _PUSHED:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            count = _TUPLES[name]
            if len(self.stack) < count:
                raise IndexError(name)
            self.stack[-count:] = [tuple(self.stack[-count:])]
        else:
            getattr(self, f"_{name.lower()}")(argument)

    def _marked(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _proto(self, argument: Any) -> None:
        pass

    _frame = _stop = _proto

    def _mark(self, argument: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def _pop(self, argument: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._marked()

    def _pop_mark(self, argument: Any) -> None:
        self._marked()

    def _dup(self, argument: Any) -> None:
        self.stack.append(self.stack[-1])

    def _put(self, argument: int) -> None:
        self.memo[argument] = self.stack[-1]

    _binput = _long_binput = _put

    def _memoize(self, argument: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _get(self, argument: int) -> None:
        self.stack.append(self.memo[argument])

    _binget = _long_binget = _get

    def _empty_list(self, argument: Any) -> None:
        self.stack.append([])

    def _empty_dict(self, argument: Any) -> None:
        self.stack.append({})

    def _empty_tuple(self, argument: Any) -> None:
        self.stack.append(())

    def _empty_set(self, argument: Any) -> None:
        self.stack.append(Made(Name("builtins", "set"), ()))

    def _list(self, argument: Any) -> None:
        items = self._marked()
        self.stack.append(items)

    def _tuple(self, argument: Any) -> None:
        items = self._marked()
        self.stack.append(tuple(items))

    def _frozenset(self, argument: Any) -> None:
        items = self._marked()
        self.stack.append(Made(Name("builtins", "frozenset"), items))

    def _dict(self, argument: Any) -> None:
        items = self._marked()
        self.stack.append({})
        self._set(items)

    def _append(self, argument: Any) -> None:
        self._extend([self.stack.pop()])

    def _appends(self, argument: Any) -> None:
        self._extend(self._marked())

    _additems = _appends

    def _extend(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def _setitem(self, argument: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def _setitems(self, argument: Any) -> None:
        self._set(self._marked())

    def _set(self, items: list[Any]) -> None:
        """Texts are keys alone: hashing whatever else a file holds can take forever."""
        onto = self.stack[-1]
        target = onto.items if isinstance(onto, Made) else onto
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_text(key, f"#{len(target)}")] = value

    def _global(self, argument: str) -> None:
        self.stack.append(Name(*argument.split(" ", 1)))

    def _stack_global(self, argument: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name is a text")
        self.stack.append(Name(module, name))

    def _reduce(self, argument: Any) -> None:
        args, by = self.stack.pop(), self.stack.pop()
        self.stack.append(self.build(by, args))

    _newobj = _reduce

    def _newobj_ex(self, argument: Any) -> None:
        _, args, by = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.stack.append(self.build(by, args))

    def _obj(self, argument: Any) -> None:
        by, *args = self._marked()
        self.stack.append(self.build(by, tuple(args)))

    def _inst(self, argument: str) -> None:
        args = self._marked()
        self.stack.append(self.build(Name(*argument.split(" ", 1)), tuple(args)))

    def _build(self, argument: Any) -> None:
        state, onto = self.stack.pop(), self.stack[-1]
        if isinstance(onto, Made):
            onto.given = state
        elif isinstance(onto, Ordered):
            onto.state = _first(state)

    def _binpersid(self, argument: Any) -> None:
        self.stack.append(self.stored(self.stack.pop()))
