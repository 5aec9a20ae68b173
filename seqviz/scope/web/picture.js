// From arrays to one Plotly figure: the rows of the scope on a shared time axis.

import { tr, visible } from "./kit.js";

export const MARGIN = { left: 44, right: 12, top: 4, bottom: 36 };
export const HEADING = 22;
const FOLDED = 12;

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./kit.js" */
/** @import { Built, TimedState } from "./timeline.js" */
/**
 * @typedef {object} ScopeOnly
 * @property {number} unit
 * @property {number} feature
 * @property {string} view now, baseline or difference
 * @property {string} sort
 * @property {number} [hidden]
 * @property {string} [cell]
 * @property {string[] | null} [labels]
 * @property {string[] | null} [marks]
 * @property {string[] | null} [names]
 * @property {Float32Array} [target]
 * @property {number[]} [order] the units from top to bottom
 */
/** @typedef {TimedState & ScopeOnly} ScopeState */

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

/** @param {ScopeRow} row */
export function rowHeight(row, folded, hidden, narrow) {
  if (folded) return FOLDED;
  if (row.kind === "line") return row.signal === "x" ? 76 : row.target ? 72 : 44;
  const units = row.kind === "onehot" ? row.width : hidden;
  return clamp(units * 4, 40, narrow ? 72 : 96);
}

// Pixel tops and heights of each row's plot area, and the whole height.
export function arrange(rows, folded, hidden, narrow) {
  let y = MARGIN.top;
  const places = rows.map((row) => {
    y += HEADING;
    const place = { top: y, height: rowHeight(row, folded.has(row.signal), hidden, narrow) };
    y += place.height + 4;
    return place;
  });
  return { places, height: y + MARGIN.bottom };
}

