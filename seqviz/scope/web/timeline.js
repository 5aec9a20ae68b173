// What every picture over time shares: one cursor, a pinned step, keys, playing, zoom, headings, a tooltip.
// A subclass says which rows there are and what they hold; nothing here talks to a server.

import { UndoButtons } from "./controls.js";
import { el, QUIETLY } from "./dom.js";
import { folding } from "./headings.js";
import { Keys } from "./keys.js";
import { tr } from "./language.js";
import { cursor, wish } from "./link.js";
import { clamp } from "./numbers.js";
import { Player } from "./player.js";
import { PlotArea } from "./plotarea.js";
import { Spot } from "./spot.js";
import { readTheme, redressed } from "./theme.js";
import { TimeBar } from "./timebar.js";
import { Tip } from "./tip.js";

/** @import { Packed } from "./headers.js" */
/** @import { Host } from "./host.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Place, TimedHeader, TimedRow, TimedState, TipContent } from "./types.js" */

/**
 * @template {TimedHeader} H
 * @template {TimedState} S
 * @template {TimedRow} [R=TimedRow]
 */
export class Timeline {
  /** @type {H & Packed} */
  header;
  /** @type {R[]} */
  rows;
  /** @type {string} of what is written on the panel */
  language;
  /** @type {Theme} */
  theme;
  /** @type {UndoButtons | undefined} where the page's experiment can be undone */
  undoing;
  /** @type {boolean | undefined} false where what the rows say is not about what is shown */
  sayings;
  placed = false; // whether somebody has asked for a step

  // `place` is what the scrubber moves through, `axis` what the axis of time is called.
  /**
   * @param {HTMLElement} root
   * @param {Host} host
   * @param {string} label
   * @param {string} place
   * @param {string} axis
   */
  constructor(root, host, label, place = tr("step"), axis = tr("step t")) {
    this.root = root;
    this.host = { ...host };
    root.classList.add("sv-timed");
    this.state = /** @type {S} */ ({ step: 0, hover: null, folded: new Set(), zoom: null, ranges: {}, speed: "12" });
    this.tip = new Tip();
    this.area = new PlotArea(label, this.tip.root, (range) => {
      this.state.zoom = range;
      this.place();
      this.viewChanged();
    });
    this.area.axis.textContent = axis;
    this.plot = this.area.root;
    this.live = el("div", { class: "sv-visually-hidden", "aria-live": "polite" });
    this.legend = el("div", { class: "sv-legend", role: "note", "aria-label": tr("Legend") });
    this.status = el("p", { class: "sv-status", role: "status" });
    this.player = new Player({
      state: () => this.state,
      move: (step) => this.move(step),
      shown: (on) => this.time.playing(on),
    });
    this.time = new TimeBar(place, {
      by: (steps) => this.move(this.state.step + steps),
      to: (step) => this.move(step),
      toggle: () => this.player.toggle(),
      speed: (text) => (this.state.speed = text),
    });
    this.time.speed.value = this.state.speed;
    this.keys = new Keys(this);
    this.spot = new Spot(this);
    this.listen();
  }

  listen() {
    this.plot.addEventListener("pointerdown", (e) => this.pressed(e), true);
    this.plot.addEventListener("pointermove", (e) => this.moved(e), true);
    // While a button is down Plotly lays a cover over the whole page, so the end of a press is heard at the top.
    this.onUp = (e) => {
      this.hearUp(false);
      if (this.down) this.released(e);
    };
    this.plot.addEventListener("pointerleave", () => this.left());
    this.resizer = new ResizeObserver(() => this.resized());
    this.resizer.observe(this.plot);
    this.unlisten = [
      this.host.resized(() => this.resized()),
      this.host.keys(this.root, (event) => this.keys.elsewhere(event)),
      this.host.rethemed(() => this.rethemed()),
      this.host.readdressed(() => {
        if (this.header && !this.header.plain) this.readdressed();
      }),
    ];
  }

  hearUp(on) {
    const { ownerDocument: page } = this.root;
    for (const kind of ["pointerup", "pointercancel"])
      if (on) page.addEventListener(kind, this.onUp, true);
      else page.removeEventListener(kind, this.onUp, true);
  }

  send(event) {
    this.host.send({ ...event, at: performance.now() });
  }

  // --- for the subclass -------------------------------------------------------------------------

  /** @param {boolean} [_fresh] whatever is there already, draw it anew */
  draw(_fresh) {}
  /** @param {number} _step */
  inspect(_step) {}
  /**
   * @param {Place<R>} _place
   * @returns {TipContent | null}
   */
  tooltip(_place) {
    return null;
  }
  /** @param {Place<R>} _place */
  chosen(_place) {}
  viewChanged() {}
  readdressed() {} // another place of the same page was asked for
  /**
   * @param {KeyboardEvent} _event
   * @param {number} _jump
   * @returns {Record<string, () => void>}
   */
  extraKeys(_event, _jump) {
    return {};
  }
  /** @returns {string[]} keys that need no focus */
  get anywhere() {
    return [];
  }
  /** @returns {HTMLElement | SVGElement} what takes the keys */
  get home() {
    return this.plot;
  }
  // Hide what is to be guessed, or show it again.
  hide() {
    this.state.secret = !this.state.secret;
    this.root.classList.toggle("sv-secret", this.state.secret);
    this.place();
  }
  spoken() {
    return tr("Step {step}", { step: this.state.step });
  }

