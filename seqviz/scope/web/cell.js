// One step of one unit, drawn as the cell with its numbers on the wires, beside the equations that they obey.

import { saveCell } from "./card.js";
import { CellBar } from "./cellbar.js";
import { heldBy, heldSignals, inputWords } from "./cellreading.js";
import { eventful, readPlace, writtenPlace } from "./cellplace.js";
import { dock } from "./dock.js";
import { el, QUIETLY } from "./dom.js";
import { Drawing } from "./drawing.js";
import { formOf } from "./form.js";
import { cover, hides } from "./guess.js";
import { tr } from "./language.js";
import { Lines } from "./lines.js";
import { cursor } from "./link.js";
import { Lit } from "./lit.js";
import { MemoryView } from "./memoryview.js";
import { clamp, number } from "./numbers.js";
import { before } from "./opening.js";
import { KeyHelp } from "./stage.js";
import { StepValues } from "./stepvalues.js";
import { unpack } from "./tape.js";
import { Timeline } from "./timeline.js";
import { Top } from "./top.js";

/** @import { Message } from "./bytes.js" */
/** @import { CellHeader } from "./headers.js" */
/** @import { TimedState } from "./types.js" */
/** @import { Guessed } from "./guess.js" */
/**
 * @typedef {object} CellOnly
 * @property {number} unit
 * @property {string | null} open the signal whose sum is taken apart
 * @property {string} form
 * @property {string} [of] the cell that was shown last
 * @property {string} [run] the header's id of that
 */

/** @extends {Timeline<CellHeader, TimedState & Guessed & CellOnly>} */
export class CellView extends Timeline {
  /** @type {[number, number]} the step and unit to begin at */
  opening;

  constructor(root, host) {
    super(root, host, "");
    root.classList.add("sv-cellview");
    Object.assign(this.state, {
      unit: 0,
      phase: null,
      hidden: false,
      open: null,
      covered: new Set(),
      bared: new Set(),
    });
    this.readAddress();
    this.drawing = new Drawing(
      (name) => this.cover(name),
      (phase) => this.showPart(this.state.phase === phase ? null : phase),
    );
    this.lines = new Lines({
      peek: (unit) => this.peek(unit),
      choose: (unit) => {
        this.state.unit = unit;
        this.move(this.state.step);
      },
      open: (signal) => {
        this.state.open = this.state.open === signal ? null : signal;
        this.place();
      },
      reveal: (name) => this.cover(name),
    });
    this.memory = new MemoryView();
    this.story = el("p", { class: "sv-phase", "aria-live": "polite" });
    this.bar = new CellBar({
      host,
      undo: this.undoGroup(),
      unit: (unit) => {
        this.state.unit = unit;
        this.move(this.state.step);
      },
      form: (form) => {
        this.state.form = form;
        this.peeked = null;
        this.place();
        this.viewChanged();
      },
      walk: (by) => this.toPhase(by),
      guess: () => this.cover(null),
      settle: () => this.host.show(this.header, writtenPlace(this.state, this.opening)),
      save: (format) => saveCell(this, format),
      gates: () => this.send({ type: "gates", step: this.state.step, unit: this.state.unit }),
    });
    this.bar.form.append(this.memory.play);
    this.top = new Top();
    this.help = new KeyHelp("cell");
    root.replaceChildren(
      this.top.root,
      this.time.chips,
      el(
        "div",
        { class: "sv-cellgrid" },
        this.drawing.root,
        this.memory.root,
        el("div", { class: "sv-side" }, this.bar.form, this.story, this.lines.root),
      ),
      dock(this.time.root, this.bar.root, this.help),
      this.top.story,
      this.status,
      this.live,
    );
    this.lit = new Lit(root, (link) => this.form?.same[link] ?? link);
  }

  /** @param {Message<CellHeader>} message */
  update({ header, arrays }) {
    if (before(header, this.host)) return this.send({ type: "before" });
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    const { state } = this;
    this.form = formOf(header.description);
    this.weights = unpack(header.description, this.arrays, "");
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
    this.undoing.set(header, this.home);
    this.bar.units(header.hidden);
    this.time.reach(state.L);
    this.status.textContent = header.status;
    this.top.set(header);
    this.secret = null;
    this.peeked = null;
    this.draw();
  }

  draw() {
    this.dress();
    this.drawing.sketch(this.form);
    this.memory.of(this.header.description);
    this.lines.build(this.form, heldSignals(this.header));
    this.place();
    this.viewChanged();
    this.drawn();
  }

