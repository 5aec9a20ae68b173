// The learning signal on its way back through time: several networks, one cursor, a logarithmic axis.
// Arrays hold log10 of norms; -Infinity is a signal of exactly 0 and is drawn at the foot, dotted.

import { zoomWithin } from "./axes.js";
import { button, saver } from "./controls.js";
import { copyLink, dock } from "./dock.js";
import { el } from "./dom.js";
import { FlowEnds } from "./flowends.js";
import { figure } from "./flowfigure.js";
import { summary, tooltip } from "./flowwords.js";
import { tr } from "./language.js";
import { strokeNote, swatchNote } from "./legends.js";
import { Nudge } from "./nudge.js";
import { clamp, power } from "./numbers.js";
import { addressLines, download, poster } from "./poster.js";
import { Readout } from "./readout.js";
import { stepLabel } from "./rows.js";
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
  constructor(root, host) {
    super(root, host, tr("Curves over time. Left and right arrows move the step, space plays, Home and End jump."));
    root.classList.add("sv-flow");
    this.readAddress();
    this.readout = new Readout();
    this.top = new Top();
    this.help = new KeyHelp("flow");
    this.ends = new FlowEnds(this.area.ends, this.readout.root);
    this.spectrum = new Spectrum();
    this.unrolled = new Unrolled((step) => this.move(step));
    this.nudge = new Nudge(
      (step) => this.send({ type: "choose", name: "nudge", word: `${step}` }),
      (x) => this.area.stepAt(x),
    );
    this.nudgeHere = button(
      tr("Nudge this step"),
      tr("Add 1 to the input at the chosen step, and follow what is left of it"),
      () => this.nudge.choose(this.state.step),
    );
    this.plot.append(this.nudge.root);
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
  update({ header, arrays }) {
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
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
    this.area.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
    if (header.axis) this.area.axis.textContent = header.axis;
    this.nudgeHere.hidden = header.nudge === undefined || header.steps < 2 || !this.host.answers;
    this.nudge.show(header.nudge, header.steps, this.area.built.places[0]);
    this.readout.draw(header, this.arrays, this.theme);
    this.ends.draw(header, this.arrays, this.rows, this.area.built, this.theme);
    this.drawLegend();
    this.place();
    await this.spectrum.draw(this.area.Plotly, header.spectrum, this.arrays, this.theme);
    this.spectrum.show(this.step);
    this.plot.setAttribute("aria-description", summary(this));
    this.unrolled.draw(header.unrolled && { ...header.unrolled, steps: state.L }, this.arrays);
    this.unrolled.show(this.step);
    this.drawn();
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
    this.readout.show(step, this.header.nudge, this.state.secret, stepLabel(this.state, step));
    this.ends.show(step, this.state.secret);
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
    const { header } = this;
    const input = new URLSearchParams(header.address).get("input");
    const word = input === "shuffled" ? "as it is" : "shuffled";
    const shuffle = () => this.send({ type: "choose", name: "input", word });
    return { ArrowUp: part(-1), ArrowDown: part(1), ...(header.link === "compare" ? { s: shuffle } : {}) };
  }

  turnTo(part) {
    const others = [this.spectrum.root, this.unrolled.root].filter((root) => !root.hidden && root.childElementCount);
    if (this.led) others.unshift(this.plot);
    this.part = clamp(part, 0, others.length);
    const shown = others[this.part - 1];
    this.root.classList.toggle("sv-other", !!shown && shown !== this.plot);
    this.root.classList.toggle("sv-rows", shown === this.plot);
    (shown ?? this.root.parentElement).scrollIntoView({ block: "nearest" });
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
    const { area, header, rows, theme } = this;
    const ends = (row, { zmin, zmax }) => ({
      tickvals: [zmin, zmax],
      ...(row.kind === "units" ? { ticktext: [zmin, zmax].map(power) } : { tickformat: ".2~g" }),
    });
    const notes = addressLines(this.host.address());
    const words = { title: header.headline, notes, ends };
    await download(area.Plotly, poster(area.built, rows, theme, words), format, `seqviz-${header.link}`);
  }

  destroy() {
    super.destroy();
    if (this.area.Plotly) this.spectrum.destroy(this.area.Plotly);
  }
}
