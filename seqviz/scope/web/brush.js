// What the picture shows while the hand moves: its cells and lines painted straight onto canvases over Plotly's plot
// areas, with the same colours and the same edges. Plotly draws the same once the hand rests.

import { dress, el } from "./dom.js";
import { clamp } from "./numbers.js";

const SHADES = 2048;
const known = new Map();
/** @type {WeakMap<any[], Uint32Array>} those of the themes, which are asked for at every frame */
const lasting = new WeakMap();

/** @returns {[number, number, number]} */
const channels = (color) => {
  const channel = (at) => parseInt(color.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
};
const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0; // as a little-endian pixel

// A colour scale of Plotly's as pixels, by linear steps between its stops.
export function ramp(scale) {
  if (!lasting.has(scale)) lasting.set(scale, ramped(scale));
  return lasting.get(scale);
}

function ramped(scale) {
  const key = JSON.stringify(scale);
  if (known.has(key)) return known.get(key);
  const stops = scale.map(([at, color]) => [at, channels(color)]);
  const found = Uint32Array.from({ length: SHADES }, (_, k) => {
    const share = k / (SHADES - 1);
    const next = Math.max(
      1,
      stops.findIndex(([at]) => at >= share),
    );
    const [[from, first], [to, last]] = [stops[next - 1], stops[next]];
    const part = to > from ? (share - from) / (to - from) : 1;
    const mixed = (c) => Math.round(first[c] + part * (last[c] - first[c]));
    return packed([mixed(0), mixed(1), mixed(2)]);
  });
  known.set(key, found);
  return found;
}

// Which line of `count` each pixel of a length belongs to, with the edges where Plotly rounds them; -1 for none.
export function lookup(length, count, edge) {
  const found = new Int32Array(length).fill(-1);
  for (let k = 0; k < count; k++) found.fill(k, Math.max(0, Math.round(edge(k))), Math.max(0, Math.round(edge(k + 1))));
  return found;
}

// One heatmap into an image: cell(row, column) a value; what is not finite has the ground's colour.
export function cells(image, { across, down, cell, low, high, scale, ground }) {
  const pixels = new Uint32Array(image.data.buffer);
  const colors = ramp(scale);
  const base = packed(channels(ground));
  const per = (SHADES - 1) / (high - low);
  const { width, height } = image;
  const line = new Uint32Array(width);
  let last = null;
  for (let y = 0; y < height; y++) {
    const row = down[y];
    if (row !== last) {
      let [column, color] = [null, base];
      for (let x = 0; x < width; x++) {
        if (across[x] !== column) {
          column = across[x];
          const value = row < 0 || column < 0 ? NaN : cell(row, column);
          color = Number.isFinite(value) ? colors[clamp(Math.round((value - low) * per), 0, SHADES - 1)] : base;
        }
        line[x] = color;
      }
      last = row;
    }
    pixels.set(line, y * width);
  }
}

export class Brush {
  constructor() {
    this.root = el("div", { class: "sv-brush", "aria-hidden": "true", hidden: true });
    this.canvases = [];
    /** @type {ImageData[]} */
    this.images = [];
    this.left = 0; // where the plot areas begin
  }

  get shown() {
    return !this.root.hidden;
  }
  hide() {
    this.root.hidden = true;
  }

  // A row's canvas: `ratio` pixels for each of the page's.
  canvas(k, { top, height }, width, ratio) {
    const canvas = (this.canvases[k] ??= this.root.appendChild(el("canvas")));
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
    dress(canvas, `left:${this.left}px;top:${top}px;width:${width}px;height:${height}px`);
    return canvas;
  }

  // A row's pixels, which are all written at every frame: the memory is asked for once.
  image(k, pen, { width, height }) {
    const held = this.images[k];
    if (held?.width === width && held.height === height) return held;
    return (this.images[k] = pen.createImageData(width, height));
  }

  heat(k, place, width, look) {
    const canvas = this.canvas(k, place, width, 1);
    const pen = canvas.getContext("2d");
    const image = this.image(k, pen, canvas);
    cells(image, { ...look, down: lookup(canvas.height, look.rows, (row) => (row * canvas.height) / look.rows) });
    pen.putImageData(image, 0, 0);
  }

  // lines: [{y, color, width, dash, ring, stairs, dots}]; x(step) and y(value) in pixels of the row.
  lines(k, place, width, { lines, x, y, ground, rule }) {
    const ratio = devicePixelRatio || 1;
    const pen = this.canvas(k, place, width, ratio).getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = ground;
    pen.fillRect(0, 0, width, place.height);
    pen.fillStyle = rule;
    pen.fillRect(0, Math.round(y(0)) - 0.5, width, 1);
    for (const line of lines) stroke(pen, line, x, y);
  }
}

function stroke(pen, { values, color, width, dash = [], stairs, dots, ring }, x, y) {
  const points = Array.from(values, (v, t) => (Number.isFinite(v) && v !== null ? [x(t), y(v)] : null));
  Object.assign(pen, { strokeStyle: color, fillStyle: color, lineWidth: width, lineJoin: "round" });
  pen.setLineDash(dash);
  pen.beginPath();
  let before = null;
  for (const point of points) {
    if (point && !before) pen.moveTo(...point);
    else if (point) {
      if (stairs) {
        const middle = (before[0] + point[0]) / 2;
        pen.lineTo(middle, before[1]);
        pen.lineTo(middle, point[1]);
      }
      pen.lineTo(...point);
    }
    before = point;
  }
  pen.stroke();
  pen.setLineDash([]);
  if (!dots && !ring) return;
  pen.lineWidth = 1;
  for (const point of points) {
    if (!point) continue;
    pen.beginPath();
    pen.arc(...point, (dots ?? ring) / 2, 0, 2 * Math.PI);
    if (ring) pen.stroke();
    else pen.fill();
  }
}
