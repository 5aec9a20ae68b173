// The cells that a hand drew: boxes, operators and wires. A wire has a name of its own and carries a value; `phase` is
// when the walk reaches it, `tells` what happens then. Left to right is one step; the LSTM has the well-known form.

// `laws` are the equations that it draws, in the order in which they are told: a cell with other ones is laid out from
// its lines (celldrawing.js). `called` names the values that have no name there, each with whose colour it has.

import { later } from "./language.js";
import { GRU_TELLS, LSTM_TELLS, rnnTells } from "./parttold.js";

const box = (name, x, y, text, phase) => ({ kind: "box", name, x, y, text, phase });
const op = (name, x, y, text, phase) => ({ kind: "op", name, x, y, text, phase });
const dot = (name, x, y, phase) => ({ kind: "dot", name, x, y, phase }); // where two wires meet; elsewhere they cross
const wire = (name, value, path, phase, label) => ({ kind: "wire", name, value, path, phase, label });

const LSTM = {
  laws: [
    "f_t = σ(W_if x_t + b_if + W_hf h_{t−1} + b_hf)",
    "i_t = σ(W_ii x_t + b_ii + W_hi h_{t−1} + b_hi)",
    "g_t = tanh(W_ig x_t + b_ig + W_hg h_{t−1} + b_hg)",
    "c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t",
    "o_t = σ(W_io x_t + b_io + W_ho h_{t−1} + b_ho)",
    "h_t = o_t ⊙ tanh(c_t)",
  ],
  called: { "f_t ⊙ c_{t−1}": ["kept", "c"], "i_t ⊙ g_t": ["written", "g"], "tanh(c_t)": ["tanh_c", "c"] },
  ends: [
    ["c", 14, 88, "t−1"],
    ["h", 14, 304, "t−1"],
    ["c", 660, 88, "t"],
    ["h", 660, 304, "t"],
    ["x", 106, 368, "t"],
  ],
  same: {},
  phases: [
    later("what comes in"),
    later("forget gate"),
    later("input gate and candidate"),
    later("cell update"),
    later("output gate"),
  ],
  tells: LSTM_TELLS,
  parts: [
    wire("x", "x", "M130 372 V300", 0, [138, 362]),
    wire("h_", "h_", "M62 300 H450", 0, [66, 290]),
    wire("c_", "c_", "M62 84 H176", 0, [66, 74]),
    wire("to_f", "f_pre", "M190 300 V236", 1, [196, 268]),
    box("f", 190, 216, "σ", 1),
    wire("f", "f", "M190 196 V98", 1, [196, 150]),
    op("kept", 190, 84, "×", 3),
    wire("kept", "kept", "M204 84 H316", 3, [222, 74]),
    wire("to_i", "i_pre", "M262 300 V236", 2, [268, 268]),
    box("i", 262, 216, "σ", 2),
    wire("i", "i", "M262 196 V146 H316", 2, [262, 138]),
    wire("to_g", "g_pre", "M330 300 V236", 2, [340, 268]),
    box("g", 330, 216, "tanh", 2),
    wire("g", "g", "M330 196 V160", 2, [337, 184]),
    op("written", 330, 146, "×", 3),
    wire("written", "written", "M330 132 V98", 3, [338, 119]),
    op("c", 330, 84, "+", 3),
    wire("c", "c", "M344 84 H654", 3, [596, 74]),
    wire("to_o", "o_pre", "M450 300 V236", 4, [456, 268]),
    box("o", 450, 216, "σ", 4),
    wire("o", "o", "M472 216 H516", 4, [475, 198]),
    wire("c_down", "c", "M530 84 V124", 4),
    box("tanh_c", 530, 144, "tanh", 4),
    wire("tanh_c", "tanh_c", "M530 164 V202", 4, [538, 188]),
    op("h", 530, 216, "×", 4),
    wire("h", "h", "M530 230 V300 H654", 4, [596, 290]),
  ],
};

