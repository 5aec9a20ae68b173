"""What Keras lists of a model beside its weights: which layers there are, how each is set, which feeds which."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seqviz.cells.squashing import GATED_BY, SQUASHINGS
from seqviz.language import Sentence, tr, trn
from seqviz.reading.networks.stored import Stored, brief
from seqviz.reading.networks.told import GATES

__all__ = ["Described", "Place", "description", "is_cudnn"]

MAX_LAYERS: Final = 10_000
MAX_DEPTH: Final = 16

_RECURRENT: Final = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "CuDNNLSTM",
                               "CuDNNGRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})  # fmt: skip
_OWN: Final = frozenset({"LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "CuDNNLSTM", "CuDNNGRU"})
_PASSING: Final = frozenset({"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Masking",
                             "ActivityRegularization", "Identity"})  # fmt: skip
_TAIL: Final = re.compile(
    r"(?P<owner>.+?)(?:/(?:forward|backward)_layer)?(?:/layer)?(?:/cell(?:/cells/(?P<cell>[^/]+))?)?"
)
_RENAMED: Final = {"swish": "silu", "": ""}
_DRAWERS: Final = ("layers", "_layer_checkpoint_dependencies")

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A layer that the model lists.

    Attributes:
        name, kind, config: what it is called, its class and its settings.
        takes: the layers whose output it takes where it is used first, the states that it begins with last.
        index: its place in the list.
        version: of Keras.
        uses: how often the model uses it.
        owner: the model in the model that it belongs to; empty at the top.
    """

    name: str
    kind: str
    config: Config
    takes: tuple[str, ...]
    index: int
    version: int = 3
    uses: int = 1
    owner: str = ""

    @property
    def cells(self) -> list[Any]:
        """Of a layer with several cells, each as it is listed."""
        config = _config(self.config["layer"]) if isinstance(self.config.get("layer"), Mapping) else self.config
        listed = _config(config.get("cell")).get("cells")
        return listed if isinstance(listed, list) else []

    def inner(self, number: int, *, backward: bool = False) -> tuple[str, Config]:
        """The class and the settings of the layer, or of its cell of that number, that holds the weights."""
        kind, config = self.kind, self.config
        apart = backward and isinstance(config.get("backward_layer"), Mapping)
        for key in ("backward_layer" if apart else "layer", "cell"):
            if isinstance(config.get(key), Mapping):
                kind, config = _kind(config[key]), _config(config[key])
        if self.cells:
            cell = self.cells[number] if number < len(self.cells) else None
            return _kind(cell), _config(cell)
        return kind, config


