// A matrix of weights as Plotly draws it: its colours, its labels, and a mark on every weight that was changed.

import { ramp } from "./brush.js";
import { clamp } from "./numbers.js";

/** @import { WeightsHeader } from "./headers.js" */
/** @import { Theme } from "./theme.js" */

export const LEFT = 34;
export const TOP = 22;
const [RIGHT, BOTTOM] = [8, 6];

// How large the cells are together, in px, in so wide a place.
/** @type {(header: WeightsHeader, width: number) => {across: number, down: number}} */
export function extent({ rows, cols }, width) {
  const room = width - LEFT - RIGHT;
  const size = clamp(room / cols, 2, 26);
  return { across: cols === 1 ? Math.min(90, room) : size * cols, down: clamp(rows * clamp(size, 4, 22), 60, 360) };
}

function marks(count, names) {
  const every = Math.max(1, Math.ceil(count / 8));
  const tickvals = [...Array(count).keys()].filter((k) => k % every === 0);
  return { tickmode: "array", tickvals, ticktext: tickvals.map((k) => (names ? names[k] : `${k}`)) };
}

/** @type {(header: WeightsHeader, size: {across: number, down: number}, theme: Theme) => any} */
export function matrixLayout({ rows, cols, names }, { across, down }, theme) {
  const axis = { showgrid: false, zeroline: false, fixedrange: true };
  return {
    width: LEFT + across + RIGHT,
    height: TOP + down + BOTTOM,
    margin: { l: LEFT, r: RIGHT, t: TOP, b: BOTTOM },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: theme.well,
    font: { family: theme.mono, color: theme.quiet, size: theme.small },
    hovermode: false,
    dragmode: false,
    xaxis: { ...axis, side: "top", range: [-0.5, cols - 0.5], ...marks(cols, names) },
    yaxis: { ...axis, range: [rows - 0.5, -0.5], ...marks(rows) },
  };
}

// How far the colours reach: the largest weight, 1 at least.
export const reachOf = (values) => Math.max(1, ...values.map(Math.abs));

/** @type {(header: WeightsHeader, values: Float32Array, theme: Theme) => any} */
export function heat({ rows, cols }, values, theme) {
  const most = reachOf(values);
  return {
    type: "heatmap",
    z: Array.from({ length: rows }, (_, r) => values.subarray(r * cols, (r + 1) * cols)),
    zmin: -most,
    zmax: most,
    colorscale: theme.diverging,
    showscale: false,
    xgap: cols <= 32 ? 1 : 0,
    ygap: rows <= 32 ? 1 : 0,
    hoverinfo: "skip",
  };
}

/**
 * @param {WeightsHeader} header
 * @param {Float32Array} values
 * @param {Float32Array} original
 * @param {number} across
 * @param {Theme} theme
 */
export function changed({ cols }, values, original, across, theme) {
  const places = [...values.keys()].filter((k) => values[k] !== original[k]);
  return {
    type: "scatter",
    mode: "markers",
    x: places.map((k) => k % cols),
    y: places.map((k) => Math.floor(k / cols)),
    hoverinfo: "skip",
    marker: {
      symbol: "square-open",
      size: clamp(across / cols - 4, 4, 16),
      color: theme.changed,
      line: { width: 2 },
    },
  };
}

// The colour of one value where the scale reaches from -most to most.
/** @type {(scale: any[], value: number, most: number) => string} */
export function colourOf(scale, value, most) {
  const pixels = ramp(scale);
  const share = (clamp(value, -most, most) + most) / (2 * most);
  const pixel = pixels[Math.round(share * (pixels.length - 1))];
  return `rgb(${pixel & 255}, ${(pixel >> 8) & 255}, ${(pixel >> 16) & 255})`;
}
