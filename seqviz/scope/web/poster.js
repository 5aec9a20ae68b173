// A figure as a file that leaves the page: with its title, the names of its rows and their ranges, colour bars, and
// what has to be said of it drawn in.

import { MARGIN } from "./axes.js";
import { plain } from "./picture.js";

/** @import { Theme } from "./theme.js" */
/** @import { Built, TimedRow } from "./types.js" */

const [HEAD, SIDE, LINE] = [26, 64, 16];
const TITLE = 18;
const ENDS = (_row, { zmin, zmax }) => ({ tickvals: [zmin, zmax], tickformat: ".2~g" });

/**
 * @typedef {object} Words
 * @property {string} [title]
 * @property {string[]} notes
 * @property {(row: any) => string} [range] how far a row's colours reach
 * @property {(row: any, trace: any) => object} [ends] the marks of a row's colour bar
 */
/**
 * @param {Built} built
 * @param {TimedRow[]} rows
 * @param {Theme} theme
 * @param {Words} words
 */
export function poster(built, rows, theme, { title, notes, range = () => "", ends = ENDS }) {
  const head = HEAD + (title ? TITLE : 0);
  const foot = notes.length ? 10 + LINE * notes.length : 0;
  const heat = built.traces.some(({ type }) => type === "heatmap");
  const layout = JSON.parse(JSON.stringify({ ...built.layout, shapes: built.layout.shapes ?? [], annotations: [] }));
  layout.paper_bgcolor = theme.paper;
  Object.assign(layout.margin, { t: MARGIN.top + head, b: MARGIN.bottom + foot, r: MARGIN.right + (heat ? SIDE : 0) });
  layout.height = built.height + head + foot;
  layout.width = built.layout.width + (heat ? SIDE : 0);
  const inner = built.height - MARGIN.top - MARGIN.bottom;
  const fixed = { x: 0, xref: "paper", xanchor: "left", yref: "paper", showarrow: false };
  const note = (text, y, color, size, yanchor = "bottom") => ({ ...fixed, text, y, yanchor, font: { color, size } });
  layout.annotations = rows.map((row, k) => {
    const reach = range(row);
    const text = `<b>${row.symbol}</b>  ${plain(row.name)}${reach ? `   ${reach}` : ""}`;
    return note(text, 1 - (built.places[k].top - MARGIN.top - 2) / inner, theme.hues[row.signal] ?? theme.ink, 12);
  });
  if (title) layout.annotations.push(note(plain(title), 1 + 16 / inner, theme.ink, 15));
  notes.forEach((text, k) =>
    layout.annotations.push(note(plain(text), -(MARGIN.bottom + 2 + LINE * k) / inner, theme.quiet, 11, "top")),
  );
  return { data: built.traces.map((trace) => barred(trace, rows, ends, built.layout, theme)), layout };
}

// A heatmap with its colour bar beside it.
function barred(trace, rows, ends, layout, theme) {
  if (trace.type !== "heatmap") return trace;
  const row = rows[(+trace.yaxis.slice(1) || 1) - 1];
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
      ...ends(row, trace),
      tickfont: { family: theme.mono, color: theme.quiet, size: 10 },
      ypad: 0,
    },
  };
}

// Hand it over as a file.
/**
 * @param {any} Plotly
 * @param {{data: any[], layout: any}} picture
 * @param {string} format svg or png
 * @param {string} filename
 */
export const download = (Plotly, { data, layout }, format, filename) =>
  Plotly.downloadImage(
    { data, layout },
    { format, width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1, filename },
  );
