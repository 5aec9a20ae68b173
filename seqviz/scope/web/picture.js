// From arrays to one Plotly figure: the rows of the scope on a shared time axis.

import {
  axisOf,
  domain,
  fitted,
  layoutOf,
  marginOf,
  roomOfNote,
  sheet,
  stacked,
  timeAxis,
  valueTicks,
  zooming,
} from "./axes.js";
import { colours, lineRange, rowData, rowHeight, rowRange } from "./rows.js";
import { timeTicks } from "./timeticks.js";
import { unitMarks } from "./unitmarks.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built, Numbers, ScopeState } from "./types.js" */

const [FEW, SHORT] = [4, 64]; // units, steps

// The lines of a row, and beside them the right answers.
/**
 * @param {ScopeRow} row
 * @param {ReturnType<typeof rowData>} data
 * @param {ScopeState} state
 * @param {Theme} theme
 * @param {string} yaxis
 */
function lineTraces(row, { lines, targets }, { L }, theme, yaxis) {
  const x = Float32Array.from({ length: L }, (_, t) => t);
  const common = (y) => ({ type: "scatter", x, y, yaxis, hoverinfo: "skip" });
  const color = (f) => theme.lines[f % theme.lines.length];
  return [
    ...targets.map((y, f) => ({
      ...common(y),
      mode: "markers+lines",
      connectgaps: false,
      line: { color: color(f), width: 1, dash: "dot" },
      marker: { size: 8, symbol: "circle-open", color: color(f) },
    })),
    ...lines.map((y, f) => ({
      ...common(y),
      mode: L <= 64 ? "lines+markers" : "lines",
      line: {
        color: color(f),
        width: 2,
        dash: theme.dashes[f % theme.dashes.length],
        shape: row.signal === "x" ? "hvh" : "linear",
      },
      marker: { size: row.signal === "x" ? 5 : 3, color: color(f) },
    })),
  ];
}

function heatTrace(row, z, values, state, theme, yaxis) {
  const [zmin, zmax] = rowRange(row, values, state);
  const colorscale = colours(row, values, state, theme);
  // Few cells are seen to be cells; many are a picture.
  const gap = row.kind !== "onehot" && state.hidden <= FEW && state.L <= SHORT ? 1 : 0;
  const fixed = {
    type: "heatmap",
    xgap: gap,
    ygap: gap,
    x0: 0,
    dx: 1,
    zsmooth: false,
    showscale: false,
    hoverinfo: "skip",
  };
  return { ...fixed, z, zmin, zmax, colorscale, yaxis };
}

// In a lecture everything fits, and fills the window; else a row is never so low that its heading has no room.
/** @type {(theme: Theme) => {least: number, most: number}} */
const limits = ({ label }) => (label > 16 ? { least: 0.2, most: Infinity } : { least: 0.72, most: 1.7 });

/**
 * @param {ScopeRow[]} rows
 * @param {Numbers} arrays
 * @param {ScopeState} state
 * @param {Theme} theme
 * @param {number} width
 * @returns {Built}
 */
export function figure(rows, arrays, state, theme, width) {
  const margin = marginOf(width, theme.label);
  const fixed = (row) => state.folded.has(row.signal);
  const usual = (row) => rowHeight(row, fixed(row), state.hidden, state.narrow);
  const tall = fitted(rows, { usual, fixed, ...limits(theme) }, state.room, margin);
  const { places, height } = stacked(rows, tall, margin, roomOfNote(width));
  const traces = [];
  /** @type {number[][]} */
  const units = [];
  /** @type {any} */
  const layout = {
    ...sheet(theme, width, height, margin),
    ...zooming(state),
    xaxis: {
      ...timeAxis(state, theme, rows.length),
      automargin: false,
      ticklabeloverflow: "allow",
      ...timeTicks(state, width, margin),
    },
  };
  rows.forEach((row, k) => {
    const values = arrays[row.signal];
    const data = rowData(row, values, state);
    /** @type {any} */
    const axis = {
      domain: domain(places[k], height, margin),
      fixedrange: true,
      showgrid: false,
      zeroline: false,
      tickfont: { color: theme.quiet, size: theme.label },
      ticks: "outside",
      ticklen: 5,
      tickcolor: "rgba(0,0,0,0)",
      ticklabeloverflow: "allow", // otherwise every label is measured at each redraw
    };
    if (data.lines) {
      const range = state.ranges[row.signal] ?? lineRange(values, row.floor);
      const nticks = valueTicks(places[k].height, theme.label);
      Object.assign(axis, { range, nticks, zeroline: true, zerolinecolor: theme.rule });
      traces.push(...lineTraces(row, data, state, theme, axisOf(k)));
    } else {
      const n = data.z.length;
      const none = { units: [], places: [] };
      const named = n < 2 || fixed(row) ? none : unitMarks(n, places[k].height, theme.label);
      const ticktext = named.units.map((m) => (row.kind === "onehot" ? row.names[m] : `${state.order[m]}`));
      Object.assign(axis, { range: [n - 0.5, -0.5], tickmode: "array", tickvals: named.places, ticktext });
      units[k] = named.units;
      traces.push(heatTrace(row, data.z, values, state, theme, axisOf(k)));
    }
    layout[layoutOf(k)] = axis;
  });
  return { traces, layout, places, height, margin, units };
}
