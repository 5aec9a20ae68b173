"""Which modules of somebody's model are recurrent, and what is said where none is."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from seqviz.cells.layer import CellLayer
from seqviz.checks import shown
from seqviz.language import Sentence, tr
from seqviz.networks.modules import Instrumented

__all__ = ["CELLS", "LAYERS", "recurrent_modules"]

LAYERS = (nn.RNN, nn.GRU, nn.LSTM, CellLayer)
CELLS = (nn.RNNCell, nn.GRUCell, nn.LSTMCell)

_LOOKS = ("rnn", "gru", "lstm", "recurrent", "mamba", "ssm", "s4", "rwkv", "retention", "xlstm", "minimal", "ligru")
"""Parts of the names of classes that run through a sequence with a state of their own."""


def recurrent_modules(module: nn.Module, wanted: str | Iterable[str] | None) -> dict[str, nn.Module]:
    """The recurrent modules to look at, by path.

    Raises:
        ValueError: there are none, or none of that path; the sentence says what there is.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(tr("The module must be a torch.nn.Module; got {kind}.", kind=type(module).__name__))
    if wanted is None and isinstance(module, LAYERS + CELLS):
        return {"": module}
    inner = {id(m.layer) for m in module.modules() if isinstance(m, Instrumented)}
    every = dict(module.named_modules(remove_duplicate=False))
    named = module.named_modules()
    found: dict[str, nn.Module] = {p: m for p, m in named if isinstance(m, LAYERS + CELLS) and id(m) not in inner}
    if not found:
        raise ValueError(_nothing(module, bool(inner)))
    if wanted is None:
        return found
    if not isinstance(wanted, str | Iterable):
        raise ValueError(tr("modules must be a name or a list of names; got {given}.", given=shown(wanted)))
    paths = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    known = ", ".join(map(repr, found))
    for path in paths:
        if not any(every.get(path) is m for m in found.values()):
            raise ValueError(
                tr("There is no recurrent module {path}. There are {known}.", path=shown(path), known=known)
            )
    if not paths:
        raise ValueError(tr("No module was chosen. There are {known}.", known=known))
    return {path: every[path] for path in paths}


def _nothing(module: nn.Module, instrumented: bool) -> Sentence:
    if instrumented:
        return tr("Capture the network that this instrumented one was made from.")
    kind = type(module).__name__
    names = [(path, _kind(m), m) for path, m in module.named_modules()]
    scripted = [(path, name) for path, name, m in names if name != type(m).__name__ and _looks(name)]
    if scripted:
        return tr(
            "{kind} is scripted and runs where no hook reaches: {found}. Give the module that was scripted.",
            kind=kind,
            found=_listed(scripted),
        )
    quantised = [(path, name) for path, name, m in names if "quantized" in type(m).__module__ and _looks(name)]
    if quantised:
        return tr(
            "{kind} holds quantised layers, whose numbers torch does not give away: {found}. "
            "Give the model that was quantised.",
            kind=kind,
            found=_listed(quantised),
        )
    alike = [(path, name) for path, name, m in names if _looks(name) and m is not module] or [
        (path, name) for path, name, m in names if _looks(name)
    ]
    if alike:
        return tr(
            "{kind} contains no nn.RNN, nn.GRU or nn.LSTM, and none of their cells, to look at. It has {found}, "
            "which are none of torch's.",
            kind=kind,
            found=_listed(alike),
        )
    return tr("{kind} contains no nn.RNN, nn.GRU or nn.LSTM, and none of their cells, to look at.", kind=kind)


def _kind(module: nn.Module) -> str:
    """A module's class; of a scripted one that of what was scripted."""
    return str(getattr(module, "original_name", type(module).__name__))


def _looks(name: str) -> bool:
    return any(part in name.lower() for part in _LOOKS)


def _listed(found: list[tuple[str, str]]) -> str:
    first = [f"{path}: {name}" if path else name for path, name in found[:5]]
    return ", ".join(first) + (", ..." if len(found) > 5 else "")
