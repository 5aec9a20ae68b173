// Maps of vanishing side by side, drawn as they are measured: colours on a canvas, contours and marks over it. A point
// is chosen by hand or by arrows, and opened by a click or Enter.

import { hand } from "./card.js";
import { contour, shade } from "./contour.js";
import { saver } from "./controls.js";
import { el, svg } from "./dom.js";
import { tr } from "./language.js";
import { mapCard } from "./mapcard.js";
import { colourKey, label, namesOf, widthOf } from "./mapkey.js";
import { clamp, number } from "./numbers.js";
import { shadesOf } from "./shades.js";
import { readTheme, redressed, wear } from "./theme.js";
import { Top } from "./top.js";

/** @import { Message } from "./bytes.js" */
/** @import { MapHeader } from "./headers.js" */
/** @import { Host } from "./host.js" */

const [LEFT, RIGHT, TOP, BOTTOM] = [40, 8, 26, 40];

export class Maps {
  /** @type {MapHeader} */
  header;
  /** @type {{net: string, column: number, row: number} | null} */
  chosen = null;

  /**
   * @param {HTMLElement} root
   * @param {Host} host
   */
  constructor(root, host) {
    this.root = root;
    this.host = host;
    root.classList.add("sv-root", "sv-maps");
    this.top = new Top();
    this.body = el("div", { class: "sv-maps-body" });
    this.readout = el("p", { class: "sv-maps-readout", "aria-live": "polite" });
    this.about = el("p", { class: "sv-status" });
    this.key = el("div");
    const save = saver((format) => hand(mapCard(this), format, "seqviz-map"), true);
    const foot = el("div", { class: "sv-maps-foot" }, this.about, save);
    root.replaceChildren(this.top.root, this.body, this.key, this.readout, foot);
    /** @type {Map<string, Sheet>} */
    this.sheets = new Map();
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.body);
    this.unlisten = host.rethemed(() => this.repaint());
  }

  /** @param {Message<MapHeader>} message */
  update({ header, arrays }) {
    this.header = header;
    this.palettes = header.palettes;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    this.top.set({ headline: header.says });
    this.about.textContent = header.about;
    this.theme = readTheme(this.root, this.palettes);
    wear(this.root, this.theme);
    for (const [net, sheet] of this.sheets)
      if (!header.nets.includes(net)) {
        sheet.root.remove();
        this.sheets.delete(net);
      }
    if (this.chosen && !this.fits(this.chosen)) this.chosen = null;
    for (const net of header.nets)
      if (!this.sheets.has(net)) {
        const sheet = new Sheet(this, net);
        this.sheets.set(net, sheet);
        this.body.append(sheet.root);
      }
    this.draw();
    this.root.dataset.drawn = header.id;
  }

  repaint() {
    if (!this.header) return;
    const theme = redressed(this.root, this.palettes, this.theme);
    if (!theme) return;
    this.theme = theme;
    this.draw();
  }

  draw() {
    if (this.header) this.key.replaceChildren(colourKey(this.theme.diverging, this.header.reach));
    if (this.header) for (const sheet of this.sheets.values()) sheet.draw();
  }

  fits = ({ net, column, row }) =>
    this.header.nets.includes(net) && column < this.header.columns && row < this.header.rows;

  choose(net, column, row) {
    const { columns, rows } = this.header;
    this.chosen = { net, column: clamp(column, 0, columns - 1), row: clamp(row, 0, rows - 1) };
    const k = this.chosen.row * columns + this.chosen.column;
    const [mean, low, high] = ["mean", "low", "high"].map((part) => this.arrays[`${net}.${part}`][k]);
    const { x, y } = this.header;
    const at = [
      net,
      `${x.short} ${number(this.arrays.x[this.chosen.column], x.digits)}`,
      `${y.short} ${number(this.arrays.y[this.chosen.row], y.digits)}`,
    ];
    const about = { place: at.join(tr(", ")) };
    this.readout.textContent = Number.isNaN(mean)
      ? tr("{place}: not measured yet", about)
      : tr("{place}: {mean} decades per 100 steps; the draws from {low} to {high}", {
          ...about,
          mean: number(mean, 2),
          low: number(low, 2),
          high: number(high, 2),
        });
    for (const sheet of this.sheets.values()) sheet.mark();
  }

  open() {
    if (this.chosen) this.host.send({ type: "point", ...this.chosen });
  }

  destroy() {
    this.watch.disconnect();
    this.unlisten?.();
  }
}

