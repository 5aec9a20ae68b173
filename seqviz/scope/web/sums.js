// Every number of one step, from the states and the weights, by the names of the trace: f_ih is W_if x + b_if, f_hh
// is W_hf h + b_hf, f_pre their sum; f_wx, f_bx, f_wh, f_bh are the four terms of it. What somebody holds is what the
// server says it is; `made` has what it would be by its own sum.

import { BLOCK } from "./diagrams.js";
import { byHand } from "./form.js";
import { stepValues, unitOf } from "./stepvalues.js";
import { held32 } from "./tape.js";

function dot(weights, row, input) {
  let total = 0;
  for (let k = 0; k < input.length; k++) total += weights[row * input.length + k] * input[k];
  return total;
}

const SQUASH = { sigmoid: (v) => 1 / (1 + Math.exp(-v)), tanh: Math.tanh, relu: (v) => Math.max(0, v) };
const squashOf = (cell, gate) => SQUASH[cell === "RNN_RELU" ? "relu" : "gnh".includes(gate) ? "tanh" : "sigmoid"];

// header: {cell, hidden, inputs}; arrays: x, the layer's signals, w_ih, w_hh, b_ih, b_hh, all as sent by the server,
// and of a run with interventions also what is before the squashing.
/** @import { CellHeader } from "./headers.js" */
/**
 * @param {CellHeader} header
 * @param {Record<string, Float32Array>} arrays
 * @param {number} step
 */
function reader({ cell, hidden: H, inputs }, arrays, step) {
  const kind = cell.startsWith("RNN") ? "RNN" : cell;
  const x = arrays.x.subarray(step * inputs, (step + 1) * inputs);
  const before = step ? arrays.h.subarray((step - 1) * H, step * H) : new Float32Array(H);
  const unit = (u) => {
    const read = (name, t) => (t < 0 ? 0 : arrays[name]?.[t * H + u]);
    const made = {};
    const settle = (name, value) => {
      made[name] = held32(value);
      v[name] = read(name, step) ?? made[name];
    };
    const v = {
      x: inputs === 1 ? x[0] : Math.hypot(...x),
      h_: before[u],
      c_: read("c", step - 1),
      c: read("c", step),
      h: read("h", step),
    };
    BLOCK[kind].forEach((gate, b) => {
      const row = b * H + u;
      v[`${gate}_wx`] = dot(arrays.w_ih, row, x);
      v[`${gate}_bx`] = arrays.b_ih[row];
      v[`${gate}_wh`] = dot(arrays.w_hh, row, before);
      v[`${gate}_bh`] = arrays.b_hh[row];
      settle(`${gate}_ih`, v[`${gate}_wx`] + v[`${gate}_bx`]);
      settle(`${gate}_hh`, v[`${gate}_wh`] + v[`${gate}_bh`]);
      if (gate !== "h") v[gate] = read(gate, step);
    });
    for (const gate of BLOCK[kind]) {
      settle(`${gate}_pre`, v[`${gate}_ih`] + (gate === "n" ? v.r : 1) * v[`${gate}_hh`]);
      made[gate] = squashOf(cell, gate)(v[`${gate}_pre`]);
    }
    if (kind === "LSTM") Object.assign(v, { kept: v.f * v.c_, written: v.i * v.g, tanh_c: Math.tanh(v.c) });
    if (kind === "GRU")
      Object.assign(v, { reset: v.r * v.n_hh, one_z: 1 - v.z, kept: v.z * v.h_, written: (1 - v.z) * v.n });
    if (kind === "LSTM") Object.assign(made, { c: v.kept + v.written, h: v.o * v.tanh_c });
    if (kind === "GRU") made.h = v.written + v.kept;
    return { v, made };
  };
  return { kind, x, before, unit };
}

// One unit, with the single products of each gate in `parts` and what the equations give in `made`.
/**
 * @param {CellHeader} header
 * @param {Record<string, Float32Array>} arrays
 * @param {number} step
 * @param {number} unit
 */
export function sums(header, arrays, step, unit) {
  if (!byHand(header.cell)) return general(header, arrays, step, unit);
  const { kind, x, before, unit: read } = reader(header, arrays, step);
  const { v, made } = read(unit);
  v.made = made;
  v.parts = Object.fromEntries(
    BLOCK[kind].map((gate, b) => {
      const row = b * header.hidden + unit;
      const products = (weights, input) => Array.from(input, (value, k) => weights[row * input.length + k] * value);
      return [
        gate,
        {
          wx: products(arrays.w_ih, x),
          wh: products(arrays.w_hh, before),
          sx: v[`${gate}_wx`],
          bx: v[`${gate}_bx`],
          sh: v[`${gate}_wh`],
          bh: v[`${gate}_bh`],
        },
      ];
    }),
  );
  return v;
}

// All units: a Float64Array(H) by each name.
/**
 * @param {CellHeader} header
 * @param {Record<string, Float32Array>} arrays
 * @param {number} step
 * @returns {Record<string, Float64Array>}
 */
export function vectors(header, arrays, step) {
  if (!byHand(header.cell)) return stepValues(header, arrays, step).named;
  const { unit: read } = reader(header, arrays, step);
  /** @type {Record<string, Float64Array>} */
  const found = {};
  for (let u = 0; u < header.hidden; u++) {
    const { v } = read(u);
    for (const name in v) (found[name] ??= new Float64Array(header.hidden))[u] = v[name];
  }
  return found;
}

// A cell that has no drawing of its own: the numbers of its tape, and `part(k)`, the products of one of its nodes.
function general(header, arrays, step, unit) {
  const { named, made, part } = stepValues(header, arrays, step);
  return { ...unitOf(named, unit), made: unitOf(made, unit), part: (k) => part(k, unit) };
}
