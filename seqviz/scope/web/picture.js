// From arrays to one Plotly figure: the rows of the scope on a shared time axis.

import { axisOf, domain, fitted, layoutOf, marginOf, sheet, stacked, stepTicks, timeAxis, zooming } from "./axes.js";
import { visible } from "./dom.js";
import { clamp } from "./numbers.js";
import { colours, lineRange, rowData, rowHeight, rowRange } from "./rows.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built, Numbers, ScopeState } from "./types.js" */

/** @type {(text: string) => string} Plotly reads a little HTML */
export const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Marks at steps that are called something (dates), as many as there is room for.
/**
 * @param {ScopeState} state
 * @param {number} width
 * @param {import("./types.js").Margin} margin
 */
function namedTicks({ L, marks, zoom }, width, margin) {
  const longest = Math.max(...marks.map((mark) => mark.length));
  const wide = 7.5 * longest;
  const aStep = Math.max(1, width - margin.left - margin.right) / (zoom ? zoom[1] - zoom[0] : L);
  const every = Math.max(1, Math.ceil((wide + 20) / aStep));
  const first = clamp(Math.ceil((wide / 2 - margin.left) / aStep), 0, L - 1);
  const last = L - 1 - Math.max(0, Math.ceil((wide / 2 - margin.right) / aStep));
  const tickvals = Array.from(
    { length: Math.max(1, Math.ceil((last - first + 1) / every)) },
    (_, k) => first + k * every,
  );
  return { tickmode: "array", tickvals, ticktext: tickvals.map((t) => plain(marks[t]) || `${t}`), tickangle: 0 };
}

/**
 * @param {ScopeState} state
 * @param {number} width
 * @param {import("./types.js").Margin} margin
 */
function ticksOfTime(state, width, margin) {
  const { labels, L, marks } = state;
  if (labels && L <= 96)
    return { tickmode: "array", tickvals: [...Array(L).keys()], ticktext: labels.map(visible), tickangle: 0 };
  return marks ? namedTicks(state, width, margin) : stepTicks(state);
}

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
  const fixed = { type: "heatmap", x0: 0, dx: 1, zsmooth: false, showscale: false, hoverinfo: "skip" };
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
  const { places, height } = stacked(rows, tall, margin);
  const traces = [];
  /** @type {any} */
  const layout = {
    ...sheet(theme, width, height, margin),
    ...zooming(state),
    xaxis: {
      ...timeAxis(state, theme, rows.length),
      automargin: false,
      ticklabeloverflow: "allow",
      ...ticksOfTime(state, width, margin),
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
