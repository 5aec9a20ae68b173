// The cell where one is: a column of the picture opens, the others move aside, and what happens in it stands on the
// rows' own heights. What has moved aside is painted; Plotly's own picture stays as it is underneath.

import { button } from "./controls.js";
import { el, svg, visible } from "./dom.js";
import { tr } from "./language.js";
import { LensDrawing, spoken } from "./lensdrawing.js";
import { LensTank, spanned } from "./lenstank.js";
import { lawsOf, valuesOf } from "./lensvalues.js";
import { amounts, tankOf } from "./memory.js";
import { calm, settling } from "./motion.js";
import { number } from "./numbers.js";
import { Parting, roomOf } from "./parting.js";

const MOVE = 320; // ms
const [NAMED, APART] = [4, 12]; // states that are told one by one; px between two numbers of steps

export class Lens {
  open = false;
  /** @type {number | undefined} */
  frame;
  share = 0; // how far it is open

  // scope: whose picture parts; whole(): the same cell on the whole screen.
  /**
   * @param {import("./view.js").Scope} scope
   * @param {() => void} whole
   */
  constructor(scope, whole) {
    this.scope = scope;
    this.picture = svg("svg", { class: "sv-lens-picture", role: "img" });
    this.whole = button("⤢", tr("This cell on the whole screen (Enter)"), whole);
    const shut = button("×", tr("Close the cell (Escape)"), () => this.toggle(false));
    this.ticks = el("div", { class: "sv-lens-ticks", "aria-hidden": "true" });
    this.box = el("div", { class: "sv-lens" }, this.picture, el("div", { class: "sv-lens-buttons" }, this.whole, shut));
    this.box.hidden = this.ticks.hidden = true;
    // Neither Plotly's zoom nor a stroke begins in it, or beside it.
    for (const kind of ["mousedown", "touchstart"])
      scope.plot.addEventListener(kind, (event) => this.shown && event.stopPropagation(), true);
    scope.plot.addEventListener("dblclick", () => this.unzoom());
  }

  // A double click takes a zoom back; its first one has opened the column.
  unzoom() {
    const { area, state } = this.scope;
    if (!this.shown || !area.zoomed()) return;
    this.toggle(false);
    area.Plotly.relayout(area.graph, { "xaxis.range": [-0.5, state.L - 0.5] });
  }

  get shown() {
    return this.open && !this.scope.header?.plain;
  }

  holds(event) {
    return !!event.target.closest?.(".sv-lens");
  }

  /** @param {boolean} open */
  toggle(open) {
    if (this.open === open) return;
    this.open = open;
    if (open && this.scope.player.on) this.scope.player.stop();
    const still = calm();
    this.move(still ? +open : this.share, performance.now());
    this.scope.viewChanged();
  }

  // One frame of the way to being open, or shut.
  move(from, begun) {
    cancelAnimationFrame(this.frame);
    const to = +this.open;
    const time = Math.min(1, (performance.now() - begun) / MOVE);
    this.share = from + (to - from) * settling(time);
    if (from === to || time === 1) this.share = to;
    this.scope.place();
    if (this.share !== to) this.frame = requestAnimationFrame(() => !this.scope.gone && this.move(from, begun));
  }

  // The picture was drawn, or another step or unit was chosen.
  place() {
    const { scope } = this;
    const { area, state } = scope;
    if (!area.drawn) return;
    const edges = [-0.5, 0.5].map((side) => area.xaxis.l2p(state.step + side));
    const width = area.right - area.left;
    const inside = edges[0] > -1 && edges[1] < width + 1;
    const parts = (this.shown || this.share > 0) && inside && !scope.header.plain;
    this.box.hidden = this.ticks.hidden = !parts;
    scope.root.classList.toggle("sv-parted", parts);
    scope.root.dataset.lens = parts && this.share === 1 ? `${state.step}` : "";
    if (!parts) {
      if (area.parted) scope.draft.brush.hide();
      area.parted = null;
      return;
    }
    const [from, to] = edges;
    const room = roomOf(width, scope.theme.label, !area.built.margin.column);
    area.parted = new Parting(width, from, to, to - from + this.share * (Math.max(room, to - from) - (to - from)));
    scope.draft.sketch();
    this.draw();
  }

