// What is left of a nudge while a hand drags it: curves that were measured for every step, painted over the row until
// the picture is drawn anew.

import { svg } from "./dom.js";
import { dashesOf } from "./legends.js";

/** @import { Curve } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Span } from "./types.js" */

const FOOT = 1; // px that what is exactly 0 lies above the foot

/**
 * Of a nudge at one step, log10 of how far it moves h at every step: nothing before it.
 * @param {Float32Array} all the upper triangle, row after row
 * @param {number} step
 * @param {number} steps
 * @returns {Float32Array}
 */
export function nudgedAt(all, step, steps) {
  const from = (step * (2 * steps - step + 1)) / 2;
  const found = new Float32Array(steps).fill(-Infinity);
  found.set(all.subarray(from, from + steps - step), step);
  return found;
}

// A line through values; it comes up from the foot where something begins, and goes down to it where nothing is left.
/** @type {(values: Float32Array, across: (step: number) => number, down: (v: number) => number) => string} */
export function lineOf(values, across, down) {
  const nothing = (t) => !(t in values) || values[t] === -Infinity;
  let path = "";
  let on = false;
  values.forEach((v, t) => {
    const drawn = !Number.isNaN(v) && v !== Infinity && !(nothing(t) && nothing(t - 1) && nothing(t + 1));
    if (drawn) path += `${on ? "L" : "M"}${across(t).toFixed(1)},${down(v).toFixed(1)}`;
    on = drawn;
  });
  return path;
}

export class Following {
  constructor() {
    this.root = svg("svg", { class: "sv-following", "aria-hidden": "true" });
    this.hide();
  }

  hide() {
    this.root.style.display = "none";
  }

  /**
   * @param {Span} place of the row
   * @param {{left: number, width: number, across: (step: number) => number}} at
   * @param {Curve[]} curves
   * @param {Record<string, Float32Array>} arrays
   * @param {{range: number[], marks: number[], theme: Theme}} look
   */
  show({ top, height }, { left, width, across }, curves, arrays, { range: [low, high], marks, theme }) {
    const down = (v) => Math.min(2 * height, height * (1 - (v - low) / (high - low)));
    const place = (v) => (v === -Infinity ? height : down(v));
    const rule = (v) => svg("path", { d: `M0,${down(v)}H${width}`, style: `stroke:${theme.rule}` });
    const foot = svg("path", { d: `M0,${height - FOOT}H${width}`, style: `stroke:${theme.ink};stroke-dasharray:3 3` });
    const some = curves.some(({ name }) => arrays[name].includes(-Infinity));
    /** @type {(curve: Curve) => SVGElement} */
    const line = ({ name, line: k, width: wide, dash }) => {
      const style = `stroke:${k === null ? theme.quiet : theme.lines[k]};stroke-width:${wide ?? 2}`;
      const dashes = dashesOf(dash ?? theme.dashes[k]);
      return svg("path", {
        d: lineOf(arrays[name], across, place),
        style,
        "stroke-dasharray": dashes,
        "data-of": name,
      });
    };
    Object.assign(this.root.style, { display: "", left: `${left}px`, top: `${top}px` });
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
      this.root.setAttribute(name, `${value}`);
    this.root.replaceChildren(...marks.map(rule), ...(some ? [foot] : []), ...curves.map(line));
  }
}
