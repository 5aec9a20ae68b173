// A figure as a file that leaves the page: with its title, the names of its rows and their ranges, colour bars, and
// what has to be said of it drawn in.

import { plain } from "./timeticks.js";

/** @import { Theme } from "./theme.js" */
/** @import { Built, TimedRow } from "./types.js" */

const [HEAD, SIDE, LINE] = [26, 76, 20];
const NAME = 26; // characters of a line beside its row
const TITLE = 20;
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
  const { margin } = built;
  const head = HEAD + (title ? TITLE : 0);
  const foot = notes.length ? 10 + LINE * notes.length : 0;
  const heat = built.traces.some(({ type }) => type === "heatmap");
  const side = heat ? Math.max(0, SIDE - margin.right) : 0;
  const layout = JSON.parse(JSON.stringify({ ...built.layout, shapes: built.layout.shapes ?? [], annotations: [] }));
  layout.paper_bgcolor = theme.paper;
  Object.assign(layout.margin, { t: margin.top + head, b: margin.bottom + foot, r: margin.right + side });
  layout.height = built.height + head + foot;
  layout.width = built.layout.width + side;
  const inner = built.height - margin.top - margin.bottom;
  const fixed = { x: 0, xref: "paper", xanchor: "left", xshift: 8 - margin.left, yref: "paper", showarrow: false };
  const note = (text, y, color, size, yanchor = "bottom") => ({ ...fixed, text, y, yanchor, font: { color, size } });
  // Beside its row, or where there is no column for that, above it.
  const [lift, anchor] = margin.column ? [2, "top"] : [-2, "bottom"];
  layout.annotations = rows.map((row, k) => {
    const reach = range(row);
    const name = broken(row.name, margin.column ? NAME : Infinity);
    const text = `<b>${row.symbol}</b>  ${name}${reach ? `${margin.column ? "<br>" : "   "}${reach}` : ""}`;
    const y = 1 - (built.places[k].top - margin.top + lift) / inner;
    return { ...note(text, y, theme.hues[row.signal] ?? theme.ink, 14, anchor), align: "left" };
  });
  if (title) layout.annotations.push(note(plain(title), 1 + 16 / inner, theme.ink, 17));
  notes.forEach((text, k) =>
    layout.annotations.push(note(plain(text), -(margin.bottom + 2 + LINE * k) / inner, theme.quiet, 14, "top")),
  );
  return { data: built.traces.map((trace) => barred(trace, rows, ends, built.layout, theme)), layout };
}

// An address over as many lines as it needs; one that nobody would type from paper is left out.
const [WIDEST, LONGEST] = [130, 520];
/** @type {(address: string) => string[]} */
export const addressLines = (address) =>
  address.length > LONGEST ? [] : (address.match(new RegExp(`.{1,${WIDEST}}`, "g")) ?? []);

// A name over as many lines as it needs.
function broken(name, most) {
  const lines = [""];
  for (const word of name.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= most) lines.push("");
    lines[lines.length - 1] += `${lines.at(-1) ? " " : ""}${word}`;
  }
  return lines.map(plain).join("<br>");
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
      tickfont: { color: theme.quiet, size: 14 },
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
