"""What every benchmark has in common: ``--short``, which only sees that it works, and where results go."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "options", "write"]

RESULTS = Path(__file__).parent / "results"


def options(about: str | None, *switches: str, **numbers: float) -> argparse.Namespace:
    """The command line: `numbers` with their defaults, `switches` that are off, and ``--short``."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    for name in switches:
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--short", action="store_true", help="see that it works: little of it, and nothing is written")
    return parser.parse_args()


def write(name: str, results: dict[str, Any], short: bool) -> None:
    """Put the figures where they are kept; a short run has none."""
    if short:
        print(f"{name}: it works; a short run says nothing about time.")
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
