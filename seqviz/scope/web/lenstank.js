// The memory in an open column: a filled bar on the row of its state, before the step and after it, as far as the unit
// goes in its run. What the forget gate takes is hatched, what is poured in is full, what the shutter covers has slats.

import { svg } from "./dom.js";
import { hue } from "./tank.js";

/** @import { Amounts, Tank } from "./memory.js" */
/** @import { Span } from "./types.js" */
/**
 * What is between two values of a bar: what was there, what is new, what went, what is covered.
 * @typedef {{from: number, to: number, look: "soft" | "full" | "gone" | "shut"}} Filling
 */
/**
 * @typedef {object} Bars
 * @property {Tank} tank
 * @property {Amounts} sizes
 * @property {[number, number]} reach of the state
 * @property {any[]} scale the colours of signs
 */

const [WIDE, PAD, EVERY, TICK] = [52, 1, 6, 8]; // px
const LEAST = 24; // px of a row's height
const SHADE = { soft: 0.45, full: 0.9, gone: 0.6, shut: 0.3 };

// From 0 as far as a unit goes in its run.
/** @type {(values: number[]) => [number, number]} */
export function spanned(values) {
  const known = values.filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  return low === high ? [0, 1] : [low, high];
}

/** @type {(sizes: Amounts) => Record<"before" | "now" | "out", Filling[]>} */
export function fillings({ before, kept, written, now, whole, out }) {
  const fill = (from, to, look) => ({ from, to, look });
  let after = [fill(0, kept, "soft"), fill(kept, now, "full")];
  // What comes in with the other sign takes away from what is there, and may leave some of its own.
  if (written * kept < 0 && kept * now > 0) after = [fill(0, now, "soft"), fill(now, kept, "gone")];
  else if (written * kept < 0) after = [fill(0, kept, "gone"), fill(0, now, "full")];
  return {
    before: [fill(0, kept, "soft"), fill(kept, before, "gone")],
    now: after,
    out: [fill(0, out, "full"), fill(out, whole, "shut")],
  };
}

export class LensTank {
  /** @param {Bars} bars */
  constructor({ tank, sizes, reach, scale }) {
    this.tank = tank;
    this.sizes = sizes;
    this.scale = scale;
    this.reach = { state: reach, out: tank.shutter?.through === "tanh" ? reach.map(Math.tanh) : reach };
    this.there = Object.values(sizes).every(Number.isFinite);
  }

  color(value, shade) {
    const share = 0.5 + (value < 0 ? -0.5 : 0.5) * shade;
    return this.scale[Math.round(share * (this.scale.length - 1))][1];
  }

  /**
   * @param {number} x
   * @param {Span} span of the row
   * @param {number[]} reach
   * @param {Filling[]} filled
   * @param {string} frame its colour
   * @param {string} name
   * @returns {SVGElement[]}
   */
  bar(x, { top, height }, [low, high], filled, frame, name) {
    if (!this.there || height < LEAST) return [];
    const [left, foot, tall] = [x - WIDE / 2, top + height - PAD, height - 2 * PAD];
    const at = (v) => foot - ((Math.min(high, Math.max(low, v)) - low) / (high - low)) * tall;
    const rect = (y, size, look) => svg("rect", { x: left, y, width: WIDE, height: Math.max(0, size), ...look });
    /** @type {SVGElement[]} */
    const parts = [rect(top + PAD, tall, { class: "sv-tank-well", rx: 3 })];
    for (const { from, to, look } of filled) {
      const [y, end] = [Math.min(at(from), at(to)), Math.max(at(from), at(to))];
      const fill = this.color(to || from, SHADE[look]);
      if (look !== "gone") parts.push(rect(y, end - y, { style: `fill:${fill}`, "data-fill": look }));
      const lines = look === "gone" || look === "shut";
      for (let line = y + 3; lines && line < end; line += EVERY)
        parts.push(
          svg("path", { d: `M${left},${line}h${WIDE}`, class: `sv-lens-${look}`, style: `--sv-gone:${fill}` }),
        );
    }
    const zero = `M${left},${at(0)}h${TICK}m${WIDE - 2 * TICK},0h${TICK}`;
    if (low < 0 && high > 0) parts.push(svg("path", { d: zero, class: "sv-lens-zero" }));
    parts.push(rect(top + PAD, tall, { class: "sv-lens-bar", style: `stroke:${frame}`, rx: 3, "data-bar": name }));
    return parts;
  }

  // before, now, out: where the numbers of the state before, the state, and what shows of it stand.
  /** @type {(before: number, now: number, out: number, spans: Record<string, Span>) => SVGElement[]} */
  draw(before, now, out, spans) {
    const { state, shutter } = this.tank;
    const filled = fillings(this.sizes);
    const parts = [
      ...this.bar(before, spans[state], this.reach.state, filled.before, "var(--sv-rule)", "before"),
      ...this.bar(now, spans[state], this.reach.state, filled.now, "var(--sv-ink)", "now"),
    ];
    if (shutter && spans[shutter.out])
      parts.push(...this.bar(out, spans[shutter.out], this.reach.out, filled.out, hue(shutter.gate), "out"));
    return parts;
  }
}
