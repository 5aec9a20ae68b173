// Where a person is in a cell: which step and unit, which part of the walk, in which form; as an address has it, and
// where nobody has asked for any.

import { cursorOf } from "./places.js";

/** @import { CellHeader } from "./headers.js" */

const FORMS = ["vectors", "memory"];

// The step and unit to begin at: where the state changes most from one step to the next.
/**
 * @param {Record<string, Float32Array>} arrays
 * @param {CellHeader} header
 * @returns {[number, number]}
 */
export function eventful(arrays, { hidden: H, steps, description }) {
  const state = arrays[description.states.at(-1)];
  let [best, most] = [0, 0];
  for (let k = H; k < H * steps; k++) {
    const gap = Math.abs(state[k] - state[k - H]);
    if (gap > most && gap < Infinity) [best, most] = [k, gap];
  }
  return [Math.floor(best / H), best % H];
}

/** @param {URLSearchParams} view */
export function readPlace(view) {
  const part = /^[1-9]\d?$/.test(view.get("part") ?? "") ? +view.get("part") - 1 : null;
  return {
    ...cursorOf(view),
    form: FORMS.includes(view.get("as")) ? view.get("as") : "unit",
    phase: part,
    hidden: view.get("values") === "hidden",
  };
}

/**
 * @param {{step: number, unit: number, form: string, phase: number | null, hidden: boolean}} state
 * @param {[number, number]} opening the step and unit that need no words
 */
export function writtenPlace({ step, unit, form, phase, hidden }, opening) {
  const view = new URLSearchParams();
  if (step !== opening[0] || unit !== opening[1]) {
    view.set("step", `${step}`);
    if (unit) view.set("unit", `${unit}`);
  }
  if (form !== "unit") view.set("as", form);
  if (phase !== null) view.set("part", `${phase + 1}`);
  if (hidden) view.set("values", "hidden");
  return view;
}
