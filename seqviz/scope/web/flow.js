// The learning signal on its way back through time: several networks, one cursor, a logarithmic axis.
// Arrays hold log10 of norms; -Infinity is a signal of exactly 0 and is drawn at the foot, dotted.

import { zoomWithin } from "./axes.js";
import { button, saver } from "./controls.js";
import { copyLink, dock } from "./dock.js";
import { el } from "./dom.js";
import { FlowEnds } from "./flowends.js";
import { figure } from "./flowfigure.js";
import { summary, tooltip } from "./flowwords.js";
import { Following, nudgedAt } from "./following.js";
import { tr } from "./language.js";
import { lettered, strokeNote, swatchNote } from "./legends.js";
import { Nudge } from "./nudge.js";
import { clamp, power } from "./numbers.js";
import { addressed, download, poster } from "./poster.js";
import { Readout } from "./readout.js";
import { Resting } from "./resting.js";
import { stepLabel } from "./rows.js";
import { Shuffle } from "./shuffle.js";
import { Spectrum } from "./spectrum.js";
import { KeyHelp } from "./stage.js";
import { cursorOf, foldsOf, writeFolds } from "./places.js";
import { Timeline } from "./timeline.js";
import { Top } from "./top.js";
import { Unrolled } from "./unrolled.js";

/** @import { Message } from "./bytes.js" */
/** @import { FlowHeader, FlowRow } from "./headers.js" */
/** @import { Place, TimedState, TipContent } from "./types.js" */

/** @extends {Timeline<FlowHeader, TimedState, FlowRow>} */
export class Flow extends Timeline {
  /** @type {Record<string, Float32Array>} */
  arrays;

  constructor(root, host) {
    super(root, host, tr("Curves over time. Left and right arrows move the step, space plays, Home and End jump."));
    root.classList.add("sv-flow");
    this.readAddress();
    this.readout = new Readout();
    this.top = new Top(() => this.toggleOrder());
    this.shuffle = new Shuffle(this);
    this.resting = new Resting();
    this.help = new KeyHelp("flow");
    this.ends = new FlowEnds(this.area.ends, this.readout.root);
    const room = (node) => (host.lecture() ? host.room(node) : undefined);
    this.spectrum = new Spectrum(room);
    this.unrolled = new Unrolled((step) => this.move(step), room);
    this.nudge = new Nudge(
      (step) => this.send({ type: "choose", name: "nudge", word: `${step}` }),
      (step) => this.follow(step),
      (x) => this.area.stepAt(x),
    );
    this.nudgeHere = button(
      tr("Nudge this step"),
      tr("Add 1 to the input at the chosen step, and follow what is left of it"),
      () => this.nudge.choose(this.state.step),
    );
    this.plot.append(this.nudge.root);
    this.following = new Following();
    this.area.graph.after(this.following.root, this.shuffle.strands, this.resting.canvas, this.shuffle.canvas);
    this.bar = el(
      "div",
      { class: "sv-bar" },
      this.undoGroup(this.nudgeHere),
      el(
        "div",
        { class: "sv-group sv-right" },
        saver((format) => this.save(format)),
        copyLink(host, () => this.viewChanged()),
      ),
    );
    root.replaceChildren(
      this.top.root,
      this.plot,
      dock(this.time.root, this.bar, this.help),
      this.legend,
      this.top.story,
      this.status,
      this.spectrum.root,
      this.unrolled.root,
      this.live,
    );
  }

  /** @param {Message<FlowHeader>} message */
  update({ header, arrays: packed }) {
    const arrays = Object.fromEntries(Object.entries(packed).map(([name, { values }]) => [name, values]));
    const old = { header: this.header, arrays: this.arrays };
    // What is only in another order goes there before one's eyes; then its numbers are written.
    this.shuffle.run(old, { header, arrays }, () => this.take(header, arrays));
  }

