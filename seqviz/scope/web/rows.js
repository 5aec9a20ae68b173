// What a row of the scope shows of its signal: the numbers that are drawn, how far they reach, in which colours.

import { visible } from "./dom.js";
import { tr } from "./language.js";
import { clamp, largest } from "./numbers.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { ScopeState } from "./types.js" */

const FOLDED = 12;
const SHOWN = 6; // lines of one row

/** @type {(row: ScopeRow, folded: boolean, hidden: number, narrow: boolean) => number} */
export function rowHeight(row, folded, hidden, narrow) {
  if (folded) return FOLDED;
  if (row.kind === "line") return narrow ? 48 : 60;
  const units = row.kind === "onehot" ? row.width : hidden;
  return clamp(units * 4, narrow ? 48 : 60, narrow ? 72 : 96);
}

// Time first into a line a unit: W units over L steps, in some order.
/**
 * @param {Float32Array} values
 * @param {number} L
 * @param {number} W
 * @param {number[]} [order]
 * @returns {Float32Array[]}
 */
export function lined(values, L, W, order = [...Array(W).keys()]) {
  return order.map((u) => {
    const line = new Float32Array(L);
    for (let t = 0; t < L; t++) line[t] = values[t * W + u];
    return line;
  });
}

// The mean over units: all that a folded row has room for.
function folding(values, L, W) {
  const line = new Float32Array(L);
  for (let t = 0; t < L; t++) {
    let sum = 0;
    for (let u = 0; u < W; u++) sum += values[t * W + u];
    line[t] = sum / W;
  }
  return [line];
}

export function lineRange(values, floor) {
  let low = floor[0];
  let high = floor[1];
  for (let k = 0; k < values.length; k++) {
    if (values[k] < low && values[k] > -Infinity) low = values[k];
    if (values[k] > high && values[k] < Infinity) high = values[k];
  }
  const pad = 0.08 * (high - low || 1);
  return [low - pad, high + pad];
}

// A line that leaves its range leaves it as steeply from a thousand ranges off: nothing is placed at 1e38 pixels.
function near(value, range) {
  if (!range || !Number.isFinite(value)) return value;
  const far = 1000 * (range[1] - range[0]);
  return clamp(value, range[0] - far, range[1] + far);
}

// What one row draws: the values that Plotly's restyle takes.
/**
 * @param {ScopeRow} row
 * @param {Float32Array} values
 * @param {ScopeState} state
 * @returns {{z?: Float32Array[], lines?: Float32Array[], targets?: (number | null)[][]}}
 */
export function rowData(row, values, state) {
  const { L } = state;
  if (state.folded.has(row.signal)) return { z: folding(values, L, row.width) };
  if (row.kind !== "line") return { z: lined(values, L, row.width, row.kind === "onehot" ? undefined : state.order) };
  const range = state.ranges?.[row.signal];
  const shown = [...Array(Math.min(row.width, SHOWN)).keys()];
  return {
    lines: lined(values, L, row.width, shown).map((line) => line.map((v) => near(v, range))),
    targets: targets(row, state),
  };
}

// The right answers beside a row's lines, where there are any: null where nothing is asked.
/**
 * @param {ScopeRow} row
 * @param {ScopeState} state
 * @returns {(number | null)[][]}
 */
function targets(row, { L, target }) {
  if (!row.target || !target) return [];
  return Array.from({ length: Math.min(row.width, SHOWN) }, (_, k) =>
    Array.from({ length: L }, (_v, t) => {
      const value = target[t * row.width + k];
      return Number.isNaN(value) ? null : value;
    }),
  );
}

// Whether somebody holds a gate where no gate could be by itself.
const SLACK = 1e-3;
/** @type {(row: ScopeRow, values: Float32Array) => boolean} */
export function beyond(row, values) {
  if (row.kind === "gate")
    for (let k = 0; k < values.length; k++) if (values[k] < -SLACK || values[k] > 1 + SLACK) return true;
  return false;
}

// The colours of a row's heatmap over its range. What lies outside of a gate's 0 to 1 has a colour of its own.
const WIDER = 0.1;
/**
 * @param {ScopeRow} row
 * @param {Float32Array} values
 * @param {ScopeState} state
 * @param {Theme} theme
 */
export function colours(row, values, state, theme) {
  if (row.kind !== "gate" || state.view === "difference") return theme.diverging;
  const scale = theme.sequential[row.signal] ?? theme.magnitude;
  if (!beyond(row, values)) return scale;
  const share = (v) => (v + WIDER) / (1 + 2 * WIDER);
  const [low, high] = [share(-SLACK), share(1 + SLACK)];
  const inner = scale.map(([at, color]) => [share(at), color]);
  return [
    [0, theme.outside],
    [low, theme.outside],
    [low, scale[0][1]],
    ...inner,
    [high, scale.at(-1)[1]],
    [high, theme.outside],
    [1, theme.outside],
  ];
}

// How far a row's colours reach, in words.
/**
 * @param {ScopeRow} row
 * @param {Float32Array} values
 * @param {ScopeState} state
 */
export function rangeText(row, values, state) {
  const short = (v) => (Math.abs(v) < 0.1 || Math.abs(v) >= 1e4 ? v.toPrecision(2) : v.toFixed(2)).replace("-", "−");
  if (state.view === "difference" && !largest(values)) return tr("the same in both runs");
  if (row.kind === "state" || (state.view === "difference" && row.kind === "gate"))
    return `±${short(rowRange(row, values, state)[1])}`;
  if (state.view === "difference") return tr("differs by up to {most}", { most: short(largest(values)) });
  if (!beyond(row, values)) return "";
  const finite = values.filter(Number.isFinite);
  return tr("{low} to {high}", {
    low: short(finite.reduce((a, b) => Math.min(a, b))),
    high: short(finite.reduce((a, b) => Math.max(a, b))),
  });
}

// `row.reach`: the largest value of all the runs that this one is compared with.
/**
 * @param {ScopeRow} row
 * @param {Float32Array} values
 * @param {ScopeState} state
 */
export function rowRange(row, values, state) {
  const most = Math.max(largest(values), state.view === "difference" ? 0 : (row.reach ?? 0));
  if (state.view === "difference") return [-(most || 1), most || 1];
  if (row.kind === "gate") return beyond(row, values) ? [-WIDER, 1 + WIDER] : [0, 1];
  // A state far inside ±1 would be all background; then its own largest value sets the scale.
  const reach = most > 1 || (most > 0 && most < 0.25) ? most : 1;
  return [-reach, reach];
}

// What a step and a feature of the input are called, beside their numbers.
/** @type {(state: import("./types.js").TimedState, step: number) => string} */
export const stepLabel = ({ labels, marks }, step) =>
  labels ? ` “${visible(labels[step])}”` : marks?.[step] ? ` (${marks[step]})` : "";
/** @type {(state: ScopeState, row: ScopeRow, f: number) => string} */
export const featureName = ({ names }, row, f) => {
  if (row.signal === "x" && names) return names[f];
  return row.width > 1 ? `${row.symbol}[${f}]` : row.symbol;
};
