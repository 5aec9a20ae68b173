// One step of one unit, drawn as the cell with its numbers on the wires, beside the equations that they obey.

import { DIAGRAMS, LINES, SAME } from "./diagrams.js";
import { Drawing } from "./drawing.js";
import { rulesOf } from "./forward.js";
import { clauses, el, later, number, QUIETLY, readTheme, tr, visible, writeAddress } from "./kit.js";
import { Lines } from "./lines.js";
import { cursor } from "./link.js";
import { sums, vectors } from "./sums.js";
import { Timeline, button, choice, clamp, segments } from "./timeline.js";

const FORMS = [
  ["unit", later("One unit")],
  ["vectors", later("As vectors")],
];

// What is hidden with what: a term's two parts with their sum (f_wx and f_bx with f_ih), and 1 − z with z.
const hiddenWith = (name) =>
  name === "one_z" ? "z" : name.replace(/_[wb]([xh])$/, (_, end) => (end === "x" ? "_ih" : "_hh"));

// The step and unit to begin at, where nobody asked for one: where the state changes most from one step to the next.
/**
 * @param {Record<string, Float32Array>} arrays
 * @param {CellHeader} header
 */
function eventful(arrays, { hidden: H, steps, cell }) {
  const state = cell === "LSTM" ? arrays.c : arrays.h;
  let [best, most] = [0, 0];
  for (let k = H; k < H * steps; k++) {
    const gap = Math.abs(state[k] - state[k - H]);
    if (gap > most && gap < Infinity) [best, most] = [k, gap];
  }
  return [Math.floor(best / H), best % H];
}

/** @import { Message } from "./bytes.js" */
/** @import { CellHeader } from "./headers.js" */
/** @import { TimedState } from "./timeline.js" */
/**
 * @typedef {object} CellOnly
 * @property {number} unit
 * @property {number | null} phase the part of the walk, or all of the cell
 * @property {boolean} hidden whether all values are to be guessed
 * @property {object | null} open the equation that is taken apart
 * @property {string} form
 * @property {Set<string>} covered what is to be guessed by itself
 * @property {Set<string>} bared what is shown though its part is to be guessed
 * @property {string} [of] the cell that was shown last
 * @property {string} [run] the header's id of that
 */

/** @extends {Timeline<CellHeader, TimedState & CellOnly>} */
export class CellView extends Timeline {
  constructor(root) {
    super(root, "");
    root.classList.add("sv-cellview");
    Object.assign(this.state, {
      unit: 0,
      phase: null,
      hidden: false,
      open: null,
      form: "unit",
      covered: new Set(),
      bared: new Set(),
    });
    this.readAddress();
    this.drawing = new Drawing((name) => this.cover(name));
    this.lines = new Lines({
      peek: (unit) => this.peek(unit),
      choose: (unit) => {
        this.state.unit = unit;
        this.move(this.state.step);
      },
      open: (line) => {
        this.state.open = this.state.open === line ? null : line;
        this.place();
      },
      reveal: (name) => this.cover(name),
    });
    this.story = el("p", { class: "sv-phase", "aria-live": "polite" });
    const [unitBox, unit] = choice(tr("unit"), [], (v) => {
      this.state.unit = +v;
      this.move(this.state.step);
    });
    this.unitSelect = unit;
    this.walk = el(
      "div",
      { class: "sv-group" },
      button(tr("Back"), tr("The part before (b)"), () => this.toPhase(-1)),
      button(tr("Next"), tr("The next part of the cell (n)"), () => this.toPhase(1)),
      button(tr("Whole cell"), tr("Show everything at once"), () => this.toPhase(null)),
      (this.guess = button(tr("Hide values"), tr("Let the class guess, then reveal"), () => this.cover(null))),
    );
    this.forms = segments(
      tr("How the equations are shown"),
      FORMS.map(([value, text]) => [value, tr(text)]),
      (form) => {
        this.state.form = form;
        this.peeked = null;
        this.place();
        this.viewChanged();
      },
    );
    this.bar = el(
      "div",
      { class: "sv-bar" },
      this.undoGroup(),
      this.walk,
      el(
        "div",
        { class: "sv-group sv-right" },
        this.forms.root,
        unitBox,
        button(tr("See all units"), tr("Back to the gates page, at this step and unit"), () =>
          this.send({ type: "gates", step: this.state.step, unit: this.state.unit, at: performance.now() }),
        ),
      ),
    );
    root.replaceChildren(
      this.time,
      this.chips,
      this.bar,
      this.story,
      el("div", { class: "sv-cellgrid" }, this.drawing.root, this.lines.root),
      this.status,
      this.live,
    );
    const link = (node) => node?.closest?.("[data-link]")?.dataset.link;
    for (const event of ["pointerover", "focusin"]) root.addEventListener(event, (e) => this.light(link(e.target)));
    root.addEventListener("pointerleave", () =>
      this.light(root.contains(document.activeElement) ? link(document.activeElement) : null),
    );
    root.addEventListener("focusout", (e) => this.light(root.contains(e.relatedTarget) ? link(e.relatedTarget) : null));
  }

