"""The scripts in one piece, for a place that cannot load one module from another: a file, a notebook.

Each module becomes a scope of its own that gives back what it exports, in the order in which they need each other. It
reads the forms of ``import`` and ``export`` that the scripts use, and refuses any other.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

__all__ = ["WEB", "bundled"]

WEB = Path(__file__).with_name("web")

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+|\w+) from "([^"]+)";\n', re.MULTILINE)
_DECLARED = re.compile(r"^export ((?:async )?(?:const|let|function\*?|class) (\w+))", re.MULTILINE)
_LISTED = re.compile(r"^export \{([\w, ]*)\};\n", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


@cache
def bundled(entry: str, name: str) -> str:
    """JavaScript that sets the variable `name` to what a script in ``web/`` exports.

    Args:
        entry: the script, by its path below ``web/``: ``hosts/html.js``.
        name: what the page calls it.

    Raises:
        ValueError: a script imports or exports in a form that is not known here.
    """
    numbers: dict[str, int] = {}
    parts = [_module(path, numbers) for path in _order(entry, [])]
    return "\n".join([*parts, f"const {name} = m{numbers[entry]};"])


def _order(path: str, found: list[str]) -> list[str]:
    """A script behind all that it needs. They need each other in no circle, which a test holds."""
    for _, needed in _IMPORT.findall(_source(path)):
        if (other := _beside(path, needed)) not in found:
            _order(other, found)
    found.append(path)
    return found


def _beside(path: str, needed: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), needed))


def _source(path: str) -> str:
    return (WEB / path).read_text(encoding="utf-8")


def _module(path: str, numbers: dict[str, int]) -> str:
    numbers[path] = len(numbers)

    def taken(match: re.Match[str]) -> str:
        what, module = match[1], f"m{numbers[_beside(path, match[2])]}"
        if what.startswith("*"):
            return f"const {what[5:]} = {module};\n"
        return f"const {what.replace(' as ', ': ') if what[0] == '{' else f'{{ default: {what} }}'} = {module};\n"

    text = _IMPORT.sub(taken, _source(path))
    given = [name for _, name in _DECLARED.findall(text)]
    given += [name.strip() for names in _LISTED.findall(text) for name in names.split(",") if name.strip()]
    if _DEFAULT.search(text):
        given.append("default: $default")
    text = _LISTED.sub("", _DECLARED.sub(r"\1", _DEFAULT.sub("const $default = ", text)))
    if other := _OTHER.search(text):
        raise ValueError(f"{path}: no bundle can be made of {other[0]!r}")
    return f"const m{numbers[path]} = (() => {{\n{text}\nreturn {{ {', '.join(given)} }};\n}})();"