  // --- drawing ----------------------------------------------------------------------------------

  async ready() {
    const Plotly = await this.host.plotly().catch((error) => {
      this.status.textContent = error.message;
    });
    if (!Plotly || !this.header || this.gone) return false;
    this.area.Plotly = Plotly;
    this.area.width = this.plot.clientWidth;
    this.state.narrow = this.area.width < 560;
    this.state.room = this.host.room(this.plot);
    this.state.coarse = matchMedia("(pointer: coarse)").matches;
    this.dress();
    return true;
  }

  dress() {
    this.theme = redressed(this.root, this.header.palettes, this.theme) ?? this.theme;
  }

  /** @param {Node[]} more what stands in the same group */
  undoGroup(...more) {
    const say = (type) => this.send({ type, id: this.header.id });
    this.undoing = new UndoButtons(say, ...more);
    return this.undoing.root;
  }

  drawn() {
    // Who comes from another page with the keys in hand goes on with them here.
    if (this.arriving) this.home.focus(QUIETLY);
    this.arriving = false;
    this.spot.drawn();
    this.root.dataset.drawn = `${this.header.id}`;
    this.root.dataset.redraws = `${+(this.root.dataset.redraws ?? 0) + 1}`;
  }

  /** @param {R} row */
  heading(row, k, ...more) {
    return folding(this, row, k, ...more);
  }

  // --- where the person is ------------------------------------------------------------------------

  get step() {
    return this.state.hover?.step ?? this.state.step;
  }

  // Everything that sits over the picture, moved without touching Plotly.
  place() {
    if (!this.area.drawn) return;
    const { state, step } = this;
    this.area.place(step, state.step, this.player.on);
    if (this.time.latest !== step) this.time.tick(step, state.L, state.marks?.[step]);
    this.inspect(step);
  }

  move(step) {
    const { state } = this;
    state.step = clamp(step, 0, state.L - 1);
    state.hover = null;
    this.place();
    this.tip.hide();
    this.root.dataset.step = `${state.step}`;
    if (this.player.on) return;
    this.live.textContent = this.spoken();
    this.viewChanged();
  }

  // Where the server wishes to be shown, once; else where the person was on another page of the same run.
  /** @param {{at?: number[] | null}} header */
  takeUp(header) {
    const wished = wish(header.at);
    const there = wished ?? (this.placed || cursor.step === null ? null : cursor);
    if (there) Object.assign(this.state, { step: there.step, unit: there.unit });
    this.arriving ||= !!wished;
    this.placed ||= !!there;
    if (this.placed) Object.assign(cursor, { step: this.state.step, unit: this.state.unit });
  }

  // --- hands ------------------------------------------------------------------------------------

  // Which step and row lie under a pointer.
  /**
   * @param {PointerEvent | MouseEvent} event
   * @returns {Place<R> | null}
   */
  under(event) {
    const place = this.area.under(event);
    return place && { ...place, row: this.rows[place.k] ?? null };
  }

  pressed(event) {
    if (event.button || event.target.closest(".sv-head")) return;
    this.hideTip();
    this.down = { x: event.clientX, y: event.clientY };
    this.hearUp(true);
    this.plot.focus(QUIETLY);
  }

  moved(event) {
    this.hover(this.under(event));
  }
  left() {
    this.hover(null);
  }

  released(event) {
    const still = this.down && Math.hypot(event.clientX - this.down.x, event.clientY - this.down.y) < 4;
    this.down = null;
    if (!still || event.type === "pointercancel" || event.target.closest?.(".sv-head")) return;
    const place = this.under(event);
    if (!place) return;
    this.chosen(place);
    this.move(place.step);
  }

  /** @param {Place<R> | null} place */
  hover(place) {
    this.state.hover = place && { step: place.step, unit: place.unit ?? this.state.unit };
    cancelAnimationFrame(this.hoverFrame);
    this.hoverFrame = requestAnimationFrame(() => {
      if (this.gone) return;
      this.place();
      const content = place?.row ? this.tooltip(place) : null;
      if (content) this.tip.show(content, place, this.plot.clientWidth, this.area.built.height);
      else this.tip.hide();
    });
  }

  // What is being drawn, or a line that is being dragged, is not to be covered.
  hideTip() {
    cancelAnimationFrame(this.hoverFrame);
    this.tip.hide();
  }

  // --- the page around it -------------------------------------------------------------------------

  resized() {
    const width = this.plot.clientWidth;
    // Before the first picture there is nothing to redo: it reads the width when it is drawn.
    if (!width || !this.area.built) return;
    const room = this.host.room(this.plot) ?? 0;
    if (width === this.area.width && Math.abs(room - (this.state.room ?? 0)) < 2) return;
    this.area.width = width;
    cancelAnimationFrame(this.resizeFrame);
    this.resizeFrame = requestAnimationFrame(() => {
      if (this.header) this.draw(true);
    });
  }

  rethemed() {
    if (this.header && this.theme && readTheme(this.root, this.header.palettes).dark !== this.theme.dark)
      this.draw(true);
  }

  destroy() {
    this.gone = true;
    for (const frame of [this.hoverFrame, this.resizeFrame]) cancelAnimationFrame(frame);
    this.player.cancel();
    this.hearUp(false);
    this.resizer.disconnect();
    this.spot.destroy();
    for (const stop of this.unlisten) stop();
    this.area.purge();
  }
}
