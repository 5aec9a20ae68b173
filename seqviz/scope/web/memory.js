// Memory as a thing: what a cell does to its state in one step as a tank that is drained, filled, and shown through a
// shutter. What is drawn at any moment, and which numbers are true of it: nothing here needs a page.

import { lawsOf, mainOf } from "./lensvalues.js";
import { eased } from "./motion.js";
import { clamp } from "./numbers.js";

/** @import { CellDescription } from "./headers.js" */
/**
 * @typedef {object} Tank
 * @property {string} state
 * @property {string} gate what of the old state stays
 * @property {string[]} pour two names, whose product comes in
 * @property {{gate: string, out: string, through: string} | null} shutter what shows of it
 */

// A cell's tank; null where no gate keeps a state.
/**
 * @param {CellDescription} description
 * @returns {Tank | null}
 */
export function tankOf(description) {
  const laws = lawsOf(description);
  const main = mainOf(laws);
  const before = `${main.signal}_`;
  const pairs = main.products.filter(({ factors, sign }) => factors.length === 2 && sign > 0);
  const keeps = pairs.find(({ factors }) => factors.some(({ name }) => name === before));
  const pours = pairs.find((pair) => pair !== keeps);
  if (!keeps || !pours || main.squash || main.products.length !== 2) return null;
  const gate = keeps.factors.find(({ name }) => name !== before).name;
  const shown = laws.find(
    ({ signal, products: [only, more] }) =>
      signal !== main.signal && only?.factors.length === 2 && !more && only.factors[1].base === main.signal,
  );
  const [opens, inner] = shown?.products[0].factors ?? [];
  return {
    state: main.signal,
    gate,
    pour: pours.factors.map(({ name }) => name),
    shutter: shown ? { gate: opens.name, out: shown.signal, through: inner.through } : null,
  };
}

/**
 * The numbers of one step: the state before, what of it was kept, what came in, the state after, what can be shown of
 * it, and what is.
 * @typedef {Record<"before" | "kept" | "written" | "now" | "whole" | "out", number>} Amounts
 */
/**
 * @param {Tank} tank
 * @param {Record<string, number>} v
 * @returns {Amounts}
 */
export function amounts({ state, gate, pour, shutter }, v) {
  const [before, kept] = [v[`${state}_`], v[gate] * v[`${state}_`]];
  const whole = shutter?.through === "tanh" ? Math.tanh(v[state]) : v[state];
  const out = shutter ? v[shutter.out] : v[state];
  return { before, kept, written: v[pour[0]] * v[pour[1]], now: v[state], whole, out };
}

export const PHASES = 3;
/** When each phase of the motion begins and ends, in ms. */
export const TIMES = [
  [0, 520],
  [600, 1120],
  [1200, 1520],
];

// Where the motion stands after so many ms: 0 at the start, 1, 2 and 3 where a phase has ended.
/** @type {(ms: number) => number} */
export function phaseAt(ms) {
  let found = 0;
  for (const [k, [from, to]] of TIMES.entries()) if (ms >= from) found = k + clamp((ms - from) / (to - from), 0, 1);
  return found;
}

/**
 * What is drawn at a moment of the motion, and the numbers that stand there: a number is there once its motion has
 * ended, so that it is true of what is drawn.
 * @typedef {object} Scene
 * @property {number} level of the tank
 * @property {number} kept up to where it is what was there before
 * @property {number} drained how far the first phase has gone
 * @property {number} poured how far the second
 * @property {number} opened how far the third
 * @property {number | null} says the tank's number
 * @property {boolean} gate whether the number of what keeps is there
 * @property {boolean} pour whether those of what comes in are
 * @property {boolean} shown whether what shows is
 */
/**
 * @param {Amounts} sizes
 * @param {number} at from 0 to 3
 * @returns {Scene}
 */
export function scene({ before, kept, now }, at) {
  const [drained, poured, opened] = [0, 1, 2].map((k) => eased(clamp(at - k, 0, 1)));
  const left = before + (kept - before) * drained;
  const says = at === 0 ? before : at === 1 ? kept : at >= 2 ? now : null;
  return {
    level: at >= 2 ? now : left + (now - kept) * poured,
    kept: left,
    drained,
    poured,
    opened,
    says,
    gate: at >= 1,
    pour: at >= 2,
    shown: at >= 3,
  };
}

// From where to where a tank reaches: from 0 or −1 to 1, and further where the run does.
/** @type {(values: number[]) => [number, number]} */
export function reach(values) {
  const known = values.filter(Number.isFinite);
  const [least, most] = [Math.min(0, ...known), Math.max(0, ...known)];
  return [least < 0 ? Math.min(-1, least) : 0, most > 0 || least === 0 ? Math.max(1, most) : 0];
}
