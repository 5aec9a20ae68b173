// One step of any cell with every number of it, from the states and the weights, by the names of its tape's nodes. What
// somebody holds is what the server says it is; `made` has what it would be by its own line.

import { nameOf } from "./cellgraph.js";
import { ONE, held32 } from "./tape.js";

/** @import { CellHeader } from "./headers.js" */

const SHORT = { weight_ih: "w_ih", weight_hh: "w_hh", bias_ih: "b_ih", bias_hh: "b_hh" };

const TWO = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

// The weights by their names in the lines.
function weightsOf({ packing }, arrays) {
  const found = {};
  for (const [packed, names] of Object.entries(packing)) {
    const whole = arrays[SHORT[packed] ?? packed];
    const size = whole.length / names.length;
    names.forEach((name, k) => (found[name] = whole.subarray(k * size, (k + 1) * size)));
  }
  return found;
}

const wide = (values, u) => values[values.length === 1 ? 0 : u];

/**
 * @param {CellHeader} header
 * @param {Record<string, Float32Array>} arrays what the server sent
 * @param {number} step
 */
export function stepValues({ description, hidden, inputs }, arrays, step) {
  const { nodes, sizes, start, where } = description;
  const weights = weightsOf(description, arrays);
  const x = Float64Array.from(arrays.x.subarray(step * inputs, (step + 1) * inputs));
  const rows = (name) => sizes[name] ?? hidden;
  const sent = (name, t) => {
    const size = rows(name);
    return t < 0
      ? new Float64Array(size).fill(start[name] ?? 0)
      : Float64Array.from(arrays[name].subarray(t * size, (t + 1) * size));
  };
  /** @type {Float64Array[]} */
  const values = [];
  /** @type {Record<string, Float64Array>} */
  const made = {};
  /** @param {any[]} node */
  const compute = ([op, args, name, bias, value]) => {
    const [a, b] = args.map((k) => values[k]);
    if (op === "x") return x;
    if (op === "prev") return sent(name, step - 1);
    if (op === "vec") return Float64Array.from(weights[name]);
    if (op === "const") return Float64Array.of(value);
    if (op === "affine") {
      const count = weights[name].length / a.length;
      return Float64Array.from({ length: count }, (_, u) =>
        a.reduce((sum, v, k) => sum + weights[name][u * a.length + k] * v, bias ? weights[bias][u] : 0),
      );
    }
    const length = Math.max(...args.map((k) => values[k].length));
    const of = op === "^" ? (u) => wide(a, u) ** value : op in TWO ? (u) => TWO[op](wide(a, u), wide(b, u)) : null;
    return Float64Array.from({ length }, (_, u) => (of ? of(u) : ONE[op](wide(a, u))));
  };
  nodes.forEach((node, k) => {
    if (node[0] !== "at") {
      values[k] = compute(node);
      return;
    }
    made[node[2]] = values[node[1][0]].map(held32);
    values[k] = arrays[node[2]] ? sent(node[2], step) : made[node[2]];
  });
  /** @type {Record<string, Float64Array>} */
  const named = {};
  nodes.forEach((_, k) => (named[nameOf(description, k)] = values[k]));
  for (const name of description.states) named[`${name}_`] ??= sent(name, step - 1);
  named.x = Float64Array.of(inputs === 1 ? x[0] : Math.hypot(...x));
  const part = (k, u) => {
    const [, [from], name, bias] = nodes[k];
    const products = Array.from(values[from], (v, i) => weights[name][u * values[from].length + i] * v);
    return { products, bias: bias ? [bias, weights[bias][u]] : null, from: nameOf(description, from), weight: name };
  };
  return { named, made, part, where };
}

// One unit of all that, as numbers.
/**
 * @param {Record<string, Float64Array>} named
 * @param {number} unit
 */
export const unitOf = (named, unit) =>
  Object.fromEntries(Object.entries(named).map(([name, values]) => [name, wide(values, unit)]));
