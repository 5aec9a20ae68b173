// The scope: a sequence and every signal that it causes, as linked rows over one time axis.

import { zoomWithin } from "./axes.js";
import { dock } from "./dock.js";
import { Draft, pick } from "./draft.js";
import { Ends } from "./ends.js";
import { Inspector } from "./inspector.js";
import { later, tr } from "./language.js";
import { Lens } from "./lens.js";
import { cursor, link } from "./link.js";
import { clamp, number } from "./numbers.js";
import { Opening, before } from "./opening.js";
import { Pen } from "./pen.js";
import { download, poster } from "./poster.js";
import { reading } from "./reading.js";
import { ScopeBar } from "./scopebar.js";
import { UnitMarks } from "./scopemarks.js";
import { ScopePicture } from "./scopepicture.js";
import { difference, readView, writtenView } from "./scopeview.js";
import { posterWords, tooltip, worths } from "./scopewords.js";
import { KeyHelp } from "./stage.js";
import { Timeline } from "./timeline.js";
import { Top } from "./top.js";

/** @import { Message } from "./bytes.js" */
/** @import { ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { Numbers, ScopeState } from "./types.js" */

const SAYS = later(
  "Signals over time. Left and right arrows move the step, up and down the unit, Enter opens the cell, space plays, " +
    "Home and End jump.",
);

/** @extends {Timeline<ScopeHeader, ScopeState, ScopeRow>} */
export class Scope extends Timeline {
  /** @type {Message<ScopeHeader>} */
  message;
  /** @type {Message<ScopeHeader> | null} what came while the hand was drawing */
  waiting;
  /** @type {Numbers} */
  now;
  /** @type {Numbers | null} */
  baseline;
  /** @type {Numbers | null} */
  differences;

  constructor(root, host) {
    super(root, host, tr(SAYS));
    Object.assign(this.state, { unit: 0, feature: 0, view: "now", sort: "index" });
    this.readAddress();
    this.bar = new ScopeBar({
      host,
      say: (type) => this.send({ type, id: this.header.id }),
      change: (part) => this.change(part),
      save: (format) => this.save(format),
      settle: () => this.settle(),
      undo: (...more) => this.undoGroup(...more),
    });
    this.inspector = new Inspector(
      (value) => this.commitInput([[this.state.step, this.state.feature, value]]),
      () => this.send({ type: "cell", step: this.state.step, unit: this.state.unit }),
    );
    this.top = new Top((edits) => this.commitInput(edits));
    this.ends = new Ends(this.area.ends);
    this.picture = new ScopePicture(this);
    this.draft = new Draft(this);
    this.opening = new Opening(host);
    this.help = new KeyHelp("scope");
    this.pen = new Pen(this);
    this.units = new UnitMarks(this.plot);
    this.lens = new Lens(this, () => this.inspector.onCell());
    this.lens.open = this.state.open;
    this.area.graph.after(this.draft.brush.root);
    this.area.marks.before(this.lens.box);
    this.area.pill.before(this.lens.ticks);
    root.classList.add("sv-scope");
    root.replaceChildren(
      this.top.root,
      this.plot,
      dock(this.time.root, this.bar.root, this.help),
      this.legend,
      this.top.story,
      this.status,
      this.inspector.root,
      this.live,
    );
  }

  // --- what the server said ---------------------------------------------------------------------

  /** @param {Message<ScopeHeader>} message */
  update(message) {
    if (this.pen.on) {
      this.waiting = message;
      return;
    }
    const { header, arrays } = message;
    // The story has other steps and units than the place that was asked for: it is not drawn first.
    if (before(header, this.host) && !this.opening.touched) return this.send({ type: "before" });
    this.header = header;
    this.message = message;
    this.link = link(header.link);
    this.link.scope = this;
    this.root.classList.toggle("sv-plain", !!header.plain);
    if (header.plain) this.help.of("learning");
    const { steps, hidden, labels, marks, names, cell } = header;
    Object.assign(this.state, { L: steps, hidden, labels, marks, names, cell });
    if (!header.plain) this.takeUp(header);
    this.baseline = header.baseline ? pick(arrays, "baseline.") : null;
    this.within();
    this.state.feature = clamp(this.state.feature, 0, header.inputs - 1);
    this.state.target = arrays.target?.values;
    this.now = pick(arrays, "");
    const told = this.draft.confirms(message);
    this.picture.told = this.state.view === "now" ? told : "new";
    this.rows = header.rows.filter((row) => this.now[row.signal]);
    this.inspector.build(this.rows, !!this.baseline, this.still);
    this.controls();
    this.draw().finally(() => this.viewChanged()); // a new address would lay the half-made page out
  }

  controls() {
    const { header, state } = this;
    this.undoing.set(header, this.home);
    this.bar.set(header, state, !!this.baseline);
    this.top.set(header);
    this.status.textContent = header.status ?? "";
    this.time.reach(state.L);
  }

  // A picture that no other page can be opened from.
  get still() {
    return !!this.header.plain || !this.host.answers;
  }

  // --- drawing ----------------------------------------------------------------------------------

  get shown() {
    const { view } = this.state;
    if (view === "now" || !this.baseline) return this.now;
    if (view === "baseline") return this.baseline;
    return (this.differences ??= difference(this.now, this.baseline));
  }

  // Other numbers of the present run.
  /** @param {Numbers} now */
  showNow(now) {
    this.now = now;
    this.differences = null;
  }

