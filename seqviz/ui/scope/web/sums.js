// Every number of one step and one unit, from the states and the weights, by the names of the trace: f_ih is
// W_if x + b_if, f_hh is W_hf h + b_hf, f_pre their sum. `parts` holds the single products of each gate.

import { BLOCK } from "./diagrams.js";

const total = (list) => list.reduce((a, b) => a + b, 0);

// header: {cell, hidden, inputs}; arrays: x, the layer's signals, w_ih, w_hh, b_ih, b_hh, all as sent by the server.
export function sums({ cell, hidden: H, inputs }, arrays, step, unit) {
  const kind = cell.startsWith("RNN") ? "RNN" : cell;
  const read = (name, t) => (t < 0 ? 0 : arrays[name]?.[t * H + unit]);
  const x = arrays.x.subarray(step * inputs, (step + 1) * inputs);
  const before = step ? arrays.h.subarray((step - 1) * H, step * H) : new Float32Array(H);
  const v = { x: x[0], h_: before[unit], c_: read("c", step - 1), c: read("c", step), h: read("h", step), parts: {} };
  BLOCK[kind].forEach((gate, b) => {
    const row = b * H + unit;
    const products = (weights, input) => Array.from(input, (value, k) => weights[row * input.length + k] * value);
    const [wx, wh] = [products(arrays.w_ih, x), products(arrays.w_hh, before)];
    v.parts[gate] = { wx, wh, sx: total(wx), sh: total(wh), bx: arrays.b_ih[row], bh: arrays.b_hh[row] };
    v[`${gate}_ih`] = total(wx) + arrays.b_ih[row];
    v[`${gate}_hh`] = total(wh) + arrays.b_hh[row];
    if (gate !== "h") v[gate] = read(gate, step);
  });
  for (const gate of BLOCK[kind]) v[`${gate}_pre`] = v[`${gate}_ih`] + (gate === "n" ? v.r : 1) * v[`${gate}_hh`];
  if (kind === "LSTM") Object.assign(v, { kept: v.f * v.c_, written: v.i * v.g, tanh_c: Math.tanh(v.c) });
  if (kind === "GRU") Object.assign(v, { reset: v.r * v.n_hh, one_z: 1 - v.z, kept: v.z * v.h_, written: (1 - v.z) * v.n });
  return v;
}

// The same for all units: a Float64Array(H) by each name, and by f_wx, f_bx, f_wh, f_bh the terms of each gate's sum.
export function vectors(header, arrays, step) {
  const found = {};
  for (let unit = 0; unit < header.hidden; unit++) {
    const v = sums(header, arrays, step, unit);
    for (const [gate, p] of Object.entries(v.parts)) Object.assign(v, { [`${gate}_wx`]: p.sx, [`${gate}_bx`]: p.bx, [`${gate}_wh`]: p.sh, [`${gate}_bh`]: p.bh });
    for (const [name, value] of Object.entries(v)) if (name !== "parts") (found[name] ??= new Float64Array(header.hidden))[unit] = value;
  }
  return found;
}