@dataclass(frozen=True)
class Place:
    """Where a cell belongs: the layer's name as a person calls it, and what is known of it.

    Attributes:
        name: of the layer; of the cell too where the layer has several.
        entry: what the model lists of it; None where it lists nothing.
        cell: of several in one layer, what it is called; else empty.
        number: of several cells, which it is.
        backward: whether it is the backward direction of a Bidirectional.
    """

    name: str
    entry: Entry | None
    cell: str = ""
    number: int = 0
    backward: bool = False

    @property
    def kind(self) -> str:
        """The class that holds the weights; empty where it is not known."""
        return self.entry.inner(self.number, backward=self.backward)[0] if self.entry else ""

    @property
    def settings(self) -> Config:
        """Of that class."""
        return self.entry.inner(self.number, backward=self.backward)[1] if self.entry else {}

    @property
    def order(self) -> tuple[int, bool, int]:
        """Layers as they are listed, of each the forward direction first, cells as they follow each other."""
        return self.entry.index if self.entry else 0, self.backward, self.number

    @property
    def ends(self) -> tuple[str, str]:
        """Where its input comes from and its output goes to: the layer, or between two cells of it."""
        if self.entry is None:
            return "", ""
        name, last = self.entry.name, len(self.entry.cells) - 1
        inlet = f"{name}\0{self.number - 1}" if self.number else name
        return inlet, f"{name}\0{self.number}" if self.number < last else name

    @property
    def goes_backwards(self) -> bool:
        """Whether it takes the last step first; of several cells of a layer only the first turns the sequence."""
        return self.entry is not None and not self.number and (self.entry.config.get("go_backwards") is True
                                           or (self.entry.kind != "Bidirectional"
                                               and self.settings.get("go_backwards") is True))  # fmt: skip

    @property
    def merge(self) -> str:
        """How the two directions are put together."""
        both = self.entry is not None and self.entry.kind == "Bidirectional"
        return str(self.entry.config.get("merge_mode", "concat")) if both and self.entry else "concat"

    def activation(self, name: str) -> str:
        """A function by its name in :data:`seqviz.cells.squashing.SQUASHINGS`; empty where the file does not say."""
        said = self.settings.get(name, "")
        if isinstance(said, Mapping):
            said = said.get("config") if isinstance(said.get("config"), str) else f"{said.get('class_name')}(…)"
        said = "linear" if said is None else _RENAMED.get(str(said), str(said))
        old = self.entry is not None and self.entry.version < 3
        return "hard_sigmoid_5" if said == "hard_sigmoid" and old else said

    def functions(self, cell: str) -> tuple[str, ...]:
        """What it squashes with where that is not what torch does, as ``name_of`` takes them; else none."""
        gates, rest = self.activation("recurrent_activation") or "sigmoid", self.activation("activation") or "tanh"
        if cell == "RNN":
            return () if rest in ("tanh", "relu") else (rest,)
        found = (gates, rest, rest) if cell == "LSTM" else (gates, rest)
        return () if set(found) == {"sigmoid", "tanh"} and gates == "sigmoid" else found

    def reset_after(self, size: int, bias: Stored | None) -> bool | None:
        """Which GRU it is; None where the file does not say."""
        if bias is not None:
            return len(bias.shape) == 2 or is_cudnn("GRU", size, bias)
        said = self.settings.get("reset_after")
        return said if isinstance(said, bool) else None

    def problem(self, cell: str, size: int, bias: Stored | None) -> Sentence | None:
        """Why it cannot be read."""
        name = brief(self.name)
        blocks = len(GATES[cell]) * size
        if self.cell and self.entry is not None and self.entry.kind == "Bidirectional":
            return tr("{name} is one of several cells in a Bidirectional, which is not read; train it with one "
                      "Bidirectional(layer) for each, and save it again.", name=name)  # fmt: skip
        if is_cudnn(cell, size, bias):
            return None  # sigmoid and tanh, always
        if bias is not None and bias.shape not in ((blocks,), (2, blocks) if cell == "GRU" else (blocks,)):
            return tr("{name} must have the shape {shape}, not {given}.", name=brief(bias.name), shape=(blocks,),
                      given=bias.shape)  # fmt: skip
        wanted = {"activation": tuple(SQUASHINGS)} | ({} if cell == "RNN" else {"recurrent_activation": GATED_BY})
        for setting, allowed in wanted.items():
            given = self.activation(setting)
            if given and given not in allowed:
                known = ", ".join(each for each in allowed if not each[-1].isdigit())
                return tr("{name} has {setting}={given}, which is not read; read are {known}. Train it with one of "
                          "these, and save it again.", name=name, setting=setting, given=brief(given),
                          known=known)  # fmt: skip
        return None

    def remarks(self) -> Iterator[Sentence]:
        """What is to be known of it."""
        name = brief(self.name)
        if self.entry is None:
            return
        if self.kind not in _OWN:
            yield tr("{name} was made by a class {kind} that is not Keras’ own; it is read as if it were.", name=name,
                     kind=brief(self.kind) or "?")  # fmt: skip
        if "hard_sigmoid" in (gates := self.activation("recurrent_activation")):
            yield tr("{name} has hard sigmoids for gates: of slope 1/{steps}, as Keras {version} has them.", name=name,
                     steps=5 if gates.endswith("5") else 6, version=self.entry.version)  # fmt: skip
        if self.goes_backwards:
            yield tr("{name} has go_backwards=True: it takes the last step first. Give it the sequence turned round.",
                     name=name)  # fmt: skip
        if self.merge != "concat":
            yield tr("{name} puts its two directions together with merge_mode={mode}; here they stand side by side.",
                     name=name, mode=brief(self.merge))  # fmt: skip
        if self.entry.uses > 1:
            yield trn("The model uses {name} {count} time; here it is run on what it takes first.",
                      "The model uses {name} {count} times; here it is run once, on what it takes first.",
                      self.entry.uses, name=name)  # fmt: skip
        if self.entry.kind in _OWN and len(self.entry.takes) > 1:
            yield tr("{name} begins with a state that the network gives it; here it begins with zeros.", name=name)
        if self.entry.kind == "Bidirectional" and self.settings.get("return_sequences") is False:
            yield tr("{name} gives the last step of each direction alone, of the backward one the first in time; here "
                     "all steps are there.", name=name)  # fmt: skip
        if self.settings.get("stateful") is True or self.entry.config.get("stateful") is True:
            yield tr("{name} is stateful: Keras goes on from the state of the batch before. Here each sequence begins "
                     "with zeros.", name=name)  # fmt: skip


