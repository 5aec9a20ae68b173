// What the header of a cell says of its values: what somebody holds, and in what words an input is shown.

import { visible } from "./dom.js";
import { rulesOf } from "./forward.js";
import { clauses } from "./language.js";
import { number } from "./numbers.js";

/** @import { CellHeader } from "./headers.js" */

// The layer's signals that are held by hand somewhere, by their own names.
/** @param {CellHeader} header */
export function heldSignals({ rules, layer }) {
  const own = `l${layer}.`;
  const mine = rules.filter(({ signal }) => signal.startsWith(own));
  return new Set(mine.map(({ signal }) => signal.slice(own.length)));
}

// In whose words a value of a step and unit is held by hand, if it is.
/** @type {(header: CellHeader, step: number, unit: number) => (name: string) => string} */
export function heldBy({ rules, layer, steps }, step, unit) {
  const held = (signal, which) => clauses(rulesOf(rules, signal, step, which, steps).map((rule) => rule.says));
  // The input is the same for every unit, and its own units are its features.
  return (name) => (name === "x" && layer === 0 ? held("x", null) : held(`l${layer}.${name}`, unit));
}

// What stands on the wire of an input that is more than one number.
/** @type {(header: CellHeader, step: number, v: Record<string, number>) => Record<string, string>} */
export function inputWords({ labels, names, inputs }, step, v) {
  if (labels && names) return { x: `“${visible(labels[step])}”` };
  return inputs > 1 ? { x: `‖x‖ ${number(v.x, 2)}` } : {};
}
