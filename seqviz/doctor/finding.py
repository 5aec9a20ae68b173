"""What the doctor finds, what may cure it, and what that did on the data. No numbers are made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from torch import nn

from seqviz.doctor.report import page
from seqviz.experiment import Experiment, Tensor
from seqviz.language import Sentence
from seqviz.memory.found import Ratio
from seqviz.runner import network
from seqviz.telling.doctor import of_diagnosis, of_effect

__all__ = ["Cure", "Diagnosis", "Effect", "Finding", "Row"]


class Row(NamedTuple):
    """Units of a signal that a finding is about: of a trace's ``"l0.f"``; no units mean all of them."""

    signal: str
    units: tuple[int, ...] = ()


class Effect(NamedTuple):
    """What cures did to the loss.

    Args:
        before, after: the loss without and with them.
        ratio: of the two, ``after`` over ``before``, with its interval.
        steps: of training that both went through first; 0 where the cure was looked at as it is.
        helps: whether the loss fell, by a twentieth at the least and surely; after training by a tenth each time.
    """

    before: float
    after: float
    ratio: Ratio
    steps: int
    helps: bool

    def __str__(self) -> str:
        return of_effect(self.before, self.after, self.steps, self.helps)


@dataclass(frozen=True, eq=False)
class Cure:
    """A change of a network that can be applied at once.

    Args:
        name: what it is called.
        change: a module to a changed copy of it.
        clip: the norm at which gradients are clipped while it is trained; None where that is no part of it.
        trained: whether only training shows what it does.
    """

    name: Sentence
    change: Callable[[nn.Module], nn.Module]
    clip: float | None = None
    trained: bool = False

    def apply(self, subject: Any) -> Any:
        """A changed copy of a module; of an experiment another experiment, with the changed weights."""
        if not isinstance(subject, Experiment):
            return self.change(subject)
        changed: Any = self.change(network(subject))
        changed = changed.folded() if hasattr(changed, "folded") else changed
        weights = {name.removeprefix("rnn."): value.numpy() for name, value in changed.state_dict().items()}
        tensors = tuple(Tensor.of(name, value) for name, value in weights.items())
        return replace(subject, tensors=tensors, edits=())


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that is wrong.

    Args:
        kind: which, in a word: ``never_read``, ``forgets``, ``writes_always``, ``never_written``, ``never_back``,
            ``dead``, ``short_memory``, ``saturated``, ``exploding``, ``overflow``, ``scales``.
        title: what it is, in a few words.
        says: the numbers, in a sentence.
        source: where that is written.
        rows: the signals and units that it is about.
        cure: what may be done, or None.
        effect: what the cure did alone; None where it was not measured.
        shared: whether the cure is one of those that helped together.
        certain: whether it is so whatever a cure does; else it is only told because its cure helped.
    """

    kind: str
    title: Sentence
    says: Sentence
    source: Sentence
    rows: tuple[Row, ...]
    cure: Cure | None = None
    effect: Effect | None = None
    shared: bool = False
    certain: bool = False


@dataclass(frozen=True, eq=False)
class Diagnosis(Sequence[Finding]):
    """All the findings, a sequence of them.

    Args:
        findings: those that are borne out.
        together: what the cures did that help together, where there are several; None where there are not.
        loss: of the network as it is; None where there was nothing to judge by.
        harmless: what looked odd, and whose cure did not help: not told as findings.
        untried: whether cures could not be tried, for there was nothing to judge by.
    """

    findings: tuple[Finding, ...]
    together: Effect | None = None
    loss: float | None = None
    harmless: tuple[Finding, ...] = ()
    untried: bool = False

    def __getitem__(self, index: Any) -> Any:
        return self.findings[index]

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def helping(self) -> tuple[Finding, ...]:
        """The findings whose cures help, alone or together."""
        return tuple(f for f in self if f.cure and (f.shared or (f.effect is not None and f.effect.helps)))

    @property
    def sentence(self) -> Sentence:
        """What it comes to."""
        effects = [f.effect for f in self.helping if f.effect is not None]
        best = self.together or min(effects, key=lambda effect: effect.after, default=None)
        numbers = None if best is None else (best.before, best.after, best.steps)
        return of_diagnosis(len(self), numbers, together=self.together is not None, untried=self.untried)

    def report(self, name: str = "", *, context: Sequence[str] = (), again_by: str = "") -> str:
        """All of it as a page of HTML that needs nothing else, to be written as UTF-8; in the language of now.

        Args:
            name: of the network.
            context: what else is to be said at the top, a sentence each.
            again_by: commands or code by which it is found again.
        """
        return page(self, name, context=context, again_by=again_by)

    def cured(self, subject: Any) -> Any:
        """A copy of the subject, module or experiment, with all the cures that help."""
        for finding in self.helping:
            assert finding.cure is not None
            subject = finding.cure.apply(subject)
        return subject
