// The cells as drawings: boxes, operators and wires with a name each. A wire carries a value; `phase` is when
// the walk reaches it. Left to right is one step; the LSTM has the well-known form.

import { later } from "./language.js";

const box = (name, x, y, text, phase) => ({ kind: "box", name, x, y, text, phase });
const op = (name, x, y, text, phase) => ({ kind: "op", name, x, y, text, phase });
const dot = (name, x, y, phase) => ({ kind: "dot", name, x, y, phase }); // where two wires meet; elsewhere they cross
const wire = (name, value, path, phase, label) => ({ kind: "wire", name, value, path, phase, label });

export const DIAGRAMS = {
  LSTM: {
    phases: [
      later("what comes in"),
      later("forget gate"),
      later("input gate and candidate"),
      later("cell update"),
      later("output gate"),
    ],
    parts: [
      wire("x", "x", "M130 372 V300", 0, [138, 362]),
      wire("h_", "h_", "M62 300 H450", 0, [66, 290]),
      wire("c_", "c_", "M62 84 H176", 0, [66, 74]),
      wire("to_f", "f_pre", "M190 300 V236", 1, [196, 268]),
      box("f", 190, 216, "σ", 1),
      wire("f", "f", "M190 196 V98", 1, [196, 150]),
      op("times_f", 190, 84, "×", 3),
      wire("kept", "kept", "M204 84 H316", 3, [222, 74]),
      wire("to_i", "i_pre", "M262 300 V236", 2, [268, 268]),
      box("i", 262, 216, "σ", 2),
      wire("i", "i", "M262 196 V146 H316", 2, [262, 138]),
      wire("to_g", "g_pre", "M330 300 V236", 2, [340, 268]),
      box("g", 330, 216, "tanh", 2),
      wire("g", "g", "M330 196 V160", 2, [337, 184]),
      op("times_i", 330, 146, "×", 3),
      wire("written", "written", "M330 132 V98", 3, [338, 119]),
      op("plus", 330, 84, "+", 3),
      wire("c", "c", "M344 84 H654", 3, [596, 74]),
      wire("to_o", "o_pre", "M450 300 V236", 4, [456, 268]),
      box("o", 450, 216, "σ", 4),
      wire("o", "o", "M472 216 H516", 4, [475, 198]),
      wire("c_down", "c", "M530 84 V124", 4),
      box("tanh_c", 530, 144, "tanh", 4),
      wire("tanh_c", "tanh_c", "M530 164 V202", 4, [538, 188]),
      op("times_o", 530, 216, "×", 4),
      wire("h", "h", "M530 230 V300 H654", 4, [596, 290]),
    ],
  },
  GRU: {
    phases: [later("what comes in"), later("reset gate"), later("candidate"), later("update gate"), later("new state")],
    parts: [
      wire("x", "x", "M120 372 V320", 0, [128, 362]),
      wire("xline", "x", "M120 320 H410", 0),
      wire("h_", "h_", "M62 84 H466", 0, [66, 74]),
      wire("h_down", "h_", "M74 84 V286 H410", 0),
      wire("to_r", "r_pre", "M150 320 V236", 1, [156, 306]),
      box("r", 150, 216, "σ", 1),
      wire("r", "r", "M150 196 V156 H226", 1, [160, 148]),
      wire("q", "n_hh", "M240 286 V170", 1, [186, 262]),
      op("times_r", 240, 156, "×", 2),
      wire("reset", "reset", "M254 156 H300 V196", 2, [262, 148]),
      wire("to_n", "n_ih", "M300 320 V293 A7 7 0 0 1 300 279 V236", 2, [306, 306]),
      box("n", 300, 216, "tanh", 2),
      wire("n", "n", "M322 216 H350 V156 H473 A7 7 0 0 1 487 156 H546", 2, [356, 148]),
      wire("to_z", "z_pre", "M410 320 V256", 3, [416, 306]),
      box("z", 410, 236, "σ", 3),
      wire("z", "z", "M432 236 H480 V98", 3, [428, 212]),
      op("times_z", 480, 84, "×", 4),
      wire("kept", "kept", "M494 84 H546", 4, [490, 62]),
      wire("z_over", "z", "M480 236 H506", 3),
      op("one_minus", 520, 236, "1−", 4),
      wire("one_z", "one_z", "M534 236 H560 V170", 4, [566, 206]),
      op("times_n", 560, 156, "×", 4),
      wire("written", "written", "M560 142 V98", 4, [566, 124]),
      op("plus", 560, 84, "+", 4),
      wire("h", "h", "M574 84 H654", 4, [598, 74]),
      dot("h_down", 74, 84, 0),
      dot("to_r", 150, 286, 1),
      dot("to_r", 150, 320, 1),
      dot("to_n", 300, 320, 2),
      dot("q", 240, 286, 1),
      dot("to_z", 410, 286, 3),
    ],
  },
  RNN: {
    phases: [later("what comes in"), later("sum"), later("new state")],
    parts: [
      wire("x", "x", "M200 372 V220", 0, [208, 362]),
      wire("h_", "h_", "M62 150 H200", 0, [66, 140]),
      wire("from_x", "h_ih", "M200 220 H290 V164", 1, [220, 212]),
      wire("from_h", "h_hh", "M200 150 H276", 1, [220, 140]),
      op("from_x", 200, 220, "W", 1),
      op("from_h", 200, 150, "W", 1),
      op("plus", 290, 150, "+", 1),
      wire("pre", "h_pre", "M304 150 H378", 1, [308, 176]),
      box("h", 400, 150, "tanh", 2),
      wire("h", "h", "M422 150 H654", 2, [560, 140]),
    ],
  },
};

