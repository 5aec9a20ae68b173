// What a cell looks like: its drawing and its equations. Torch's cells were drawn by hand and are found by their name;
// any other is laid out from its description.

import { drawn } from "./celldrawing.js";
import { DIAGRAMS, LINES, SAME } from "./diagrams.js";
import { spelled } from "./dom.js";
import { Printed, equationsOf, flat, phasesOf } from "./terms.js";

/** @import { CellDescription } from "./headers.js" */
/**
 * @typedef {object} Form
 * @property {string[]} phases of the walk, in words
 * @property {any[]} parts wires, boxes, operators, dots
 * @property {[number, number]} size
 * @property {[number, number, number, number]} hull what lies in the cell: left, top, width, height
 * @property {[string, number, number, string][]} ends what comes in and goes out: a letter, its place, and when
 * @property {any[]} lines the equations
 * @property {Record<string, string>} same links that are about the same value as another name
 * @property {Record<string, string>} hues whose colour a value has
 * @property {Record<string, string>} spoken what a value is called when it is read out
 * @property {Record<string, number>} phaseOf when the walk reaches what no wire carries
 * @property {boolean} relu
 */

const HUES = {
  LSTM: { kept: "c", written: "g", tanh_c: "c" },
  GRU: { kept: "h", written: "n", reset: "n", one_z: "z" },
  RNN: {},
};
const SPOKEN = {
  LSTM: { kept: "f · c₋₁", written: "i · g", tanh_c: "tanh(c)" },
  GRU: {
    kept: "z · h₋₁",
    written: "(1 − z) · n",
    one_z: "1 − z",
    reset: "r · (W_hn h₋₁ + b_hn)",
    n_hh: "W_hn h₋₁ + b_hn",
    n_ih: "W_in x + b_in",
  },
  RNN: { h_ih: "W_ih x + b_ih", h_hh: "W_hh h₋₁ + b_hh" },
};
const ENDS = {
  LSTM: [
    ["c", 14, 88, "t−1"],
    ["h", 14, 304, "t−1"],
    ["c", 660, 88, "t"],
    ["h", 660, 304, "t"],
    ["x", 106, 368, "t"],
  ],
  GRU: [
    ["h", 14, 88, "t−1"],
    ["h", 660, 88, "t"],
    ["x", 96, 368, "t"],
  ],
  RNN: [
    ["h", 14, 154, "t−1"],
    ["h", 660, 154, "t"],
    ["x", 176, 368, "t"],
  ],
};

/** @type {Record<string, "LSTM" | "GRU" | "RNN">} */
const BY_HAND = { LSTM: "LSTM", GRU: "GRU", RNN_TANH: "RNN", RNN_RELU: "RNN" };

/** @type {(name: string) => "LSTM" | "GRU" | "RNN" | undefined} */
export const byHand = (name) => BY_HAND[name];

/**
 * @param {CellDescription} description
 * @returns {Form}
 */
export function formOf(description) {
  const kind = byHand(description.name);
  if (!kind) return general(description);
  const sums = LINES[kind].filter((line) => line.gate).map(({ gate, phase }) => [`${gate}_pre`, phase]);
  return {
    ...DIAGRAMS[kind],
    size: [680, 384],
    hull: [90, 34, 548, 306],
    ends: /** @type {Form["ends"]} */ (ENDS[kind]),
    lines: LINES[kind],
    same: SAME[kind],
    hues: HUES[kind],
    spoken: SPOKEN[kind],
    phaseOf: Object.fromEntries(sums),
    relu: description.name === "RNN_RELU",
  };
}

/** @type {(description: CellDescription) => Form} */
function general(description) {
  const phaseOf = phasesOf(description);
  const lines = equationsOf(description);
  // A value without a name is called by what makes it, and has the colour of the line that it is a part of.
  const unnamed = Object.entries(phaseOf).filter(([name, phase]) => name.startsWith("#") && phase > 0);
  const printed = new Printed(description);
  const says = (name) => spelled(printed.spell(+name.slice(1)).map(flat).join(""));
  return {
    ...drawn(description, phaseOf),
    lines,
    same: {},
    hues: Object.fromEntries(unnamed.map(([name, phase]) => [name, description.signals[phase - 1]])),
    spoken: Object.fromEntries(unnamed.map(([name]) => [name, says(name)])),
    phaseOf,
    relu: false,
  };
}
