// What every picture over time shares: one cursor, a pinned step, keys, playing, zoom, headings, a tooltip.
// A subclass says which rows there are and what they hold; nothing here talks to a server.

import { el, plotly, QUIETLY, readTheme, tr, trn, visible } from "./kit.js";
import { cursor } from "./link.js";
import { MARGIN } from "./picture.js";

const SPEEDS = ["4", "12", "30", "60"];
export const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

export const button = (text, title, action, extra = {}) =>
  el("button", {
    type: "button",
    class: "sv-button",
    title,
    "aria-label": /\p{L}/u.test(text) ? null : title,
    onclick: action,
    text,
    ...extra,
  });

/**
 * @param {string} label
 * @param {string[][]} options a value and its text each
 * @param {(value: string) => void} action
 * @returns {[HTMLLabelElement, HTMLSelectElement]}
 */
export function choice(label, options, action) {
  const select = el(
    "select",
    { class: "sv-select", "aria-label": label, onchange: () => action(select.value) },
    ...options.map(([value, text]) => el("option", { value, text })),
  );
  return [el("label", { class: "sv-choice" }, el("span", { text: label }), select), select];
}

// A choice of one of a few: arrow keys move among them and choose, as in a group of radio buttons.
export function segments(label, options, action) {
  const buttons = options.map(([value, text]) =>
    el("button", {
      type: "button",
      role: "radio",
      class: "sv-segment",
      "data-value": value,
      text,
      onclick: (event) => {
        action(value);
        // In a lecture the next arrow key is for the steps; who came by keyboard stays in the group.
        if (event.detail && lecture()) event.currentTarget.blur();
      },
    }),
  );
  const root = el(
    "div",
    {
      class: "sv-segments",
      role: "radiogroup",
      "aria-label": label,
      onkeydown: (event) => {
        const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        const next = buttons[(buttons.indexOf(event.target) + by + buttons.length) % buttons.length];
        next.focus();
        next.click();
      },
    },
    ...buttons,
  );
  const set = (value) =>
    buttons.forEach((b) => {
      b.setAttribute("aria-checked", `${b.dataset.value === value}`);
      b.tabIndex = b.dataset.value === value ? 0 : -1;
    });
  return { root, set };
}

const PAGES = ["PageUp", "PageDown"];
const SIDEWAYS = ["ArrowLeft", "ArrowRight"];
const TYPED = "input:not([type=range], [type=checkbox], [type=radio]), textarea";
// What has a use of its own for arrows, and for space.
const MOVED =
  ["radio", "radiogroup", "tab", "tablist", "slider", "listbox", "option", "combobox", "menu", "menuitem", "grid"]
    .map((role) => `[role=${role}]`)
    .join(", ") + `, ${TYPED}, input[type=radio], input[type=range], select, [contenteditable], canvas, audio, video`;
const PRESSED = "button, summary, a, input, [role=button], [role=radio], [role=switch], [role=checkbox]";
const [CHIPS, NUMBERED] = [64, 32]; // steps; more have no room for a chip each, or for its number

const lecture = () => new URLSearchParams(location.search).get("lecture") === "true";

/** @import { Packed } from "./headers.js" */
/** @import { Theme } from "./kit.js" */
/**
 * What is read here of any panel's header, and of a row's.
 * @typedef {{id: string, plain?: boolean, undo?: boolean, redo?: boolean}} TimedHeader
 * @typedef {{signal: string, symbol: string, name: string, says?: string, hue?: string}} TimedRow
 */
/**
 * Where the person is: the step, the length `L`, the rows that are folded, the part of the time that is looked at.
 * What is not there from the start comes with the first message or the first drawing.
 *
 * @typedef {object} TimedState
 * @property {number} step
 * @property {number} [unit]
 * @property {{step: number, unit: number} | null} hover
 * @property {Set<string>} folded
 * @property {number[] | null} zoom
 * @property {Record<string, number[]>} ranges
 * @property {string} speed
 * @property {number} [L]
 * @property {boolean} [narrow]
 * @property {boolean} [coarse]
 */
