// One block of the weights as a matrix that answers to the hand: click a cell, drag it, type it.

import { ramp } from "./brush.js";
import { el, gradient, number, plotly, QUIETLY, readTheme, tr } from "./kit.js";
import { link } from "./link.js";

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const LEFT = 34;
const TOP = 22;

/** @import { Message } from "./bytes.js" */
/** @import { Packed, WeightsHeader } from "./headers.js" */
/** @import { Theme } from "./kit.js" */

export class Weights {
  /** @type {WeightsHeader & Packed} */
  header;
  /** @type {(event: object) => void} */
  send;
  /** @type {Theme} */
  theme;
  /** @type {string} the layout and the colours that are drawn */
  look;
  /** @type {Float32Array} the initial weights that the drawn ones were compared with */
  compared;

  constructor(root) {
    this.root = root;
    this.cell = [0, 0];
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
    this.observer = new MutationObserver(() => {
      if (this.header && readTheme(root, this.header.palettes).dark !== this.theme?.dark) this.draw();
    });
    this.observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "style"] });
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

  at(row, col) {
    return row * this.header.cols + col;
  }

  async draw() {
    const Plotly = await plotly().catch(() => null);
    if (!Plotly || this.gone) return;
    this.Plotly = Plotly;
    const { header } = this;
    this.theme = readTheme(this.root, header.palettes);
    this.width = this.plot.clientWidth;
    const size = clamp((this.width - LEFT - 8) / header.cols, 2, 26);
    this.across = header.cols === 1 ? Math.min(90, this.width - LEFT - 8) : size * header.cols;
    this.down_ = clamp(header.rows * clamp(size, 4, 22), 60, 360);
    const layout = {
      width: LEFT + this.across + 8,
      height: TOP + this.down_ + 6,
      margin: { l: LEFT, r: 8, t: TOP, b: 6 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: this.theme.well,
      font: { family: this.theme.mono, color: this.theme.quiet, size: this.theme.small },
      hovermode: false,
      dragmode: false,
      xaxis: {
        side: "top",
        showgrid: false,
        zeroline: false,
        fixedrange: true,
        range: [-0.5, header.cols - 0.5],
        tickmode: "array",
        ...marks(header.cols, header.names),
      },
      yaxis: {
        showgrid: false,
        zeroline: false,
        fixedrange: true,
        range: [header.rows - 0.5, -0.5],
        tickmode: "array",
        ...marks(header.rows),
      },
    };
    const look = JSON.stringify([layout, this.theme.diverging]);
    // The hand's own edit is in the picture already; the server only confirms it.
    if (look !== this.look || !alike(this.values, this.pictured) || !alike(this.original, this.compared))
      await this.paint(layout);
    [this.look, this.compared] = [look, this.original];
    this.plot.style.height = `${layout.height}px`;
    const most = this.most();
    this.legend.replaceChildren(
      el(
        "span",
        { class: "sv-key" },
        el("span", { text: number(-most, 1) }),
        el("i", { style: `background:${gradient(this.theme.diverging)}` }),
        el("span", { text: number(most, 1) }),
      ),
      el("span", { class: "sv-note" }, el("i", { class: "sv-edit-mark" }), tr("changed by you")),
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
    this.pictured = this.values.slice();
    this.drawnMost = this.most();
    this.root.dataset.paints = `${+(this.root.dataset.paints ?? 0) + 1}`;
    await this.Plotly.react(this.graph, [this.heat(), this.changed()], layout, {
      displayModeBar: false,
      staticPlot: true,
    });
  }

  most() {
    return Math.max(1, ...this.values.map(Math.abs));
  }

  heat() {
    const { rows, cols } = this.header;
    const z = Array.from({ length: rows }, (_, r) => this.values.subarray(r * cols, (r + 1) * cols));
    const most = this.most();
    return {
      type: "heatmap",
      z,
      zmin: -most,
      zmax: most,
      colorscale: this.theme.diverging,
      showscale: false,
      xgap: cols <= 32 ? 1 : 0,
      ygap: rows <= 32 ? 1 : 0,
      hoverinfo: "skip",
    };
  }

  changed() {
    const { rows, cols } = this.header;
    const places = [];
    for (let k = 0; k < rows * cols; k++)
      if (this.values[k] !== this.original[k]) places.push([Math.floor(k / cols), k % cols]);
    return {
      type: "scatter",
      mode: "markers",
      x: places.map((p) => p[1]),
      y: places.map((p) => p[0]),
      hoverinfo: "skip",
      marker: {
        symbol: "square-open",
        size: clamp(this.across / cols - 4, 4, 16),
        color: this.theme.changed,
        line: { width: 2 },
      },
    };
  }

  show() {
    const [row, col] = this.cell;
    const { header } = this;
    const value = this.values[this.at(row, col)];
    const cellWidth = this.across / header.cols;
    const cellHeight = this.down_ / header.rows;
    this.box.style.cssText = `left:${LEFT + col * cellWidth}px;top:${TOP + row * cellHeight}px;width:${cellWidth}px;height:${cellHeight}px`;
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
    const col = Math.floor(((event.clientX - box.left - LEFT) / this.across) * this.header.cols);
    const row = Math.floor(((event.clientY - box.top - TOP) / this.down_) * this.header.rows);
    return row >= 0 && col >= 0 && row < this.header.rows && col < this.header.cols ? [row, col] : null;
  }

  pressed(event) {
    const cell = this.under(event);
    if (!cell || event.button) return;
    event.preventDefault();
    this.plot.focus(QUIETLY);
    this.cell = cell;
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
    const scale = ramp(this.theme.diverging);
    const most = this.drawnMost;
    const share = (clamp(value, -most, most) + most) / (2 * most);
    const pixel = scale[Math.round(share * (scale.length - 1))];
    this.box.style.background = `rgb(${pixel & 255}, ${(pixel >> 8) & 255}, ${(pixel >> 16) & 255})`;
  }

  settle() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(async () => {
      if (this.gone) return;
      await this.paint(this.graph.layout);
      if (!this.pen) this.box.style.background = "";
    });
  }

  commit(value) {
    this.preview(value);
    this.settle();
    this.live.textContent = tr("{name} is now {value}", { name: this.name.textContent, value: number(value, 3) });
    this.send({ type: "weight", edits: [[...this.place(...this.cell), value]], at: performance.now() });
  }

  revert() {
    this.preview(this.original[this.at(...this.cell)]);
    this.settle();
    this.send({ type: "unedit", places: [this.place(...this.cell)], at: performance.now() });
  }

  key(event) {
    const [row, col] = this.cell;
    const { rows, cols } = this.header;
    const go = (r, c) => () => {
      this.cell = [clamp(row + r, 0, rows - 1), clamp(col + c, 0, cols - 1)];
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
    cancelAnimationFrame(this.frame);
    this.resizer.disconnect();
    this.observer.disconnect();
    this.Plotly?.purge(this.graph);
  }
}

const alike = (a, b) => a.length === b?.length && a.every((value, k) => value === b[k]);

function marks(count, names) {
  const every = Math.max(1, Math.ceil(count / 8));
  const tickvals = [...Array(count).keys()].filter((k) => k % every === 0);
  return { tickvals, ticktext: tickvals.map((k) => (names ? names[k] : `${k}`)) };
}
