// The place that Plotly draws rows over time into, and what lies over it: the chosen step, marks, headings. Where a
// step is in pixels, and which step and row lie under a pointer.

import { layoutOf } from "./axes.js";
import { dress, el, write } from "./dom.js";
import { clamp } from "./numbers.js";

/** @import { Parting } from "./parting.js" */
/** @import { Built, Mark } from "./types.js" */

export class PlotArea {
  /** @type {Built} */
  built;
  /** @type {any} */
  Plotly;
  /** @type {number} */
  width;
  /** @type {Promise<any> | undefined} */
  reacting;
  /** @type {Parting | null} where a column is open */
  parted = null;

  // label: what it is called; tip: what stands beside the pointer; zoomed(range or null): the person has zoomed.
  /**
   * @param {string} label
   * @param {HTMLElement} tip
   * @param {(range: number[] | null) => void} zoomed
   */
  constructor(label, tip, zoomed) {
    this.onZoom = zoomed;
    /** @type {any} with what Plotly adds to it */
    this.graph = el("div", { class: "sv-graph" });
    this.band = el("div", { class: "sv-band" });
    this.pinned = el("div", { class: "sv-pinned" });
    this.veil = el("div", { class: "sv-veil" });
    this.marks = el("div", { class: "sv-marks" });
    this.heads = el("div", { class: "sv-heads" });
    this.ends = el("div", { class: "sv-ends" });
    this.axis = el("div", { class: "sv-axis-name" });
    this.note = el("div", { class: "sv-axis-note" });
    this.pill = el("div", { class: "sv-pill", "aria-hidden": "true" });
    this.root = el(
      "div",
      { class: "sv-plot", tabindex: "0", role: "application", "aria-label": label },
      this.graph,
      this.veil,
      this.pinned,
      this.band,
      this.marks,
      this.heads,
      this.ends,
      this.axis,
      this.note,
      this.pill,
      tip,
    );
  }

  get drawn() {
    return !!this.built && !!this.graph._fullLayout;
  }
  get xaxis() {
    return this.graph._fullLayout.xaxis;
  }
  // Asking the element would lay the page out anew.
  get right() {
    return this.width - this.built.margin.right;
  }
  get left() {
    return this.built.margin.left;
  }

  /**
   * @param {Built} built
   * @param {number} steps
   */
  async react(built, steps) {
    this.built = built;
    this.steps = steps;
    this.root.style.height = `${built.height}px`;
    this.root.style.setProperty("--sv-foot", `${built.margin.bottom}px`);
    this.root.style.setProperty("--sv-column", `${built.margin.column}px`);
    this.root.style.setProperty("--sv-side", `${built.margin.right}px`);
    this.root.classList.toggle("sv-narrow", !built.margin.column);
    this.frame();
    await (this.reacting = this.Plotly.react(this.graph, built.traces, built.layout, {
      displayModeBar: false,
      responsive: false,
      doubleClick: "reset",
      scrollZoom: false,
      showTips: false,
    }));
    if (this.bound) return;
    this.bound = true;
    this.graph.on("plotly_relayout", () => this.onZoom(this.zoomed() ? this.xaxis.range.slice() : null));
  }

  // The chosen step's frame: one from the first row to the axis; where headings stand between the rows, one a row.
  frame() {
    const { places, margin } = this.built;
    const frames = margin.column ? [] : places;
    this.band.replaceChildren(
      ...frames.map(({ top, height }) => el("i", { style: `top:${top - 1}px;height:${height + 2}px` })),
    );
  }

  // Where the marks of a row's axis are.
  /** @param {number} k */
  marksOf(k) {
    return this.built.layout[layoutOf(k)].tickvals ?? [];
  }

  zoomed() {
    const [a, b] = this.xaxis.range;
    return Math.abs(a + 0.5) > 1e-6 || Math.abs(b - this.steps + 0.5) > 1e-6;
  }

  // Where a step is, from the left of the rows; and the step that is there.
  across(step) {
    const px = this.xaxis.l2p(step);
    return this.parted ? this.parted.across(px) : px;
  }
  back(px) {
    return this.xaxis.p2l(this.parted ? this.parted.back(px) : px);
  }

  pixel(step) {
    return clamp(this.left + this.across(step), this.left, this.right);
  }

  stepAt(clientX) {
    const px = clientX - this.root.getBoundingClientRect().left;
    return clamp(Math.round(this.back(px - this.left)), 0, this.steps - 1);
  }

  // Which step, and which row by its number k, lie under a pointer; share: how far down the row, from 0 to 1.
  /** @param {PointerEvent | MouseEvent} event */
  under(event) {
    if (!this.drawn) return null;
    const box = this.root.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (px < this.left - 2 || px > this.right + 2) return null;
    const step = clamp(Math.round(this.back(px - this.left)), 0, this.steps - 1);
    const k = this.built.places.findIndex(({ top, height }) => py >= top && py <= top + height);
    if (k < 0) return { step, px, py };
    const { top, height } = this.built.places[k];
    return { step, k, px, py, share: (py - top) / height };
  }

  // Everything that sits over the picture, moved without touching Plotly; veiled: what is to come lies under a veil.
  place(step, pinned, veiled) {
    this.stripe(this.band, step);
    this.stripe(this.pinned, pinned);
    const [here, next] = [this.pixel(step), this.pixel(step + 0.5)];
    this.veil.style.transform = `translateX(${next}px)`;
    this.veil.style.width = veiled ? `${this.right - next}px` : "0";
    // All of its number is in the picture at either end.
    this.pill.style.transform = `translateX(clamp(50%, ${here}px, ${this.width}px - 50%)) translateX(-50%)`;
    this.pill.style.display = this.band.style.display;
    write(this.pill, `${step}`);
    for (const mark of /** @type {Iterable<Mark>} */ (this.marks.children)) {
      const { from, to, place } = mark.region;
      const [a, b] = [this.pixel(from - 0.5), this.pixel(to - 0.5)];
      const across = `left:${a}px;width:${Math.max(0, b - a)}px`;
      const down = `top:${place.top}px;height:${place.height}px`;
      dress(mark, `${across};${down};display:${b > a ? "block" : "none"}`);
    }
  }

  stripe(node, t) {
    const [a, b] = [this.pixel(t - 0.5), this.pixel(t + 0.5)];
    node.style.transform = `translateX(${a}px)`;
    node.style.width = `${Math.max(b > a ? 2 : 0, b - a)}px`;
    node.style.display = b > a ? "" : "none";
  }

  // Plotly fails when a picture is taken away that it is still drawing.
  purge() {
    const purge = () => setTimeout(() => this.Plotly?.purge(this.graph));
    Promise.resolve(this.reacting).then(purge, purge);
  }
}