export class Sheet {
  /** @type {number} the colours, in px */
  wide;
  /** @type {number} */
  tall;

  /** @param {Maps} maps @param {string} net */
  constructor(maps, net) {
    this.maps = maps;
    this.net = net;
    this.canvas = el("canvas", { class: "sv-maps-colours" });
    this.over = svg("svg", {});
    this.frame = svg("rect", { class: "sv-maps-frame" });
    this.root = el("div", { class: "sv-maps-sheet", tabindex: "0", role: "application" }, this.canvas, this.over);
    this.root.addEventListener("pointermove", (e) => this.pointed(e));
    this.root.addEventListener("click", (e) => {
      this.pointed(e);
      maps.open();
    });
    this.root.addEventListener("keydown", (e) => this.pressed(e));
  }

  get values() {
    return this.maps.arrays[`${this.net}.mean`];
  }

  x = (column) => LEFT + ((column + 0.5) / this.maps.header.columns) * this.wide;
  y = (row) => TOP + (1 - (row + 0.5) / this.maps.header.rows) * this.tall;

  draw() {
    const width = this.root.clientWidth;
    if (!width) return;
    const height = Math.min(380, Math.max(260, Math.round(0.85 * width)));
    [this.wide, this.tall] = [width - LEFT - RIGHT, height - TOP - BOTTOM];
    this.root.style.height = `${height}px`;
    this.root.setAttribute(
      "aria-label",
      tr("{net}: {up} up, {across} across; arrows move, Enter opens", {
        net: this.net,
        up: this.maps.header.up[this.net],
        across: this.maps.header.x.label,
      }),
    );
    this.over.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.paint();
    this.over.replaceChildren(...this.axes(), this.dots(), ...this.contours(), ...this.names(), this.frame);
    this.mark();
  }

  paint() {
    const { header, theme } = this.maps;
    const { columns, rows, reach } = header;
    Object.assign(this.canvas.style, {
      left: `${LEFT}px`,
      top: `${TOP}px`,
      width: `${this.wide}px`,
      height: `${this.tall}px`,
    });
    this.canvas.width = columns;
    this.canvas.height = rows;
    const pen = this.canvas.getContext("2d");
    const image = pen.createImageData(columns, rows);
    const shades = shadesOf(theme.diverging);
    this.values.forEach((v, k) => {
      if (Number.isNaN(v)) return;
      const row = rows - 1 - Math.floor(k / columns);
      image.data.set(shades((1 + shade(v, reach)) / 2), 4 * (row * columns + (k % columns)));
    });
    pen.putImageData(image, 0, 0);
  }

  axes() {
    const { header, arrays } = this.maps;
    const text = (x, y, anchor, said, of = "sv-why-tick") =>
      svg("text", { x, y, "text-anchor": anchor, class: of }, said);
    const every = (count, parts) => [
      ...new Set([...Array(parts + 1).keys()].map((k) => Math.round((k * (count - 1)) / parts))),
    ];
    const base = TOP + this.tall;
    return [
      text(LEFT, 17, "start", this.net, "sv-maps-net"),
      ...every(header.columns, 4).map((k) => text(this.x(k), base + 17, "middle", short(arrays.x[k]))),
      ...every(header.rows, 5).map((k) => text(LEFT - 6, this.y(k) + 5, "end", short(arrays.y[k]))),
      text(LEFT + this.wide / 2, base + 34, "middle", header.x.label),
      text(LEFT + this.wide, 17, "end", `${header.up[this.net]} ↑`),
    ];
  }