/** @typedef {{top: number, height: number}} Span where a row is, in px */
/** @typedef {{traces: any[], layout: any, places: Span[], height: number}} Built a figure as Plotly takes it */
/** @typedef {{title: string, lines: [string, string][]}} Tip */
/** @typedef {HTMLElement & {region?: {from: number, to: number, place: Span}}} Mark */
/**
 * What lies under a pointer.
 * @template R
 * @typedef {object} Place
 * @property {number} step
 * @property {R | null} row
 * @property {number} [k] the row's number
 * @property {number} px
 * @property {number} py
 * @property {number} [share] how far down the row, from 0 to 1
 * @property {number} [unit]
 * @property {number} [feature]
 */

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
  /** @type {(event: object) => void} */
  send;
  /** @type {string} of what is written on the panel */
  language;
  /** @type {Theme} */
  theme;
  /** @type {Built} */
  built;
  /** @type {any} */
  Plotly;
  /** @type {boolean | undefined} false where what the rows say is not about what is shown */
  sayings;
  /** @type {number | undefined} */
  previewFrame;

  // `place` is what the scrubber moves through.
  constructor(root, label, place = tr("step")) {
    this.root = root;
    root.classList.add("sv-timed");
    this.state = /** @type {S} */ ({ step: 0, hover: null, folded: new Set(), zoom: null, ranges: {}, speed: "12" });
    /** @type {any} with what Plotly adds to it */
    this.graph = el("div", { class: "sv-graph" });
    this.band = el("div", { class: "sv-band" });
    this.pinned = el("div", { class: "sv-pinned" });
    this.veil = el("div", { class: "sv-veil" });
    this.marks = el("div", { class: "sv-marks" });
    this.heads = el("div", { class: "sv-heads" });
    this.tip = el("div", { class: "sv-tip", role: "tooltip" });
    this.live = el("div", { class: "sv-visually-hidden", "aria-live": "polite" });
    this.plot = el(
      "div",
      { class: "sv-plot", tabindex: "0", role: "application", "aria-label": label },
      this.graph,
      this.veil,
      this.pinned,
      this.band,
      this.marks,
      this.heads,
      this.tip,
    );
    this.legend = el("div", { class: "sv-legend", role: "note", "aria-label": tr("Legend") });
    this.status = el("p", { class: "sv-status", role: "status" });
    this.scrubber = el("input", {
      type: "range",
      min: "0",
      class: "sv-scrubber",
      "aria-label": place,
      oninput: () => this.move(+this.scrubber.value),
    });
    this.clock = el("output", { class: "sv-clock" });
    this.play = button("▶", tr("Play through time (space)"), () => this.toggle());
    this.play.classList.add("sv-play");
    this.chips = el("div", { class: "sv-chips", "aria-hidden": "true" });
    const [speedBox, speed] = choice(
      tr("speed"),
      SPEEDS.map((count) => [count, trn("{count} step/s", "{count} steps/s", count)]),
      (v) => {
        this.state.speed = v;
      },
    );
    speed.value = this.state.speed;
    this.speedSelect = speed;
    this.time = el(
      "div",
      { class: "sv-time" },
      this.play,
      button("‹", tr("One step back (left arrow)"), () => this.move(this.state.step - 1)),
      button("›", tr("One step on (right arrow)"), () => this.move(this.state.step + 1)),
      el("label", { class: "sv-choice sv-place" }, el("span", { text: place }), this.scrubber),
      this.clock,
      speedBox,
    );
    this.plot.addEventListener("pointerdown", (e) => this.pressed(e), true);
    this.plot.addEventListener("pointermove", (e) => this.moved(e), true);
    // While a button is down Plotly lays a cover over the whole page, so the end of a press is heard at the top.
    this.onUp = (e) => {
      if (this.down) this.released(e);
    };
    for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, this.onUp, true);
    this.plot.addEventListener("pointerleave", () => this.left());
    root.addEventListener("keydown", (e) => this.key(e));
    this.onPage = (e) => this.clicker(e);
    document.addEventListener("keydown", this.onPage);
    this.onHash = () => {
      if (this.header && !this.header.plain) this.readdressed();
    };
    window.addEventListener("hashchange", this.onHash);
    this.resizer = new ResizeObserver(() => this.resized());
    this.resizer.observe(this.plot);
    this.observer = new MutationObserver(() => this.rethemed());
    this.observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "style"] });
  }

  // For the subclass.
  /** @param {boolean} [_fresh] whatever is there already, draw it anew */
  draw(_fresh) {}
  /** @param {number} _step */
  inspect(_step) {}
  /** @param {string} _format */
  save(_format) {}
  /**
   * @param {Place<R>} _place
   * @returns {Tip | null}
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
  /** @returns {string[]} */
  get anywhere() {
    return [];
  } // keys that need no focus
  spoken() {
    return tr("Step {step}", { step: this.state.step });
  }

  // --- drawing ----------------------------------------------------------------------------------

  async ready() {
    const Plotly = await plotly().catch((error) => {
      this.status.textContent = error.message;
    });
    if (!Plotly || !this.header || this.gone) return false;
    this.Plotly = Plotly;
    this.lastWidth = this.plot.clientWidth;
    this.state.narrow = this.lastWidth < 560;
    this.state.coarse = matchMedia("(pointer: coarse)").matches;
    this.retheme(readTheme(this.root, this.header.palettes));
    return true;
  }

  retheme(theme) {
    if (
      this.theme &&
      theme.paper === this.theme.paper &&
      theme.font === this.theme.font &&
      theme.label === this.theme.label
    )
      return;
    this.theme = theme;
    this.root.classList.toggle("sv-dark", theme.dark);
    for (const [signal, hue] of Object.entries(theme.hues)) this.root.style.setProperty(`--sv-hue-${signal}`, hue);
  }

  /** @param {Built} built */
  async react(built) {
    this.built = built;
    this.plot.style.height = `${built.height}px`;
    await (this.reacting = this.Plotly.react(this.graph, built.traces, built.layout, {
      displayModeBar: false,
      responsive: false,
      doubleClick: "reset",
      scrollZoom: false,
      showTips: false,
    }));
    if (this.bound) return;
    this.bound = true;
    this.graph.on("plotly_relayout", () => {
      this.state.zoom = this.zoomed() ? this.xaxis.range.slice() : null;
      this.place();
      this.viewChanged();
    });
  }

  // Undo and redo of the page's experiment, as buttons; the keys follow.
  undoGroup(...more) {
    const say = (type) => () => this.send({ type, id: this.header.id, at: performance.now() });
    this.undo = button("↶", tr("Undo the last change (Ctrl+Z)"), say("undo"));
    this.redo = button("↷", tr("Redo (Ctrl+Shift+Z)"), say("redo"));
    return el("div", { class: "sv-group sv-undo" }, this.undo, this.redo, ...more);
  }

  /** @param {TimedHeader} header */
  undoable({ undo, redo }) {
    const held = [this.undo, this.redo].find((each) => each === document.activeElement);
    this.undo.disabled = !undo;
    this.redo.disabled = !redo;
    if (held && (document.activeElement !== held || held.disabled)) this.home.focus({ preventScroll: true });
  }

  saver() {
    const choose = el(
      "select",
      {
        class: "sv-select",
        "aria-label": tr("Save the picture"),
        onchange: () => {
          this.save(choose.value);
          choose.value = "";
        },
      },
      el("option", { value: "", text: tr("Save picture") }),
      el("option", { value: "svg", text: tr("as SVG") }),
      el("option", { value: "png", text: tr("as PNG") }),
    );
    return choose;
  }

  // A chip a step, with its character or its number; from the step `secret` on they are to be guessed.
  relabel(labels, secret = Infinity) {
    const { L } = this.state;
    this.chips.hidden = L > (labels ? CHIPS : NUMBERED);
    if (this.chips.hidden) return;
    if (this.chips.childElementCount !== L)
      this.chips.replaceChildren(
        ...Array.from({ length: L }, (_, t) => el("span", { class: "sv-chip", onclick: () => this.move(t) })),
      );
    const chip = this.chips.firstElementChild;
    const wide = labels ? 0 : `${L - 1}`.length * 0.65 * parseFloat(getComputedStyle(chip).fontSize);
    const every = Math.max(1, Math.ceil(wide / (chip.clientWidth || wide || 1)));
    const said = (t) => (labels ? (t >= secret ? "?" : visible(labels[t])) : t % every ? "" : `${t}`);
    [...this.chips.children].forEach((each, t) => {
      each.textContent = said(t);
      each.classList.remove("sv-on");
    });
    this.latest = null;
  }

  // Everything that says which step it is.
  tick(step) {
    this.scrubber.value = `${step}`;
    this.clock.textContent = `${step} / ${this.state.L - 1}`;
    this.chips.children[this.latest ?? 0]?.classList.remove("sv-on");
    this.chips.children[step]?.classList.add("sv-on");
    this.latest = step;
  }

  /** @returns {HTMLElement | SVGElement} */
  get home() {
    return this.plot;
  } // what takes the keys

  drawn() {
    // Who comes from another page with the keys in hand goes on with them here.
    if (this.arriving) this.home.focus(QUIETLY);
    this.arriving = false;
    this.root.dataset.drawn = `${this.header.id}`;
    this.root.dataset.redraws = `${+(this.root.dataset.redraws ?? 0) + 1}`;
  }

  /**
   * @param {R} row
   * @param {number} k
   * @param {Node[]} more
   */
  heading(row, k, ...more) {
    const folded = this.state.folded.has(row.signal);
    return el(
      "div",
      { class: "sv-head", style: `top:${this.built.places[k].top - 21}px` },
      el(
        "button",
        {
          type: "button",
          class: "sv-fold",
          "data-signal": row.signal,
          "aria-expanded": `${!folded}`,
          title: folded ? tr("Unfold {row}", { row: row.name }) : tr("Fold {row}", { row: row.name }),
          onclick: () => {
            if (folded) this.state.folded.delete(row.signal);
            else this.state.folded.add(row.signal);
            this.viewChanged();
            this.draw(true);
          },
        },
        el("span", { class: "sv-caret", text: folded ? "▸" : "▾" }),
        el("b", { class: "sv-symbol", style: `color: var(--sv-hue-${row.hue ?? row.signal})`, text: row.symbol }),
        el("span", { text: row.name }),
      ),
      ...more,
      el("span", { class: "sv-says", text: this.sayings === false ? "" : (row.says ?? ""), title: row.says ?? "" }),
    );
  }

  // --- positions --------------------------------------------------------------------------------

  get xaxis() {
    return this.graph._fullLayout.xaxis;
  }
  get step() {
    return this.state.hover?.step ?? this.state.step;
  }
  get right() {
    return this.lastWidth - MARGIN.right;
  } // asking the element would lay the page out anew
  // A zoom from an address, or from a longer sequence, keeps what there is of it.
  zoomWithin(steps) {
    const [from, to] = this.state.zoom ?? [];
    const [low, high] = [Math.max(from, -0.5), Math.min(to, steps - 0.5)];
    this.state.zoom = high - low >= 1 && high - low < steps ? [low, high] : null;
  }

  zoomed() {
    const [a, b] = this.xaxis.range;
    return Math.abs(a + 0.5) > 1e-6 || Math.abs(b - this.state.L + 0.5) > 1e-6;
  }
  pixel(step) {
    return clamp(MARGIN.left + this.xaxis.l2p(step), MARGIN.left, this.right);
  }

  // Everything that sits over the picture, moved without touching Plotly.
  place() {
    if (!this.built || !this.graph._fullLayout) return;
    const { state, step } = this;
    const stripe = (node, t) => {
      const a = this.pixel(t - 0.5);
      const b = this.pixel(t + 0.5);
      node.style.transform = `translateX(${a}px)`;
      node.style.width = `${Math.max(b > a ? 2 : 0, b - a)}px`;
      node.style.display = b > a ? "" : "none";
    };
    stripe(this.band, step);
    stripe(this.pinned, state.step);
    this.veil.style.transform = `translateX(${MARGIN.left}px)`;
    this.veil.style.width = this.timer ? `${this.pixel(step - 0.5) - MARGIN.left}px` : "0";
    for (const mark of /** @type {Iterable<Mark>} */ (this.marks.children)) {
      const { from, to, place } = mark.region;
      const [a, b] = [this.pixel(from - 0.5), this.pixel(to - 0.5)];
      mark.style.cssText = `left:${a}px;width:${Math.max(0, b - a)}px;top:${place.top}px;height:${place.height}px;display:${b > a ? "block" : "none"}`;
    }
    if (this.latest !== step) this.tick(step);
    this.inspect(step);
  }

  stepAt(clientX) {
    return clamp(
      Math.round(this.xaxis.p2l(clientX - this.plot.getBoundingClientRect().left - MARGIN.left)),
      0,
      this.state.L - 1,
    );
  }

  // Which step and row lie under a pointer.
  /**
   * @param {PointerEvent | MouseEvent} event
   * @returns {Place<R> | null}
   */
  under(event) {
    if (!this.built || !this.graph._fullLayout) return null;
    const box = this.plot.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (px < MARGIN.left - 2 || px > this.right + 2) return null;
    const step = clamp(Math.round(this.xaxis.p2l(px - MARGIN.left)), 0, this.state.L - 1);
    const k = this.built.places.findIndex(({ top, height }) => py >= top && py <= top + height);
    if (k < 0) return { step, row: null, px, py };
    const { top, height } = this.built.places[k];
    return { step, row: this.rows[k], k, px, py, share: (py - top) / height };
  }

  // --- hands ------------------------------------------------------------------------------------

  pressed(event) {
    if (event.button || event.target.closest(".sv-head")) return;
    this.hideTip();
    this.down = { x: event.clientX, y: event.clientY };
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
      this.showTip(place);
    });
  }

  // What is being drawn, or a line that is being dragged, is not to be covered.
  hideTip() {
    cancelAnimationFrame(this.hoverFrame);
    this.tip.style.display = "none";
  }

  /** @param {Place<R> | null} place */
  showTip(place) {
    const content = place?.row ? this.tooltip(place) : null;
    this.tip.style.display = content ? "block" : "none";
    if (!content) return;
    const line = ([name, value]) => el("tr", {}, el("th", { text: name }), el("td", { text: value }));
    this.tip.replaceChildren(el("b", { text: content.title }), el("table", {}, ...content.lines.map(line)));
    const right = place.px > this.plot.clientWidth - 190;
    this.tip.style.transform = `translate(${place.px + (right ? -this.tip.offsetWidth - 14 : 16)}px, ${clamp(place.py - 16, 0, this.built.height - this.tip.offsetHeight)}px)`;
  }

  // Whether the field under the focus needs a key for itself.
  needed({ target, key }) {
    const field = target.closest("input, select, textarea");
    if (!field) return false;
    if (PAGES.includes(key)) return field.matches(TYPED);
    if (field === this.scrubber) return ![" ", "ArrowUp", "ArrowDown"].includes(key);
    return !field.matches("[type=checkbox]") || key === " ";
  }

  key(event) {
    if (event.altKey || this.needed(event)) return;
    const { step, L } = this.state;
    const jump = event.shiftKey ? 10 : 1;
    const control = event.ctrlKey || event.metaKey;
    const actions = control
      ? {}
      : {
          ArrowLeft: () => this.move(step - jump),
          ArrowRight: () => this.move(step + jump),
          PageUp: () => this.move(step - 1),
          PageDown: () => this.move(step + 1),
          Home: () => this.move(0),
          End: () => this.move(L - 1),
          ...this.extraKeys(event, jump),
        };
    if (control && this.undo) {
      const redo = () => this.redo.click();
      Object.assign(actions, { z: event.shiftKey ? redo : () => this.undo.click(), Z: redo, y: redo });
    }
    if (event.key === " " && !control && !event.target.closest("button")) actions[" "] = () => this.toggle();
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  // Keys from outside of the picture, for the first one of the page: whatever the buttons promise works before anything
  // has the focus, and beside whatever has no use of its own for that key.
  clicker(event) {
    const { target, key } = event;
    if (event.defaultPrevented || this.root.contains(target) || document.querySelector(".sv-timed") !== this.root)
      return;
    if (document.querySelector("[role=dialog], dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    const known = control ? ["z", "Z", "y"].includes(key) && !!this.undo : this.promised.includes(key);
    if (!known || target.closest(MOVED) || (key === " " && target.closest(PRESSED))) return;
    this.key(event);
  }

  // Keys that need no focus. A clicker's page keys scroll, but for a lecture.
  get promised() {
    return [...SIDEWAYS, " ", ...(lecture() ? PAGES : []), ...this.anywhere];
  }

  // The step and unit of an address, or where the person was on another page of the same run.
  /** @param {URLSearchParams} view */
  readCursor(view) {
    const whole = (name) => (/^\d{1,5}$/.test(view.get(name) ?? "") ? +view.get(name) : null);
    this.placed = whole("step") !== null || whole("unit") !== null;
    Object.assign(this.state, { step: whole("step") ?? 0, unit: whole("unit") ?? 0 });
  }

  // Which rows are folded, and what part of the time is looked at.
  /** @param {URLSearchParams} view */
  readFolds(view) {
    const zoom = (view.get("zoom") ?? "").split("_").map(Number);
    Object.assign(this.state, {
      folded: new Set((view.get("folded") ?? "").split("_").filter(Boolean)),
      zoom: zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null,
    });
  }

  /** @param {URLSearchParams} view */
  writeFolds(view) {
    const { folded, zoom } = this.state;
    const shown = this.rows.filter(({ signal }) => folded.has(signal)).map(({ signal }) => signal);
    if (shown.length) view.set("folded", shown.join("_"));
    if (zoom) view.set("zoom", zoom.map((v) => v.toFixed(1)).join("_"));
  }

  // Where the server wishes to be shown, once; else where the person was.
  /** @param {{at?: number[] | null}} header */
  takeUp(header) {
    if (header.at && header.at[2] !== cursor.wish) {
      [this.state.step, this.state.unit, cursor.wish] = header.at;
      this.arriving = this.placed = true;
    } else if (!this.placed && cursor.step !== null) {
      Object.assign(this.state, { step: cursor.step, unit: cursor.unit });
      this.placed = true;
    }
    if (this.placed) Object.assign(cursor, { step: this.state.step, unit: this.state.unit });
  }

  move(step) {
    const { state } = this;
    state.step = clamp(step, 0, state.L - 1);
    state.hover = null;
    this.place();
    this.tip.style.display = "none";
    this.root.dataset.step = `${state.step}`;
    if (this.timer) return;
    this.live.textContent = this.spoken();
    this.viewChanged();
  }

  toggle() {
    if (this.timer) {
      this.stop();
      return;
    }
    this.play.textContent = "❚❚";
    this.play.setAttribute("aria-pressed", "true");
    if (this.state.step >= this.state.L - 1) this.state.step = 0;
    let last = performance.now();
    const frame = (now) => {
      if (this.gone) return;
      const due = Math.floor(((now - last) * +this.state.speed) / 1000);
      if (due > 0) {
        last += (due * 1000) / +this.state.speed;
        this.move(Math.min(this.state.step + due, this.state.L - 1));
        if (this.state.step >= this.state.L - 1) {
          this.stop();
          return;
        }
      }
      this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.timer = null;
    this.play.textContent = "▶";
    this.play.setAttribute("aria-pressed", "false");
    this.move(this.state.step);
  }

  // --- the page around it -------------------------------------------------------------------------

  resized() {
    const width = this.plot.clientWidth;
    // Before the first picture there is nothing to redo: it reads the width when it is drawn.
    if (!width || width === this.lastWidth || !this.built) return;
    this.lastWidth = width;
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
    for (const frame of [this.hoverFrame, this.previewFrame, this.resizeFrame, this.timer]) cancelAnimationFrame(frame);
    for (const kind of ["pointerup", "pointercancel"]) document.removeEventListener(kind, this.onUp, true);
    document.removeEventListener("keydown", this.onPage);
    window.removeEventListener("hashchange", this.onHash);
    this.resizer.disconnect();
    this.observer.disconnect();
    // Plotly fails when a picture is taken away that it is still drawing.
    const purge = () => setTimeout(() => this.Plotly?.purge(this.graph));
    Promise.resolve(this.reacting).then(purge, purge);
  }
}
