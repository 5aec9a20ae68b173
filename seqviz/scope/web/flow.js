// The learning signal on its way back through time: several networks, one cursor, a logarithmic axis.
// Arrays hold log10 of norms; -Infinity is a signal of exactly 0 and is drawn at the foot, dotted.

import { zoomWithin } from "./axes.js";
import { button, saver } from "./controls.js";
import { el } from "./dom.js";
import { figure } from "./flowfigure.js";
import { summary, tooltip } from "./flowwords.js";
import { tr } from "./language.js";
import { scaleKey, strokeNote, swatchNote } from "./legends.js";
import { Nudge } from "./nudge.js";
import { clamp, power } from "./numbers.js";
import { download, poster } from "./poster.js";
import { Readout } from "./readout.js";
import { Spectrum } from "./spectrum.js";
import { cursorOf, foldsOf, writeFolds } from "./places.js";
import { Timeline } from "./timeline.js";
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
      ),
    );
    root.replaceChildren(
      this.bar,
      this.time.root,
      this.readout.root,
      this.legend,
      this.plot,
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
    state.L = header.steps;
    this.begin = header.begin ?? header.steps - 1;
    state.zoom = zoomWithin(state.zoom, header.steps);
    state.step = clamp(state.step, 0, header.steps - 1);
    this.rows = header.rows;
    this.undoing.set(header, this.home);
    this.time.reach(state.L);
    this.status.textContent = header.status ?? "";
    this.viewChanged();
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    const { header, state } = this;
    await this.area.react(figure(this, this.plot.clientWidth), state.L);
    this.area.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
    this.nudgeHere.hidden = header.nudge === undefined || header.steps < 2 || !this.host.answers;
    this.nudge.show(header.nudge, header.steps, this.area.built.places[0]);
    this.readout.draw(header, this.arrays, this.theme);
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
    const { theme, header, rows } = this;
    const kinds = new Set(rows.map((row) => row.kind));
    const items = [];
    if (header.curves.some((c) => this.arrays[c.name].includes(-Infinity)))
      items.push(strokeNote("2px dotted var(--sv-ink)", tr("at the foot: exactly 0")));
    if (header.decades !== undefined)
      items.push(scaleKey(theme.magnitude, power(-header.decades), tr("1: a row's largest")));
    if (kinds.has("share"))
      items.push(swatchNote(theme.lines[1], tr("cell-state highway")), swatchNote(theme.lines[2], tr("the rest")));
    if (kinds.has("states")) items.push(scaleKey(theme.diverging, "h −", "+"));
    this.legend.replaceChildren(...items);
  }

  inspect(step) {
    this.readout.show(step, this.header.nudge);
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
    await download(area.Plotly, poster(area.built, rows, theme, { notes: [], ends }), format, `seqviz-${header.link}`);
  }

  destroy() {
    super.destroy();
    if (this.area.Plotly) this.spectrum.destroy(this.area.Plotly);
  }
}
