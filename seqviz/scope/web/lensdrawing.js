// The arithmetic of one step in an open column: every gate's value on its own row's height, above the place where it is
// multiplied, and a wire as thick as it is from one to the other.

import { svg } from "./dom.js";
import { tr } from "./language.js";
import { number } from "./numbers.js";
import { mainOf, squashed } from "./lensvalues.js";

/** @import { LensTank } from "./lenstank.js" */
/** @import { Factor, Law } from "./lensvalues.js" */
/** @import { Span } from "./types.js" */
/**
 * @typedef {object} Shown
 * @property {Law[]} laws
 * @property {Record<string, any>} v
 * @property {string[]} signals a row each
 * @property {Span[]} places
 * @property {number} width
 * @property {string[]} states
 * @property {{letters: number, large: number}} type
 * @property {boolean} secret
 * @property {boolean} first whether there is no column before
 * @property {string} input what comes in, in words
 * @property {string} output what comes out, in words
 * @property {LensTank | null} tank the memory as filled bars, where a gate keeps a state
 */

const SLOTS = [0.1, 0.28, 0.46, 0.65, 0.89];
const [FLAG, TIP, SHORT] = [7, 9, 14]; // px
const CAPTION = 44; // px of a row's height, for a name under a number

const hue = (name) => `var(--sv-hue-${name.replace(/_$/, "")}, var(--sv-ink))`;
const thick = (v) => 1.5 + 4.5 * Math.min(1, Math.abs(v) || 0);

export class LensDrawing {
  /** @param {Shown} shown */
  constructor(shown) {
    this.shown = shown;
    this.parts = [];
    this.row = Object.fromEntries(shown.signals.map((signal, k) => [signal, shown.places[k]]));
    this.main = mainOf(shown.laws);
    const factors = this.main.products.flatMap((product) => product.factors);
    this.count = factors.length;
    /** @type {Record<string, number>} where each signal's value stands */
    this.home = {};
    factors.forEach(({ base }, k) => {
      if (!base.endsWith("_")) this.home[base] ??= this.slot(k);
    });
    const gates = shown.laws.filter(({ products }) => !products.length);
    for (const { signal, products } of shown.laws) if (products.length) this.home[signal] = this.slot(this.count);
    for (const { signal } of gates) {
      const user = gates.find(({ from }) => from.includes(signal));
      this.home[signal] ??= this.home[user?.signal] ?? this.slot(Math.max(0, this.count - 2));
    }
  }

  slot(k) {
    const { width } = this.shown;
    const first = SLOTS[0] + (this.main.squash ? 0.14 : 0); // room for what it goes through
    return width * (this.count === 4 && !this.main.squash ? SLOTS[k] : first + (k / this.count) * (SLOTS[4] - first));
  }

  middle(signal) {
    const { top, height } = this.row[signal];
    return top + height / 2;
  }

  says(value, signed = false) {
    if (this.shown.secret) return "?";
    return (signed && value > 0 ? "+" : "") + number(value, 2);
  }

  number(x, y, text, color, size = this.shown.type.large) {
    const style = `fill:${color};font-size:${size}px`;
    this.parts.push(svg("text", { x, y: y + 0.35 * size, class: "sv-lens-number", style }, text));
  }

  note(x, y, text, anchor = "middle") {
    const { letters } = this.shown.type;
    const style = `font-size:${letters}px;text-anchor:${anchor}`;
    this.parts.push(svg("text", { x, y: y + 0.35 * letters, class: "sv-lens-note", style }, text));
  }

  // From one place down to another; with a bend where they do not lie above each other.
  wire(from, to, color, value) {
    const size = this.shown.secret ? 3 : thick(value);
    const bend = to[1] - 0.3 * (to[1] - from[1]);
    const way = Math.abs(from[0] - to[0]) < 1 ? "" : `V${bend}H${to[0]}`;
    const end = to[1] - TIP;
    const line = { d: `M${from}${way}V${end}`, class: "sv-lens-wire", style: `stroke:${color};stroke-width:${size}` };
    const half = 5 + size / 3;
    const tip = `M${to[0] - half},${end}L${to[0] + half},${end}L${to[0]},${to[1]}Z`;
    this.parts.push(svg("path", line), svg("path", { d: tip, style: `fill:${color}` }));
  }

  gate(law) {
    const { v, type } = this.shown;
    const [x, y] = [this.home[law.signal], this.middle(law.signal)];
    this.number(x, y, this.says(v[law.signal]), hue(law.signal));
    const sum = this.shown.secret ? null : squashed(law, v);
    if (sum !== null) this.note(x + 1.9 * type.large, y, `= ${law.squash}(${number(sum, 1)})`, "start");
    for (const name of law.from) {
      if (!this.row[name] || this.middle(name) >= y) continue;
      const up = 0.62 * type.large;
      this.wire([this.home[name], this.middle(name) + up], [x, y - up], hue(name), v[name]);
    }
  }

  // What a factor is, in numbers.
  factor({ name, base, through }) {
    const { v } = this.shown;
    return through ? `${through}(${this.says(v[base])})` : this.says(v[name]);
  }

