"""``python -m seqviz.lessons FILE`` reads a lesson, runs it, and says what is wrong; ``schema`` prints the form."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from seqviz.language import tr
from seqviz.lessons import prove, read, schema


def main(arguments: list[str]) -> int:
    """Do what the command says."""
    if arguments == ["schema"]:
        print(json.dumps(schema(), indent=2, ensure_ascii=False))
        return 0
    wrong = 0
    for name in arguments:
        try:
            mistakes: list[str] = prove(read(Path(name)))
        except ValueError as error:
            mistakes = str(error).splitlines()
        wrong += len(mistakes)
        print(
            "\n".join([f"{name}:", *(f"  {says}" for says in mistakes)])
            if mistakes
            else tr("{name}: all holds.", name=name)
        )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
