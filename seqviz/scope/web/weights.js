// One block of the weights as a matrix that answers to the hand: click a cell, drag it, type it.

import { el, QUIETLY } from "./dom.js";
import { tr } from "./language.js";
import { markNote, scaleKey } from "./legends.js";
import { link } from "./link.js";
import { LEFT, TOP, changed, colourOf, extent, heat, matrixLayout, reachOf } from "./matrix.js";
import { REST } from "./motion.js";
import { alike, clamp, number } from "./numbers.js";
import { readTheme } from "./theme.js";

/** @import { Message } from "./bytes.js" */
/** @import { Packed, WeightsHeader } from "./headers.js" */
/** @import { Host } from "./host.js" */
/** @import { Theme } from "./theme.js" */

export class Weights {
  /** @type {WeightsHeader & Packed} */
  header;
  /** @type {Theme} */
  theme;
  /** @type {string} the layout and the colours that are drawn */
  look;
  /** @type {Float32Array} the initial weights that the drawn ones were compared with */
  compared;

  /**
   * @param {HTMLElement} root
   * @param {Host} host
   */
  constructor(root, host) {
    this.root = root;
    this.host = { ...host };
    this.cell = [0, 0];
    this.resting = 0; // the timer that runs until the matrix is drawn
    root.classList.add("sv-weights");
    /** @type {any} with what Plotly adds to it */
    this.graph = el("div", { class: "sv-graph" });
    this.box = el("div", { class: "sv-cell" });
    this.plot = el(
      "div",
      {
        class: "sv-plot",
        tabindex: "0",
        role: "application",
        "aria-label": tr("Weight matrix. Arrow keys choose a weight, plus and minus change it by 0.1."),
      },
      this.graph,
      this.box,
    );
    this.name = el("code", { class: "sv-weight-name" });
    this.was = el("span", { class: "sv-was" });
    this.slider = el("input", {
      type: "range",
      min: "-4",
      max: "4",
      step: "0.01",
      class: "sv-scrubber",
      "aria-label": tr("Weight"),
      oninput: () => this.preview(+this.slider.value),
      onchange: () => this.commit(+this.slider.value),
    });
    this.field = el("input", {
      type: "number",
      step: "0.1",
      class: "sv-number",
      "aria-label": tr("Weight, exact"),
      onchange: () => {
        if (this.field.value !== "" && Number.isFinite(+this.field.value)) this.commit(+this.field.value);
        else this.field.value = `${+this.values[this.at(...this.cell)].toFixed(4)}`;
      },
    });
    this.back = el("button", {
      type: "button",
      class: "sv-button",
      text: tr("Take back"),
      title: tr("The weight as it was drawn"),
      onclick: () => this.revert(),
    });
    this.legend = el("div", { class: "sv-legend" });
    this.live = el("div", { class: "sv-visually-hidden", "aria-live": "polite" });
    root.replaceChildren(
      this.legend,
      this.plot,
      el("div", { class: "sv-weight-row" }, this.name, this.field),
      this.slider,
      el("div", { class: "sv-weight-row" }, this.was, this.back),
      this.live,
    );
    this.plot.addEventListener("pointerdown", (e) => this.pressed(e), true);
    this.plot.addEventListener("pointermove", (e) => this.moved(e), true);
    this.plot.addEventListener("pointerup", () => this.released(), true);
    this.plot.addEventListener("pointercancel", () => this.released(), true);
    for (const kind of ["mousedown", "touchstart"]) this.plot.addEventListener(kind, (e) => e.stopPropagation(), true);
    this.plot.addEventListener("keydown", (e) => this.key(e));
    this.resizer = new ResizeObserver(() => {
      if (this.header && this.plot.clientWidth !== this.width) this.draw();
    });
    this.resizer.observe(this.plot);
    this.unlisten = this.host.rethemed(() => {
      if (this.header && readTheme(root, this.header.palettes).dark !== this.theme?.dark) this.draw();
    });
  }

  /** @param {Message<WeightsHeader>} message */
  update({ header, arrays }) {
    if (this.pen) return;
    this.header = header;
    this.values = arrays.matrix.values.slice();
    this.original = arrays.original.values;
    this.link = link(header.link);
    this.cell = [clamp(this.cell[0], 0, header.rows - 1), clamp(this.cell[1], 0, header.cols - 1)];
    this.draw();
  }

  send(event) {
    this.host.send({ ...event, at: performance.now() });
  }

  at(row, col) {
    return row * this.header.cols + col;
  }

  async draw() {
    const Plotly = await this.host.plotly().catch(() => null);
    if (!Plotly || this.gone) return;
    this.Plotly = Plotly;
    const { header } = this;
    this.theme = readTheme(this.root, header.palettes);
    this.width = this.plot.clientWidth;
    this.size = extent(header, this.width);
    const layout = matrixLayout(header, this.size, this.theme);
    const look = JSON.stringify([layout, this.theme.diverging]);
    // The hand's own edit is in the picture already, or will be when the hand rests; the server only confirms it.
    const same = alike(this.values, this.pictured) && alike(this.original, this.compared);
    if (look !== this.look || !(same || this.resting)) await this.paint(layout);
    [this.look, this.compared] = [look, this.original];
    this.plot.style.height = `${layout.height}px`;
    const most = reachOf(this.values);
    this.legend.replaceChildren(
      scaleKey(this.theme.diverging, number(-most, 1), number(most, 1)),
      markNote("sv-edit-mark", tr("changed by you")),
    );
    const [low, high] = [Math.min, Math.max].map((pick) => this.values.reduce((a, b) => pick(a, b)));
    this.plot.setAttribute(
      "aria-description",
      tr("{symbol}: weights, {rows} by {cols}, from {low} to {high}; {changed} changed by you", {
        symbol: header.symbol,
        rows: header.rows,
        cols: header.cols,
        low: number(low),
        high: number(high),
        changed: this.values.reduce((n, v, k) => n + +(v !== this.original[k]), 0),
      }),
    );
    this.show();
    this.root.dataset.drawn = header.id;
  }