const GRU = {
  laws: [
    "r_t = σ(W_ir x_t + b_ir + W_hr h_{t−1} + b_hr)",
    "n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t−1} + b_hn))",
    "z_t = σ(W_iz x_t + b_iz + W_hz h_{t−1} + b_hz)",
    "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}",
  ],
  called: {
    "r_t ⊙ (W_hn h_{t−1} + b_hn)": ["reset", "n"],
    "1 − z_t": ["one_z", "z"],
    "(1 − z_t) ⊙ n_t": ["written", "n"],
    "z_t ⊙ h_{t−1}": ["kept", "h"],
  },
  ends: [
    ["h", 14, 88, "t−1"],
    ["h", 660, 88, "t"],
    ["x", 96, 368, "t"],
  ],
  same: {},
  phases: [later("what comes in"), later("reset gate"), later("candidate"), later("update gate"), later("new state")],
  tells: GRU_TELLS,
  parts: [
    wire("x", "x", "M120 372 V320", 0, [128, 362]),
    wire("xline", "x", "M120 320 H410", 0),
    wire("h_", "h_", "M62 84 H466", 0, [66, 74]),
    wire("h_down", "h_", "M74 84 V286 H410", 0),
    wire("to_r", "r_pre", "M150 320 V236", 1, [156, 306]),
    box("r", 150, 216, "σ", 1),
    wire("r", "r", "M150 196 V156 H226", 1, [160, 148]),
    wire("q", "n_hh", "M240 286 V170", 1, [186, 262]),
    op("reset", 240, 156, "×", 2),
    wire("reset", "reset", "M254 156 H300 V196", 2, [262, 148]),
    wire("to_n", "n_ih", "M300 320 V293 A7 7 0 0 1 300 279 V236", 2, [306, 306]),
    box("n", 300, 216, "tanh", 2),
    wire("n", "n", "M322 216 H350 V156 H473 A7 7 0 0 1 487 156 H546", 2, [356, 148]),
    wire("to_z", "z_pre", "M410 320 V256", 3, [416, 306]),
    box("z", 410, 236, "σ", 3),
    wire("z", "z", "M432 236 H480 V98", 3, [428, 212]),
    op("kept", 480, 84, "×", 4),
    wire("kept", "kept", "M494 84 H546", 4, [490, 62]),
    wire("z_over", "z", "M480 236 H506", 3),
    op("one_z", 520, 236, "1−", 4),
    wire("one_z", "one_z", "M534 236 H560 V170", 4, [566, 206]),
    op("written", 560, 156, "×", 4),
    wire("written", "written", "M560 142 V98", 4, [566, 124]),
    op("h", 560, 84, "+", 4),
    wire("h", "h", "M574 84 H654", 4, [598, 74]),
    dot("h_down", 74, 84, 0),
    dot("to_r", 150, 286, 1),
    dot("to_r", 150, 320, 1),
    dot("to_n", 300, 320, 2),
    dot("q", 240, 286, 1),
    dot("to_z", 410, 286, 3),
  ],
};

// The plain network, with tanh or with ReLU.
const rnn = (squash) => ({
  laws: [`h_t = ${squash}(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh)`],
  called: {},
  ends: [
    ["h", 14, 154, "t−1"],
    ["h", 660, 154, "t"],
    ["x", 176, 368, "t"],
  ],
  // What comes in lights up with its product.
  same: { x: "h_ih", h_: "h_hh" },
  phases: [later("what comes in"), later("sum"), later("new state")],
  tells: rnnTells(squash === "relu" ? "ReLU" : squash),
  parts: [
    wire("x", "x", "M200 372 V220", 0, [208, 362]),
    wire("h_", "h_", "M62 150 H200", 0, [66, 140]),
    wire("h_ih", "h_ih", "M200 220 H290 V164", 1, [220, 212]),
    wire("h_hh", "h_hh", "M200 150 H276", 1, [220, 140]),
    op("h_ih", 200, 220, "W", 1),
    op("h_hh", 200, 150, "W", 1),
    op("h", 290, 150, "+", 1),
    wire("pre", "h_pre", "M304 150 H378", 1, [308, 176]),
    box("h", 400, 150, squash, 2),
    wire("h", "h", "M422 150 H654", 2, [560, 140]),
  ],
});

export const DIAGRAMS = [LSTM, GRU, rnn("tanh"), rnn("relu")];
