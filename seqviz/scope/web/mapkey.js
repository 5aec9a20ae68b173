// What the colours and the lines of a map mean: a strip of all colours with their numbers, and a name beside each line.

import { contour, shade } from "./contour.js";
import { el, svg } from "./dom.js";
import { tr } from "./language.js";
import { number } from "./numbers.js";
import { gradient } from "./theme.js";

/** @import { Theme } from "./theme.js" */

const TICKS = [-3, -1, 0, 1, 3];
const [NEAR, LETTER, ABOVE] = [18, 7, 7]; // px: from one name to the next, of a letter, over its line

const signed = (v) => (v > 0 ? "+" : "") + number(v, 0);

// The numbers along the strip: where each stands, as a share of its length, and its text.
/** @type {(reach: number) => [number, string][]} */
const ticksOf = (reach) => {
  const tick = (v, text) => /** @type {[number, string]} */ ([(1 + shade(v, reach)) / 2, text]);
  return [
    tick(-reach, tr("{value} and less", { value: signed(-reach) })),
    ...TICKS.map((v) => tick(v, v ? signed(v) : tr("keeps"))),
    tick(reach, tr("{value} and more", { value: signed(reach) })),
  ];
};

// reach: where the colours are full; scale: those of signs, evenly over what `shade` gives.
/** @type {(scale: any[], reach: number) => HTMLElement} */
export function colourKey(scale, reach) {
  return el(
    "div",
    { class: "sv-maps-key", role: "note" },
    el("i", { style: `background:${gradient(scale)}` }),
    el("div", {}, ...ticksOf(reach).map(([at, text]) => el("span", { style: `left:${100 * at}%`, text }))),
  );
}

// The same in a file, from x to x + width, with its top at y.
/** @type {(theme: Theme, reach: number, at: {x: number, y: number, width: number}) => SVGElement[]} */
export function keyDrawn({ diverging, font, quiet }, reach, { x, y, width }) {
  const stops = diverging.map(([offset, colour]) => svg("stop", { offset, "stop-color": colour }));
  const look = { y: y + 24, "text-anchor": "middle", "font-family": font, "font-size": 14, fill: quiet };
  return [
    svg("linearGradient", { id: "sv-reach" }, ...stops),
    svg("rect", { x, y, width, height: 8, fill: "url(#sv-reach)" }),
    ...ticksOf(reach).map(([at, text]) => svg("text", { ...look, x: x + at * width }, text)),
  ];
}

/** @typedef {{x: number, y: number, half: number}} Place of a text: its middle, and half of its width */

/** @type {(one: Place, other: Place) => boolean} */
export const meet = (one, other) =>
  Math.abs(one.y - other.y) < NEAR && Math.abs(one.x - other.x) < one.half + other.half + 8;

/**
 * Where the name of each line stands: on it, as near as it comes to a place of its own, and on no other text.
 * @param {ArrayLike<number>} values row by row
 * @param {{columns: number, rows: number, levels: number[]}} grid the last level is no loss, the one before one half
 * @param {(column: number) => number} x
 * @param {(row: number) => number} y
 * @param {Place[]} taken
 * @returns {(Place & {text: string, level: number})[]}
 */
export function namesOf(values, { columns, rows, levels }, x, y, taken = []) {
  const found = [];
  // The thick line first: it has its name wherever there is one.
  for (let k = levels.length - 1; k >= 0; k--) {
    const text =
      k === levels.length - 1 ? tr("no loss") : k === levels.length - 2 ? tr("half is left") : number(levels[k], 0);
    const half = widthOf(text) / 2;
    const wanted = (k < levels.length - 2 ? 0.2 : 0.38) * columns;
    const [first] = contour(values, columns, rows, levels[k])
      .map(([a, b, c, d]) => ({
        off: Math.abs((a + c) / 2 - wanted),
        x: x((a + c) / 2),
        y: y((b + d) / 2) - ABOVE,
        half,
      }))
      .filter((at) => at.x - half > x(-0.5) && at.x + half < x(columns - 0.5) && at.y > y(rows - 0.5) + NEAR)
      .filter((at) => ![...taken, ...found].some((other) => meet(at, other)))
      .sort((one, other) => one.off - other.off);
    if (first) found.push({ ...first, text, level: levels[k] });
  }
  return found;
}

export const widthOf = (text) => text.length * LETTER;

/** @type {(x: number, y: number, text: string, bold?: boolean, anchor?: string) => SVGElement} */
export const label = (x, y, text, bold = false, anchor = "middle") =>
  svg("text", { x, y, "text-anchor": anchor, class: `sv-maps-name${bold ? " sv-maps-bold" : ""}` }, text);
