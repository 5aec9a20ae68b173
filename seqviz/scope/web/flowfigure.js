// The curves over time as one Plotly figure: a drawing for every kind of row, on a shared time axis.

import {
  axisOf,
  domain,
  fitted,
  layoutOf,
  lines as textLines,
  marginOf,
  namedIn,
  roomBeside,
  roomOfNote,
  sheet,
  stacked,
  timeAxis,
  valueTicks,
  zooming,
} from "./axes.js";
import { lined } from "./rows.js";
import { timeTicks } from "./timeticks.js";
import { unitMarks } from "./unitmarks.js";

/** @import { FlowHeader, FlowRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built, TimedState } from "./types.js" */
/**
 * What is read here of the panel.
 * @typedef {object} Shown
 * @property {FlowHeader} header
 * @property {FlowRow[]} rows
 * @property {Record<string, Float32Array>} arrays
 * @property {TimedState} state
 * @property {Theme} theme
 */
/**
 * One row's traces; its axis is completed on the way.
 * @typedef {(flow: Shown, row: FlowRow, yaxis: string, axis: any, folded: boolean, tall: number) => object[]} Draw
 */

const TALL = { norm: 240, units: 58, share: 84, lines: 64, states: 56, moved: 44, rests: 88 };
const NAMED = 30; // px for each line that is named beside its row
const CROWDED = { least: 0.36, norm: 200 }; // where everything is to be seen in one window
const tallOf = (row) => Math.max(TALL[row.kind], row.kind === "lines" ? NAMED * row.arrays.length : 0);
const FOLDED = 10;
const SIDE = 204; // px for the names and values of the curves
const STROKE = 23; // of that, a name has what its stroke and its value leave: so much a letter's size
const LINE = { page: 1.34, stage: 1.2 }; // letters that a line beside a row takes
// A lecture's: letters are larger than these, a line of a row's name, between rows, all in px; lines of a name.
const STAGE = { letters: 16, low: 28, gap: 6, names: 3 };

// How many lines stand beside a row, of `letters` size.
/** @type {(header: FlowHeader, row: FlowRow, letters: number) => number} */
const named = ({ curves }, { kind, arrays }, letters) => {
  const told = ({ label }) => (label ? textLines(label, letters, (SIDE * letters) / STROKE) : 0);
  if (kind === "norm") return curves.reduce((sum, curve) => sum + told(curve), 1);
  return kind === "lines" || kind === "rests" ? arrays.length : 0;
};

// The labels of a row's first and last unit; of a low row the last one's alone.
function unitTicks(H, tall, letters) {
  const marks = unitMarks(H, tall, letters, 2);
  return { tickvals: marks.places, ticktext: marks.units.map(String) };
}

const superscript = (k) => `10<sup>${`${k}`.replace("-", "−")}</sup>`;

// One step alone is a point, not a line.
/** @param {TimedState} state */
const mode = ({ L }) => (L === 1 ? "markers" : "lines");

/** @type {Draw} */
function norm(flow, row, yaxis, axis, folded) {
  const { header, arrays, theme } = flow;
  const [low, high] = header.range;
  axis.range = [low, high];
  const step = Math.max(1, Math.ceil((high - low) / 7));
  const marks = [];
  // A mark at the very top would lie under the heading.
  for (let v = Math.ceil(low); v < high - 0.02 * (high - low); v++) if (v % step === 0) marks.push(v);
  Object.assign(axis, {
    tickmode: "array",
    tickvals: folded ? [] : marks,
    ticktext: folded ? [] : marks.map(superscript),
  });
  const found = [];
  for (const curve of header.curves) {
    const values = arrays[curve.name];
    const color = curve.line === null ? theme.quiet : theme.lines[curve.line];
    const draw = (y, line) =>
      found.push({
        type: "scatter",
        mode: mode(flow.state),
        y,
        yaxis,
        line: { color, ...line },
        meta: curve.name,
        hoverinfo: "skip",
      });
    const zero = (t) => !(t in values) || values[t] === -Infinity;
    const drawn = (v, t) => {
      if (zero(t)) return zero(t - 1) && zero(t + 1) ? null : low;
      return Number.isNaN(v) ? null : v;
    };
    draw(Array.from(values, drawn), {
      width: curve.width ?? 2.5,
      dash: curve.dash ?? (curve.line === null ? "solid" : theme.dashes[curve.line]),
    });
    if (values.includes(-Infinity))
      draw(
        Array.from(values, (v) => (v === -Infinity ? low : null)),
        { width: 2, dash: "dot" },
      );
  }
  return found;
}

/** @type {Draw} */
function units(flow, row, yaxis, axis, folded, tall) {
  const { header, arrays, state } = flow;
  const values = arrays[row.array];
  const H = row.width;
  const floor = row.ceiling - header.decades;
  const z = lined(values, state.L, H).map((line) => line.map((v) => Math.max(v, floor)));
  Object.assign(axis, {
    range: [H - 0.5, -0.5],
    tickmode: "array",
    ...(folded ? { tickvals: [] } : unitTicks(H, tall, flow.theme.label)),
  });
  return [
    {
      type: "heatmap",
      x0: 0,
      dx: 1,
      z,
      zmin: floor,
      zmax: row.ceiling,
      colorscale: flow.theme.magnitude,
      showscale: false,
      yaxis,
      hoverinfo: "skip",
    },
  ];
}

