// From arrays to one Plotly figure: the rows of the scope on a shared time axis.

import { axisOf, domain, fitted, layoutOf, marginOf, roomOfNote, sheet, stacked, timeAxis, zooming } from "./axes.js";
import { colours, lineRange, rowData, rowHeight, rowRange } from "./rows.js";
import { timeTicks } from "./timeticks.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built, Numbers, ScopeState } from "./types.js" */

const [FEW, SHORT] = [4, 64]; // units, steps

function ticks(n) {
  if (n <= 1) return [];
  if (n <= 6) return [...Array(n).keys()];
  return [0, Math.floor((n - 1) / 2), n - 1];
}

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

// In a lecture everything fits; else a row is never so low that its heading has no room.
/** @type {(theme: Theme) => {least: number, most: number}} */
const limits = ({ label }) => ({ least: label > 16 ? 0.2 : 0.72, most: 1.7 });

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
      Object.assign(axis, { range, nticks: 4, zeroline: true, zerolinecolor: theme.rule });
      traces.push(...lineTraces(row, data, state, theme, axisOf(k)));
    } else {
      const tickvals = state.folded.has(row.signal) ? [] : ticks(data.z.length);
      const ticktext = tickvals.map((m) => (row.kind === "onehot" ? row.names[m] : `${state.order[m]}`));
      Object.assign(axis, { range: [data.z.length - 0.5, -0.5], tickmode: "array", tickvals, ticktext });
      traces.push(heatTrace(row, data.z, values, state, theme, axisOf(k)));
    }
    layout[layoutOf(k)] = axis;
  });
  return { traces, layout, places, height, margin };
}