  /**
   * @param {import("./headers.js").FlowHeader & import("./headers.js").Packed} header
   * @param {Record<string, Float32Array>} arrays
   */
  take(header, arrays) {
    Object.assign(this, { header, arrays });
    const { state } = this;
    const anew = state.L !== header.steps;
    // A step of a shorter or longer sequence is another one.
    if (anew && (state.L || !this.placed)) state.step = header.begin ?? header.steps - 1;
    Object.assign(state, { L: header.steps, labels: header.labels, marks: header.marks });
    this.begin = header.begin ?? header.steps - 1;
    state.zoom = zoomWithin(state.zoom, header.steps);
    state.step = clamp(state.step, 0, header.steps - 1);
    this.rows = header.rows;
    this.undoing.set(header, this.home);
    this.time.reach(state.L);
    this.status.textContent = header.status ?? "";
    this.top.set(header);
    this.led = !header.headline; // another picture stands before it, and says what there is to say
    this.root.classList.toggle("sv-led", this.led);
    this.viewChanged();
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    const { header, state } = this;
    await this.area.react(figure(this, this.plot.clientWidth), state.L);
    this.following.hide();
    this.shuffle.over();
    this.head();
    if (header.axis) this.area.axis.textContent = header.axis;
    this.nudgeHere.hidden = header.nudge === undefined || header.steps < 2 || !this.host.answers;
    const { places } = this.area.built;
    this.nudge.show(header.nudge, header.steps, places[Math.max(0, this.placeOf("x"))]);
    this.shuffle.draw(this.rows, this.arrays);
    this.readout.draw(header, this.arrays, this.theme);
    this.ends.draw(header, this.arrays, this.rows, this.area.built, this.theme);
    this.drawResting();
    this.drawLegend();
    this.place();
    await this.spectrum.draw(this.area.Plotly, header.spectrum, this.arrays, this.theme);
    this.spectrum.show(this.step);
    this.plot.setAttribute("aria-description", summary(this));
    this.unrolled.draw(header.unrolled && { ...header.unrolled, steps: state.L }, this.arrays);
    this.unrolled.show(this.step);
    this.drawn();
  }

  placeOf(signal) {
    return this.rows.findIndex((row) => row.signal === signal);
  }

  drawResting() {
    const { area, rows, state } = this;
    const k = this.placeOf("rests");
    const across = (t) => area.across(t);
    const at = { steps: state.L, left: area.left, width: area.right - area.left, across, folded: false };
    this.resting.says = this.ends.resting;
    this.resting.draw(rows[k], area.built.places[k], this.arrays, this.theme, {
      ...at,
      folded: state.folded.has("rests"),
    });
  }

  // The hand holds the nudge at a step: its curves and numbers are there already.
  follow(step) {
    const { arrays, header, state } = this;
    const known = header.curves.filter(({ name }) => arrays[nudgedOf(name)]);
    if (!known.length) return;
    const held = known.map(({ name }) => [name, nudgedAt(arrays[nudgedOf(name)], step, state.L)]);
    this.arrays = { ...arrays, ...Object.fromEntries(held) };
    const k = this.placeOf("norm");
    const named = tr("how far 1 more at step {step} moves h (log scale)", { step });
    this.rows = this.rows.map((row, j) => (j === k ? { ...row, name: named } : row));
    this.head();
    const { area } = this;
    const at = { left: area.left, width: area.right - area.left, across: (t) => area.across(t) };
    const look = { range: header.range, marks: area.marksOf(k), theme: this.theme };
    if (!state.folded.has("norm")) this.following.show(area.built.places[k], at, header.curves, this.arrays, look);
    this.readout.draw(header, this.arrays, this.theme);
    this.inspect(this.step);
  }

  head() {
    this.area.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
  }

  // The hand is at the nudge, and the cursor stays where it is read.
  hover(place) {
    super.hover(this.nudge.held ? null : place);
  }

  drawLegend() {
    const { header, rows, theme } = this;
    const items = [];
    // A narrow picture has no column for them at its right.
    if (this.state.narrow) {
      items.push(this.readout.root);
      const [named] = rows.filter((row) => row.kind === "lines" && row.arrays.length > 1);
      for (const { label, line } of named?.arrays ?? []) items.push(swatchNote(theme.lines[line], label));
    }
    if (header.curves.some((c) => this.arrays[c.name].includes(-Infinity)))
      items.push(strokeNote("2px dotted var(--sv-ink)", tr("at the foot: exactly 0")));
    this.legend.replaceChildren(...items);
  }

