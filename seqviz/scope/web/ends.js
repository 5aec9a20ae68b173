// What stands at the right end of a row: its scale of colours, and its value at the chosen step.

import { el } from "./dom.js";

/** @import { Built } from "./types.js" */
/**
 * @typedef {object} End
 * @property {any[]} [scale] its colours as Plotly takes them
 * @property {string} [low] what the scale begins with
 * @property {string} [high] what it ends with
 * @property {string} hue of the value
 * @property {string} [title] what low and high mean
 */

const vertical = (scale) =>
  `linear-gradient(0deg, ${scale.map(([at, color]) => `${color} ${(100 * at).toFixed(1)}%`).join(", ")})`;

// What the two ends of a scale are called in one line.
/** @type {(low: string, high: string) => string} */
export const between = (low, high) => (low.slice(1) === high.slice(1) ? `±${high.slice(1)}` : `${low} … ${high}`);

// A row's colours with their ends; a low row has room for one line.
/** @type {(end: Omit<End, "hue">, place: import("./types.js").Span, built: Built) => HTMLElement} */
export function ramp({ scale, low, high, title }, { height }, { layout }) {
  const says = height < 2 * layout.font.size ? [between(low, high)] : [high, low];
  return el(
    "span",
    { class: "sv-ramp", title },
    el("i", { style: `background:${vertical(scale)}` }),
    el("span", { class: "sv-ramp-ends" }, ...says.map((text) => el("span", { text }))),
  );
}

export class Ends {
  // root: the layer over the picture.
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {HTMLElement[]} */
    this.values = [];
  }

  /**
   * @param {End[]} ends a row each
   * @param {Built} built
   */
  draw(ends, built) {
    const { places } = built;
    this.values = ends.map(({ hue }) => el("span", { class: "sv-end-value", style: `color: ${hue}` }));
    this.root.replaceChildren(
      ...ends.map((end, k) =>
        el(
          "div",
          {
            class: "sv-end-row",
            style: `top:${places[k].top}px;height:${places[k].height}px;--sv-head:${places[k].head}px`,
          },
          ...(end.scale ? [ramp(end, places[k], built)] : []),
          this.values[k],
        ),
      ),
    );
  }

  /** @param {string[]} texts */
  show(texts) {
    this.values.forEach((value, k) => {
      if (value.textContent !== texts[k]) value.textContent = texts[k];
    });
  }
}
