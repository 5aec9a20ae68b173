// The forward pass of the network on the screen, so that the picture follows the hand during a drag.
// torch stays the authority: when the hand lets go, the server's arrays replace these.
// Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and the GRU and RNN pages.

const sigmoid = (v) => 1 / (1 + Math.exp(-v));
const BLOCKS = { LSTM: ["i", "f", "g", "o"], GRU: ["r", "z", "n"], RNN_TANH: ["h"], RNN_RELU: ["h"] };

// What an intervention does to one step's vector of one signal, in place.
function edit(vector, rules, step, steps) {
  if (!rules) return;
  for (const rule of rules) {
    const [first, stop] = span(rule.steps, steps);
    if (step < first || step >= stop) continue;
    const units = rule.units ?? vector.keys();
    for (const u of units) {
      if (rule.kind === "scale") vector[u] *= rule.value;
      else vector[u] = rule.kind === "ablate" ? 0 : rule.value;
    }
  }
}

export function span(steps, length) {
  if (!steps) return [0, length];
  const place = (v, otherwise) => (v == null ? otherwise : Math.min(length, Math.max(0, v < 0 ? v + length : v)));
  return [place(steps[0], 0), place(steps[1], length)];
}

// The rules by which somebody holds this value of this signal.
export function rulesOf(rules, signal, step, unit, steps) {
  return rules.filter((rule) => {
    const [from, to] = span(rule.steps, steps);
    return rule.signal === signal && step >= from && step < to && (!rule.units || rule.units.includes(unit));
  });
}

function affine(out, weight, bias, input, rows, cols) {
  for (let r = 0; r < rows; r++) {
    let sum = bias ? bias[r] : 0;
    const at = r * cols;
    for (let k = 0; k < cols; k++) sum += weight[at + k] * input[k];
    out[r] = sum;
  }
}

// model: {cell, hidden, layers, inputs, outputs, parameters: {name: Float32Array}}; x: Float32Array(L * inputs).
// Returns {"x": …, "l0.f": Float32Array(L * hidden), …, "y": …}, time first, like the server's arrays.
export function forward(model, x, rules = []) {
  const { cell, hidden: H, layers, parameters: P } = model;
  const blocks = BLOCKS[cell];
  const L = x.length / model.inputs;
  const bySignal = {};
  for (const rule of rules) (bySignal[rule.signal] ??= []).push(rule);
  const result = { x: x.slice() };
  for (let t = 0; t < L; t++) edit(result.x.subarray(t * model.inputs, (t + 1) * model.inputs), bySignal.x, t, L);
  let below = result.x;
  let width = model.inputs;
  for (let layer = 0; layer < layers; layer++) {
    const signals = cell === "LSTM" ? ["i", "f", "g", "o", "c", "h"] : cell === "GRU" ? ["r", "z", "n", "h"] : ["h"];
    const out = {};
    for (const s of signals) out[s] = result[`l${layer}.${s}`] = new Float32Array(L * H);
    const ih = new Float64Array(blocks.length * H);
    const hh = new Float64Array(blocks.length * H);
    const part = (source, b) => source.subarray(b * H, (b + 1) * H);
    const pre = new Float64Array(H);
    let h = new Float64Array(H);
    let c = new Float64Array(H);
    const [wi, wh] = [P[`weight_ih_l${layer}`], P[`weight_hh_l${layer}`]];
    const [bi, bh] = [P[`bias_ih_l${layer}`], P[`bias_hh_l${layer}`]];
    const touch = (name, vector, t) => edit(vector, bySignal[`l${layer}.${name}`], t, L);
    for (let t = 0; t < L; t++) {
      affine(ih, wi, bi, below.subarray(t * width, (t + 1) * width), blocks.length * H, width);
      affine(hh, wh, bh, h, blocks.length * H, H);
      const gate = {};
      blocks.forEach((name, b) => {
        touch(`${name}_ih`, part(ih, b), t);
        touch(`${name}_hh`, part(hh, b), t);
        const a = part(ih, b);
        const q = part(hh, b);
        for (let u = 0; u < H; u++) pre[u] = a[u] + (name === "n" ? gate.r[u] : 1) * q[u];
        touch(`${name}_pre`, pre, t);
        const squash = name === "g" || name === "n" || cell === "RNN_TANH" ? Math.tanh : cell === "RNN_RELU" ? (v) => Math.max(0, v) : sigmoid;
        gate[name] = Float64Array.from(pre, squash);
        if (name !== "h") touch(name, gate[name], t);
      });
      const next = new Float64Array(H);
      if (cell === "LSTM") {
        const cell_ = new Float64Array(H);
        for (let u = 0; u < H; u++) cell_[u] = gate.f[u] * c[u] + gate.i[u] * gate.g[u];
        touch("c", cell_, t);
        c = cell_;
        for (let u = 0; u < H; u++) next[u] = gate.o[u] * Math.tanh(c[u]);
        out.c.set(c, t * H);
      } else if (cell === "GRU") {
        for (let u = 0; u < H; u++) next[u] = (1 - gate.z[u]) * gate.n[u] + gate.z[u] * h[u];
      } else {
        next.set(gate.h);
      }
      touch("h", next, t);
      h = next;
      for (const name of blocks) if (name !== "h") out[name].set(gate[name], t * H);
      out.h.set(h, t * H);
    }
    below = out.h;
    width = H;
  }
  const O = model.outputs;
  result.y = new Float32Array(L * O);
  const y = new Float64Array(O);
  for (let t = 0; t < L; t++) {
    affine(y, P["readout.weight"], P["readout.bias"], below.subarray(t * H, (t + 1) * H), O, H);
    result.y.set(y, t * O);
  }
  return result;
}
