// The scope: a sequence and every signal that it causes, as linked rows over one time axis.

import { Brush, lookup } from "./brush.js";
import { forward, rulesOf, span } from "./forward.js";
import { Inspector } from "./inspector.js";
import { clauses, el, gradient, later, number, sentences, tr, writeAddress } from "./kit.js";
import { cursor, link } from "./link.js";
import { unitOrder } from "./order.js";
import {
  MARGIN,
  beyond,
  colours,
  featureName,
  figure,
  lineRange,
  poster,
  rangeText,
  rowData,
  rowRange,
  stepLabel,
} from "./picture.js";
import { Timeline, button, choice, clamp, segments } from "./timeline.js";

const VIEWS = [
  ["now", later("Now")],
  ["baseline", later("Baseline")],
  ["difference", later("Difference")],
];
const ORDERS = [
  ["index", later("index")],
  ["similarity", later("similarity")],
  ["mean", later("mean")],
];
const REST = 150; // ms without a stroke, until Plotly draws what the hand has made

/** @import { Message } from "./bytes.js" */
/** @import { ModelHeader, Rule, ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { ScopeState } from "./picture.js" */
/** @import { Mark, Place, Tip } from "./timeline.js" */
/** @typedef {Record<string, Float32Array>} Numbers every signal, time first */

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
  /** @type {Numbers | null} what the browser itself has computed */
  drafted;
  /** @type {(ModelHeader & {parameters: Numbers}) | null | undefined} */
  model;
  /** @type {HTMLElement[]} */
  unitLines = [];

  constructor(root) {
    super(
      root,
      tr(
        "Signals over time. Left and right arrows move the step, up and down the unit, Enter opens the cell, space plays, Home and End jump.",
      ),
    );
    Object.assign(this.state, { unit: 0, feature: 0, view: "now", sort: "index" });
    this.readAddress();
    this.build();
  }

  // --- the elements ---------------------------------------------------------------------------

  build() {
    const say = (type) => () => this.send({ type, id: this.header.id, at: performance.now() });
    this.buttons = {
      reset: button(
        tr("Reset weights"),
        tr("Take back every weight edit: the same initial weights again"),
        say("reset"),
      ),
      pin: button(tr("Pin as baseline"), tr("Keep this run to compare the next ones with"), say("pin")),
    };
    const [orderBox, order] = choice(
      tr("units by"),
      ORDERS.map(([value, text]) => [value, tr(text)]),
      (v) => this.change({ sort: v }),
    );
    this.selects = { order };
    this.views = segments(
      tr("Which run is shown"),
      VIEWS.map(([value, text]) => [value, tr(text)]),
      (view) => this.change({ view }),
    );
    this.bar = el(
      "div",
      { class: "sv-bar" },
      this.undoGroup(this.buttons.reset),
      el("div", { class: "sv-group" }, this.buttons.pin, this.views.root),
      el("div", { class: "sv-group sv-right" }, orderBox, this.saver()),
    );
    this.inspector = new Inspector(
      (value) => this.commitInput([[this.state.step, this.state.feature, value]]),
      () => this.send({ type: "cell", step: this.state.step, unit: this.state.unit, at: performance.now() }),
    );
    this.line = el("p", { class: "sv-oneline", "aria-hidden": "true" });
    this.brush = new Brush();
    this.graph.after(this.brush.root);
    this.root.classList.add("sv-scope");
    this.root.replaceChildren(
      this.bar,
      this.time,
      this.chips,
      this.legend,
      this.line,
      this.plot,
      this.status,
      this.inspector.root,
      this.live,
    );
    // Plotly starts its zoom on mousedown and touchstart; a stroke on the input row must not become one.
    this.plot.addEventListener(
      "mousedown",
      (e) => {
        if (this.pen || this.onInput(e)) e.stopPropagation();
      },
      true,
    );
    this.plot.addEventListener(
      "touchstart",
      (e) => {
        if (this.pen) {
          e.stopPropagation();
          e.preventDefault();
        }
      },
      { capture: true, passive: false },
    );
  }

  // --- what the server said ---------------------------------------------------------------------

  /** @param {Message<ScopeHeader>} message */
  update(message) {
    if (this.pen) {
      this.waiting = message;
      return;
    }
    const { header, arrays } = message;
    this.header = header;
    this.message = message;
    this.link = link(header.link);
    this.link.scope = this;
    const state = this.state;
    const { steps, hidden, labels, marks, names, cell } = header;
    Object.assign(state, { L: steps, hidden, labels, marks, names, cell });
    if (!header.plain) this.takeUp(header);
    this.baseline = header.baseline ? pick(arrays, "baseline.") : null;
    this.within();
    state.feature = clamp(state.feature, 0, header.inputs - 1);
    const drafted = this.drafted;
    this.drafted = null;
    state.target = arrays.target?.values;
    this.now = pick(arrays, "");
    // The browser's own forward pass already drew this: the server only confirms it.
    this.confirmed =
      drafted &&
      !this.brush.shown &&
      state.view === "now" &&
      header.rows.every(({ signal }) => alike(drafted[signal], this.now[signal]));
    this.model = header.model && { ...header.model, parameters: pick(arrays, "model.") };
    this.rows = header.rows.filter((row) => this.now[row.signal]);
    this.inspector.build(this.rows, !!this.baseline, !!header.plain);
    this.controls();
    this.draw();
    this.writeAddress();
  }

  controls() {
    const { header, state } = this;
    this.undoable(header);
    this.buttons.reset.disabled = !header.reset;
    this.bar.hidden = !!header.plain;
    this.buttons.pin.textContent = this.baseline ? tr("Pin again") : tr("Pin as baseline");
    this.views.root.hidden = !this.baseline;
    this.views.set(state.view);
    this.selects.order.value = state.sort;
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status ?? "";
    this.relabel(state.labels);
    this.latest = null;
  }

  // --- drawing ----------------------------------------------------------------------------------

  get shown() {
    const { view } = this.state;
    if (view === "now" || !this.baseline) return this.now;
    if (view === "baseline") return this.baseline;
    this.differences ??= Object.fromEntries(
      Object.entries(this.now).map(([name, values]) => {
        const old = this.baseline[name];
        return [name, old && old.length === values.length ? values.map((v, k) => v - old[k]) : values.map(() => 0)];
      }),
    );
    return this.differences;
  }

  async draw(fresh = false) {
    this.differences = null;
    if (!(await this.ready())) return;
    const { state, rows } = this;
    state.order = unitOrder(this.now.h, state.L, state.hidden, state.sort);
    for (const row of rows)
      if (row.kind === "line" && !this.pen)
        state.ranges[row.signal] = lineRange(
          this.shown[row.signal],
          state.view === "difference" ? [-0.1, 0.1] : row.floor,
        );
    const key = JSON.stringify([
      this.header.cell,
      this.header.layer,
      state.L,
      state.hidden,
      rows.map((r) => [r.signal, r.kind, r.width]),
      [...state.folded],
      this.plot.clientWidth,
      this.theme.dark,
      state.labels,
      state.marks,
    ]);
    const confirmed = this.confirmed && !fresh && key === this.drawnKey && state.order.join() === this.drawnOrder;
    this.confirmed = false;
    if (confirmed) await this.redraw(true, false);
    else if (!fresh && key === this.drawnKey) await this.redraw(true);
    else await this.rebuild(key);
    this.drawnOrder = state.order.join();
    this.drawn();
  }

  async rebuild(key) {
    const { state, rows } = this;
    const seen = this.seen;
    await this.react(figure(rows, this.shown, state, this.theme, this.plot.clientWidth));
    this.takenOver(seen);
    this.drawnKey = key;
    this.headings();
    this.drawLegend();
    this.place();
  }

  // New numbers in the same picture. `whole`: axes, headings and legend too; `numbers` false: only those.
  async redraw(whole, numbers = true) {
    const { state, rows } = this;
    const update = {};
    const set = (name, trace, value) => {
      (update[name] ??= [])[trace] = value;
    };
    const relayout = {};
    let trace = 0;
    rows.forEach((row, k) => {
      const values = this.shown[row.signal];
      const data = rowData(row, values, state);
      const axis = this.built.layout[`yaxis${k ? k + 1 : ""}`];
      const move = (name, value) => {
        if (`${axis[name]}` !== `${value}`) relayout[`yaxis${k ? k + 1 : ""}.${name}`] = axis[name] = value;
      };
      if (data.lines) {
        for (const y of [...data.targets, ...data.lines]) set("y", trace++, y);
        if (whole && state.ranges[row.signal]) move("range", state.ranges[row.signal].slice());
        return;
      }
      const look = this.built.traces[trace];
      const [zmin, zmax] = rowRange(row, values, state);
      const colorscale = colours(row, values, state, this.theme);
      for (const [name, value] of Object.entries({ zmin, zmax, colorscale })) {
        if (`${look[name]}` !== `${value}`) set(name, trace, (look[name] = value));
      }
      set("z", trace++, data.z);
      if (whole && row.kind !== "onehot" && !state.folded.has(row.signal))
        move(
          "ticktext",
          axis.tickvals.map((m) => `${state.order[m]}`),
        );
    });
    const seen = this.seen;
    if (numbers) {
      for (const list of Object.values(update)) list.length = trace;
      await this.Plotly.update(this.graph, update, relayout, [...Array(trace).keys()]);
    } else if (Object.keys(relayout).length) {
      await this.Plotly.relayout(this.graph, relayout);
    }
    if (numbers) this.takenOver(seen);
    if (whole) {
      this.headings();
      this.drawLegend();
    }
    this.place();
  }

  // Plotly has drawn what the hand had made of the picture by then: the brush is not needed, unless it went on since.
  takenOver(seen) {
    if (seen !== this.seen) return;
    clearTimeout(this.resting);
    this.brush.hide();
    this.root.dataset.rested = `${this.seen ?? 0}`;
  }

  // The numbers of now, painted over Plotly's picture.
  sketch() {
    const { rows, state, theme, built } = this;
    const width = this.right - MARGIN.left;
    const across = lookup(Math.round(width), state.L, (t) => this.xaxis.l2p(t - 0.5));
    rows.forEach((row, k) => {
      const values = this.shown[row.signal];
      const place = built.places[k];
      const folded = state.folded.has(row.signal);
      if (row.kind === "line" && !folded) {
        this.brush.lines(k, place, width, this.sketchedLines(row, k, values, place));
        return;
      }
      const [low, high] = rowRange(row, values, state);
      const look = { across, low, high, scale: colours(row, values, state, theme), ground: theme.well };
      if (folded) {
        const [line] = rowData(row, values, state).z;
        this.brush.heat(k, place, width, { ...look, rows: 1, cell: (_, t) => line[t] });
      } else {
        const order = row.kind === "onehot" ? [...Array(row.width).keys()] : state.order;
        this.brush.heat(k, place, width, {
          ...look,
          rows: order.length,
          cell: (line, t) => values[t * row.width + order[line]],
        });
      }
    });
    this.brush.root.hidden = false;
  }

  sketchedLines(row, k, values, { height }) {
    const { state, theme, built } = this;
    const [low, high] = built.layout[`yaxis${k ? k + 1 : ""}`].range;
    const { lines, targets } = rowData(row, values, state);
    const color = (f) => theme.lines[f % theme.lines.length];
    const dots = state.L <= 64 ? (row.signal === "x" ? 5 : 3) : 0;
    return {
      x: (t) => this.xaxis.l2p(t),
      y: (v) => (height * (high - v)) / (high - low),
      ground: theme.well,
      rule: theme.rule,
      lines: [
        ...targets.map((line, f) => ({ values: line, color: color(f), width: 1, dash: [1, 2], ring: 8 })),
        ...lines.map((line, f) => ({ values: line, color: color(f), width: 1.6, stairs: row.signal === "x", dots })),
      ],
    };
  }

  headings() {
    const { rows, header } = this;
    this.sayings = this.state.view === "now"; // they describe the present run
    this.heads.replaceChildren(
      ...rows.map((row, k) => this.heading(row, k, el("span", { class: "sv-range", text: this.rangeText(row) }))),
    );
    this.plot.setAttribute(
      "aria-description",
      sentences(rows.map((row) => tr("{row}: {says}", { row: row.name, says: row.says ?? "" }))),
    );
    this.interventionMarks(header.rules ?? []);
  }

  rangeText(row) {
    return rangeText(row, this.shown[row.signal], this.state);
  }

  drawLegend() {
    const { theme, state, rows } = this;
    const bars = [];
    const bar = (scale, left, right, title) =>
      el(
        "span",
        { class: "sv-key", title },
        el("span", { text: left }),
        el("i", { style: `background:${gradient(scale)}` }),
        el("span", { text: right }),
      );
    if (state.view === "difference") {
      bars.push(
        bar(
          theme.diverging,
          tr("less than baseline"),
          tr("more"),
          tr("Difference: now minus baseline; each row has its own range"),
        ),
      );
    } else {
      for (const row of rows)
        if (row.kind === "gate")
          bars.push(
            bar(
              theme.sequential[row.signal],
              `${row.symbol} 0`,
              "1",
              tr("{gate}: 0 {closed}, 1 {open}", { gate: row.name, closed: row.closed, open: row.open }),
            ),
          );
      bars.push(
        bar(
          theme.diverging,
          tr("states −"),
          "+",
          tr("Candidates and states: negative blue, 0 the background, positive orange"),
        ),
      );
    }
    bars.push(el("span", { class: "sv-note" }, el("i", { class: "sv-dash" }), tr("chosen step")));
    bars.push(el("span", { class: "sv-note", text: tr("one line of a heatmap: one unit") }));
    if (state.view !== "difference" && rows.some((row) => beyond(row, this.shown[row.signal]))) {
      bars.push(
        el(
          "span",
          { class: "sv-note" },
          el("i", { class: "sv-swatch", style: "background:var(--sv-changed)" }),
          tr("outside 0 to 1: no gate could be there by itself"),
        ),
      );
    }
    if (rows.some((row) => row.target))
      bars.push(el("span", { class: "sv-note" }, el("i", { class: "sv-ring" }), tr("right answer")));
    if (this.header.edited?.length || this.header.rules?.length)
      bars.push(el("span", { class: "sv-note" }, el("i", { class: "sv-edit-mark" }), tr("changed by you")));
    this.legend.replaceChildren(...bars);
  }

  // --- positions --------------------------------------------------------------------------------

  unitMarks(unit) {
    const { state, rows, built } = this;
    const line = state.order.indexOf(unit);
    let used = 0;
    rows.forEach((row, k) => {
      if ((row.kind !== "gate" && row.kind !== "state") || state.folded.has(row.signal)) return;
      const { top, height } = built.places[k];
      const each = height / state.hidden;
      const mark = (this.unitLines[used] ??= this.plot.appendChild(el("div", { class: "sv-unit" })));
      used++;
      mark.style.cssText = `top:${top + each * line}px;height:${Math.max(2, each)}px;left:${MARGIN.left - 4}px`;
    });
    this.unitLines.forEach((mark, k) => {
      if (k >= used) mark.style.display = "none";
    });
  }

  /** @param {Rule[]} rules */
  interventionMarks(rules) {
    const { rows, built, state, header } = this;
    const marks = [];
    const outline = (region, title, kind) => {
      /** @type {Mark} */
      const m = el("div", { class: `sv-mark ${kind}`, title });
      m.region = region;
      marks.push(m);
    };
    rows.forEach((row, k) => {
      const place = built.places[k];
      if (row.kind === "line" && row.signal === "x") {
        for (const [step] of (header.edited ?? []).slice(0, 200))
          outline(
            { from: step, to: step + 1, place: { top: place.top, height: 3 } },
            tr("changed by you"),
            "sv-edited",
          );
      }
      for (const rule of rules) {
        const name = row.signal === "x" ? "x" : `l${header.layer}.${row.signal}`;
        if (rule.signal.replace(/_(pre|ih|hh)$/, "") !== name) continue;
        const [from, to] = span(rule.steps, state.L);
        const each = place.height / (row.kind === "gate" || row.kind === "state" ? state.hidden : 1);
        const whole = !rule.units || row.kind === "line" || state.folded.has(row.signal);
        const spots = whole
          ? [place]
          : rule.units.map((u) => ({ top: place.top + each * state.order.indexOf(u), height: Math.max(3, each) }));
        for (const spot of spots) outline({ from, to, place: spot }, rule.says, "sv-rule");
      }
    });
    this.marks.replaceChildren(...marks);
  }

  inspect(step) {
    const { state, header } = this;
    const unit = state.hover?.unit ?? state.unit;
    this.unitMarks(unit);
    const at = (signal) => this.shown[signal]?.[step * state.hidden + unit];
    const signed = (v) => (state.view === "difference" && v > 0 ? "+" : "") + number(v, 2);
    const shown = this.rows.filter(({ kind }) => kind === "gate" || kind === "state");
    const named = state.marks ? `${step}${stepLabel(state, step)}` : step;
    const list = shown.map(({ signal, symbol }) => `${symbol}\u00a0${signed(at(signal))}`).join("  ");
    const said = {
      now: later("step {step}, unit {unit}: {values}"),
      baseline: later("step {step}, unit {unit}, baseline: {values}"),
      difference: later("step {step}, unit {unit}, now minus baseline: {values}"),
    };
    this.line.textContent = tr(said[this.baseline ? state.view : "now"], { step: named, unit, values: list });
    const exact = this.message.arrays;
    const read = (arrays) => (signal, t, u) => {
      const values = arrays?.[signal];
      const width = signal === "x" ? header.inputs : state.hidden;
      return t < 0 || !values ? undefined : values[t * width + u];
    };
    this.inspector.show({
      cell: header.cell,
      step,
      steps: state.L,
      unit,
      feature: state.feature,
      label: stepLabel(state, step),
      names: state.names,
      read: read(this.now),
      was: this.baseline && read(this.baseline),
      held: (signal) => this.held(signal, step, unit),
      editable: header.editable,
      quantised: exact.h && !exact.h.exact,
    });
  }

  // In whose words a state is held by hand, itself or, where one sum makes it, within that.
  held(signal, step, unit) {
    const { rules = [], layer, cell } = this.header;
    const own = cell.startsWith("RNN") ? ["h", "h_pre", "h_ih", "h_hh"] : [signal];
    return clauses(
      own.flatMap((name) => rulesOf(rules, `l${layer}.${name}`, step, unit, this.state.L)).map((rule) => rule.says),
    );
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

  onInput(event) {
    return this.drawable(this.under(event));
  }

  drawable(place) {
    return (
      place?.row?.signal === "x" &&
      place.row.kind === "line" &&
      this.header.editable &&
      this.state.view === "now" &&
      !this.state.folded.has("x")
    );
  }

  pressed(event) {
    super.pressed(event);
    if (!this.down || !this.onInput(event)) return;
    event.stopPropagation();
    event.preventDefault();
    const { step, share } = this.under(event);
    const [low, high] = this.state.ranges.x;
    const value = high - share * (high - low);
    const width = this.header.inputs;
    let feature = 0;
    let best = Infinity;
    for (let f = 0; f < Math.min(width, 6); f++) {
      const gap = Math.abs(this.now.x[step * width + f] - value);
      if (gap < best) [best, feature] = [gap, f];
    }
    this.pen = { feature, edits: new Map(), last: step };
    this.state.feature = feature;
    this.state.step = step;
    this.hideTip();
    try {
      this.plot.setPointerCapture(event.pointerId);
    } catch {
      this.pen.loose = true;
    }
    this.paint(event);
  }

  paint(event) {
    const box = this.plot.getBoundingClientRect();
    const place = this.built.places[this.rows.findIndex((r) => r.signal === "x")];
    const step = clamp(Math.round(this.xaxis.p2l(event.clientX - box.left - MARGIN.left)), 0, this.state.L - 1);
    const share = clamp((event.clientY - box.top - place.top) / place.height, 0, 1);
    const [low, high] = this.state.ranges.x;
    const value = Math.round((high - share * (high - low)) * 100) / 100;
    const from = this.pen.last;
    const before = this.pen.edits.get(from) ?? value;
    const way = Math.sign(step - from) || 1;
    for (let t = from; ; t += way) {
      const part = step === from ? 1 : (t - from) / (step - from);
      this.pen.edits.set(t, Math.round((before + part * (value - before)) * 100) / 100);
      if (t === step) break;
    }
    this.pen.last = step;
    this.state.hover = { step, unit: this.state.unit };
    this.state.step = step;
    this.preview({ inputs: [...this.pen.edits].map(([t, v]) => [t, this.pen.feature, v]) });
  }

  moved(event) {
    if (this.pen) {
      event.stopPropagation();
      this.paint(event);
      return;
    }
    super.moved(event);
  }

  left() {
    if (!this.pen) this.hover(null);
  }

  hover(place) {
    super.hover(place);
    this.plot.classList.toggle("sv-drawable", !!this.drawable(place));
  }

  /**
   * @param {Place<ScopeRow>} place
   * @returns {Tip}
   */
  tooltip({ row, step, unit }) {
    const { state } = this;
    const values = this.shown[row.signal];
    const label = stepLabel(state, step);
    if (unit !== undefined) {
      const at = (t) => (t < 0 ? 0 : values[t * state.hidden + unit]);
      /** @type {Tip["lines"]} */
      const lines = [[tr("step {step}", { step: `${step}${label}` }), number(at(step), 4)]];
      if (step > 0) lines.unshift([tr("step {step}", { step: step - 1 }), number(at(step - 1), 4)]);
      return { title: tr("{row} · unit {unit}", { row: row.name, unit }), lines };
    }
    /** @type {Tip["lines"]} */
    const lines = [[tr("step"), `${step}${label}`]];
    for (let f = 0; f < Math.min(row.width, 6); f++)
      lines.push([featureName(state, row, f), number(values[step * row.width + f], 4)]);
    return { title: row.name, lines };
  }

  released(event) {
    if (this.pen) {
      event.stopPropagation();
      const edits = [...this.pen.edits].map(([t, v]) => [t, this.pen.feature, v]);
      this.pen = null;
      this.down = null;
      this.state.hover = null;
      this.commitInput(edits);
      this.waiting = null;
      return;
    }
    super.released(event);
  }

  chosen(place) {
    if (place.unit !== undefined) this.state.unit = place.unit;
    if (place.feature !== undefined) this.state.feature = place.feature;
  }

  extraKeys(event, jump) {
    const { state } = this;
    const unit = (by) => () => {
      state.unit = state.order[clamp(state.order.indexOf(state.unit) + by, 0, state.hidden - 1)];
      this.move(state.step);
    };
    const open = event.target === this.plot && !this.header.plain ? { Enter: () => this.inspector.onCell() } : {};
    return { ArrowUp: unit(-jump), ArrowDown: unit(jump), ...open };
  }

  spoken() {
    const { step, unit, hidden } = this.state;
    return tr("Step {step}, unit {unit}, hidden state {h}", {
      step,
      unit,
      h: number(this.now.h[step * hidden + unit]),
    });
  }

  move(step) {
    super.move(step);
    if (!this.header.plain) Object.assign(cursor, { step: this.state.step, unit: this.state.unit });
  }

  viewChanged() {
    this.writeAddress();
  }

  // --- following the hand -------------------------------------------------------------------------

  // Show what the network would do with these edits, before anybody has told the server.
  preview({ inputs = [], weights = [] }) {
    const { header } = this;
    const x = this.message.arrays.x.values.slice();
    for (const [t, f, v] of inputs) x[t * header.inputs + f] = v;
    cancelAnimationFrame(this.previewFrame);
    this.previewFrame = requestAnimationFrame(() => {
      if (this.gone || !this.built) return;
      this.now = this.model
        ? pickLayer(forward(edited(this.model, weights), x, header.rules ?? []), header)
        : { ...this.now, x };
      this.drafted = this.now;
      this.differences = null;
      this.seen = (this.seen ?? 0) + 1;
      this.sketch();
      this.place();
      this.root.dataset.previews = `${this.seen}`;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => {
        if (!this.gone) this.redraw(false);
      }, REST);
    });
  }

  commitInput(edits) {
    if (!edits.length || !this.header.editable) return;
    this.preview({ inputs: edits });
    this.send({ type: "input", edits, id: this.header.id, at: performance.now() });
  }

  // --- view, address, files -----------------------------------------------------------------------

  change(part) {
    Object.assign(this.state, part);
    this.controls();
    this.writeAddress();
    this.draw();
  }

  readAddress() {
    const view = new URLSearchParams(location.hash.slice(1));
    this.readCursor(view);
    const known = (options, name) =>
      options.some(([value]) => value === view.get(name)) ? view.get(name) : options[0][0];
    Object.assign(this.state, { sort: known(ORDERS, "by"), view: known(VIEWS, "run") });
    this.readFolds(view);
  }

  readdressed() {
    this.readAddress();
    this.within();
    this.controls();
    this.draw(true);
  }

  // What an address asks for, as far as this run has it.
  within() {
    const { header, state } = this;
    this.zoomWithin(header.steps);
    state.step = clamp(state.step, 0, header.steps - 1);
    state.unit = clamp(state.unit, 0, header.hidden - 1);
    if (!this.baseline) state.view = "now";
  }

  writeAddress() {
    const { state } = this;
    const view = new URLSearchParams();
    if (state.step) view.set("step", `${state.step}`);
    if (state.unit) view.set("unit", `${state.unit}`);
    if (state.sort !== "index") view.set("by", state.sort);
    if (state.view !== "now") view.set("run", state.view);
    this.writeFolds(view);
    if (!this.header.plain) writeAddress(this.header.address, view);
  }

  // What a saved picture has to say of itself: which run it is, what is held, and where it can be found.
  posterWords() {
    const { header, state } = this;
    const said = {
      now: "{title}",
      baseline: later("{title}: the baseline"),
      difference: later("{title}: difference, now minus baseline"),
    };
    return {
      title: tr(said[state.view], { title: header.title }),
      notes: [...(header.rules ?? []).map((rule) => rule.says), location.href.length < 160 ? location.href : ""].filter(
        Boolean,
      ),
    };
  }

  async save(format) {
    if (!format) return;
    const { data, layout } = poster(this.built, this.rows, this.shown, this.state, this.theme, this.posterWords());
    await this.Plotly.downloadImage(
      { data, layout },
      { format, width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1, filename: "seqviz" },
    );
  }

  destroy() {
    clearTimeout(this.resting);
    super.destroy();
    if (this.link?.scope === this) this.link.scope = null;
  }
}

