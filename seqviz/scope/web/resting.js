// Which inputs the output under the cursor rests on: a line a network, painted anew at every step, and in how few steps
// most of it lies.

import { el } from "./dom.js";
import { cells, lookup } from "./brush.js";
import { trn } from "./language.js";

/** @import { FlowRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Span } from "./types.js" */

/** @typedef {{steps: number, left: number, width: number, across: (step: number) => number, folded: boolean}} At */

const MOST = 0.9; // of the squared norms

// How many of the newest steps up to an output hold most of what it rests on; 0 where it rests on nothing.
/** @type {(norms: Float32Array) => number} */
export function holding(norms) {
  const total = norms.reduce((sum, v) => sum + v * v, 0);
  if (!(total > 0)) return 0;
  let last = norms.length - 1;
  while (norms[last] === 0) last--;
  let sum = 0;
  for (let back = 0; back <= last; back++) {
    sum += norms[last - back] ** 2;
    if (sum >= MOST * total * (1 - 1e-6)) return back + 1;
  }
  return last + 1;
}

export class Resting {
  /** @type {FlowRow} */
  row;
  /** @type {Record<string, Float32Array>} */
  arrays;
  /** @type {Theme} */
  theme;
  /** @type {At} */
  at;

  constructor() {
    this.canvas = el("canvas", { class: "sv-resting", "aria-hidden": "true" });
    this.canvas.hidden = true;
    /** @type {HTMLElement[]} */
    this.says = [];
  }

  // row: of what kind there may be one; place: where it lies; says: an element a network, for its number of steps.
  /**
   * @param {FlowRow | undefined} row
   * @param {Span | undefined} place
   * @param {Record<string, Float32Array>} arrays
   * @param {Theme} theme
   * @param {At} at
   */
  draw(row, place, arrays, theme, at) {
    this.canvas.hidden = !row || at.folded;
    if (this.canvas.hidden) return;
    Object.assign(this, { row, arrays, theme, at });
    Object.assign(this.canvas, { width: Math.round(at.width), height: Math.round(place.height) });
    const { left, width } = at;
    this.canvas.style.cssText = `left:${left}px;top:${place.top}px;width:${width}px;height:${place.height}px`;
    this.across = lookup(this.canvas.width, at.steps, (t) => at.across(t - 0.5));
  }

  line(k, step) {
    const { steps } = this.at;
    return this.arrays[this.row.arrays[k].name].subarray(step * steps, (step + 1) * steps);
  }

  show(step, secret) {
    if (this.canvas.hidden) return;
    const pen = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const image = pen.createImageData(width, height);
    const lines = this.row.arrays.map((_, k) => this.line(k, step));
    const scale = this.theme.magnitude;
    const down = lookup(height, lines.length, (k) => (k * height) / lines.length);
    const cell = (k, t) => (secret || t > step ? NaN : lines[k][t]);
    cells(image, { across: this.across, down, cell, low: 0, high: 1, scale, ground: this.theme.well });
    pen.putImageData(image, 0, 0);
    this.says.forEach((node, k) => {
      const count = holding(lines[k]);
      node.textContent = secret ? "?" : count ? trn("{count} step", "{count} steps", count) : "–";
    });
  }
}
