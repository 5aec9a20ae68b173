// What an open column tells: the lines of a cell as products with their numbers, out of what the picture has of one
// step and unit.

import { nameOf, plain } from "./cellgraph.js";
import { formOf } from "./form.js";
import { forward } from "./forward.js";
import { StepValues } from "./stepvalues.js";
import { unpack } from "./tape.js";

/** @import { CellDescription } from "./headers.js" */
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

const CLOSE = 5e-3;

const SQUASH = {
  σ: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
  relu: (v) => Math.max(0, v),
};

const CALLED = { sigmoid: "σ", tanh: "tanh", relu: "relu" };
const LEAVES = ["x", "prev", "at", "vec", "const"];

// What a factor is made of, where it is no signal.
/** @type {(description: CellDescription, factor: {name: string, node: number}) => Factor} */
function factor(description, { name, node }) {
  const [op, args] = description.nodes[node];
  if (LEAVES.includes(op)) return { name, base: name, through: "" };
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
  const form = formOf(description);
  return form.lines.map(({ value: signal, squash, terms }) => {
    const from = madeOf(description, signal);
    if (!description.states.includes(signal)) return { signal, squash, products: [], from };
    const products = terms.map(({ sign, factors, node, name }) => {
      const all = factors.length ? factors : [{ node, name }];
      return {
        sign,
        factors: all.map((each) => factor(form.description, each)).sort((a, b) => earlier(a) - earlier(b)),
      };
    });
    const first = ({ factors }) => earlier(factors[0]);
    return { signal, squash, products: products.sort((a, b) => first(a) - first(b)), from };
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
 * @returns {Record<string, number>}
 */
export function valuesOf({ description, hidden, inputs, layer, rules, now, model }, step, unit) {
  const below = layer && model ? forward(model, now.x, rules)[`l${layer - 1}.h`] : now.x;
  const { x, ...signals } = now;
  const header = { description: formOf(description).description, hidden, inputs: layer ? hidden : inputs };
  const weights = model ? unpack(description, model.parameters, `_l${layer}`) : {};
  const arrays = model || !layer ? { ...signals, x: below ?? x } : signals;
  return new StepValues(header, arrays, weights, step).ofUnit(unit).v;
}
