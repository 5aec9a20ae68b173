// One layer of any cell from its tape, a node [op, args, name, bias, value, width] at a time; see seqviz/cells/tape.py.
// No text is evaluated: each node becomes one closure over its own buffer.

// Every number is rounded to float32 where torch rounds it, so that what overflows there overflows here: infinity from
// 3.4e38 on, and NaN from then on. Sums may differ by rounding, as torch's own do from one processor to another.

/** @import { CellDescription, Rule } from "./headers.js" */

const f32 = Math.fround;
const softplus = (v) => (v > 0 ? v + Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v)));

export const ONE = {
  neg: (v) => -v,
  sigmoid: (v) => 1 / f32(1 + f32(Math.exp(-v))),
  tanh: Math.tanh,
  relu: (v) => Math.max(0, v),
  exp: Math.exp,
  log: Math.log,
  abs: Math.abs,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  softplus,
  logsigmoid: (v) => -softplus(-v),
};

// Written out, since a call for each number would cost more than the number.
const TWO = {
  "+": (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = a[u] + b[u];
  },
  "-": (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = a[u] - b[u];
  },
  "*": (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = a[u] * b[u];
  },
  "/": (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = a[u] / b[u];
  },
  max: (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = Math.max(a[u], b[u]);
  },
  min: (o, a, b) => () => {
    for (let u = 0; u < o.length; u++) o[u] = Math.min(a[u], b[u]);
  },
};
const each = (o, a, of) => () => {
  for (let u = 0; u < o.length; u++) o[u] = of(a[u]);
};
// The two that nearly every cell has.
const WRITTEN_OUT = {
  sigmoid: (o, a) => () => {
    for (let u = 0; u < o.length; u++) o[u] = 1 / f32(1 + f32(Math.exp(-a[u])));
  },
  tanh: (o, a) => () => {
    for (let u = 0; u < o.length; u++) o[u] = Math.tanh(a[u]);
  },
};

// What torch's 32-bit floats cannot hold is infinite there.
const MOST = 3.4028234663852886e38;
export const held32 = (v) => (Math.abs(v) > MOST ? Math.sign(v) * Infinity : v);

const SAFE = 1e38;
const largest = (values) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

// weight * input + bias, for a matrix whose sums are rounded once at the end where none of their parts can overflow,
// and at every step where one might.
export function affine(weight, bias, out, input) {
  const [cols, most, added] = [input.length, largest(weight), bias ? largest(bias) : 0];
  return () => {
    let size = 0;
    for (let k = 0; k < cols; k++) size += Math.abs(input[k]);
    const safe = size * most + added < SAFE;
    for (let r = 0, at = 0; r < out.length; r++, at += cols) {
      let sum = 0;
      if (safe) for (let k = 0; k < cols; k++) sum += weight[at + k] * input[k];
      else for (let k = 0; k < cols; k++) sum = f32(sum + f32(weight[at + k] * input[k]));
      out[r] = bias ? sum + bias[r] : sum;
    }
  };
}

/**
 * @param {Rule["steps"]} steps
 * @param {number} length
 * @returns {[number, number]}
 */
export function span(steps, length) {
  if (!steps) return [0, length];
  const place = (v, otherwise) => (v == null ? otherwise : Math.min(length, Math.max(0, v < 0 ? v + length : v)));
  return [place(steps[0], 0), place(steps[1], length)];
}

// What interventions do to one signal, in place: a function of the step.
/**
 * @param {Float32Array} vector
 * @param {Rule[]} rules
 * @param {number} length
 * @returns {(step: number) => void}
 */
export function editor(vector, rules, length) {
  /** @type {[number, number, Rule][]} */
  const timed = rules.map((rule) => [...span(rule.steps, length), rule]);
  return (t) => {
    for (const [first, stop, { kind, value, units }] of timed) {
      if (t < first || t >= stop) continue;
      for (const u of units ?? vector.keys()) {
        vector[u] = kind === "scale" ? vector[u] * f32(value) : kind === "ablate" ? 0 : value;
      }
    }
  };
}

// The weights of one layer by their names in the lines, out of torch's packed ones; `end` is what stands behind those's
// names, "_l0".
/**
 * @param {CellDescription} cell
 * @param {Record<string, Float32Array>} parameters
 * @param {string} end
 * @returns {Record<string, Float32Array>}
 */
export function unpack(cell, parameters, end) {
  /** @type {Record<string, Float32Array>} */
  const found = {};
  for (const [packed, names] of Object.entries(cell.packing)) {
    const whole = parameters[`${packed}${end}`];
    const size = whole.length / names.length;
    names.forEach((name, k) => (found[name] = whole.subarray(k * size, (k + 1) * size)));
  }
  return found;
}

// cell: a description; weights by the names in its lines; below: Float32Array(L * inputs), the layer's input; rules by
// the name of a hook point. A Float32Array(L * size), time first, by each signal that a line sets.
/**
 * @param {CellDescription} cell
 * @param {Record<string, Float32Array>} weights
 * @param {Float32Array} below
 * @param {number} inputs
 * @param {number} hidden
 * @param {Record<string, Rule[]>} rules
 */
export function run(cell, weights, below, inputs, hidden, rules) {
  const length = below.length / inputs;
  const sizes = cell.nodes.map(([, , , , , w]) => cell.sizes[w] ?? (w === "X" ? inputs : hidden));
  const before = cell.states.map((name) => new Float32Array(cell.sizes[name] ?? hidden).fill(cell.start[name] ?? 0));
  const [buffers, work, keep] = [[], [], []];
  /** @type {Record<string, Float32Array>} */
  const out = {};
  const x = new Float32Array(inputs);
  cell.nodes.forEach(([op, args, name, bias, value], k) => {
    const [a, b] = args.map((arg) => buffers[arg]);
    if (op === "x") buffers[k] = x;
    else if (op === "prev") buffers[k] = before[cell.states.indexOf(name)];
    else if (op === "vec") buffers[k] = weights[name];
    else if (op === "at") buffers[k] = hook(a, name);
    else {
      const o = (buffers[k] = new Float32Array(sizes[k]));
      if (op === "const") o.fill(value);
      else if (op === "affine") work.push(affine(weights[name], weights[bias], o, a));
      else if (op === "^") work.push(each(o, a, (v) => v ** value));
      else work.push((TWO[op] ?? WRITTEN_OUT[op])?.(o, a, b) ?? each(o, a, ONE[op]));
    }
  });

  // A value of its own where it is edited or carried on, so that what else reads `a` is not touched.
  function hook(a, name) {
    let value = a;
    if (rules[name] || cell.states.includes(name)) {
      value = new Float32Array(a.length);
      const edit = rules[name] ? editor(value, rules[name], length) : null;
      work.push((t) => {
        value.set(a);
        edit?.(t);
      });
    }
    if (cell.signals.includes(name)) keep.push([(out[name] = new Float32Array(length * a.length)), value]);
    return value;
  }

  const carried = cell.states.map((name, k) => [before[k], buffers[cell.where[name]]]);
  for (let t = 0; t < length; t++) {
    x.set(below.subarray(t * inputs, (t + 1) * inputs));
    for (const compute of work) compute(t);
    for (const [all, value] of keep) all.set(value, t * value.length);
    for (const [last, value] of carried) last.set(value);
  }
  return out;
}