  contours() {
    const { columns, rows, levels } = this.maps.header;
    return levels.map((level, k) => {
      const kind =
        k === levels.length - 1 ? "sv-maps-none" : k === levels.length - 2 ? "sv-maps-half" : "sv-maps-level";
      const d = contour(this.values, columns, rows, level)
        .map(
          ([a, b, c, e]) =>
            `M${this.x(a).toFixed(1)} ${this.y(b).toFixed(1)}L${this.x(c).toFixed(1)} ${this.y(e).toFixed(1)}`,
        )
        .join("");
      return svg("path", { d, class: kind });
    });
  }

  names() {
    const here = this.here();
    const names = namesOf(this.values, this.maps.header, this.x, this.y, here ? [here] : []);
    const texts = names.map((at) => label(at.x, at.y, at.text, at.level === 0));
    return here ? [...texts, here.circle, here.text] : texts;
  }

  // Where some draws lose and others do not.
  dots() {
    const { columns } = this.maps.header;
    const [low, high] = ["low", "high"].map((part) => this.maps.arrays[`${this.net}.${part}`]);
    let d = "";
    low.forEach((v, k) => {
      if (v < 0 && high[k] > 0)
        d += `M${this.x(k % columns).toFixed(1)} ${this.y(Math.floor(k / columns)).toFixed(1)}h0.01`;
    });
    return svg("path", { d, class: "sv-maps-dots" });
  }

  // The network on the screen.
  here() {
    const { header, arrays } = this.maps;
    if (header.x.here === null || header.y.here === null) return null;
    const [x, y] = [place(arrays.x, header.x.here), place(arrays.y, header.y.here)];
    const said = tr("on the screen");
    const half = widthOf(said) / 2;
    const side = x < this.maps.header.columns / 2 ? 1 : -1;
    const at = { x: this.x(x) + side * (half + 12), y: this.y(y) + 5, half };
    const circle = svg(
      "circle",
      { cx: this.x(x), cy: this.y(y), r: 7, class: "sv-maps-here" },
      svg("title", {}, tr("the network on the screen")),
    );
    return { ...at, circle, text: label(this.x(x) + 12 * side, at.y, said, false, side > 0 ? "start" : "end") };
  }

  mark() {
    const at = this.maps.chosen;
    this.frame.style.display = at?.net === this.net && this.wide ? "" : "none";
    if (at?.net !== this.net || !this.wide) return;
    const { columns, rows } = this.maps.header;
    const [w, h] = [this.wide / columns, this.tall / rows];
    for (const [name, value] of Object.entries({
      x: this.x(at.column) - w / 2,
      y: this.y(at.row) - h / 2,
      width: w,
      height: h,
    }))
      this.frame.setAttribute(name, `${value}`);
  }

  pointed(event) {
    const { columns, rows } = this.maps.header;
    const box = this.root.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - LEFT) / this.wide) * columns);
    const row = Math.floor((1 - (event.clientY - box.top - TOP) / this.tall) * rows);
    this.maps.choose(this.net, column, row);
  }

  pressed(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    const { columns, rows } = this.maps.header;
    const at = this.maps.chosen?.net === this.net ? this.maps.chosen : { column: columns >> 1, row: rows >> 1 };
    if (by) this.maps.choose(this.net, at.column + by[0], at.row + by[1]);
    else this.maps.open();
  }
}

const short = (v) => number(v, Math.abs(v) < 10 && v % 1 ? 2 : 0).replace(/(\.\d)0$/, "$1");

// Where a value lies among the rising values of an axis, in places; at its ends where it lies outside.
function place(values, v) {
  const next = [...values].findIndex((each) => each > v);
  if (next < 1) return next ? values.length - 1 : 0;
  return next - (values[next] - v) / (values[next] - values[next - 1]);
}