  /** @param {Message<CellHeader>} message */
  update({ header, arrays }) {
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    const { state } = this;
    this.kind = header.cell.startsWith("RNN") ? "RNN" : header.cell;
    state.L = header.steps;
    this.takeUp(header);
    this.opening = eventful(this.arrays, header);
    if (!this.placed) [state.step, state.unit] = this.opening;
    this.placed = true;
    state.step = clamp(state.step, 0, state.L - 1);
    state.unit = clamp(state.unit, 0, header.hidden - 1);
    if (state.of && state.of !== header.cell) state.phase = null;
    state.phase = this.within(state.phase);
    if (state.run !== header.id) Object.assign(state, { covered: new Set(), bared: new Set() });
    Object.assign(state, { of: header.cell, run: header.id });
    this.undoable(header);
    this.unitSelect.replaceChildren(
      ...Array.from({ length: header.hidden }, (_, u) => el("option", { value: `${u}`, text: `${u}` })),
    );
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status;
    this.secret = null;
    this.latest = null;
    this.peeked = null;
    this.draw();
  }

  draw() {
    this.retheme(readTheme(this.root, this.header.palettes));
    const relu = this.header.cell === "RNN_RELU";
    this.drawing.sketch(this.kind, relu);
    const own = `l${this.header.layer}.`;
    this.lines.build(
      this.kind,
      relu,
      new Set(
        this.header.rules.filter(({ signal }) => signal.startsWith(own)).map(({ signal }) => signal.slice(own.length)),
      ),
    );
    this.place();
    this.viewChanged();
    this.drawn();
  }

  place() {
    if (!this.drawing.pieces) return;
    const { state, header } = this;
    const v = sums(header, this.arrays, state.step, state.unit);
    // Steps that follow one another faster than the motion would leave nothing but motion.
    const lively = this.latest !== null && this.latest !== state.step && !(this.timer && +state.speed > 5);
    const say = (name) => (this.hides(name) ? "?" : number(v[name]));
    const reading = this.reading(state.unit);
    // The equations and the clock change when the motion ends, with the numbers on the wires.
    const settle = () => {
      this.all = state.form === "vectors" ? vectors(header, this.arrays, state.step) : null;
      this.lines.show({
        all: this.all !== null,
        phase: state.phase,
        opened: state.open,
        names: header.names,
        v,
        ...reading,
      });
      if (this.all) this.lines.strip(this.all, this.reading(this.peeked ?? state.unit));
      const secret = this.hides("x") ? state.step : Infinity;
      if (secret !== this.secret) this.relabel(header.labels, (this.secret = secret));
      this.tick(state.step);
      if (this.lit) this.relight();
    };
    this.drawing.show(v, { phase: state.phase, ...reading, words: this.input(v), lively, settle });
    this.forms.set(state.form);
    this.unitSelect.value = `${state.unit}`;
    this.guess.textContent = state.hidden || state.covered.size ? tr("Reveal") : tr("Hide values");
    const phases = DIAGRAMS[this.kind].phases;
    this.story.textContent =
      state.phase === null
        ? ""
        : tr("{k} of {count}: {phase}", { k: state.phase + 1, count: phases.length, phase: tr(phases[state.phase]) });
    this.drawing.root.setAttribute(
      "aria-label",
      tr("{cell} at step {step}, unit {unit}: {values}", {
        cell: header.name,
        step: state.step,
        unit: state.unit,
        values: LINES[this.kind].map((l) => `${l.gate ?? l.value} ${say(l.gate ?? l.value)}`).join(tr(", ")),
      }),
    );
  }

  // What the drawing and the equations ask of a value.
  reading(unit) {
    const { header, state } = this;
    const held = (signal, which) =>
      clauses(rulesOf(header.rules, signal, state.step, which, state.L).map((rule) => rule.says));
    return {
      unit,
      theme: this.theme,
      hides: (name) => this.hides(name),
      // The input is the same for every unit, and its own units are its features.
      held: (name) => (name === "x" && header.layer === 0 ? held("x", null) : held(`l${header.layer}.${name}`, unit)),
    };
  }

  // What stands on the wire of an input that is more than one number.
  input(v) {
    const { labels, inputs } = this.header;
    if (labels && this.header.names) return { x: `“${visible(labels[this.state.step])}”` };
    return inputs > 1 ? { x: `‖x‖ ${number(v.x, 2)}` } : {};
  }