  inspect(step) {
    this.readout.show(step, this.nudge.at, this.state.secret, stepLabel(this.state, step));
    this.ends.show(step, this.state.secret);
    this.resting.show(step, this.state.secret);
    this.nudge.place((t) => this.area.pixel(t));
    this.spectrum.show(step);
    this.unrolled.show(step);
  }

  /**
   * @param {Place<FlowRow>} place
   * @returns {TipContent}
   */
  tooltip(place) {
    return tooltip(this, place);
  }

  // Other pictures below the rows: on the stage in their place, else further down.
  extraKeys() {
    const part = (by) => () => this.turnTo((this.part ?? 0) + by);
    const shuffle = this.header.link === "compare" ? { s: () => this.toggleOrder() } : {};
    return { ArrowUp: part(-1), ArrowDown: part(1), ...shuffle };
  }

  // Shuffle the steps, or put them back in order.
  toggleOrder() {
    const input = new URLSearchParams(this.header.address).get("input");
    this.send({ type: "choose", name: "input", word: input === "shuffled" ? "as it is" : "shuffled" });
  }

  turnTo(part) {
    const others = [this.spectrum.root, this.unrolled.root].filter((root) => !root.hidden && root.childElementCount);
    if (this.led) others.unshift(this.plot);
    this.part = clamp(part, 0, others.length);
    const shown = others[this.part - 1];
    this.root.classList.toggle("sv-other", !!shown && shown !== this.plot);
    this.root.classList.toggle("sv-rows", shown === this.plot);
    (shown ?? this.root.parentElement).scrollIntoView({ block: "nearest" });
    this.fill();
  }

  // What stands in the place of the rows takes the room that there is.
  fill() {
    if (!this.root.classList.contains("sv-other")) return;
    if (this.spectrum.root.clientWidth) this.spectrum.fit();
    if (this.unrolled.root.clientWidth) this.unrolled.show(this.step);
  }

  resized() {
    super.resized();
    this.fill();
  }

  readAddress() {
    const view = this.host.view();
    const { placed, step, unit } = cursorOf(view);
    this.placed = placed;
    Object.assign(this.state, { step, unit, ...foldsOf(view) });
  }

  readdressed() {
    this.readAddress();
    this.state.zoom = zoomWithin(this.state.zoom, this.state.L);
    this.state.step = this.placed ? clamp(this.state.step, 0, this.state.L - 1) : this.begin;
    this.draw();
  }

  viewChanged() {
    const view = new URLSearchParams();
    if (this.state.step !== this.begin) view.set("step", `${this.state.step}`);
    writeFolds(view, this.rows, this.state);
    this.host.show(this.header, view);
  }

  async save(format) {
    const { area, header, rows, state, theme } = this;
    const ends = (row, { zmin, zmax }) => ({
      tickvals: [zmin, zmax],
      ...(row.kind === "units" ? { ticktext: [zmin, zmax].map(power) } : { tickformat: ".2~g" }),
    });
    const notes = [header.headline ? header.shows : "", ...addressed(this.host.address())].filter(Boolean);
    const keys = header.curves.flatMap(({ label, line, dash }) =>
      label && line !== null ? [{ label, color: theme.lines[line], dash: lettered(dash ?? theme.dashes[line]) }] : [],
    );
    const words = { title: header.headline || header.shows, notes, keys, ends };
    const posted = poster(area.built, rows, theme, words);
    const plays = { steps: state.L, delay: 1000 / +state.speed };
    await download(area.Plotly, posted, theme, format, `seqviz-${header.link}`, plays);
  }

  destroy() {
    super.destroy();
    this.shuffle.destroy();
    if (this.area.Plotly) this.spectrum.destroy(this.area.Plotly);
  }
}

// The name of a curve's array for a nudge at every step.
const nudgedOf = (name) => name.replace(/\.d$/, ".nudged");
