// The maps of vanishing as one file: all sheets side by side as they stand, over one key of their colours.

import { detached, framed } from "./card.js";
import { svg } from "./dom.js";
import { keyDrawn } from "./mapkey.js";
import { addressed } from "./poster.js";

/** @import { Maps, Sheet } from "./maps.js" */

const [KEY, WIDEST, ENDS] = [44, 640, 64]; // px: of the key its height, its length at most, room for its outer words

/** @param {Maps} maps */
export function mapCard({ body, sheets, header, theme, host }) {
  const box = body.getBoundingClientRect();
  const width = Math.min(WIDEST, box.width - 2 * ENDS);
  const drawn = [...sheets.values()].flatMap((sheet) => sheetDrawn(sheet, theme.well, box));
  const inner = svg("svg", {}, ...drawn, ...keyDrawn(theme, header.reach, { x: ENDS, y: box.height + 12, width }));
  const words = { title: header.says, beside: [], notes: [header.about, ...addressed(host.address())] };
  return framed(inner, { width: box.width, height: box.height + KEY }, theme, words);
}

/** @type {(sheet: Sheet, well: string, box: DOMRect) => Element[]} */
function sheetDrawn({ canvas, over }, well, box) {
  const place = (node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return { x: left - box.left, y: top - box.top, width, height };
  };
  const lines = detached(over);
  for (const [name, value] of Object.entries(place(over))) lines.setAttribute(name, `${value}`);
  const [colours, style] = [canvas.toDataURL(), "image-rendering: pixelated"];
  return [
    svg("rect", { ...place(canvas), fill: well }),
    svg("image", { ...place(canvas), href: colours, preserveAspectRatio: "none", style }),
    lines,
  ];
}
