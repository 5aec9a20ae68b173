// What an open column tells: the lines of a cell as products with their numbers, out of what the picture has of one
// step and unit.

import { nameOf, plain } from "./cellgraph.js";
import { byHand, formOf } from "./form.js";
import { forward } from "./forward.js";
import { sums } from "./sums.js";

/** @import { CellDescription, CellHeader } from "./headers.js" */
/** @import { Numbers } from "./types.js" */
/**
 * A factor: the value's name, the signal that it is made of, and what that goes through.
 * @typedef {{name: string, base: string, through: string}} Factor
 * @typedef {{sign: number, factors: Factor[]}} Product
 */
/**
 * @typedef {object} Law
 * @property {string} signal
 * @property {string} squash
 * @property {Product[]} products of a state; a gate has none, and is a squashed sum
 * @property {string[]} from the signals of the same step that it is made of
 */

const SHORT = { weight_ih: "w_ih", weight_hh: "w_hh", bias_ih: "b_ih", bias_hh: "b_hh" };
const CLOSE = 5e-3;

const SQUASH = {
  σ: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
  relu: (v) => Math.max(0, v),
};

const MADE = { tanh_c: ["c", "tanh"], one_z: ["z", ""], h_ih: ["x", ""], h_hh: ["h_", ""] };
const CALLED = { sigmoid: "σ", tanh: "tanh", relu: "relu" };

// What a factor is made of, where it has no name of its own.
/** @type {(description: CellDescription, name: string) => Factor} */
function factor(description, name) {
  if (name in MADE) return { name, base: MADE[name][0], through: MADE[name][1] };
  if (!name.startsWith("#")) return { name, base: name, through: "" };
  const [op, args] = description.nodes[+name.slice(1)];
  const inner = args.map((k) => nameOf(description, plain(description, k))).find((k) => !k.startsWith("#"));
  return { name, base: inner ?? name, through: (inner && CALLED[op]) ?? "" };
}

// The state of the step before comes first, as it comes in at the left.
const earlier = ({ base }) => +!base.endsWith("_");

// The signals of the same step that a signal is made of.
/** @type {(description: CellDescription, signal: string) => string[]} */
export function madeOf({ nodes, where, signals }, signal) {
  const found = new Set();
  const visit = (k) => {
    const [op, args, name] = nodes[k];
    if (op === "at" && signals.includes(name)) found.add(name);
    else args.forEach(visit);
  };
  nodes[where[signal]][1].forEach(visit);
  return [...found];
}

/**
 * @param {CellDescription} description
 * @returns {Law[]}
 */
export function lawsOf(description) {
  const { states } = description;
  const form = formOf(description);
  return form.lines.map((line) => {
    const signal = line.gate ?? line.value;
    const state = states.includes(signal);
    const squash = form.relu ? "relu" : (line.squash ?? "");
    const terms = line.general
      ? line.terms.map(({ sign, factors, name }) => ({ sign, names: factors.length ? factors : [name] }))
      : (
          line.terms ??
          (state
            ? [
                ["", `${signal}_hh`],
                ["", `${signal}_ih`],
              ]
            : [])
        )
          .filter((term) => term !== "+")
          .map(([, ...names]) => ({ sign: 1, names }));
    const products = terms.map(({ sign, names }) => ({
      sign,
      factors: names.map((name) => factor(description, name)).sort((a, b) => earlier(a) - earlier(b)),
    }));
    const first = ({ factors }) => earlier(factors[0]);
    const ordered = state ? products.sort((a, b) => first(a) - first(b)) : [];
    return { signal, squash, products: ordered, from: madeOf(description, signal) };
  });
}

// The law that the others lie around: that of the state with the most factors.
/** @type {(laws: Law[]) => Law} */
export const mainOf = (laws) => {
  const size = ({ products }) => products.reduce((sum, { factors }) => sum + factors.length, 0);
  return laws.reduce((best, law) => (size(law) > size(best) ? law : best));
};

// What a gate was squashed from, where that is what it is: nothing where somebody holds it.
/** @type {(law: Law, v: Record<string, number>) => number | null} */
export function squashed({ signal, squash }, v) {
  const sum = v[`${signal}_pre`];
  const made = SQUASH[squash]?.(sum);
  return Math.abs(made - v[signal]) < CLOSE ? sum : null;
}

/**
 * @typedef {object} Run
 * @property {CellDescription} description
 * @property {number} hidden
 * @property {number} inputs
 * @property {number} layer
 * @property {any[]} rules
 * @property {Numbers} now
 * @property {(import("./headers.js").ModelHeader & {parameters: Numbers}) | null | undefined} model
 */

// Every number of one step and unit by its name: all of them where the weights are known, else those of the picture.
/**
 * @param {Run} run
 * @param {number} step
 * @param {number} unit
 * @returns {Record<string, any>}
 */
export function valuesOf(run, step, unit) {
  const { description, hidden, model, now } = run;
  if (model) {
    const { arrays, inputs } = layered(run);
    const header = { cell: description.name, description, hidden, inputs };
    return sums(/** @type {CellHeader} */ (header), arrays, step, unit);
  }
  const read = (name, t) => (t < 0 ? (description.start[name] ?? 0) : now[name]?.[t * hidden + unit]);
  /** @type {Record<string, number>} */
  const v = {};
  for (const name of description.signals) v[name] = read(name, step);
  for (const name of description.states) v[`${name}_`] = read(name, step - 1);
  if (byHand(description.name) === "LSTM") v.tanh_c = Math.tanh(v.c);
  if (byHand(description.name) === "GRU") v.one_z = 1 - v.z;
  return v;
}

// A layer's own input and weights, by the names that the sums know.
function layered({ description, layer, inputs, hidden, now, rules, model }) {
  const arrays = { ...now };
  if (layer) arrays.x = forward(model, now.x, rules)[`l${layer - 1}.h`];
  for (const name of Object.keys(description.packing))
    arrays[SHORT[name] ?? name] = model.parameters[`${name}_l${layer}`];
  return { arrays, inputs: layer ? hidden : inputs };
}