  // Whether a value is to be guessed: covered by itself, or with the part of the walk that computes it, or later.
  hides(name) {
    const own = hiddenWith(name);
    return this.state.covered.has(own) || (this.hushed(own) && !this.state.bared.has(own));
  }

  hushed(name) {
    return this.state.hidden && this.drawing.phaseOf[name] >= Math.max(1, this.state.phase ?? 1);
  }

  // Hide one value, or show it again; without a name all of them.
  cover(name) {
    const { state } = this;
    const own = name && hiddenWith(name);
    if (name === null) {
      state.hidden = !(state.hidden || state.covered.size);
      state.covered.clear();
      state.bared.clear();
    } else if (this.hides(own)) {
      state.covered.delete(own);
      if (this.hushed(own)) state.bared.add(own);
    } else if (!state.bared.delete(own)) state.covered.add(own);
    this.place();
    this.viewChanged();
    // The question mark that was pressed is gone. Its place takes the keys, and shows so by the next one.
    if (this.root.contains(document.activeElement)) return;
    this.home.classList.add("sv-taken");
    this.home.focus(QUIETLY);
    for (const event of ["blur", "keydown"])
      this.home.addEventListener(event, () => this.home.classList.remove("sv-taken"), { once: true });
  }

  // A strip under the pointer shows its unit's numbers, everywhere.
  peek(unit) {
    if (unit === this.peeked) return;
    this.peeked = unit;
    this.lines.strip(this.all, this.reading(unit ?? this.state.unit));
  }

  // Everything that is about the same value lights up together: a term, its wire, its row of a vector.
  light(link) {
    const lit = link && this.same(link);
    if (lit === this.lit) return;
    this.lit = lit;
    this.relight();
  }

  same(link) {
    return SAME[this.kind][link] ?? link;
  }

  relight() {
    for (const node of this.root.querySelectorAll("[data-link]"))
      node.classList.toggle("sv-lit", !!this.lit && this.same(node.dataset.link) === this.lit);
  }

  toPhase(by) {
    const count = DIAGRAMS[this.kind].phases.length;
    const { state } = this;
    if (by === null) state.phase = null;
    else state.phase = state.phase === null ? (by > 0 ? 0 : count - 1) : clamp(state.phase + by, 0, count - 1);
    this.place();
    this.viewChanged();
  }

  get home() {
    return this.drawing.root;
  }
  get anywhere() {
    return ["n", "b"];
  }

  extraKeys(event, jump) {
    const unit = (by) => () => {
      this.state.unit = clamp(this.state.unit + by, 0, this.header.hidden - 1);
      this.move(this.state.step);
    };
    return { ArrowUp: unit(-jump), ArrowDown: unit(jump), n: () => this.toPhase(1), b: () => this.toPhase(-1) };
  }

  spoken() {
    return tr("Step {step}, unit {unit}", { step: this.state.step, unit: this.state.unit });
  }

  move(step) {
    if (clamp(step, 0, this.state.L - 1) !== this.state.step) this.state.bared.clear(); // a new step is a new guess
    super.move(step);
    Object.assign(cursor, { step: this.state.step, unit: this.state.unit });
  }

  readAddress() {
    const view = new URLSearchParams(location.hash.slice(1));
    const part = /^[1-9]$/.test(view.get("part") ?? "") ? +view.get("part") - 1 : null;
    Object.assign(this.state, {
      form: view.get("as") === "vectors" ? "vectors" : "unit",
      phase: part,
      hidden: view.get("values") === "hidden",
    });
    this.readCursor(view);
  }

  readdressed() {
    const { state, header } = this;
    this.readAddress();
    if (!this.placed) [state.step, state.unit] = this.opening;
    this.placed = true;
    Object.assign(state, {
      step: clamp(state.step, 0, state.L - 1),
      unit: clamp(state.unit, 0, header.hidden - 1),
      phase: this.within(state.phase),
    });
    state.covered.clear();
    state.bared.clear();
    this.place();
  }

  // A part of the walk that this cell has.
  within(phase) {
    return phase === null ? null : Math.min(phase, DIAGRAMS[this.kind].phases.length - 1);
  }

  viewChanged() {
    const view = new URLSearchParams();
    const { step, unit } = this.state;
    if (step !== this.opening[0] || unit !== this.opening[1]) {
      view.set("step", `${step}`);
      if (unit) view.set("unit", `${unit}`);
    }
    if (this.state.form !== "unit") view.set("as", this.state.form);
    if (this.state.phase !== null) view.set("part", `${this.state.phase + 1}`);
    if (this.state.hidden) view.set("values", "hidden");
    writeAddress(this.header.address, view);
  }

  destroy() {
    super.destroy();
    this.drawing.destroy();
  }
}
