"""Whether the lines of a cell make sense together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from seqviz.cells.text import Directive, Expression, Line, walk
from seqviz.cells.tokens import FUNCTIONS, Token, fail, is_matrix, is_vector, near
from seqviz.language import tr

__all__ = ["Checked", "check"]

MAX_SIZE = 4096
"""Of a value of another width than the units."""


@dataclass
class Checked:
    """Lines whose names all mean something: constants apart, states found."""

    lines: list[Line]
    by_name: dict[str, Line]
    states: tuple[str, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)
    """Lines without x, a state or a weight."""
    start: dict[str, float] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    fixed_at: dict[str, Token] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def warnings(self, *, reads_input: bool) -> tuple[str, ...]:
        """What is odd: memory that is not there, values that nobody reads."""
        says: list[str] = []
        if not reads_input:
            says.append(tr("No line reads x: the cell does not see its input."))
        if not self.states:
            says.append(tr("Nothing of the step before is read (no …_prev): the cell has no memory."))
        read = {e.name for line in self.lines for e in walk(line.expression) if e.op in ("name", "prev")}
        for line in self.lines:
            if line.name not in read and line.name != "h":
                says.append(tr("line {line}: {name} is never used.", line=line.at.line, name=line.name))
        reached = self._reached()
        for state in self.states:
            if state not in reached:
                line = self.by_name[state]
                says.append(tr("line {line}: the state {name} never reaches h.", line=line.at.line, name=state))
        return tuple(says)

    def _reached(self) -> set[str]:
        """What h depends on, over any number of steps."""
        found, waiting = {"h"}, ["h"]
        while waiting:
            for e in walk(self.by_name[waiting.pop()].expression):
                if e.op in ("name", "prev") and e.name in self.by_name and e.name not in found:
                    found.add(e.name)
                    waiting.append(e.name)
        return found


def check(lines: list[Line], directives: list[Directive]) -> Checked:
    """Refuse what means nothing, with its place and a remedy."""
    if not lines:
        fail(tr("There are no equations yet."), None, tr("For example: h = tanh(W_xh x + W_hh h_prev + b_h)"))
    by_name: dict[str, Line] = {}
    for line in lines:
        if line.name in by_name:
            already = by_name[line.name].at.line
            says = tr(
                "{name} is already set in line {line}: a name stands for one value a step.",
                name=line.name,
                line=already,
            )
            fail(says, line.at)
        by_name[line.name] = line
    checked = Checked(lines, by_name)
    before = _names(checked)
    if "h" not in by_name:
        hint = tr("For example: h = {name}", name=lines[-1].name)
        fail(tr("No line sets h, which is what the next layer and the output read."), lines[-1].at, hint)
    if "h" in checked.numbers:
        fail(tr("h is a plain number: it depends on nothing."), by_name["h"].at)
    for name, token in before.items():
        if name in checked.numbers:
            value = checked.numbers[name]
            fail(tr("{name} is the number {value:g}: it is the same at every step.", name=name, value=value), token)
    order = list(by_name)
    checked.states = tuple(sorted(before, key=lambda name: (name != "h", order.index(name))))
    _directives(checked, directives)
    return checked


def _names(checked: Checked) -> dict[str, Token]:
    """Check every name that is read; the names that are read of the step before."""
    before: dict[str, Token] = {}
    seen: set[str] = set()
    for line in checked.lines:
        constant = True
        for e in walk(line.expression):
            constant &= e.op not in ("prev", "mat") and (e.op != "name" or e.name in checked.numbers)
            if e.op == "prev":
                _check_before(e, checked.by_name)
                before.setdefault(e.name, e.at)  # type: ignore[arg-type]
            elif e.op == "name":
                _check_name(e, line, checked.by_name, seen)
        if constant:
            checked.numbers[line.name] = _fold(line.expression, checked.numbers)
        seen.add(line.name)
    return before


def _check_before(e: Expression, by_name: dict[str, Line]) -> None:
    name = e.name
    if name in by_name:
        return
    if name == "x":
        hint = tr("Keep it in a state of your own: k = W_xk x, and read k_prev.")
        fail(tr("The input of the step before is not kept."), e.at, hint)
    if is_vector(name) or is_matrix(name):
        fail(tr("{name} is a weight: it is the same at every step.", name=name), e.at)
    meant = near(name, by_name)
    hint = tr("Did you mean {meant}?", meant=f"{meant}_prev") if meant else tr("Add a line {name} = …", name=name)
    fail(tr("{name}_prev is the {name} of the step before, but no line sets {name}.", name=name), e.at, hint)


def _check_name(e: Expression, line: Line, by_name: dict[str, Line], seen: set[str]) -> None:
    name = e.name
    if name in seen or name == "x" or (is_vector(name) and name not in by_name):
        return
    if name == line.name:
        hint = tr("Write {name}_prev for the value of the step before.", name=name)
        fail(tr("{name} stands on both sides of its =.", name=name), e.at, hint, before=True)
    if name in by_name:
        hint = tr("Move that line up, or write {name}_prev for the value of the step before.", name=name)
        says = tr(
            "{name} is set in line {line}, below: here it has no value yet.", name=name, line=by_name[name].at.line
        )
        fail(says, e.at, hint, before=True)
    meant = near(name, [*seen, "x", *by_name, *FUNCTIONS])
    learned = tr("Names that are learned begin with a capital (a matrix), or with b_ or p_ (a vector).")
    fail(tr("No line sets {name}.", name=name), e.at, tr("Did you mean {meant}?", meant=meant) if meant else learned)


def _directives(checked: Checked, directives: list[Directive]) -> None:
    for said in directives:
        if said.word == "size":
            if said.name not in checked.by_name or not 1 <= said.value <= MAX_SIZE or said.value != int(said.value):
                most = MAX_SIZE
                says = tr("A size is a whole number from 1 to {most:,} of a name that a line sets.", most=most)
                fail(says, said.at)
            checked.sizes[said.name] = int(said.value)
        elif said.word == "start":
            if said.name not in checked.states:
                states = ", ".join(checked.states)
                hint = tr("The states are {states}.", states=states) if states else ""
                fail(tr("{name} is no state: nothing reads {name}_prev.", name=said.name), said.at, hint)
            checked.start[said.name] = said.value
        else:
            checked.fixed |= {said.name}
            checked.fixed_at[said.name] = said.at


_VALUES: dict[str, Callable[..., float]] = {
    "neg": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "relu": lambda v: max(v, 0.0),
    "softplus": lambda v: math.log1p(math.exp(v)),
    "logsigmoid": lambda v: -math.log1p(math.exp(-v)),
    **{"exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "min": min, "abs": abs},
    **{"sqrt": math.sqrt, "sin": math.sin, "cos": math.cos},
}


def _fold(e: Expression, numbers: dict[str, float]) -> float:
    """The value of a line of plain numbers."""
    args = [_fold(arg, numbers) for arg in e.args]
    if e.op == "number":
        return e.value
    if e.op == "name":
        return numbers[e.name]
    try:
        value = args[0] ** e.value if e.op == "^" else _VALUES[e.name or e.op](*args)
        if isinstance(value, complex) or not math.isfinite(value):
            raise ArithmeticError
    except (ArithmeticError, ValueError):
        fail(tr("This number cannot be computed."), e.at)
    return value
