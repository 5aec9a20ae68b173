// What a legend is made of: a colour scale between its ends, a mark and what it stands for.

import { el } from "./dom.js";
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
