// A figure as a file that leaves the page: with its title, the names of its rows and their ranges, colour bars, and
// what has to be said of it drawn in.

import { el } from "./dom.js";
import { film } from "./film.js";
import { tr } from "./language.js";
import { plain } from "./timeticks.js";

/** @import { Theme } from "./theme.js" */
/** @import { Built, TimedRow } from "./types.js" */

const [HEAD, SIDE, LINE] = [26, 76, 20];
const NAME = 26; // characters of a line beside its row
const LETTER = 9; // px of a letter at most
const TITLE = { line: 22, letter: 10.5 }; // px of a title, which is bold
const ENDS = (_row, { zmin, zmax }) => ({ tickvals: [zmin, zmax], tickformat: ".2~g" });

/**
 * @typedef {object} Words
 * @property {string} [title]
 * @property {string[]} notes
 * @property {{label: string, color: string, dash: string}[]} [keys] what the lines are called, and a stroke of each
 * @property {(row: any) => string} [range] how far a row's colours reach
 * @property {(row: any, trace: any) => object} [ends] the marks of a row's colour bar
 */
/**
 * A picture with all that is said of it, and where in it the rows lie.
 * @typedef {{data: any[], layout: any, places: import("./types.js").Span[]}} Posted
 */
/**
 * @param {Built} built
 * @param {TimedRow[]} rows
 * @param {Theme} theme
 * @param {Words} words
 * @returns {Posted}
 */
export function poster(built, rows, theme, { title, notes, keys = [], range = () => "", ends = ENDS }) {
  const { margin } = built;
  const [named, rowsNamed] = legend(keys, (built.layout.width - margin.left) / LETTER);
  const heat = built.traces.some(({ type }) => type === "heatmap");
  const side = heat ? Math.max(0, SIDE - margin.right) : 0;
  const titled = title ? fitted(title, lettersIn(built.layout.width + side, TITLE.letter)) : [];
  const head = HEAD + TITLE.line * titled.length + LINE * rowsNamed;
  const below = notes.flatMap((text) => fitted(text, lettersIn(built.layout.width + side)));
  const foot = below.length ? 10 + LINE * below.length : 0;
  const layout = JSON.parse(JSON.stringify({ ...built.layout, shapes: built.layout.shapes ?? [], annotations: [] }));
  layout.paper_bgcolor = theme.paper;
  Object.assign(layout.margin, { t: margin.top + head, b: margin.bottom + foot, r: margin.right + side });
  layout.height = built.height + head + foot;
  layout.width = built.layout.width + side;
  const inner = built.height - margin.top - margin.bottom;
  const fixed = { x: 0, xref: "paper", xanchor: "left", xshift: 8 - margin.left, yref: "paper", showarrow: false };
  // A file has letters of its own, wider than those that were measured: without `align` they would begin further left.
  Object.assign(fixed, { align: "left" });
  const note = (text, y, color, size, yanchor = "bottom") => ({ ...fixed, text, y, yanchor, font: { color, size } });
  // Beside its row, or where there is no column for that, above it.
  const [lift, anchor] = margin.column ? [2, "top"] : [-2, "bottom"];
  layout.annotations = rows.map((row, k) => {
    const reach = range(row);
    const name = broken(row.name, margin.column ? NAME : Infinity);
    const text = `<b>${row.symbol}</b>  ${name}${reach ? `${margin.column ? "<br>" : "   "}${reach}` : ""}`;
    const y = 1 - (built.places[k].top - margin.top + lift) / inner;
    return note(text, y, theme.hues[row.signal] ?? theme.ink, 14, anchor);
  });
  if (title)
    layout.annotations.push(
      note(`<b>${titled.map(plain).join("<br>")}</b>`, 1 + (16 + LINE * rowsNamed) / inner, theme.ink, 17),
    );
  if (keys.length) layout.annotations.push({ ...note(named, 1 + 2 / inner, theme.ink, 14), xshift: 0 });
  below.forEach((text, k) =>
    layout.annotations.push(note(plain(text), -(margin.bottom + 2 + LINE * k) / inner, theme.quiet, 14, "top")),
  );
  const places = built.places.map(({ top, height }) => ({ top: top + head, height }));
  return { data: built.traces.map((trace) => barred(trace, rows, ends, built.layout, theme)), layout, places };
}

/** @type {(width: number, letter?: number) => number} */
export const lettersIn = (width, letter = LETTER) => Math.max(1, Math.floor(width / letter));

// The address under a picture; in place of one that nobody would type from paper, or that opens in one browser alone,
// how the picture is to be had again.
const LONGEST = 800;
const KEPT = /[?&](?:e|b|lesson)=(?:~|%7E)/; // what a browser keeps stands there by its digest
/** @type {(address: string) => string[]} */
export const addressed = (address) =>
  address.length > LONGEST || KEPT.test(address)
    ? [
        tr(
          "The address of this picture is too long to be printed. “Save” on the gates page keeps the experiment as a file.",
        ),
      ]
    : [address].filter(Boolean);

// What the lines are called, each with a stroke, over as many rows as that takes; and how many those are.
/** @type {(keys: {label: string, color: string, dash: string}[], most: number) => [string, number]} */
function legend(keys, most) {
  const rows = [];
  let room = 0;
  for (const { label, color, dash } of keys) {
    const wide = label.length + dash.length + 4;
    if (wide > room) room = rows.push([]) && most;
    rows.at(-1).push(`<span style="color:${color}">${dash} ${plain(label)}</span>`);
    room -= wide;
  }
  return [rows.map((row) => row.join("   ")).join("<br>"), rows.length];
}

const PIECES = /[\u2e80-\uffef][、。，；：！？）》」”]*|[^\s\u2e80-\uffef]+\s*|\s+/gu;
const [WIDE, IDEOGRAPH] = [1.6, /[\u2e80-\uffef]/u];
const breadth = (text) => [...text].reduce((sum, letter) => sum + (IDEOGRAPH.test(letter) ? WIDE : 1), 0);

// A text over as many lines as it needs, none wider than `most` letters; a word that is wider is cut.
/** @type {(text: string, most: number) => string[]} */
export function fitted(text, most) {
  const lines = [""];
  for (let piece of text.match(PIECES) ?? []) {
    if (lines.at(-1) && breadth(lines.at(-1) + piece.trimEnd()) > most) lines.push("");
    for (; breadth(piece.trimEnd()) > most; piece = piece.slice(most)) lines.splice(-1, 1, piece.slice(0, most), "");
    lines[lines.length - 1] += piece;
  }
  return lines.map((line) => line.trimEnd()).filter(Boolean);
}

const broken = (name, most) => fitted(name, most).map(plain).join("<br>");

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

// Hand it over as a file. `plays`: how a picture that moves does.
/**
 * @param {any} Plotly
 * @param {Posted} posted
 * @param {Theme} theme
 * @param {string} format svg, png or gif
 * @param {string} filename
 * @param {Parameters<typeof film>[3]} plays
 */
export async function download(Plotly, posted, theme, format, filename, plays) {
  const { data, layout } = posted;
  if (format === "gif") {
    handed(await film(Plotly, posted, theme, plays), `${filename}.gif`);
    return;
  }
  const { width, height } = layout;
  await Plotly.downloadImage({ data, layout }, { format, width, height, scale: format === "png" ? 2 : 1, filename });
}

/** @type {(blob: Blob, name: string) => void} */
export function handed(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
