"""Tasks that need memory: batches, what is right, chance, and a probe whose answer can be seen.

Fresh batches are drawn without end, so that nothing can be learned by heart, and a share of all sequences is never
trained on but only there to judge by; where the data are finite (a text, a series), their last part is. Where there
are too few different sequences for that, ``Task.judged`` says so. Shapes in torch's letters; a target is only asked for
where the mask is 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from seqviz.language import later, tr
from seqviz.tasks import drawn
from seqviz.tasks.answers import answers
from seqviz.tasks.base import ACCURACY, MSE, Batch, Task
from seqviz.tasks.judging import Standing, judge
from seqviz.tasks.own import own_series, own_text
from seqviz.tasks.prose import prose

__all__ = ["TASKS", "Batch", "Standing", "Task", "answers", "judge", "own_series", "own_text", "task"]

_BENGIO = later("Bengio, Simard and Frasconi 1994, https://doi.org/10.1109/72.279181")

TASKS: Final[dict[str, Task]] = {
    t.name: t
    for t in (
        Task("latch", later("Latch: recall the first bit"), _BENGIO,
             1, 1, 50, "bits", ACCURACY, 0.5, 0.99, drawn.latch, shortest=2),
        Task("adding", later("Adding: the sum of two marked numbers"),
             later("Le, Jaitly and Hinton 2015, https://arxiv.org/abs/1504.00941"),
             2, 1, 50, "mse", MSE, 1 / 6, 0.01, drawn.adding, shortest=2),
        Task("order", later("Temporal order: which of X and Y came when"),
             later("Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735"),
             6, 4, 100, "classes", ACCURACY, 0.25, 0.99, drawn.order, "XYabcd", shortest=6, space=drawn.orders),
        Task("copy", later("Copy five symbols after a delay"),
             later("Arjovsky, Shah and Bengio 2016, https://arxiv.org/abs/1511.06464"),
             6, 4, 31, "classes", ACCURACY, 0.25, 0.99, drawn.copy, "ABCD_?", shortest=11,
             space=drawn.copies, every=drawn.every_copy),
        Task("flipflop", later("Flip-flop: hold three bits"),
             later("Sussillo and Barak 2013, https://doi.org/10.1162/NECO_a_00409"),
             3, 3, 64, "mse", MSE, 1.0, 0.01, drawn.flipflop, memoryless=drawn.flipflop_without_memory(64)),
        Task("parity", later("Parity of the bits so far"), _BENGIO,
             1, 1, 16, "bits", ACCURACY, 0.5, 0.99, drawn.parity, scored=drawn.after_first, shortest=2,
             space=drawn.bit_strings, every=drawn.every_parity),
        Task("parity_end", later("Parity, judged at the end only"), _BENGIO,
             1, 1, 16, "bits", ACCURACY, 0.5, 0.99, drawn.parity_end, shortest=2,
             space=drawn.bit_strings, every=drawn.every_parity_end),
        Task("brackets", later("Brackets (Dyck-2): which one closes"),
             later("Hewitt et al. 2020, https://arxiv.org/abs/2010.07515"),
             4, 4, 64, "classes", ACCURACY, 0.5, 0.99, drawn.brackets, "([)]", drawn.closing,
             space=drawn.openings, memoryless=drawn.brackets_without_memory(64)),
        Task("sine", later("Sine: the next value"), "",
             1, 1, 60, "mse", MSE, 0.5, 0.002, drawn.sine, shortest=2,
             memoryless=drawn.sine_without_memory()),
        replace(own_text(prose(100_000), name="prose", label=later("Prose: the next character")), solved=0.45),
        replace(own_text(prose(100_000, language="zh"), name="prose_zh",
                         label=later("Prose in Chinese: the next character")), solved=0.88),
    )
}  # fmt: skip


def task(name: str) -> Task:
    """A task by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in TASKS:
        raise ValueError(tr("There is no task {name!r}; there are {known}.", name=name, known=", ".join(TASKS)))
    return TASKS[name]