// The lines of torch's documentation. `law` is made of text and of terms, each with the name of the wire that it
// stands for; `terms` are the values that a line without a sum multiplies, `biases` the names of a sum's, `result`
// when the walk reaches its value, where that is after its sum; `rows` is the
// line for all units at once, a vector a row, by its name in sums.js and, where that differs, the term that it belongs
// to. A gate's rows end with its sum and its value.
const term = (link, ...text) => ({ link, text });
const gate = (g, phase, squash, names = [`i${g}`, `h${g}`, "x", "h_"]) => {
  const [i, h, x, before] = names;
  return {
    gate: g,
    phase,
    squash,
    biases: [`b_${i}`, `b_${h}`],
    law: [
      term(g, `${g}_t`),
      ` = ${squash}(`,
      term(x, `W_${i} x_t + b_${i}`),
      " + ",
      term(before, `W_${h} h_{t−1} + b_${h}`),
      ")",
    ],
    rows: [
      [`W_${i} x_t`, `${g}_wx`, x],
      [`b_${i}`, `${g}_bx`, x],
      [`W_${h} h_{t−1}`, `${g}_wh`, before],
      [`b_${h}`, `${g}_bh`, before],
      [later("sum"), `${g}_pre`, g],
      [`${g}_t`, g],
    ],
  };
};

const PARTS = [
  ["ih", "wx", "bx", 2],
  ["hh", "wh", "bh", 4],
];

// A line's rows in a run where somebody holds these signals: a held part of a sum has one row instead of two.
export function rowsOf(line, held) {
  let { rows } = line;
  for (const [part, weight, bias, at] of PARTS) {
    const [whole, first, second] = [part, weight, bias].map((end) => `${line.gate}_${end}`);
    if (!held.has(whole) || rows.some(([, name]) => name === whole)) continue;
    const { link, text } = line.law[at];
    rows = rows.filter(([, name]) => name !== second).map((row) => (row[1] === first ? [text[0], whole, link] : row));
  }
  return rows;
}

export const LINES = {
  LSTM: [
    gate("f", 1, "σ"),
    gate("i", 2, "σ"),
    gate("g", 2, "tanh"),
    {
      value: "c",
      phase: 3,
      law: [
        term("c", "c_t"),
        " = ",
        term("kept", term("f", "f_t"), " ⊙ ", term("c_", "c_{t−1}")),
        " + ",
        term("written", term("i", "i_t"), " ⊙ ", term("g", "g_t")),
      ],
      terms: [["kept", "f", "c_"], "+", ["written", "i", "g"]],
      rows: [
        ["c_{t−1}", "c_"],
        ["f_t ⊙ c_{t−1}", "kept"],
        ["i_t ⊙ g_t", "written"],
        ["c_t", "c"],
      ],
    },
    gate("o", 4, "σ"),
    {
      value: "h",
      phase: 4,
      law: [term("h", "h_t"), " = ", term("o", "o_t"), " ⊙ ", term("tanh_c", "tanh(c_t)")],
      terms: [["h", "o", "tanh_c"]],
      rows: [
        ["tanh(c_t)", "tanh_c"],
        ["h_t", "h"],
      ],
    },
  ],
  GRU: [
    gate("r", 1, "σ"),
    {
      ...gate("n", 2, "tanh"),
      reset: true,
      law: [
        term("n", "n_t"),
        " = tanh(",
        term("to_n", "W_in x_t + b_in"),
        " + ",
        term("reset", term("r", "r_t"), " ⊙ (", term("q", "W_hn h_{t−1} + b_hn"), ")"),
        ")",
      ],
      rows: [
        ["W_in x_t", "n_wx", "to_n"],
        ["b_in", "n_bx", "to_n"],
        ["W_hn h_{t−1} + b_hn", "n_hh", "q"],
        ["r_t ⊙ (W_hn h_{t−1} + b_hn)", "reset"],
        [later("sum"), "n_pre", "n"],
        ["n_t", "n"],
      ],
    },
    gate("z", 3, "σ"),
    {
      value: "h",
      phase: 4,
      law: [
        term("h", "h_t"),
        " = ",
        term("written", term("one_z", "(1 − z_t)"), " ⊙ ", term("n", "n_t")),
        " + ",
        term("kept", term("z", "z_t"), " ⊙ ", term("h_", "h_{t−1}")),
      ],
      terms: [["written", "one_z", "n"], "+", ["kept", "z", "h_"]],
      rows: [
        ["(1 − z_t) ⊙ n_t", "written"],
        ["z_t ⊙ h_{t−1}", "kept"],
        ["h_t", "h"],
      ],
    },
  ],
  RNN: [{ ...gate("h", 1, "tanh", ["ih", "hh", "from_x", "from_h"]), result: 2 }],
};

export const BLOCK = { LSTM: ["i", "f", "g", "o"], GRU: ["r", "z", "n"], RNN: ["h"] };

// Wires and operators that are about the same value as another name.
export const SAME = {
  LSTM: {
    to_f: "f",
    to_i: "i",
    to_g: "g",
    to_o: "o",
    c_down: "c",
    times_f: "kept",
    times_i: "written",
    plus: "c",
    times_o: "h",
  },
  GRU: {
    to_r: "r",
    to_z: "z",
    z_over: "z",
    xline: "x",
    h_down: "h_",
    times_r: "reset",
    times_z: "kept",
    times_n: "written",
    one_minus: "one_z",
    plus: "h",
  },
  RNN: { x: "from_x", h_: "from_h", pre: "h", plus: "h" },
};