  async draw(fresh = false) {
    this.differences = null;
    if (!(await this.ready())) return;
    await this.picture.draw(fresh);
    this.opening.begin(this);
  }

  inspect(step) {
    const { state, rows } = this;
    const unit = state.hover?.unit ?? state.unit;
    this.units.show(unit, rows, this.area.built, state);
    this.area.note.textContent = tr("unit {unit}", { unit });
    this.ends.show(state.secret ? rows.map(() => "?") : worths(rows, this.shown, state, step, unit));
    this.inspector.show(reading(this, step, unit));
  }

  // --- hands ------------------------------------------------------------------------------------

  under(event) {
    const place = super.under(event);
    if (!place?.row) return place;
    const { row, share } = place;
    const count = row.kind === "onehot" ? row.width : this.state.hidden;
    const line = clamp(Math.floor(share * count), 0, count - 1);
    if (row.kind === "gate" || row.kind === "state") place.unit = this.state.order[line];
    if (row.kind === "onehot") place.feature = line;
    return place;
  }

  // Whether the hand can draw on what lies there.
  drawable(place) {
    const { header, state } = this;
    const input = place?.row?.signal === "x" && place.row.kind === "line" && !state.folded.has("x");
    return input && header.editable && state.view === "now";
  }

  pressed(event) {
    if (this.lens.holds(event)) return;
    super.pressed(event);
    if (this.down) this.pen.pressed(event);
  }

  moved(event) {
    if (this.pen.on) this.pen.moved(event);
    else if (this.lens.holds(event)) this.left();
    else super.moved(event);
  }

  left() {
    if (!this.pen.on) super.left();
  }

  released(event) {
    if (!this.pen.on) {
      super.released(event);
      return;
    }
    const edits = this.pen.lifted(event);
    this.down = null;
    this.state.hover = null;
    this.commitInput(edits);
    this.waiting = null;
  }

  hover(place) {
    super.hover(place);
    this.plot.classList.toggle("sv-drawable", !!this.drawable(place));
  }

  tooltip(place) {
    return tooltip(place, this.shown, this.state);
  }

  chosen(place) {
    if (place.unit !== undefined) this.state.unit = place.unit;
    if (place.feature !== undefined) this.state.feature = place.feature;
    if (place.row) this.lens.toggle(true);
  }

  extraKeys(event, jump) {
    const { state } = this;
    const unit = (by) => () => {
      state.unit = state.order[clamp(state.order.indexOf(state.unit) + by, 0, state.hidden - 1)];
      this.move(state.step);
    };
    const own = !!this.header.plain || event.target.closest("button, input, select, summary, a");
    const { lens } = this;
    const deeper = () => (lens.open && !this.still ? this.inspector.onCell() : lens.toggle(true));
    const open = own ? {} : { Enter: deeper };
    const shut = lens.shown ? { Escape: () => lens.toggle(false) } : {};
    return { ArrowUp: unit(-jump), ArrowDown: unit(jump), ...open, ...shut };
  }

  get anywhere() {
    return this.header?.plain ? [] : ["Enter", ...(this.lens.shown ? ["Escape"] : [])];
  }

  place() {
    if (this.lens.shown || !this.lens.box.hidden) this.lens.place();
    super.place();
  }

  spoken() {
    const { step, unit, hidden } = this.state;
    const h = number(this.now.h[step * hidden + unit]);
    return tr("Step {step}, unit {unit}, hidden state {h}", { step, unit, h });
  }

  move(step) {
    super.move(step);
    if (!this.header.plain) Object.assign(cursor, { step: this.state.step, unit: this.state.unit });
  }

  // Show what the network would do with these edits, before anybody has told the server.
  preview(edits) {
    this.draft.preview(edits);
  }

  commitInput(edits) {
    if (!edits.length || !this.header.editable) return;
    this.preview({ inputs: edits });
    this.send({ type: "input", edits, id: this.header.id });
  }

  // --- view, address, files -----------------------------------------------------------------------

  change(part) {
    Object.assign(this.state, part);
    this.controls();
    this.viewChanged();
    this.draw();
  }

  readAddress() {
    const { placed, ...view } = readView(this.host.view());
    this.placed = placed;
    Object.assign(this.state, view);
  }

  readdressed() {
    this.readAddress();
    this.lens.open = this.state.open;
    this.within();
    this.controls();
    this.draw(true);
  }

  // What an address asks for, as far as this run has it.
  within() {
    const { header, state } = this;
    state.zoom = zoomWithin(state.zoom, header.steps);
    state.step = clamp(state.step, 0, header.steps - 1);
    state.unit = clamp(state.unit, 0, header.hidden - 1);
    if (!this.baseline) state.view = "now";
  }

  // The story that the app opens on has the bare address, until somebody does something.
  viewChanged() {
    if (!this.header.opening || this.opening.touched) this.settle();
  }

  settle() {
    const { state, lens } = this;
    if (!this.header.plain) this.host.show(this.header, writtenView({ ...state, open: lens.open }, this.rows));
  }

  async save(format) {
    const { area, rows, shown, state, theme } = this;
    const posted = poster(area.built, rows, theme, posterWords(this.header, shown, state, this.host.address()));
    const values = (step) => worths(rows, shown, state, step, state.unit);
    const plays = { steps: state.L, delay: 1000 / +state.speed, values };
    await download(area.Plotly, posted, theme, format, "seqviz", plays);
  }

  destroy() {
    this.draft.destroy();
    this.lens.destroy();
    this.opening.destroy();
    super.destroy();
    if (this.link?.scope === this) this.link.scope = null;
  }
}
