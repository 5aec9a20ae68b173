"""Write every registered cell as a page is sent it, for the scripts' tests: ``python tools/browser_cells.py``.

A test holds the file to the cells, so that it is written anew after a cell is added or its lines change.
"""

from __future__ import annotations

import json
from pathlib import Path

from seqviz import cells

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "tests" / "web" / "cells.json"


def described() -> str:
    """The text of the file: a line a cell."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(cells.get(name).description(), ensure_ascii=False, separators=(',', ':'))}"
        for name in cells.names(further=True)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(described(), encoding="utf-8")
    print(FILE.relative_to(ROOT))
