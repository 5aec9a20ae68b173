"""What the doctor found as a page of HTML: one file that asks nothing of anywhere, to be sent or kept."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from seqviz.language import again, current, tr
from seqviz.telling.numbers import short

if TYPE_CHECKING:
    from seqviz.doctor.finding import Diagnosis, Finding, Row

__all__ = ["page"]

_PAGE: Final = """\
<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }}
article {{ border-top: 1px solid; padding: .5rem 0 1rem; break-inside: avoid; }}
h2 {{ font-size: 1.1rem; margin: .5rem 0; }}
p, h1, li, code {{ overflow-wrap: anywhere; }}
small {{ font-size: 14px; }}
pre {{ border: 1px solid; padding: .75rem; white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
_LISTED: Final = 40


def page(diagnosis: Diagnosis, name: str = "", *, context: Sequence[str] = (), again_by: str = "") -> str:
    """A page that says all of a diagnosis.

    Args:
        diagnosis: what was found.
        name: of the network.
        context: what else is to be said at the top, a sentence each: what it was judged by, say.
        again_by: commands or code by which it is found again.

    Returns:
        HTML, to be written as UTF-8; everything in it is escaped.
    """
    title = tr("What was found in {name}", name=name) if name else tr("What was found in the network")
    parts = [f"<p><strong>{_text(diagnosis.sentence)}</strong></p>"]
    parts += [f"<p>{_text(said)}</p>" for said in context]
    if diagnosis.loss is not None:
        parts.append(f"<p>{_text(tr('The loss as it is: {loss}.', loss=short(diagnosis.loss)))}</p>")
    parts += [_article(number, finding) for number, finding in enumerate(diagnosis, 1)]
    if diagnosis.harmless:
        odd = "".join(f"<li>{_text(found.title)}. {_text(found.says)}</li>" for found in diagnosis.harmless)
        parts.append(f"<h2>{_text(tr('Looks odd, and its cure does not help'))}</h2><ul>{odd}</ul>")
    if again_by:
        parts.append(f"<h2>{_text(tr('The same again'))}</h2><pre><code>{escape(again_by)}</code></pre>")
    return _PAGE.format(lang=escape(current()), title=escape(title), body="\n".join(parts))


def _article(number: int, finding: Finding) -> str:
    """One finding: what it is, its numbers, the units that it means, its cure and what that did, its source."""
    lines = [f"<h2>{number}. {_text(finding.title)}</h2>", f"<p>{_text(finding.says)}</p>"]
    if finding.rows:
        lines.append(f"<p>{_text(tr('Where'))}: {'; '.join(map(_row, finding.rows))}</p>")
    if finding.cure is None:
        lines.append(f"<p>{_text(tr('No cure is known.'))}</p>")
    else:
        lines.append(f"<p>{_text(tr('Cure'))}: {_text(finding.cure.name)}</p>")
        did = tr("Not tried: there is nothing to judge it by.")
        if finding.effect is not None:
            did = tr("Alone: {did}", did=str(finding.effect))
        lines.append(f"<p>{_text(did)}</p>")
        if finding.shared:
            lines.append(f"<p>{_text(tr('It is one of the cures that help together.'))}</p>")
    lines.append(f"<p><small>{_linked(again(finding.source))}</small></p>")
    return f"<article>{''.join(lines)}</article>"


def _row(row: Row) -> str:
    """A signal and its units."""
    units = ", ".join(map(str, row.units[:_LISTED])) + (", …" if len(row.units) > _LISTED else "")
    return f"<code>{escape(row.signal)}</code>" + (f" [{units}]" if units else "")


def _text(said: str) -> str:
    return escape(again(said))


def _linked(source: str) -> str:
    """A source, with its address as a link."""
    before, mark, address = source.partition("https://")
    place = escape(mark + address)
    return f'{escape(before)}<a href="{place}" rel="noreferrer">{place}</a>' if mark else escape(source)