// Several named lines on a common linear axis.
/** @type {Draw} */
function lines(flow, row, yaxis, axis, _folded, tall) {
  axis.range = row.range;
  axis.nticks = valueTicks(tall, flow.theme.label);
  return row.arrays.map(({ name, line }) => ({
    type: "scatter",
    mode: mode(flow.state),
    y: Array.from(flow.arrays[name]),
    yaxis,
    meta: name,
    line: { color: flow.theme.lines[line], width: 2.5, dash: flow.theme.dashes[line], shape: row.shape ?? "linear" },
    hoverinfo: "skip",
  }));
}

// Hidden states of every unit, or their difference, about 0.
/** @type {Draw} */
function states(flow, row, yaxis, axis, folded, tall) {
  const { arrays, state, theme } = flow;
  const values = arrays[row.array];
  const z = lined(values, state.L, row.width);
  Object.assign(axis, {
    range: [row.width - 0.5, -0.5],
    tickmode: "array",
    ...(folded ? { tickvals: [] } : unitTicks(row.width, tall, theme.label)),
  });
  return [
    {
      type: "heatmap",
      x0: 0,
      dx: 1,
      z,
      zmin: -row.reach,
      zmax: row.reach,
      colorscale: theme.diverging,
      showscale: false,
      yaxis,
      hoverinfo: "skip",
    },
  ];
}

// The highway is made of forget gates; what is not it has no hue.
/** @type {(theme: Theme) => [string, string]} */
export const highwayColors = (theme) => [theme.hues.f, theme.rule];

/** @type {Draw} */
function share(flow, row, yaxis, axis, folded) {
  const { arrays, theme } = flow;
  Object.assign(axis, {
    range: [0, 1],
    tickmode: "array",
    tickvals: folded ? [] : [0.07, 0.5, 0.93],
    ticktext: ["0", "½", "1"],
  });
  const direct = Array.from(arrays["highway.share"]);
  const fill = (y, color) => ({
    type: "scatter",
    mode: "lines",
    y,
    yaxis,
    stackgroup: "share",
    line: { width: 0, color },
    fillcolor: color,
    hoverinfo: "skip",
  });
  const [highway, rest] = highwayColors(theme);
  return [
    fill(direct, highway),
    fill(
      direct.map((v) => 1 - v),
      rest,
    ),
  ];
}

// What lies over the picture, and not in it; Plotly draws an axis only where there is a trace.
/** @type {Draw} */
function empty(flow, row, yaxis, axis) {
  Object.assign(axis, { range: [0, 1], tickmode: "array", tickvals: [], ticktext: [] });
  return [{ type: "scatter", x: [0], y: [null], yaxis, mode: "lines", hoverinfo: "skip" }];
}

/** @type {Record<FlowRow["kind"], Draw>} */
const ROWS = { norm, units, lines, states, share, moved: empty, rests: empty };

/**
 * @param {Shown} flow
 * @param {number} width
 * @returns {Built}
 */
export function figure(flow, width) {
  const { rows, state, theme } = flow;
  const folded = (row) => state.folded.has(row.signal);
  const margin = marginOf(width, theme.label, SIDE);
  const crowded = rows.some(({ kind }) => kind === "rests");
  const whole = (row) => (crowded && row.kind === "norm" ? CROWDED.norm : tallOf(row));
  const usual = (row) => (folded(row) ? FOLDED : whole(row));
  const stage = theme.label > STAGE.letters;
  if (stage && crowded) margin.gap = STAGE.gap;
  const least = stage ? 0.2 : crowded ? CROWDED.least : 0.8;
  const low = (row) => STAGE.low * Math.min(STAGE.names, namedIn(row, margin.column, theme.label));
  const told = (row) => (stage ? low(row) : crowded ? 0 : roomBeside(row, margin.column, theme.label));
  const line = (stage ? LINE.stage : LINE.page) * theme.label;
  const needs = (row) => (margin.column ? Math.max(line * named(flow.header, row, theme.label), told(row)) : 0);
  const most = stage ? Infinity : 1.8;
  const tall = fitted(rows, { usual, fixed: folded, least, most, needs }, state.room, margin);
  const { places, height } = stacked(rows, tall, margin, roomOfNote(width));
  const traces = [];
  const layout = {
    ...sheet(theme, width, height, margin),
    ...zooming(state),
    xaxis: { ...timeAxis(state, theme, rows.length), ...timeTicks(state, width, margin) },
  };
  rows.forEach((row, k) => {
    const axis = {
      domain: domain(places[k], height, margin),
      fixedrange: true,
      zeroline: false,
      showgrid: row.kind === "norm",
      gridcolor: theme.rule,
      ticks: "",
      tickfont: { size: theme.label, color: theme.quiet },
    };
    traces.push(...ROWS[row.kind](flow, row, axisOf(k), axis, folded(row), places[k].height));
    layout[layoutOf(k)] = axis;
  });
  return { traces, layout, places, height, margin };
}