def is_cudnn(cell: str, size: int, bias: Stored | None) -> bool:
    """Whether a bias is one of CuDNNLSTM or CuDNNGRU, which have both of torch's in one row."""
    return bias is not None and cell != "RNN" and bias.shape == (2 * len(GATES[cell]) * size,)


@dataclass
class Described:
    """The layers that a model lists, by name and by the path that Keras 3 gives them in a file."""

    named: dict[str, Entry] = field(default_factory=dict)
    paths: dict[str, Entry] = field(default_factory=dict)
    version: int = 3
    ends: dict[str, str] = field(default_factory=dict)
    """Of each model in the model, the layer that gives what it gives."""

    def place(self, path: str, texts: Mapping[str, Mapping[str, str]]) -> Place:
        """Where the cell at a path of the file belongs."""
        if path.split("/")[0] in ("model_weights", *self.named) or not _drawn(path, texts):
            return self._old(path.removeprefix("model_weights/").split("/"))
        found = _TAIL.fullmatch(path)
        owner, cell = (found["owner"], found["cell"] or "") if found else (path, "")
        said = texts.get(f"{owner}/vars", {}).get("name", "")
        entry = self.named.get(said) or self.paths.get(owner)
        name = _spoken(owner, texts)
        among = list(_numbered(map(_kind, entry.cells))) if entry else []
        number = among.index(cell) if cell in among else 0
        return Place(f"{name}.{cell}" if cell else name, entry, cell, number, "/backward_layer/" in f"/{path}/")

    def _old(self, parts: list[str]) -> Place:
        """``my lstm/sequential/my lstm/lstm_cell``, as the older files have it."""
        listed = [self.named[part] for part in parts if part in self.named]
        entry = next((each for each in listed if each.kind in _RECURRENT), None)
        called = _config(entry.config.get("backward_layer")).get("name") if entry else None
        backward = any(part.startswith("backward_") or part == called for part in parts)
        name, among = (
            (entry.name if entry else parts[0]),
            [_config(each).get("name") for each in entry.cells] if entry else [],
        )
        if not among:
            return Place(name, entry, backward=backward)
        number = among.index(parts[-1]) if parts[-1] in among else 0
        return Place(f"{name}.{parts[-1]}", entry, parts[-1], number, backward)

    def others(self, texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The layers that are neither recurrent nor without effect, by name with their class, and how they end."""
        found = {}
        for path, entry in self.paths.items():
            if entry.kind in _RECURRENT | _PASSING - {"Masking", "TimeDistributed"} or any(
                other.startswith(f"{path}/") for other in self.paths
            ):
                continue
            name = _spoken(path, texts) if f"{path}/vars" in texts else entry.name
            found[name] = entry.kind
            ends = entry.config.get("activation")
            if entry.kind != "Activation" and isinstance(ends, str) and ends != "linear":
                found[f"{name}/activation"] = ends
        return found

    def source(self, name: str, among: frozenset[str]) -> str | Entry | None:
        """What a layer takes, past those that change nothing and into models in the model.

        Returns:
            The name of one of ``among``, or what is listed of another layer; None where it takes the model's input.
        """
        for _ in range(MAX_LAYERS):
            entry = self.named.get(name)
            takes = entry.takes if entry else ()
            while entry is not None and not takes and entry.owner:
                entry = self.named.get(entry.owner)
                takes = entry.takes if entry else ()
            if not takes:
                return None
            name = takes[0]
            while name in self.ends:
                name = self.ends[name]
            if name in among:
                return name
            if name not in self.named:
                return None
            if self.named[name].kind not in _PASSING:
                return self.named[name]
        return None


def description(text: str, version: str = "") -> Described:
    """The layers that ``model.to_json()`` lists; none where it is not such a text.

    Args:
        text: the list.
        version: of Keras, as the file says it; what is listed tells it where that does not.
    """
    found = Described()
    try:
        top = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return found
    if isinstance(top, Mapping):
        said = re.match(r"\d{1,2}", version or str(top.get("keras_version") or ""))
        # TensorFlow's own Keras, whose versions go from 2.0 to 2.20, is Keras 2.
        found.version = int(said[0]) if said else 3 if "module" in top else 2
        _walk(top, "", "", 0, found)
    return found


def _walk(node: Mapping[str, Any], path: str, owner: str, depth: int, found: Described) -> None:
    config = node.get("config")
    listed = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(listed, list) or depth > MAX_DEPTH:
        return
    listed = [each for each in listed if isinstance(each, Mapping)]
    sequential, last = _kind(node) == "Sequential", ""
    for numbered, each in zip(_numbered(map(_kind, listed)), listed, strict=True):
        name = str(_config(each).get("name") or each.get("name") or numbered)
        nodes = each.get("inbound_nodes")
        uses = len(nodes) if isinstance(nodes, list) and not sequential else 1
        takes: tuple[str, ...] = (last,) if last else ()
        if not sequential:
            takes = _inbound(nodes[:1] if isinstance(nodes, list) else nodes)
        if len(found.named) >= MAX_LAYERS:
            return
        entry = Entry(name, _kind(each), _config(each), takes, len(found.paths), found.version, uses, owner)
        inside = f"{path}layers/{numbered}"
        found.named.setdefault(name, entry)
        found.paths[inside] = entry
        _walk(each, f"{inside}/", name, depth + 1, found)
        last = name
    if owner and last:
        found.ends[owner] = last if sequential else next(_outputs(_config(node).get("output_layers")), last)


def _outputs(listed: Any, depth: int = 0) -> Iterator[str]:
    """The layer that a model gives the output of: ``["dense", 0, 0]``, or a list of one such."""
    if isinstance(listed, list) and listed and isinstance(listed[0], str):
        yield listed[0]
    elif isinstance(listed, list) and len(listed) == 1 and depth < MAX_DEPTH:
        yield from _outputs(listed[0], depth + 1)


def _inbound(nodes: Any, depth: int = 0) -> tuple[str, ...]:
    """The names of layers in a layer's nodes, of Keras 3 (``keras_history``) or of before (``["lstm", 0, 0, {}]``)."""
    if isinstance(nodes, Mapping) and depth < MAX_DEPTH:
        history = nodes.get("keras_history")
        if isinstance(history, list) and history and isinstance(history[0], str):
            return (history[0],)
        return tuple(name for each in nodes.values() for name in _inbound(each, depth + 1))
    if isinstance(nodes, list) and depth < MAX_DEPTH:
        if len(nodes) > 2 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            return (nodes[0],)
        return tuple(name for each in nodes for name in _inbound(each, depth + 1))
    return ()


def _numbered(kinds: Any) -> Iterator[str]:
    """``lstm``, ``lstm_1``, … as Keras calls layers by their classes."""
    seen: Counter[str] = Counter()
    for kind in kinds:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        yield f"{snake}_{seen[snake]}" if seen[snake] else snake
        seen[snake] += 1


def _kind(node: Any) -> str:
    return str(node.get("class_name", "")) if isinstance(node, Mapping) else ""


def _config(node: Any) -> Config:
    config = node.get("config") if isinstance(node, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def _drawn(path: str, texts: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a path is one of Keras 3's."""
    return any(part in _DRAWERS for part in path.split("/")) or f"{path}/vars" in texts


def _spoken(path: str, texts: Mapping[str, Mapping[str, str]]) -> str:
    """A path with the names that a person gave: ``layers/functional/layers/lstm`` is ``model.my lstm``."""
    parts, said = path.split("/"), []
    for k, part in enumerate(parts):
        if part in _DRAWERS:
            continue
        drawn = k > 0 and parts[k - 1] in _DRAWERS
        said.append(texts.get("/".join(parts[: k + 1]) + "/vars", {}).get("name", part) if drawn else part)
    return ".".join(said) or path
