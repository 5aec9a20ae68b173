"""Which encoding a file of text is in: by its mark, by its zeros, else by what reads as words."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["encoding_of"]

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK: Final = 2**16
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_MOST_LINES: Final = 200


def encoding_of(data: bytes) -> str:
    """The codec to read a table's bytes with; it reads all of them without an error.

    A mark at the start decides; then zeros in every second place (UTF-16 without its mark); then whether all of
    it is UTF-8; else the one of GB18030, Shift-JIS, EUC-JP, Big5, EUC-KR, Windows-1251 and Windows-1252 in which the
    lines beyond ASCII look most like words. Latin-1 reads whatever is left.
    """
    marked = [name for mark, name in _MARKS if data.startswith(mark)]
    for name in filter(None, (*marked, _by_zeros(data[:4096]), "utf-8")):
        if _reads(data, name):
            return name
    sample = _beyond_ascii(data)
    judged = sorted(((judge(sample), name) for name, judge in _JUDGES.items()), reverse=True)
    return next((name for score, name in judged if score >= 0.5 and _reads(data, name)), "latin-1")


def _reads(data: bytes, encoding: str) -> bool:
    """Whether all of it decodes; block by block, so that no copy of a large file is made."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK], start + _BLOCK >= len(data))
    except UnicodeError:
        return False
    return True


def _by_zeros(head: bytes) -> str:
    """Digits and separators of UTF-16 have a zero beside them, always on the same side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < max(1, len(head) // 8) or min(even, odd) > max(even, odd) // 8:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _beyond_ascii(data: bytes) -> bytes:
    """Pieces of some hundred lines that hold bytes above 127."""
    found: list[bytes] = []
    at = 0
    while len(found) < _MOST_LINES and (match := _HIGH.search(data, at)):
        start = max(at, match.start() - 200, *(data.rfind(end, at, match.start()) + 1 for end in (b"\n", b"\r")))
        ends = [place for end in (b"\n", b"\r") if (place := data.find(end, match.start(), start + 600)) >= 0]
        at = min(ends, default=min(len(data), start + 600))
        found.append(data[start:at])
    return b"\n".join(found)


def _share(sample: bytes, encoding: str, good: Callable[[str], bool], at_home: Iterable[str] = "") -> float:
    """Of the characters beyond ASCII, the share that are good, and half a point for those of tables' own words."""
    text = sample.decode(encoding, "replace")
    high = [c for c in text if ord(c) > 127]
    return (sum(map(good, high)) + 0.5 * sum(c in at_home for c in high)) / max(1, len(high))


def _leads(encoding: str, low: int, high: int, also: str) -> Callable[[str], bool]:
    """Whether a character stands in the rows of an encoding that hold the common ones, or in `also`."""

    def good(character: str) -> bool:
        coded = character.encode(encoding, "ignore")
        return character in also or (len(coded) == 2 and low <= coded[0] <= high)

    return good


_SIGNS: Final = "，。：；（）、％℃°±·～“”￥"
_KANA: Final = "".join(map(chr, range(0x3041, 0x3100)))
_CHINESE: Final = frozenset(
    "时间日期年月温度湿气压力风速向降雨水量电负荷功率价格开盘收高低成交数值序号编名称地区城市单位合计总平均来源备注站点小分秒最大"
)
_TAIWANESE: Final = frozenset(
    "時間日期年月溫度濕氣壓力風速向降雨水量電負荷功率價格開盤收高低成交數值序號編名稱地區城市單位合計總平均"
)
_JAPANESE: Final = frozenset(
    _KANA + "日付時刻年月気温湿度圧力風速向降水量電荷価格高低数値番号名称地域単位合計平均出典最大小"
)
_KOREAN: Final = frozenset("날짜시간온도습년월일전력가격기압풍속강수량합계평균출처이름지역값부하단위번호최대소")
_LATIN: Final = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžÀÁÂÄÅÆÇÈÉÊÍÑÓÔÖØÚÜŠŽ°µ²³€£¥§±·×–—‘’“”…½¼º\u00a0")


def _latin(sample: bytes) -> float:
    """Letters with accents stand alone or in twos between plain ones; whole words of them are another alphabet's."""
    runs = [m.group() for m in re.finditer(r"[^\x00-\x7f]++", sample.decode("cp1252", "replace"))]
    good = sum(len(run) for run in runs if len(run) <= 2 and _LATIN.issuperset(run))
    return good / max(1, sum(map(len, runs)))


_JUDGES: Final[dict[str, Callable[[bytes], float]]] = {
    "gb18030": lambda s: _share(s, "gb18030", _leads("gb2312", 0xB0, 0xD7, _SIGNS), _CHINESE),
    "cp932": lambda s: _share(s, "cp932", _leads("cp932", 0x88, 0x97, _SIGNS + _KANA), _JAPANESE),
    "euc_jp": lambda s: 0.97 * _share(s, "euc_jp", _leads("euc_jp", 0xB0, 0xCF, _SIGNS + _KANA), _JAPANESE),
    "big5": lambda s: 0.97 * _share(s, "big5", _leads("big5", 0xA4, 0xC6, _SIGNS), _TAIWANESE),
    "euc_kr": lambda s: 0.97 * _share(s, "euc_kr", _leads("euc_kr", 0xB0, 0xC8, _SIGNS), _KOREAN),
    "cp1251": lambda s: 0.98 * _share(s, "cp1251", lambda c: "а" <= c.lower() <= "я" or c in "ё°²³µ"),
    "cp1252": _latin,
}
"""How much the lines beyond ASCII look like words in each encoding, from 0 to 1.5."""