  async paint(layout) {
    clearTimeout(this.resting);
    this.resting = 0;
    delete this.root.dataset.resting;
    this.pictured = this.values.slice();
    this.drawnMost = reachOf(this.values);
    this.root.dataset.paints = `${+(this.root.dataset.paints ?? 0) + 1}`;
    const { header, values, original, theme, size } = this;
    const traces = [heat(header, values, theme), changed(header, values, original, size.across, theme)];
    await this.Plotly.react(this.graph, traces, layout, { displayModeBar: false, staticPlot: true });
    if (!this.pen) this.box.style.background = "";
  }

  show() {
    const [row, col] = this.cell;
    const { header } = this;
    const value = this.values[this.at(row, col)];
    const [wide, high] = [this.size.across / header.cols, this.size.down / header.rows];
    const corner = `left:${LEFT + col * wide}px;top:${TOP + row * high}px`;
    this.box.style.cssText = `${corner};width:${wide}px;height:${high}px`;
    this.name.textContent = header.bias
      ? `${header.symbol}[${row}]`
      : `${header.symbol}[${row}, ${header.names ? header.names[col] : col}]`;
    if (document.activeElement !== this.field) this.field.value = `${+value.toFixed(4)}`;
    const reach = Math.max(4, Math.ceil(Math.abs(value) * 1.25));
    if (!this.sliding) {
      this.slider.min = `${-reach}`;
      this.slider.max = `${reach}`;
    }
    this.slider.value = `${value}`;
    const original = this.original[this.at(row, col)];
    const edited = value !== original;
    this.was.textContent = edited ? tr("was {value}", { value: number(original, 4) }) : header.reads;
    this.back.hidden = !edited;
    this.root.dataset.cell = `${row},${col}`;
  }

  place(row, col) {
    const [r, c] = [row + this.header.first, col];
    return [this.header.parameter, r, this.header.bias ? 0 : c];
  }

  under(event) {
    const box = this.plot.getBoundingClientRect();
    const col = Math.floor(((event.clientX - box.left - LEFT) / this.size.across) * this.header.cols);
    const row = Math.floor(((event.clientY - box.top - TOP) / this.size.down) * this.header.rows);
    return row >= 0 && col >= 0 && row < this.header.rows && col < this.header.cols ? [row, col] : null;
  }

  // The box shows what its cell was changed to: the matrix does before it goes to another.
  choose(cell) {
    if (this.resting && `${cell}` !== `${this.cell}`) this.paint(this.graph.layout);
    this.cell = cell;
  }

  pressed(event) {
    const cell = this.under(event);
    if (!cell || event.button) return;
    event.preventDefault();
    this.plot.focus(QUIETLY);
    this.choose(cell);
    this.pen = { y: event.clientY, from: this.values[this.at(...cell)], moved: false };
    this.plot.setPointerCapture(event.pointerId);
    this.show();
  }

  moved(event) {
    if (!this.pen) return;
    const far = this.pen.y - event.clientY;
    if (!this.pen.moved && Math.abs(far) < 4) return;
    this.pen.moved = true;
    this.preview(Math.round((this.pen.from + far / 60) * 100) / 100);
  }

  released() {
    const pen = this.pen;
    this.pen = null;
    if (pen?.moved) this.commit(this.values[this.at(...this.cell)]);
  }

  preview(value) {
    const bounded = clamp(value, -1e6, 1e6);
    this.sliding = true;
    this.values[this.at(...this.cell)] = bounded;
    this.show();
    this.sliding = false;
    this.link.scope?.preview({ weights: [[...this.place(...this.cell), bounded]] });
    this.fill(bounded);
  }

  // While the hand moves, the one cell alone: the whole matrix is drawn when it is let go.
  fill(value) {
    this.box.style.background = colourOf(this.theme.diverging, value, this.drawnMost);
  }

  // The whole matrix, once nothing has been changed for a moment: until then the one cell shows it.
  settle() {
    clearTimeout(this.resting);
    this.root.dataset.resting = "true";
    this.resting = setTimeout(() => this.paint(this.graph.layout), REST);
  }

  commit(value) {
    this.preview(value);
    this.settle();
    this.live.textContent = tr("{name} is now {value}", { name: this.name.textContent, value: number(value, 3) });
    this.send({ type: "weight", edits: [[...this.place(...this.cell), value]] });
  }

  revert() {
    this.preview(this.original[this.at(...this.cell)]);
    this.settle();
    this.send({ type: "unedit", places: [this.place(...this.cell)] });
  }

  key(event) {
    const [row, col] = this.cell;
    const { rows, cols } = this.header;
    const go = (r, c) => () => {
      this.choose([clamp(row + r, 0, rows - 1), clamp(col + c, 0, cols - 1)]);
      this.show();
    };
    const by = (d) => () => this.commit(Math.round((this.values[this.at(row, col)] + d) * 100) / 100);
    const actions = {
      ArrowUp: go(-1, 0),
      ArrowDown: go(1, 0),
      ArrowLeft: go(0, -1),
      ArrowRight: go(0, 1),
      "+": by(0.1),
      "=": by(0.1),
      "-": by(-0.1),
      Delete: () => this.revert(),
    };
    if (event.ctrlKey || event.metaKey || !actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.resting);
    this.resizer.disconnect();
    this.unlisten();
    this.Plotly?.purge(this.graph);
  }
}
