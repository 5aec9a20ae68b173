"""An experiment written down: JSON for a file, base64url for an address. Every float survives.

Which class is read is the caller's to say, so that the value can know its codec and not the other way round.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from seqviz.checks import choice, shown
from seqviz.experiment.interventions import Ablate, Clamp, Intervention, Scale
from seqviz.experiment.parts import Init, InputEdit, Sequence, Tensor, WeightEdit
from seqviz.language import later, tr, trn

__all__ = ["MAX_DOCUMENT", "from_json", "from_url", "to_json", "to_url"]

Read = TypeVar("Read")

FORMAT: Final = 1
MAX_DOCUMENT: Final = 32 * 2**20
"""Characters of JSON that are read at the most; a link is unpacked no further than this."""

MAX_ITEMS: Final = 500_000
"""Commas and opening brackets of a document: a bound on what reading it may allocate."""

_KINDS: Final[dict[str, type]] = {"clamp": Clamp, "ablate": Ablate, "scale": Scale}
_PARTS: Final[dict[str, Any]] = {"init": Init, "sequence": Sequence}
_THE_EXPERIMENT: Final = later("The experiment")
_THE_INIT: Final = later("The init")
_THE_SEQUENCE: Final = later("The sequence")
_A_TENSOR: Final = later("A weight tensor")
_AN_INTERVENTION: Final = later("An intervention")


def to_json(experiment: Any, indent: int | None = None) -> str:
    """The experiment as a JSON document; fields at their defaults are left out."""
    separators = (",", ":") if indent is None else (",", ": ")
    document = {"seqviz": FORMAT, **_fields(experiment)}
    return json.dumps(document, indent=indent, ensure_ascii=False, separators=separators)


def from_json(kind: type[Read], text: str | bytes) -> Read:
    """Read :func:`to_json`'s document; ValueError with one sentence where it is not one."""
    if not isinstance(text, str | bytes):
        raise ValueError(tr("An experiment is read from text, not from {kind}.", kind=type(text).__name__))
    if len(text) > MAX_DOCUMENT:
        raise ValueError(tr("The experiment file is larger than {size} MB.", size=MAX_DOCUMENT // 2**20))
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        if sum(map(text.count, ",[{")) > MAX_ITEMS:
            raise ValueError("too many items")
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(tr("This is not an experiment: it cannot be read as JSON, or holds too much.")) from error
    return _from_plain(kind, document)


def to_url(experiment: Any) -> str:
    """Deflated JSON in base64url, without padding."""
    packed = zlib.compress(to_json(experiment).encode(), 9)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def from_url(kind: type[Read], code: str) -> Read:
    """Read :func:`to_url`'s text; ValueError where it was cut short, changed, or unpacks to too much."""
    broken = tr("The address does not hold a whole experiment; it may have been cut short or changed.")
    if not isinstance(code, str):
        raise ValueError(broken)
    try:
        packed = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MAX_DOCUMENT)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError(broken)
        document = text.decode()
    except (binascii.Error, UnicodeError, zlib.error) as error:
        raise ValueError(broken) from error
    return from_json(kind, document)


def _fields(value: Any) -> dict[str, Any]:
    default = None if isinstance(value, Tensor) else type(value)()
    found = {}
    for item in fields(value):
        content = getattr(value, item.name)
        if default is None or content != getattr(default, item.name):
            found[item.name] = _plain(content)
    return found


def _plain(content: Any) -> Any:
    if isinstance(content, bytes):
        return base64.b64encode(content).decode()
    if isinstance(content, InputEdit):
        return [content.step, content.feature, content.value]
    if isinstance(content, WeightEdit):
        return [content.parameter, content.row, content.col, content.value]
    if isinstance(content, Clamp | Ablate | Scale):
        kind = next(name for name, cls in _KINDS.items() if type(content) is cls)
        return {"kind": kind, **{f.name: _plain(getattr(content, f.name)) for f in fields(content)}}
    if isinstance(content, Init | Sequence | Tensor):
        return _fields(content)
    if isinstance(content, tuple):
        return [_plain(item) for item in content]
    return content


def _from_plain(kind: type[Read], document: Any) -> Read:
    if not isinstance(document, dict) or "seqviz" not in document:
        raise ValueError(tr('This is not an experiment: it lacks the field "seqviz" with the format\'s version.'))
    version = document["seqviz"]
    if version != FORMAT or isinstance(version, bool):
        raise ValueError(
            tr(
                "The experiment is of format {found}; this version of seqviz reads format {known}.",
                found=shown(version),
                known=FORMAT,
            )
        )
    body = {name: content for name, content in document.items() if name != "seqviz"}
    _known(body, kind, _THE_EXPERIMENT)
    for name, cls in _PARTS.items():
        if name in body:
            body[name] = _part(cls, body[name])
    if "edits" in body:
        body["edits"] = tuple(_row(WeightEdit, row, 4) for row in _list(body["edits"], "edits"))
    if "tensors" in body:
        body["tensors"] = tuple(_tensor(row) for row in _list(body["tensors"], "tensors"))
    if "interventions" in body:
        rows = _list(body["interventions"], "interventions")
        body["interventions"] = tuple(_intervention(row) for row in rows)
    return _build(kind, body, _THE_EXPERIMENT)


def _part(cls: type, content: Any) -> Any:
    what = _THE_INIT if cls is Init else _THE_SEQUENCE
    _known(content, cls, what)
    body = dict(content)
    if "edits" in body:
        body["edits"] = tuple(_row(InputEdit, row, 3) for row in _list(body["edits"], "edits"))
    if "values" in body:
        body["values"] = _bytes(body["values"])
    for name in ("names", "labels"):
        if name in body:
            body[name] = tuple(_list(body[name], name))
    return _build(cls, body, what)


def _tensor(content: Any) -> Tensor:
    _known(content, Tensor, _A_TENSOR)
    body = {**content, "data": _bytes(content.get("data"))}
    body["shape"] = tuple(_list(body.get("shape"), "shape"))
    return _build(Tensor, body, _A_TENSOR)


def _intervention(content: Any) -> Intervention:
    if not isinstance(content, dict):
        raise ValueError(tr("An intervention must be an object with its kind."))
    body = dict(content)
    cls = _KINDS[choice(body.pop("kind", None), later("The kind of an intervention"), _KINDS)]
    _known(body, cls, _AN_INTERVENTION)
    for name in ("units", "steps"):
        if isinstance(body.get(name), list):
            body[name] = tuple(body[name])
    return _build(cls, body, _AN_INTERVENTION)


def _row(cls: type, content: Any, width: int) -> Any:
    if not isinstance(content, list) or len(content) != width:
        raise ValueError(
            trn(
                "An edit must be a list of {count} value, not {found}.",
                "An edit must be a list of {count} values, not {found}.",
                width,
                found=shown(content),
            )
        )
    return _build(cls, dict(zip((f.name for f in fields(cls)), content, strict=True)), later("An edit"))


def _list(content: Any, what: str) -> list:
    if not isinstance(content, list):
        raise ValueError(tr('"{field}" must be a list, not {found}.', field=what, found=shown(content)))
    return content


def _bytes(content: Any) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(tr("Numbers in the experiment must be base64 text of float32 bytes.")) from error


def _known(body: Any, cls: type, what: str) -> None:
    if not isinstance(body, Mapping):
        raise ValueError(
            tr("{what} must be an object with named fields, not {found}.", what=tr(what), found=shown(body))
        )
    names = [f.name for f in fields(cls)]
    strange = [name for name in body if name not in names]
    if strange:
        raise ValueError(
            tr(
                "{what} has no field {field}. Its fields are {known}.",
                what=tr(what),
                field=shown(strange[0]),
                known=", ".join(names),
            )
        )


def _build(cls: type, body: dict[str, Any], what: str) -> Any:
    try:
        return cls(**body)
    except (TypeError, OverflowError) as error:
        raise ValueError(tr("{what} is not complete or holds a value of the wrong type.", what=tr(what))) from error
