"""What in a page is cut off, covered by other words, too small, or out of the window."""

from __future__ import annotations

__all__ = ["CUT", "OUTSIDE", "SCROLLED", "SMALL", "TOUCHING", "WIDE"]

OUTSIDE = """() => {
  const shown = ".sv-plot, .sv-diagram, .sv-lawline, .sv-top, .sv-keys, .sv-end-row, .sv-head, .sv-rail, .sv-spectrum";
  return [...document.querySelectorAll(shown)].filter((node) => {
    const box = node.getBoundingClientRect();
    if (!box.width) return false;
    const side = node.closest(".sv-side");
    if (side && box.bottom > side.getBoundingClientRect().bottom + 1) return true;
    return box.bottom > innerHeight + 1 || box.right > innerWidth + 1 || box.top < -1 || box.left < -1;
  }).map((node) => node.className.baseVal ?? node.className);
}"""
SMALL = """() => {
  const shown = [".sv-says", ".sv-name", ".sv-end-value", ".sv-ramp-ends span", ".sv-keys span", ".sv-card-title",
    ".sv-chip", ".sv-numbers", ".sv-legend span", "h3", ".st-key-controls p", ".xtick text", ".ytick text",
    ".st-key-switches p", ".sv-nudge", ".sv-phase", ".sv-value", ".sv-glyph", ".sv-letter"].join();
  return [...document.querySelectorAll(shown)].filter((node) => {
    const { a = 1, b = 0 } = node.getScreenCTM?.() ?? {};
    const size = parseFloat(getComputedStyle(node).fontSize) * Math.hypot(a, b);
    return node.getBoundingClientRect().width && !node.closest("sub, sup") && size < 17.9;
  }).map((node) => `${node.getAttribute("class")} ${getComputedStyle(node).fontSize} ${node.textContent}`);
}"""
SCROLLED = "() => { const m = document.querySelector('.stMain'); m.scrollTop = 500; return m.scrollTop; }"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

_WORDS = """
  const skipped = "script, style, noscript, option, .sv-visually-hidden, [data-testid=stIconMaterial], .sv-pill";
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const words = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const own = node.parentElement;
    if (!node.textContent.trim() || own.closest(skipped)) continue;
    if (!own.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const sheet = document.querySelector(".sv-cover") ? own.closest(".sv-head, .sv-ends, .sv-cover") : null;
    const range = document.createRange();
    range.selectNodeContents(node);
    const [left, top, right, bottom] = [[], [], [], []];
    let clip = [-1e9, -1e9, 1e9, 1e9];
    for (let at = own; at && !sheet; at = at.parentElement) {
      const { overflowX, overflowY, clipPath, position } = getComputedStyle(at);
      if (clipPath.includes("inset")) clip = [0, 0, 0, 0];
      if (at instanceof SVGElement && at.tagName !== "svg") continue;
      const box = at.getBoundingClientRect();
      if (overflowX !== "visible") [clip[0], clip[2]] = [Math.max(clip[0], box.left), Math.min(clip[2], box.right)];
      if (overflowY !== "visible") [clip[1], clip[3]] = [Math.max(clip[1], box.top), Math.min(clip[3], box.bottom)];
      if (position === "fixed") break;
    }
    for (const box of sheet ? [] : range.getClientRects()) {
      const [middle, half] = [(box.top + box.bottom) / 2, Math.min(0.36 * parseFloat(getComputedStyle(own).fontSize),
        box.height / 2)];
      const ink = [box.left + 0.5, middle - half, box.right - 0.5, middle + half];
      const seen = ink.map((v, k) => (k < 2 ? Math.max : Math.min)(v, clip[k]));
      if (seen[2] - seen[0] > 1 && seen[3] - seen[1] > 1) words.push({ own, ink, seen, text: node.textContent.trim() });
    }
  }
"""
"""Every line of words that is seen, without what a lesson covers: where its letters are, and how much of them."""

CUT = f"""() => {{{_WORDS}
  return words.filter(({{ ink, seen }}) => ink.some((v, k) => Math.abs(v - seen[k]) > 2))
    .map(({{ own, text }}) => `${{own.getAttribute("class")}} ${{text.slice(0, 60)}}`);
}}"""

TOUCHING = f"""() => {{{_WORDS}
  const found = [];
  words.forEach((one, k) => {{
    for (const other of words.slice(k + 1)) {{
      if (one.own.contains(other.own) || other.own.contains(one.own)) continue;
      const [a, b] = [one.seen, other.seen];
      const across = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
      const down = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
      if (across > 1 && down > 1.5) found.push(`${{one.text.slice(0, 40)}} | ${{other.text.slice(0, 40)}}`);
    }}
  }});
  return found;
}}"""