  // A state's line: products with their signs between them, and what they come to.
  state(law) {
    const { v, type } = this.shown;
    const y = this.middle(law.signal);
    const factors = law.products.flatMap((product) => product.factors);
    const start = this.count - factors.length;
    const at = (k) => this.slot(start + k);
    const between = (k, text) => this.note((at(k - 1) + at(k)) / 2, y, text);
    const tall = this.row[law.signal].height >= CAPTION;
    let k = 0;
    for (const { sign, factors: some } of law.products)
      some.forEach((one, j) => {
        const before = j ? "×" : sign < 0 ? "−" : "+";
        if (k && one.through) this.note(at(k - 1) + 1.3 * type.large, y, before);
        else if (k) between(k, before);
        else if (sign < 0) this.note(at(0) - 2 * type.letters, y, "−");
        const [size, aside] = one.through ? [type.letters, 0.8 * type.letters] : [type.large, 0];
        const said = this.factor(one) + (one.through && k === factors.length - 1 ? " =" : "");
        this.number(at(k) + aside, y, said, hue(one.base), size);
        const told = one.base.endsWith("_") || one.base === "x";
        if (tall && told) this.note(at(k), y + 1.25 * type.large, this.caption(one));
        k++;
      });
    const last = factors[factors.length - 1];
    if (!last.through) between(k, "=");
    if (law.squash) this.note(at(0) - 1.9 * type.large, y, `${law.squash}(`, "end");
    if (law.squash) this.note(at(k - 1) + 1.3 * type.large, y, ")", "start");
    this.number(this.slot(this.count), y, this.says(v[law.signal], true), hue(law.signal));
    this.wires(law, factors, at);
  }

  // What stands under a number: the state of the step before, or what weights make of it.
  caption({ name, base }) {
    const said = base.endsWith("_") ? `${base.slice(0, -1)}₋₁` : base;
    return name === base ? said : tr("from {signal}", { signal: said });
  }

  // From every row above to its factor in this one.
  wires(law, factors, at) {
    const { v, type } = this.shown;
    const up = 0.62 * type.large;
    factors.forEach((one, k) => {
      const { base } = one;
      if (!this.row[base] || this.middle(base) >= this.middle(law.signal)) return;
      const bar = this.filled && base === this.shown.tank.tank.state;
      const down = bar ? this.row[base].height / 2 : up;
      const from = [this.home[base], this.middle(base) + down];
      this.wire(from, [at(k), this.middle(law.signal) - up], hue(base), v[base]);
    });
  }

  // States come in from the column before, and leave for the next.
  flags() {
    const { states, width, first, v } = this.shown;
    for (const state of states) {
      if (!this.row[state]) continue;
      const y = this.middle(state);
      const flag = (x) => `M${x - FLAG},${y - FLAG}L${x + TIP},${y}L${x - FLAG},${y + FLAG}Z`;
      const style = `fill:${hue(state)}`;
      const to = this.slot(0) - 1.6 * this.shown.type.large;
      const line = `stroke:${hue(state)};stroke-width:${thick(v[`${state}_`])}`;
      const taken = this.main.signal === state && !this.main.squash && to > TIP + SHORT;
      if (!first && taken) this.parts.push(svg("path", { d: `M0,${y}H${to}`, class: "sv-lens-wire", style: line }));
      if (!first) this.parts.push(svg("path", { d: flag(0), class: "sv-lens-flag", style, "data-in": state }));
      this.parts.push(svg("path", { d: flag(width), class: "sv-lens-flag", style, "data-out": state }));
    }
  }

  // The memory before the step and after it, behind its numbers.
  bars() {
    const { tank, secret } = this.shown;
    const state = tank?.tank.state;
    if (!tank || secret || !this.row[state]) return [];
    const factors = this.main.products.flatMap((product) => product.factors);
    const before = this.slot(factors.findIndex(({ base }) => base === `${state}_`));
    return tank.draw(before, this.home[state], this.slot(this.count), this.row);
  }

  /** @returns {SVGElement[]} */
  draw() {
    const { laws, input, output, signals, type } = this.shown;
    this.parts = this.bars();
    this.filled = this.parts.length > 0;
    for (const law of laws.filter(({ signal }) => this.row[signal]))
      if (law.products.length) this.state(law);
      else this.gate(law);
    this.flags();
    const left = Math.max(8, this.slot(0) - type.large);
    if (this.row.x) this.note(left, this.middle("x"), this.shown.secret ? "x = ?" : input, "start");
    if (signals.includes("y") && output) this.note(left, this.middle("y"), this.shown.secret ? "?" : output, "start");
    return this.parts;
  }
}

// The same in one sentence.
/** @type {(name: string, step: number, unit: number, laws: Law[], says: (signal: string) => string) => string} */
export const spoken = (name, step, unit, laws, says) =>
  tr("{cell} at step {step}, unit {unit}: {values}", {
    cell: name,
    step,
    unit,
    values: laws.map(({ signal }) => `${signal} ${says(signal)}`).join(tr(", ")),
  });