  draw() {
    const { scope } = this;
    const { area, state, header, rows, theme } = scope;
    const { low, high } = area.parted;
    const [top, bottom] = [area.built.margin.top, area.built.height - area.built.margin.bottom];
    const style = { left: `${area.left + low}px`, width: `${high - low}px`, top: "0", height: `${bottom + 6}px` };
    Object.assign(this.box.style, style);
    this.box.classList.toggle("sv-lens-opening", this.share < 1);
    this.whole.hidden = scope.still;
    this.label();
    if (this.share < 1) return;
    const { step, unit } = state;
    const laws = lawsOf(header.description);
    const v = this.values();
    const drawing = new LensDrawing({
      laws,
      v,
      signals: rows.map(({ signal }) => signal),
      places: area.built.places,
      width: high - low,
      states: header.description.states,
      type: { letters: theme.label, large: Math.round(theme.label * 1.2) },
      tank: this.tank(v),
      secret: !!state.secret,
      first: step === 0,
      input: this.input(),
      output: this.output(v),
    });
    this.picture.replaceChildren(...drawing.draw());
    this.picture.setAttribute("viewBox", `0 0 ${high - low} ${bottom + 6}`);
    const says = (signal) => (state.secret ? "?" : number(v[signal], 2));
    this.picture.setAttribute("aria-label", spoken(header.cell, step, unit, laws, says));
    this.box.style.setProperty("--sv-lens-top", `${top}px`);
  }

  // The run that is shown.
  get own() {
    const { state, baseline, now } = this.scope;
    return state.view === "baseline" ? baseline : now;
  }

  // The memory of the unit, as far as it goes in the run.
  tank(v) {
    const { header, state, theme } = this.scope;
    const tank = tankOf(header.description);
    if (!tank) return null;
    const sizes = amounts(tank, v);
    const { hidden } = header;
    const run = Array.from({ length: state.L }, (_, t) => this.own[tank.state][t * hidden + state.unit]);
    return new LensTank({ tank, sizes, reach: spanned([...run, sizes.before, sizes.kept]), scale: theme.diverging });
  }

  values() {
    const { scope, own } = this;
    const { header, draft, state } = scope;
    const { description, hidden, inputs, layer, rules } = header;
    // The weights are those of the present run.
    const model = state.view === "baseline" ? null : draft.model;
    const run = { description, hidden, inputs, layer, rules: rules ?? [], now: own, model };
    return valuesOf(run, state.step, state.unit);
  }

  input() {
    const { state, header, now } = this.scope;
    const { step, hidden } = state;
    const from = header.inputs * step;
    const x = state.labels
      ? `“${visible(state.labels[step])}”`
      : header.inputs === 1
        ? number(now.x[from], 2)
        : `‖${number(Math.hypot(...now.x.subarray(from, from + header.inputs)), 2)}‖`;
    if (!step || hidden > NAMED) return `x = ${x}`;
    const before = Array.from(now.h.subarray((step - 1) * hidden, step * hidden), (h) => number(h, 2));
    return `x = ${x}    h₋₁ = ${before.join(tr(", "))}`;
  }

  // What this unit brings to the output.
  output(v) {
    const { header, draft, state } = this.scope;
    const { model } = draft;
    if (!model || model.outputs !== 1 || header.layer !== model.layers - 1) return "";
    const weight = model.parameters["readout.weight"][state.unit];
    const from = tr("from unit {unit}", { unit: state.unit });
    return `${number(weight, 2)} × ${number(v.h, 2)} = ${number(weight * v.h, 2)} ${from}`;
  }

  // The numbers of the steps, where they have moved to.
  label() {
    const { area, state } = this.scope;
    const { low, high, share } = area.parted;
    const letters = this.scope.theme.label;
    const said = (t) => (state.labels ? visible(state.labels[t]) : `${t}`);
    const wide = state.labels ? 2 : `${state.L - 1}`.length;
    const one = (area.xaxis.l2p(1) - area.xaxis.l2p(0)) * share;
    const every = Math.max(1, Math.ceil((0.6 * letters * wide + APART) / Math.max(0.01, one)));
    const edge = 1.4 * letters;
    const ticks = [];
    for (let t = 0; t < state.L; t += every) {
      const px = area.across(t);
      const near = px > low - edge && px < high + edge;
      if (near || px < 0 || px > area.right - area.left) continue;
      ticks.push(el("span", { text: said(t), style: `left:${area.left + px}px` }));
    }
    this.ticks.replaceChildren(...ticks);
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}
