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
  draw(ends, { places }) {
    this.values = ends.map(({ hue }) => el("span", { class: "sv-end-value", style: `color: ${hue}` }));
    /** @param {End} end */
    const scale = ({ scale: colours, low, high, title }) =>
      el(
        "span",
        { class: "sv-ramp", title },
        el("i", { style: `background:${vertical(colours)}` }),
        el("span", { class: "sv-ramp-ends" }, el("span", { text: high }), el("span", { text: low })),
      );
    this.root.replaceChildren(
      ...ends.map((end, k) =>
        el(
          "div",
          {
            class: "sv-end-row",
            style: `top:${places[k].top}px;height:${places[k].height}px;--sv-head:${places[k].head}px`,
          },
          ...(end.scale ? [scale(end)] : []),
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
