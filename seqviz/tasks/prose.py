"""A seeded generator of quoted, bracketed, indented prose, so that a character model has something to learn.

Every sentence is made here from word lists; nothing is quoted from anywhere.
"""

from __future__ import annotations

import random
from typing import Final

from seqviz.language import tr

__all__ = ["prose"]

_EN: Final = {
    "who": [
        "the gardener",
        "a young sailor",
        "the old clockmaker",
        "her sister",
        "the night guard",
        "nobody",
        "the cat",
    ],
    "did": ["opened", "counted", "forgot", "kept", "carried", "painted", "closed", "remembered"],
    "what": ["the wooden gate", "seven lamps", "a letter", "the river", "three small stones", "the bell", "a map"],
    "where": ["in the garden", "before dawn", "under the bridge", "near the sea", "after the rain", "at the window"],
    "said": ["wait", "come back soon", "it is late", "who is there", "keep the gate open", "I remember"],
}
_ZH: Final = {
    "who": ["园丁", "老船长", "她的妹妹", "守夜人", "那只猫", "没有人"],
    "did": ["打开了", "数着", "忘记了", "记住了", "带走了", "关上了"],
    "what": ["木门", "七盏灯", "一封信", "那条河", "三块石头", "地图"],
    "where": ["在花园里", "天亮以前", "在桥下", "在海边", "雨停之后", "窗前"],
    "said": ["等一等", "快回来", "天晚了", "谁在那里", "我记得"],
}


def prose(characters: int = 100_000, seed: int = 0, language: str = "en") -> str:
    """At least `characters` of text, always the same for a seed.

    Args:
        characters: how long, at least.
        seed: of the generator.
        language: ``en`` or ``zh``.

    Raises:
        ValueError: another language.
    """
    if language not in ("en", "zh"):
        raise ValueError(tr("The prose is written in 'en' or 'zh', not {language!r}.", language=language))
    draw = random.Random(seed)
    parts: list[str] = []
    size = 0
    depth = 0
    while size < characters:
        depth = max(0, min(3, depth + draw.choice((-1, 0, 0, 1))))
        between = " " if language == "en" else ""
        line = "  " * depth + between.join(_sentence(draw, language) for _ in range(draw.randint(1, 3)))
        parts.append(line + "\n")
        size += len(parts[-1])
    return "".join(parts)


def _sentence(draw: random.Random, language: str) -> str:
    words = _EN if language == "en" else _ZH
    who, did, what, where = (draw.choice(words[k]) for k in ("who", "did", "what", "where"))
    aside, said = draw.random() < 0.25, draw.random() < 0.35
    if language == "zh":
        text = f"{who}{where}{did}{what}"
        if aside:
            text += f"（{draw.choice(words['who'])}{draw.choice(words['did'])}{draw.choice(words['what'])}）"
        return text + (f"，说：“{draw.choice(words['said'])}。”" if said else "。")
    text = f"{who} {did} {what} {where}"
    if aside:
        inner = f"{draw.choice(words['who'])} {draw.choice(words['did'])} {draw.choice(words['what'])}"
        text += f" ({inner})"
    text += f', and said, "{draw.choice(words["said"])}."' if said else "."
    return text[0].upper() + text[1:]