/**
 * @param {Message<any>["arrays"]} arrays
 * @param {string} prefix
 */
function pick(arrays, prefix) {
  /** @type {Numbers} */
  const found = {};
  for (const [name, { values }] of Object.entries(arrays)) {
    if (prefix ? name.startsWith(prefix) : !/^(baseline|model)\./.test(name)) found[name.slice(prefix.length)] = values;
  }
  return found;
}

function alike(a, b) {
  if (!a || !b || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!(Math.abs(a[k] - b[k]) <= 1e-5 * (1 + Math.abs(b[k])))) return false;
  return true;
}

/**
 * @param {Numbers} result
 * @param {ScopeHeader} header
 */
function pickLayer(result, header) {
  const found = { x: result.x, y: result.y };
  const prefix = `l${header.layer}.`;
  for (const [name, values] of Object.entries(result))
    if (name.startsWith(prefix)) found[name.slice(prefix.length)] = values;
  return found;
}

/**
 * @param {ModelHeader & {parameters: Numbers}} model
 * @param {[string, number, number, number][]} weights
 */
function edited(model, weights) {
  if (!weights.length) return model;
  const parameters = { ...model.parameters };
  for (const [name, row, col, value] of weights) {
    if (parameters[name] === model.parameters[name]) parameters[name] = parameters[name].slice();
    parameters[name][row * model.columns[name] + col] = value;
  }
  return { ...model, parameters };
}
