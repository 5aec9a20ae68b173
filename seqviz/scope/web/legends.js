// What a legend is made of: a colour scale between its ends, a mark and what it stands for.

import { el, svg } from "./dom.js";
import { gradient } from "./theme.js";

/** @type {(scale: any[], left: string, right: string, title?: string) => HTMLElement} */
export const scaleKey = (scale, left, right, title) =>
  el(
    "span",
    { class: "sv-key", title },
    el("span", { text: left }),
    el("i", { style: `background:${gradient(scale)}` }),
    el("span", { text: right }),
  );

// look: the class of the mark, style: what is its own.
/** @type {(look: string, text: string, style?: string) => HTMLElement} */
export const markNote = (look, text, style) => el("span", { class: "sv-note" }, el("i", { class: look, style }), text);

export const strokeNote = (style, text) => markNote("sv-stroke", text, `border-top: ${style}`);
export const swatchNote = (color, text) => markNote("sv-swatch", text, `background:${color}`);

// Plotly's dashes as SVG has them.
/** @type {(dash: string | undefined) => string} */
export const dashesOf = (dash = "solid") =>
  ({ solid: "none", dot: "3 3", dash: "9 9" })[dash] ?? dash.replaceAll("px", "").replaceAll(",", " ");

// A line as it is drawn: in its hue and its dashes.
/** @type {(color: string, width: number, dash: string | undefined) => SVGElement} */
export function lineMark(color, width, dash) {
  const line = { x1: 0, x2: 24, y1: 4, y2: 4, stroke: color, "stroke-width": width };
  const look = { class: "sv-line-mark", width: 24, height: 8, "aria-hidden": "true" };
  return svg("svg", look, svg("line", { ...line, "stroke-dasharray": dashesOf(dash) }));
}

/** @type {(color: string, width: number, dash: string | undefined, text: string) => HTMLElement} */
export const lineNote = (color, width, dash, text) =>
  el("span", { class: "sv-note" }, lineMark(color, width, dash), text);

// A line's dashes in letters.
/** @type {(dash: string) => string} */
export const lettered = (dash) =>
  dash === "solid" ? "──" : dash === "dot" ? "····" : dash.split(",").length > 2 ? "─·─" : "┄┄";
