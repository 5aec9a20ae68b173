// Every number of one step, from the states and the weights, by the names of the trace: f_ih is W_if x + b_if, f_hh
// is W_hf h + b_hf, f_pre their sum; f_wx, f_bx, f_wh, f_bh are the four terms of it.

import { BLOCK } from "./diagrams.js";

function dot(weights, row, input) {
  let total = 0;
  for (let k = 0; k < input.length; k++) total += weights[row * input.length + k] * input[k];
  return total;
}

// header: {cell, hidden, inputs}; arrays: x, the layer's signals, w_ih, w_hh, b_ih, b_hh, all as sent by the server.
function reader({ cell, hidden: H, inputs }, arrays, step) {
  const kind = cell.startsWith("RNN") ? "RNN" : cell;
  const x = arrays.x.subarray(step * inputs, (step + 1) * inputs);
  const before = step ? arrays.h.subarray((step - 1) * H, step * H) : new Float32Array(H);
  const unit = (u) => {
    const read = (name, t) => (t < 0 ? 0 : arrays[name]?.[t * H + u]);
    const v = { x: inputs === 1 ? x[0] : Math.hypot(...x), h_: before[u], c_: read("c", step - 1), c: read("c", step), h: read("h", step) };
    BLOCK[kind].forEach((gate, b) => {
      const row = b * H + u;
      v[`${gate}_wx`] = dot(arrays.w_ih, row, x);
      v[`${gate}_bx`] = arrays.b_ih[row];
      v[`${gate}_wh`] = dot(arrays.w_hh, row, before);
      v[`${gate}_bh`] = arrays.b_hh[row];
      v[`${gate}_ih`] = v[`${gate}_wx`] + v[`${gate}_bx`];
      v[`${gate}_hh`] = v[`${gate}_wh`] + v[`${gate}_bh`];
      if (gate !== "h") v[gate] = read(gate, step);
    });
    for (const gate of BLOCK[kind]) v[`${gate}_pre`] = v[`${gate}_ih`] + (gate === "n" ? v.r : 1) * v[`${gate}_hh`];
    if (kind === "LSTM") Object.assign(v, { kept: v.f * v.c_, written: v.i * v.g, tanh_c: Math.tanh(v.c) });
    if (kind === "GRU") Object.assign(v, { reset: v.r * v.n_hh, one_z: 1 - v.z, kept: v.z * v.h_, written: (1 - v.z) * v.n });
    return v;
  };
  return { kind, x, before, unit };
}

// One unit, with the single products of each gate in `parts`.
export function sums(header, arrays, step, unit) {
  const { kind, x, before, unit: read } = reader(header, arrays, step);
  const v = read(unit);
  v.parts = Object.fromEntries(BLOCK[kind].map((gate, b) => {
    const row = b * header.hidden + unit;
    const products = (weights, input) => Array.from(input, (value, k) => weights[row * input.length + k] * value);
    return [gate, { wx: products(arrays.w_ih, x), wh: products(arrays.w_hh, before), sx: v[`${gate}_wx`], bx: v[`${gate}_bx`], sh: v[`${gate}_wh`], bh: v[`${gate}_bh`] }];
  }));
  return v;
}

// All units: a Float64Array(H) by each name.
export function vectors(header, arrays, step) {
  const { unit: read } = reader(header, arrays, step);
  const found = {};
  for (let u = 0; u < header.hidden; u++) {
    const v = read(u);
    for (const name in v) (found[name] ??= new Float64Array(header.hidden))[u] = v[name];
  }
  return found;
}
