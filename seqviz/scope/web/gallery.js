// Examples as small pictures with a name and a line each. Digits choose them, on every page and in a lecture.

import { cells, lookup } from "./brush.js";
import { el } from "./dom.js";
import { tr } from "./language.js";
import { inLesson } from "./spotlight.js";
import { readTheme } from "./theme.js";

const SIZE = { width: 84, height: 52 };
const DIGITS = 9;

/** @import { Message } from "./bytes.js" */
/** @import { GalleryHeader, Layer, Thumbnail } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @typedef {{top: number, height: number, width: number}} Box */
/** @typedef {(pen: any, layer: Layer, box: Box, theme: Theme, ratio: number) => void} Painter */

export class Gallery {
  /** @type {GalleryHeader & import("./headers.js").Packed} */
  header;

  /**
   * @param {HTMLElement} root
   * @param {import("./host.js").Host} host
   */
  constructor(root, host) {
    this.root = root;
    this.host = { ...host };
    root.classList.add("sv-gallery");
    this.unlisten = [host.typed((event) => this.key(event)), host.rethemed(() => this.header && this.paint())];
  }

  /** @param {Message<GalleryHeader>} message */
  update({ header }) {
    const same = this.header && JSON.stringify(this.header.entries) === JSON.stringify(header.entries);
    this.header = header;
    this.root.classList.toggle("sv-low", header.strip);
    if (!same) this.build();
    for (const button of this.buttons) {
      const on = button.dataset.name === header.lit;
      button.setAttribute("aria-pressed", `${on}`);
      button.classList.toggle("sv-lit-example", on);
    }
    this.paint();
    this.root.dataset.drawn = header.id;
  }

  build() {
    const { entries, heading } = this.header;
    this.buttons = entries.map((entry, k) => this.card(entry, k));
    this.root.replaceChildren(
      el("h2", { class: "sv-gallery-title", text: heading }),
      el("div", { class: "sv-cards", role: "group", "aria-label": heading }, ...this.buttons),
    );
  }

  /** @param {Thumbnail} entry */
  card(entry, k) {
    const digit = k < DIGITS ? `${k + 1}` : "";
    return el(
      "button",
      {
        type: "button",
        class: "sv-card",
        "data-name": entry.name,
        title: digit ? tr("{line} (key {digit})", { line: entry.line, digit }) : entry.line,
        "aria-keyshortcuts": digit || null,
        onclick: () => this.choose(entry.name),
      },
      el("canvas", { "aria-hidden": "true" }),
      el("kbd", { class: "sv-digit", "aria-hidden": "true", text: digit }),
      el("span", { class: "sv-card-title", text: entry.title }),
      el("span", { class: "sv-card-line", text: entry.line }),
    );
  }

  choose(name) {
    this.host.send({ type: "example", name, at: performance.now() });
  }

  key(event) {
    // In a lesson digits answer its questions.
    const entry = !inLesson() && /^[1-9]$/.test(event.key) && this.header?.entries[+event.key - 1];
    if (!entry) return;
    event.preventDefault();
    this.choose(entry.name);
  }

  paint() {
    const theme = readTheme(this.root, this.header.palettes);
    this.header.entries.forEach((entry, k) => picture(this.buttons[k].querySelector("canvas"), entry.layers, theme));
  }

  destroy() {
    for (const stop of this.unlisten) stop();
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Layer[]} layers
 * @param {Theme} theme
 */
function picture(canvas, layers, theme) {
  const ratio = 2;
  const [width, height] = [SIZE.width * ratio, SIZE.height * ratio];
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = theme.well;
  pen.fillRect(0, 0, width, height);
  for (const layer of layers) {
    const box = { top: Math.round(layer.top * height), height: Math.round(layer.height * height), width };
    ({ bars, line, heat })[layer.kind](pen, layer, box, theme, ratio);
  }
}

/** @type {Painter} */
function bars(pen, { values: [values], low, high }, { top, height, width }, theme) {
  const each = width / values.length;
  values.forEach((v, t) => {
    const tall = Math.max(0.06, (v - low) / (high - low)) * height;
    pen.fillStyle = t === 0 ? theme.diverging.at(v > 0 ? -1 : 0)[1] : theme.ink;
    pen.fillRect(t * each + 0.15 * each, top + height - tall, 0.7 * each, tall);
  });
}

/** @type {Painter} */
function line(pen, { values: [values], low, high, line: place = 0 }, { top, height, width }, theme, ratio) {
  Object.assign(pen, { strokeStyle: theme.lines[place], lineWidth: 2 * ratio, lineJoin: "round" });
  pen.beginPath();
  values.forEach((v, t) => {
    const x = (t * width) / Math.max(1, values.length - 1);
    const y = top + height - ((v - low) / (high - low || 1)) * height;
    if (t) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  });
  pen.stroke();
}

/** @type {Painter} */
function heat(pen, { values, low, high }, { top, height, width }, theme) {
  const image = pen.createImageData(width, height);
  const steps = values[0].length;
  cells(image, {
    across: lookup(width, steps, (t) => (t * width) / steps),
    down: lookup(height, values.length, (u) => (u * height) / values.length),
    cell: (u, t) => values[u][t],
    low,
    high,
    scale: theme.diverging,
    ground: theme.well,
  });
  pen.putImageData(image, 0, top);
}