  place() {
    if (!this.drawing.pieces) return;
    const { state, header } = this;
    const read = { ...header, description: this.form.description };
    const values = new StepValues(read, this.arrays, this.weights, state.step);
    const { v, made, parts } = values.ofUnit(state.unit);
    // Steps that follow one another faster than the motion would leave nothing but motion.
    const { latest } = this.time;
    const lively = latest !== null && latest !== state.step && !(this.player.on && +state.speed > 5);
    const say = (name) => (this.hides(name) ? "?" : number(v[name]));
    const reading = this.reading(state.unit);
    // The equations and the clock change when the motion ends, with the numbers on the wires.
    const settle = () => {
      this.all = state.form === "vectors" ? values.named : null;
      this.lines.show({
        all: this.all !== null,
        phase: state.phase,
        opened: state.open,
        names: header.names,
        v,
        made,
        parts,
        ...reading,
      });
      if (this.all) this.lines.strip(this.all, this.reading(this.peeked ?? state.unit));
      const secret = this.hides("x") ? state.step : Infinity;
      if (secret !== this.secret) this.time.relabel(header.labels, state.L, (this.secret = secret));
      this.time.tick(state.step, state.L, header.marks?.[state.step]);
      this.lit.again();
    };
    const words = inputWords(header, state.step, v);
    this.drawing.show(v, { phase: state.phase, ...reading, words, lively, settle });
    this.bar.set(state.form, state.unit, state.hidden || state.covered.size > 0, !!this.memory.tank);
    this.remember(v, latest !== null && latest !== state.step && !this.player.on);
    const phases = this.form.phases;
    this.story.textContent =
      state.phase === null
        ? ""
        : tr("{k} of {count}: {phase}", { k: state.phase + 1, count: phases.length, phase: tr(phases[state.phase]) });
    this.tell((name) => (this.hides(name) ? "?" : (words[name] ?? number(v[name], 3))));
    this.drawing.root.setAttribute(
      "aria-label",
      tr("{cell} at step {step}, unit {unit}: {values}", {
        cell: header.name,
        step: state.step,
        unit: state.unit,
        values: this.form.lines.map(({ value }) => `${value} ${say(value)}`).join(tr(", ")),
      }),
    );
  }

  // Under the picture: what the part of the walk does, with its numbers, or else what the cell is.
  tell(say) {
    const { state, header, form } = this;
    const sentence = state.form !== "memory" && state.phase !== null && form.tells?.[state.phase];
    this.top.tell(sentence ? sentence(say) : header.story);
  }

  // Where the memory is shown as a thing, in place of the drawing and the equations.
  remember(v, lively) {
    const { state, header, memory } = this;
    const shown = state.form === "memory" && !!memory.tank;
    this.root.classList.toggle("sv-remembers", shown);
    memory.root.hidden = !shown;
    if (!shown) {
      memory.play.hidden = true;
      if (this.remembered) this.top.set(header);
      this.remembered = false;
      return;
    }
    this.remembered = true;
    const { hidden, steps } = header;
    const values = this.arrays[memory.tank.state];
    const all = Array.from({ length: steps }, (_, t) => values[t * hidden + state.unit]);
    memory.show({ v, all, theme: this.theme, hides: (name) => this.hides(name), lively });
    this.top.set({ ...header, headline: memory.sentence(state.step, state.unit) });
  }

  // What the drawing and the equations ask of a value.
  reading(unit) {
    const { header, theme } = this;
    return { unit, theme, hides: (name) => this.hides(name), held: heldBy(header, this.state.step, unit) };
  }

  get walk() {
    return { phases: this.drawing.phaseOf, given: this.form.given };
  }

  hides(name) {
    return hides(this.state, this.walk, name);
  }

  // Hide one value, or show it again; without a name all of them.
  cover(name) {
    cover(this.state, this.walk, name);
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

  hide() {
    this.cover(null);
  }

  toPhase(by) {
    const count = this.form.phases.length;
    const { phase } = this.state;
    if (by === null) this.showPart(null);
    else this.showPart(phase === null ? (by > 0 ? 0 : count - 1) : clamp(phase + by, 0, count - 1));
  }

  showPart(phase) {
    this.state.phase = phase;
    this.place();
    this.viewChanged();
  }

  get home() {
    return this.drawing.root;
  }
  get anywhere() {
    return ["n", "b", "v", "Enter"];
  }

  extraKeys(event, jump) {
    const unit = (by) => () => {
      this.state.unit = clamp(this.state.unit + by, 0, this.header.hidden - 1);
      this.move(this.state.step);
    };
    const back = event.target.closest("button, input, select, [role=button], a")
      ? {}
      : { Enter: () => this.bar.gates() };
    const forms = ["unit", "vectors", ...(this.memory.tank ? ["memory"] : [])];
    const other = () => this.bar.choose(forms[(forms.indexOf(this.state.form) + 1) % forms.length]);
    const walk = { n: () => this.toPhase(1), b: () => this.toPhase(-1), v: other };
    return { ArrowUp: unit(-jump), ArrowDown: unit(jump), ...walk, ...back };
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
    const { placed, ...place } = readPlace(this.host.view());
    this.placed = placed;
    Object.assign(this.state, place);
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
    return phase === null ? null : Math.min(phase, this.form.phases.length - 1);
  }

  viewChanged() {
    const view = writtenPlace(this.state, this.opening);
    if (!this.header.opening || view.size) this.host.show(this.header, view);
  }

  destroy() {
    super.destroy();
    this.drawing.destroy();
    this.memory.destroy();
  }
}
