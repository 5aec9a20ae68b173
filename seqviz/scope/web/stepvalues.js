// One step of any cell with every number of it, from the states and the weights, by the names of its tape's nodes. What
// somebody holds is what the server says it is; `made` has what it would be by its own line. A product with a matrix is
// also there without its bias, f_ih:w, and its bias by itself, f_ih:b. What hangs on weights that nobody sent is left
// out.

import { nameOf, partOf } from "./cellgraph.js";
import { ONE, held32 } from "./tape.js";

/** @import { Described } from "./cellgraph.js" */

const TWO = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

const wide = (values, u) => values[values.length === 1 ? 0 : u];

function product(weights, input) {
  const out = new Float64Array(weights.length / input.length);
  for (let u = 0, at = 0; u < out.length; u++, at += input.length)
    for (let k = 0; k < input.length; k++) out[u] += weights[at + k] * input[k];
  return out;
}

// An operation on values that are as wide as the layer, or one number.
function operation(op, args, power) {
  const length = Math.max(...args.map((values) => values.length));
  const of = op === "^" ? (v) => v ** power : (TWO[op] ?? ONE[op]);
  return Float64Array.from({ length }, (_, u) => of(...args.map((values) => wide(values, u))));
}

export class StepValues {
  /**
   * @param {{description: Described, hidden: number, inputs: number}} header
   * @param {Record<string, Float32Array>} arrays the layer's signals
   * @param {Record<string, Float32Array>} weights by their names in the lines
   * @param {number} step
   */
  constructor({ description, hidden, inputs }, arrays, weights, step) {
    this.description = description;
    this.hidden = hidden;
    this.arrays = arrays;
    this.weights = weights;
    this.step = step;
    this.x = Float64Array.from((arrays.x ?? []).slice(step * inputs, (step + 1) * inputs));
    /** @type {(Float64Array | undefined)[]} by node */
    this.values = [];
    /** @type {Record<string, Float64Array>} */
    this.named = {};
    /** @type {Record<string, Float64Array>} */
    this.made = {};
    description.nodes.forEach((node, k) => (this.values[k] = this.value(node, k)));
    description.nodes.forEach((_, k) => this.name(nameOf(description, k), this.values[k]));
    for (const state of description.states) this.name(`${state}_`, this.sent(state, step - 1));
    if (this.x.length) this.named.x = Float64Array.of(inputs === 1 ? this.x[0] : Math.hypot(...this.x));
  }

  name(name, values) {
    if (values) this.named[name] = values;
  }

  // What the server says of a signal at a step, or what it is before the first.
  sent(name, t) {
    const { sizes, start } = this.description;
    const size = sizes[name] ?? this.hidden;
    if (t < 0) return new Float64Array(size).fill(start[name] ?? 0);
    return Float64Array.from(this.arrays[name].subarray(t * size, (t + 1) * size));
  }

  /** @type {(node: any[], k: number) => Float64Array | undefined} */
  value([op, args, name, bias, value], k) {
    const given = args.map((a) => this.values[a]);
    if (op === "x") return this.x;
    if (op === "prev") return this.sent(name, this.step - 1);
    if (op === "vec") return this.weights[name] && Float64Array.from(this.weights[name]);
    if (op === "const") return Float64Array.of(value);
    if (op === "at" && given[0]) this.made[name] = given[0].map(held32);
    if (op === "at") return this.arrays[name] ? this.sent(name, this.step) : this.made[name];
    if (!given.every(Boolean)) return undefined;
    return op === "affine" ? this.affine(name, bias, given[0], k) : operation(op, given, value);
  }

  affine(name, bias, input, k) {
    const [weight, added] = [this.weights[name], this.weights[bias]];
    if (!weight) return undefined;
    const part = partOf(this.description, k);
    const weighed = (this.named[`${part}:w`] = product(weight, input));
    this.named[`${part}:b`] = Float64Array.from({ length: weighed.length }, (_, u) => added?.[u] ?? 0);
    return weighed.map((v, u) => v + this.named[`${part}:b`][u]);
  }

  // One unit of all that, as numbers, and what each input gives to one of its products with a matrix.
  /** @param {number} unit */
  ofUnit(unit) {
    const read = (named) => Object.fromEntries(Object.entries(named).map(([name, v]) => [name, wide(v, unit)]));
    const parts = ({ node, weight }) => {
      const input = this.values[this.description.nodes[node][1][0]];
      return Array.from(input, (v, i) => this.weights[weight][unit * input.length + i] * v);
    };
    return { v: read(this.named), made: read(this.made), parts };
  }
}