function transposed(values, L, W, order) {
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

function largest(values) {
  let most = 0;
  for (let k = 0; k < values.length; k++) {
    const size = Math.abs(values[k]);
    if (size > most && size < Infinity) most = size;
  }
  return most;
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
  return Math.min(range[1] + far, Math.max(range[0] - far, value));
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
  if (row.kind === "line") {
    if (state.folded.has(row.signal)) return { z: folding(values, L, row.width) };
    const lines = [];
    for (let k = 0; k < Math.min(row.width, 6); k++) {
      const line = new Float32Array(L);
      for (let t = 0; t < L; t++) line[t] = near(values[t * row.width + k], state.ranges?.[row.signal]);
      lines.push(line);
    }
    return { lines, targets: targets(row, state) };
  }
  if (state.folded.has(row.signal)) return { z: folding(values, L, row.width) };
  const order = row.kind === "onehot" ? [...Array(row.width).keys()] : state.order;
  return { z: transposed(values, L, row.width, order) };
}

// The right answers beside a row's lines, where there are any: NaN where nothing is asked.
/**
 * @param {ScopeRow} row
 * @param {ScopeState} state
 * @returns {(number | null)[][]}
 */
function targets(row, { L, target }) {
  if (!row.target || !target) return [];
  return Array.from({ length: Math.min(row.width, 6) }, (_, k) =>
    Array.from({ length: L }, (_v, t) => {
      const value = target[t * row.width + k];
      return Number.isNaN(value) ? null : value;
    }),
  );
}

// Whether somebody holds a gate where no gate could be by itself.
const SLACK = 1e-3;
/** @type {(row: ScopeRow, values: Float32Array) => boolean} */
export const beyond = (row, values) => row.kind === "gate" && values.some((v) => v < -SLACK || v > 1 + SLACK);

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
  const scale = theme.sequential[row.signal];
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

// Marks at whole steps, as many as there is room for.
// What a step and a feature of the input are called, beside their numbers.
/** @type {(state: ScopeState, step: number) => string} */
export const stepLabel = ({ labels, marks }, step) =>
  labels ? ` “${visible(labels[step])}”` : marks?.[step] ? ` (${marks[step]})` : "";
/** @type {(state: ScopeState, row: ScopeRow, f: number) => string} */
export const featureName = ({ names }, row, f) => {
  if (row.signal === "x" && names) return names[f];
  return row.width > 1 ? `${row.symbol}[${f}]` : row.symbol;
};

const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Marks at steps that are called something (dates), as many as there is room for; Plotly reads a little HTML.
/**
 * @param {ScopeState} state
 * @param {number} width
 */
function namedTicks({ L, marks, zoom }, width) {
  const longest = Math.max(...marks.map((mark) => mark.length));
  const wide = 7.5 * longest;
  const aStep = Math.max(1, width - MARGIN.left - MARGIN.right) / (zoom ? zoom[1] - zoom[0] : L);
  const every = Math.max(1, Math.ceil((wide + 20) / aStep));
  const first = Math.min(L - 1, Math.max(0, Math.ceil((wide / 2 - MARGIN.left) / aStep)));
  const last = L - 1 - Math.max(0, Math.ceil((wide / 2 - MARGIN.right) / aStep));
  const tickvals = Array.from(
    { length: Math.max(1, Math.ceil((last - first + 1) / every)) },
    (_, k) => first + k * every,
  );
  return { tickmode: "array", tickvals, ticktext: tickvals.map((t) => plain(marks[t]) || `${t}`), tickangle: 0 };
}

/** @type {(state: TimedState) => object} */
export const stepTicks = ({ L, narrow }) => ({
  tickformat: "d",
  ...(L <= 16 ? { dtick: 1 } : { nticks: narrow ? 6 : 14 }),
});

/**
 * @param {ScopeRow[]} rows
 * @param {Record<string, Float32Array>} arrays
 * @param {ScopeState} state
 * @param {Theme} theme
 * @param {number} width
 * @returns {Built}
 */
export function figure(rows, arrays, state, theme, width) {
  const { places, height } = arrange(rows, state.folded, state.hidden, state.narrow);
  const steps = Float32Array.from({ length: state.L }, (_, t) => t);
  const inner = height - MARGIN.top - MARGIN.bottom;
  const traces = [];
  const layout = {
    width,
    height,
    margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: theme.well,
    font: { family: theme.font, color: theme.quiet, size: theme.label },
    showlegend: false,
    hovermode: false,
    dragmode: state.coarse ? false : "zoom",
    uirevision: `${state.L}`,
    xaxis: {
      anchor: `y${rows.length > 1 ? rows.length : ""}`,
      range: state.zoom ?? [-0.5, state.L - 0.5],
      title: { text: tr("step t"), standoff: 4, font: { size: theme.label } },
      showgrid: false,
      zeroline: false,
      ticks: "outside",
      ticklen: 3,
      tickcolor: theme.rule,
      tickfont: { family: theme.mono, color: theme.quiet, size: theme.label },
      automargin: false,
      ticklabeloverflow: "allow",
      ...(state.labels && state.L <= 96
        ? { tickmode: "array", tickvals: Array.from(steps), ticktext: state.labels.map(visible), tickangle: 0 }
        : state.marks
          ? namedTicks(state, width)
          : stepTicks(state)),
    },
    shapes: [],
    annotations: [],
  };
  rows.forEach((row, k) => {
    const id = k === 0 ? "" : `${k + 1}`;
    const { top, height: tall } = places[k];
    const values = arrays[row.signal];
    const data = rowData(row, values, state);
    const folded = state.folded.has(row.signal);
    /** @type {any} */
    const axis = {
      domain: [1 - (top + tall - MARGIN.top) / inner, 1 - (top - MARGIN.top) / inner].map((v) => clamp(v, 0, 1)),
      fixedrange: true,
      showgrid: false,
      zeroline: false,
      tickfont: { family: theme.mono, color: theme.quiet, size: theme.small },
      ticks: "outside",
      ticklen: 5,
      tickcolor: "rgba(0,0,0,0)",
      ticklabeloverflow: "allow", // otherwise every label is measured at each redraw
    };
    if (data.lines) {
      axis.range = state.ranges[row.signal] ?? lineRange(values, row.floor);
      axis.nticks = 4;
      axis.zeroline = true;
      axis.zerolinecolor = theme.rule;
      data.targets.forEach((y, f) =>
        traces.push({
          type: "scatter",
          mode: "markers+lines",
          x: steps,
          y,
          yaxis: `y${id}`,
          connectgaps: false,
          hoverinfo: "skip",
          line: { color: theme.lines[f % theme.lines.length], width: 1, dash: "dot" },
          marker: { size: 8, symbol: "circle-open", color: theme.lines[f % theme.lines.length] },
        }),
      );
      data.lines.forEach((y, f) =>
        traces.push({
          type: "scatter",
          mode: state.L <= 64 ? "lines+markers" : "lines",
          x: steps,
          y,
          yaxis: `y${id}`,
          line: {
            color: theme.lines[f % theme.lines.length],
            width: 1.6,
            shape: row.signal === "x" ? "hvh" : "linear",
          },
          marker: { size: row.signal === "x" ? 5 : 3, color: theme.lines[f % theme.lines.length] },
          hoverinfo: "skip",
        }),
      );
    } else {
      const [zmin, zmax] = rowRange(row, values, state);
      axis.range = [data.z.length - 0.5, -0.5];
      axis.tickmode = "array";
      const marks = folded ? [] : ticks(data.z.length);
      axis.tickvals = marks;
      axis.ticktext = marks.map((m) => (row.kind === "onehot" ? row.names[m] : `${state.order[m]}`));
      traces.push({
        type: "heatmap",
        x0: 0,
        dx: 1,
        z: data.z,
        zmin,
        zmax,
        zsmooth: false,
        colorscale: colours(row, values, state, theme),
        showscale: false,
        yaxis: `y${id}`,
        hoverinfo: "skip",
      });
    }
    layout[`yaxis${id}`] = axis;
  });
  return { traces, layout, places, height };
}

function ticks(n) {
  if (n <= 1) return [];
  if (n <= 6) return [...Array(n).keys()];
  return [0, Math.floor((n - 1) / 2), n - 1];
}

// The same figure with its titles, ranges and colour bars drawn in, for a file that leaves the page.
/**
 * @param {Built} built
 * @param {ScopeRow[]} rows
 * @param {Record<string, Float32Array>} values
 * @param {ScopeState} state
 * @param {Theme} theme
 * @param {{title: string, notes: string[]}} words
 */
export function poster(built, rows, values, state, theme, { title, notes }) {
  const [shift, foot, side] = [44, notes.length ? 10 + 16 * notes.length : 0, 64];
  const layout = JSON.parse(JSON.stringify({ ...built.layout, shapes: [], annotations: [] }));
  layout.paper_bgcolor = theme.paper;
  layout.margin = { ...layout.margin, t: MARGIN.top + shift, b: MARGIN.bottom + foot, r: MARGIN.right + side };
  layout.height = built.height + shift + foot;
  layout.width = built.layout.width + side;
  const inner = built.height - MARGIN.top - MARGIN.bottom;
  const note = (text, y, color, size, yanchor = "bottom") => ({
    text,
    x: 0,
    xref: "paper",
    xanchor: "left",
    y,
    yref: "paper",
    yanchor,
    showarrow: false,
    font: { color, size },
  });
  layout.annotations = rows.map((row, k) => {
    const range = rangeText(row, values[row.signal], state);
    const text = `<b>${row.symbol}</b>  ${row.name}${range ? `   ${range}` : ""}`;
    return note(text, 1 - (built.places[k].top - MARGIN.top - 2) / inner, theme.hues[row.signal] ?? theme.ink, 12);
  });
  layout.annotations.push(note(plain(title), 1 + 16 / inner, theme.ink, 15));
  notes.forEach((text, k) =>
    layout.annotations.push(note(plain(text), -(MARGIN.bottom + 2 + 16 * k) / inner, theme.quiet, 11, "top")),
  );
  return { data: built.traces.map((trace) => barred(trace, rows, state, built.layout, theme)), layout };
}

// A heatmap with its colour bar beside it.
function barred(trace, rows, state, layout, theme) {
  if (trace.type !== "heatmap") return trace;
  const gate = rows[(+trace.yaxis.slice(1) || 1) - 1].kind === "gate" && state.view !== "difference";
  const [low, high] = layout[trace.yaxis.replace("y", "yaxis")].domain;
  return {
    ...trace,
    showscale: true,
    colorbar: {
      x: 1.01,
      xanchor: "left",
      thickness: 8,
      len: high - low,
      lenmode: "fraction",
      y: (low + high) / 2,
      yanchor: "middle",
      outlinewidth: 0,
      tickvals: gate ? [0, 1] : [trace.zmin, trace.zmax],
      tickformat: ".2~g",
      tickfont: { family: theme.mono, color: theme.quiet, size: 10 },
      ypad: 0,
    },
  };
}
