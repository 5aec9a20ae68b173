// The scope: a sequence and every signal that it causes, as linked rows over one time axis.

import { forward, span } from "./forward.js";
import { Inspector } from "./inspector.js";
import { el, gradient, number, plotly, readTheme, visible, writeAddress } from "./kit.js";
import { link } from "./link.js";
import { unitOrder } from "./order.js";
import { MARGIN, figure, lineRange, poster, rowData, rowRange } from "./picture.js";

const VIEWS = [["now", "Now"], ["baseline", "Baseline"], ["difference", "Difference"]];
const ORDERS = [["index", "index"], ["similarity", "similarity"], ["mean", "mean"]];
const SPEEDS = [["4", "4 steps/s"], ["12", "12 steps/s"], ["30", "30 steps/s"], ["60", "60 steps/s"]];
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

export class Scope {
  constructor(root) {
    this.root = root;
    this.state = { step: 0, unit: 0, feature: 0, hover: null, folded: new Set(), view: "now", sort: "index", zoom: null, ranges: {}, speed: "12" };
    this.readAddress();
    this.build();
    this.resizer = new ResizeObserver(() => this.resized());
    this.resizer.observe(this.plot);
    this.onMedia = () => this.draw(true);
    this.observer = new MutationObserver(() => this.rethemed());
    this.observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "style"] });
  }

  // --- the elements ---------------------------------------------------------------------------

  build() {
    const button = (text, title, action, extra = {}) => el("button", { type: "button", class: "sv-button", title, "aria-label": /[a-z]/i.test(text) ? null : title, onclick: action, text, ...extra });
    const choice = (label, options, action) => {
      const select = el("select", { class: "sv-select", "aria-label": label, onchange: () => action(select.value) }, ...options.map(([value, text]) => el("option", { value, text })));
      return [el("label", { class: "sv-choice" }, el("span", { text: label }), select), select];
    };
    const say = (type) => () => this.send({ type, id: this.header.id, at: performance.now() });
    this.buttons = {
      undo: button("↶", "Undo the last change (Ctrl+Z)", say("undo")),
      redo: button("↷", "Redo (Ctrl+Shift+Z)", say("redo")),
      reset: button("Reset weights", "Take back every weight edit: the same initial weights again", say("reset")),
      pin: button("Pin as baseline", "Keep this run to compare the next ones with", say("pin")),
    };
    this.play = button("▶", "Play through time (space)", () => this.toggle());
    this.play.classList.add("sv-play");
    const [orderBox, order] = choice("units by", ORDERS, (v) => this.change({ sort: v }));
    const [speedBox, speed] = choice("speed", SPEEDS, (v) => { this.state.speed = v; });
    this.selects = { order, speed };
    speed.value = this.state.speed;
    this.views = el("div", { class: "sv-segments", role: "radiogroup", "aria-label": "Which run is shown" },
      ...VIEWS.map(([value, text]) => el("button", { type: "button", role: "radio", class: "sv-segment", "data-view": value, text, onclick: () => this.change({ view: value }) })));
    const save = el("select", { class: "sv-select", "aria-label": "Save the picture", onchange: () => { this.save(save.value); save.value = ""; } },
      el("option", { value: "", text: "Save picture" }), el("option", { value: "svg", text: "as SVG" }), el("option", { value: "png", text: "as PNG" }));
    this.bar = el("div", { class: "sv-bar" },
      el("div", { class: "sv-group" }, this.buttons.undo, this.buttons.redo, this.buttons.reset),
      el("div", { class: "sv-group" }, this.buttons.pin, this.views),
      el("div", { class: "sv-group sv-right" }, orderBox, save));
    this.legend = el("div", { class: "sv-legend", role: "note", "aria-label": "Legend" });
    this.graph = el("div", { class: "sv-graph" });
    this.band = el("div", { class: "sv-band" });
    this.pinned = el("div", { class: "sv-pinned" });
    this.veil = el("div", { class: "sv-veil" });
    this.marks = el("div", { class: "sv-marks" });
    this.heads = el("div", { class: "sv-heads" });
    this.tip = el("div", { class: "sv-tip", role: "tooltip" });
    this.live = el("div", { class: "sv-visually-hidden", "aria-live": "polite" });
    this.plot = el("div", { class: "sv-plot", tabindex: "0", role: "application",
      "aria-label": "Signals over time. Left and right arrows move the step, up and down the unit, space plays, Home and End jump." },
      this.graph, this.veil, this.pinned, this.band, this.marks, this.heads, this.tip);
    this.scrubber = el("input", { type: "range", min: "0", class: "sv-scrubber", "aria-label": "Step", oninput: () => this.move(+this.scrubber.value) });
    this.chips = el("div", { class: "sv-chips", "aria-hidden": "true" });
    this.clock = el("output", { class: "sv-clock" });
    this.time = el("div", { class: "sv-time" }, this.play, button("‹", "One step back (left arrow)", () => this.move(this.state.step - 1)),
      button("›", "One step on (right arrow)", () => this.move(this.state.step + 1)), this.scrubber, this.clock, speedBox);
    this.status = el("p", { class: "sv-status", role: "status" });
    this.inspector = new Inspector((value) => this.commitInput([[this.state.step, this.state.feature, value]]));
    this.root.classList.add("sv-scope");
    this.root.replaceChildren(this.bar, this.time, this.chips, this.legend, this.plot, this.status, this.inspector.root, this.live);
    this.listen();
  }

  listen() {
    const p = this.plot;
    p.addEventListener("pointerdown", (e) => this.pressed(e), true);
    p.addEventListener("mousedown", (e) => { if (this.pen || this.onInput(e)) e.stopPropagation(); }, true);
    p.addEventListener("touchstart", (e) => { if (this.pen) { e.stopPropagation(); e.preventDefault(); } }, { capture: true, passive: false });
    p.addEventListener("pointermove", (e) => this.moved(e), true);
    p.addEventListener("pointerup", (e) => this.released(e), true);
    p.addEventListener("pointercancel", (e) => this.released(e), true);
    p.addEventListener("pointerleave", () => { if (!this.pen) this.hover(null); });
    this.root.addEventListener("keydown", (e) => this.key(e));
  }

  // --- what the server said ---------------------------------------------------------------------

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
    Object.assign(state, { L: header.steps, hidden: header.hidden, labels: header.labels, cell: header.cell });
    state.step = clamp(state.step, 0, header.steps - 1);
    state.unit = clamp(state.unit, 0, header.hidden - 1);
    state.feature = clamp(state.feature, 0, header.inputs - 1);
    const drafted = this.drafted;
    this.drafted = null;
    this.now = pick(arrays, "");
    // The browser's own forward pass already drew this: the server only confirms it.
    this.confirmed = drafted && state.view === "now" && header.rows.every(({ signal }) => alike(drafted[signal], this.now[signal]));
    this.baseline = header.baseline ? pick(arrays, "baseline.") : null;
    if (!this.baseline) state.view = "now";
    this.model = header.model && { ...header.model, parameters: pick(arrays, "model.") };
    this.rows = header.rows.filter((row) => this.now[row.signal]);
    this.inspector.build(this.rows, !!this.baseline);
    this.controls();
    this.draw();
    this.writeAddress();
    this.link.weights?.follow();
  }

  controls() {
    const { header, state } = this;
    this.buttons.undo.disabled = !header.undo;
    this.buttons.redo.disabled = !header.redo;
    this.buttons.reset.disabled = !header.reset;
    this.buttons.pin.textContent = this.baseline ? "Pin again" : "Pin as baseline";
    this.views.hidden = !this.baseline;
    for (const b of this.views.children) b.setAttribute("aria-checked", `${b.dataset.view === state.view}`);
    this.selects.order.value = state.sort;
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status ?? "";
    const few = state.L <= 64;
    this.chips.hidden = !few;
    if (few && this.chips.childElementCount !== state.L) {
      this.chips.replaceChildren(...Array.from({ length: state.L }, (_, t) => el("span", { class: "sv-chip", onclick: () => this.move(t) })));
    }
    if (few) [...this.chips.children].forEach((chip, t) => { chip.textContent = state.labels ? visible(state.labels[t]) : state.L <= 32 ? `${t}` : ""; });
    this.latest = null;
  }

  // --- drawing ----------------------------------------------------------------------------------

  get shown() {
    const { view } = this.state;
    if (view === "now" || !this.baseline) return this.now;
    if (view === "baseline") return this.baseline;
    this.differences ??= Object.fromEntries(Object.entries(this.now).map(([name, values]) => {
      const old = this.baseline[name];
      return [name, old && old.length === values.length ? values.map((v, k) => v - old[k]) : values.map(() => 0)];
    }));
    return this.differences;
  }

  async draw(fresh = false) {
    this.differences = null;
    const Plotly = await plotly().catch((error) => { this.status.textContent = error.message; });
    if (!Plotly || !this.header || this.gone) return;
    this.Plotly = Plotly;
    const { state, rows } = this;
    state.narrow = this.plot.clientWidth < 560;
    state.coarse = matchMedia("(pointer: coarse)").matches;
    this.theme = readTheme(this.root, this.header.palettes);
    this.root.classList.toggle("sv-dark", this.theme.dark);
    for (const [signal, hue] of Object.entries(this.theme.hues)) this.root.style.setProperty(`--sv-hue-${signal}`, hue);
    state.order = unitOrder(this.now.h, state.L, state.hidden, state.sort);
    for (const row of rows) if (row.kind === "line" && !this.pen) state.ranges[row.signal] = lineRange(this.shown[row.signal], state.view === "difference" ? [-0.1, 0.1] : row.floor);
    const key = JSON.stringify([this.header.cell, this.header.layer, state.L, state.hidden, rows.map((r) => [r.signal, r.kind, r.width]), [...state.folded], this.plot.clientWidth, this.theme.dark, state.labels]);
    const confirmed = this.confirmed && !fresh && key === this.drawnKey && state.order.join() === this.drawnOrder;
    this.confirmed = false;
    if (confirmed) await this.redraw(true, false);
    else if (!fresh && key === this.drawnKey) await this.redraw(true);
    else await this.rebuild(key);
    this.drawnOrder = state.order.join();
    this.root.dataset.drawn = `${this.header.id}`;
    this.root.dataset.redraws = `${+(this.root.dataset.redraws ?? 0) + 1}`;
  }

  async rebuild(key) {
    const { state, rows } = this;
    const built = figure(rows, this.shown, state, this.theme, this.plot.clientWidth);
    this.built = built;
    this.drawnKey = key;
    this.plot.style.height = `${built.height}px`;
    await this.Plotly.react(this.graph, built.traces, built.layout, { displayModeBar: false, responsive: false, doubleClick: "reset", scrollZoom: false });
    if (!this.relayoutBound) {
      this.relayoutBound = true;
      this.graph.on("plotly_relayout", () => { this.state.zoom = this.zoomed() ? this.xaxis.range.slice() : null; this.place(); this.writeAddress(); });
    }
    this.headings();
    this.drawLegend();
    this.place();
  }

  // New numbers in the same picture. `whole`: axes, headings and legend too; `numbers` false: only those.
  async redraw(whole, numbers = true) {
    const { state, rows } = this;
    const update = {};
    const set = (name, trace, value) => { (update[name] ??= [])[trace] = value; };
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
        for (const y of data.lines) set("y", trace++, y);
        if (whole && state.ranges[row.signal]) move("range", state.ranges[row.signal].slice());
        return;
      }
      const look = this.built.traces[trace];
      const [zmin, zmax] = rowRange(row, values, state);
      const colorscale = row.kind === "gate" && state.view !== "difference" ? this.theme.sequential[row.signal] : this.theme.diverging;
      for (const [name, value] of Object.entries({ zmin, zmax, colorscale })) {
        if (look[name] !== value) set(name, trace, (look[name] = value));
      }
      set("z", trace++, data.z);
      if (whole && row.kind !== "onehot" && !state.folded.has(row.signal)) move("ticktext", axis.tickvals.map((m) => `${state.order[m]}`));
    });
    if (numbers) {
      for (const list of Object.values(update)) list.length = trace;
      await this.Plotly.update(this.graph, update, relayout, [...Array(trace).keys()]);
    } else if (Object.keys(relayout).length) {
      await this.Plotly.relayout(this.graph, relayout);
    }
    if (whole) {
      this.headings();
      this.drawLegend();
    }
    this.place();
  }

  headings() {
    const { state, rows, built, header } = this;
    this.heads.replaceChildren(...rows.map((row, k) => {
      const folded = state.folded.has(row.signal);
      return el("div", { class: "sv-head", style: `top:${built.places[k].top - 21}px` },
        el("button", {
          type: "button", class: "sv-fold", "data-signal": row.signal, "aria-expanded": `${!folded}`, title: folded ? `Unfold ${row.name}` : `Fold ${row.name} to its mean`,
          onclick: () => { folded ? state.folded.delete(row.signal) : state.folded.add(row.signal); this.writeAddress(); this.draw(true); },
        }, el("span", { class: "sv-caret", text: folded ? "▸" : "▾" }), el("b", { class: "sv-symbol", style: `color: var(--sv-hue-${row.signal})`, text: row.symbol }), el("span", { text: row.name })),
        el("span", { class: "sv-range", text: this.rangeText(row) }),
        el("span", { class: "sv-says", text: row.says ?? "", title: row.says ?? "" }));
    }));
    this.plot.setAttribute("aria-description", rows.map((row) => `${row.name}: ${row.says ?? ""}`).join(" "));
    this.interventionMarks(header.rules ?? []);
  }

  rangeText(row) {
    if (row.kind !== "state" && this.state.view !== "difference") return "";
    if (row.kind === "line") return "";
    return `±${number(rowRange(row, this.shown[row.signal], this.state)[1], 2)}`;
  }

  drawLegend() {
    const { theme, state, rows } = this;
    const bars = [];
    const bar = (scale, left, right, title) => el("span", { class: "sv-key", title }, el("span", { text: left }), el("i", { style: `background:${gradient(scale)}` }), el("span", { text: right }));
    if (state.view === "difference") {
      bars.push(bar(theme.diverging, "less than baseline", "more", "Difference: now minus baseline; each row has its own range"));
    } else {
      for (const row of rows) if (row.kind === "gate") bars.push(bar(theme.sequential[row.signal], `${row.symbol} 0`, "1", `${row.name}: 0 ${row.closed}, 1 ${row.open}`));
      bars.push(bar(theme.diverging, "states −", "+", "Candidates and states: negative blue, 0 the background, positive orange"));
    }
    bars.push(el("span", { class: "sv-note" }, el("i", { class: "sv-dash" }), "chosen step"));
    if (this.header.edited?.length || this.header.rules?.length) bars.push(el("span", { class: "sv-note" }, el("i", { class: "sv-edit-mark" }), "changed by you"));
    this.legend.replaceChildren(...bars);
  }

  // --- positions --------------------------------------------------------------------------------

  get xaxis() { return this.graph._fullLayout.xaxis; }
  zoomed() { const [a, b] = this.xaxis.range; return Math.abs(a + 0.5) > 1e-6 || Math.abs(b - this.state.L + 0.5) > 1e-6; }
  pixel(step) { return MARGIN.left + this.xaxis.l2p(step); }

  // Everything that sits over the picture, moved without touching Plotly.
  place() {
    if (!this.built || !this.graph._fullLayout) return;
    const { state } = this;
    const step = state.hover?.step ?? state.step;
    const right = this.plot.clientWidth - MARGIN.right;
    const stripe = (node, t) => {
      const a = clamp(this.pixel(t - 0.5), MARGIN.left, right);
      const b = clamp(this.pixel(t + 0.5), MARGIN.left, right);
      node.style.transform = `translateX(${a}px)`;
      node.style.width = `${Math.max(0, b - a)}px`;
      node.style.display = b > a ? "" : "none";
    };
    stripe(this.band, step);
    stripe(this.pinned, state.step);
    this.veil.style.transform = `translateX(${MARGIN.left}px)`;
    this.veil.style.width = this.timer ? `${Math.max(0, this.pixel(step - 0.5) - MARGIN.left)}px` : "0";
    for (const mark of this.marks.children) {
      const { from, to, place } = mark.region;
      const a = clamp(this.pixel(from - 0.5), MARGIN.left, right);
      const b = clamp(this.pixel(to - 0.5), MARGIN.left, right);
      mark.style.cssText = `left:${a}px;width:${Math.max(0, b - a)}px;top:${place.top}px;height:${place.height}px;display:${b > a ? "block" : "none"}`;
    }
    this.unitMarks(state.hover?.unit ?? state.unit);
    this.inspect(step, state.hover?.unit ?? state.unit);
  }

  unitMarks(unit) {
    const { state, rows, built } = this;
    this.unitLines ??= [];
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
    this.unitLines.forEach((mark, k) => { if (k >= used) mark.style.display = "none"; });
  }

  interventionMarks(rules) {
    const { rows, built, state, header } = this;
    const marks = [];
    const outline = (region, title, kind) => { const m = el("div", { class: `sv-mark ${kind}`, title }); m.region = region; marks.push(m); };
    rows.forEach((row, k) => {
      const place = built.places[k];
      if (row.kind === "line" && row.signal === "x") {
        for (const [step] of (header.edited ?? []).slice(0, 200)) outline({ from: step, to: step + 1, place: { top: place.top, height: 3 } }, "changed by you", "sv-edited");
      }
      for (const rule of rules) {
        const name = row.signal === "x" ? "x" : `l${header.layer}.${row.signal}`;
        if (rule.signal.replace(/_(pre|ih|hh)$/, "") !== name) continue;
        const [from, to] = span(rule.steps, state.L);
        const each = place.height / (row.kind === "gate" || row.kind === "state" ? state.hidden : 1);
        const whole = !rule.units || row.kind === "line" || state.folded.has(row.signal);
        const spots = whole ? [place] : rule.units.map((u) => ({ top: place.top + each * state.order.indexOf(u), height: Math.max(3, each) }));
        for (const spot of spots) outline({ from, to, place: spot }, rule.says, "sv-rule");
      }
    });
    this.marks.replaceChildren(...marks);
  }

  inspect(step, unit) {
    const { state, header } = this;
    const exact = this.message.arrays;
    const read = (arrays) => (signal, t, u) => {
      const values = arrays?.[signal];
      const width = signal === "x" ? header.inputs : state.hidden;
      return t < 0 || !values ? undefined : values[t * width + u];
    };
    this.inspector.show({
      cell: header.cell, step, steps: state.L, unit, feature: state.feature, labels: state.labels,
      read: read(this.now), was: this.baseline && read(this.baseline), editable: header.editable, quantised: exact.h && !exact.h.exact,
    });
    if (this.latest !== step) {
      this.scrubber.value = `${step}`;
      this.clock.textContent = `${step} / ${state.L - 1}`;
      if (!this.chips.hidden) {
        this.chips.children[this.latest ?? 0]?.classList.remove("sv-on");
        this.chips.children[step]?.classList.add("sv-on");
      }
      this.latest = step;
    }
  }

  // --- hands ------------------------------------------------------------------------------------

  // Which step, row and unit lie under a pointer.
  under(event) {
    if (!this.built || !this.graph._fullLayout) return null;
    const box = this.plot.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (px < MARGIN.left - 2 || px > this.plot.clientWidth - MARGIN.right + 2) return null;
    const step = clamp(Math.round(this.xaxis.p2l(px - MARGIN.left)), 0, this.state.L - 1);
    const k = this.built.places.findIndex(({ top, height }) => py >= top && py <= top + height);
    if (k < 0) return { step, row: null, px, py };
    const row = this.rows[k];
    const place = this.built.places[k];
    const share = (py - place.top) / place.height;
    const count = row.kind === "onehot" ? row.width : this.state.hidden;
    const line = clamp(Math.floor(share * count), 0, count - 1);
    return { step, row, k, px, py, share, unit: row.kind === "gate" || row.kind === "state" ? this.state.order[line] : undefined, feature: row.kind === "onehot" ? line : undefined };
  }

  onInput(event) {
    const place = this.under(event);
    return place?.row?.signal === "x" && place.row.kind === "line" && this.header.editable && this.state.view === "now" && !this.state.folded.has("x");
  }

  pressed(event) {
    if (event.button || event.target.closest(".sv-head")) return;
    this.down = { x: event.clientX, y: event.clientY };
    this.plot.focus({ preventScroll: true, focusVisible: false });
    if (!this.onInput(event)) return;
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
    try { this.plot.setPointerCapture(event.pointerId); } catch { this.pen.loose = true; }
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
    this.hover(this.under(event));
  }

  hover(place) {
    const { state } = this;
    state.hover = place && { step: place.step, unit: place.unit ?? state.unit };
    cancelAnimationFrame(this.hoverFrame);
    this.hoverFrame = requestAnimationFrame(() => {
      if (this.gone) return;
      this.place();
      this.showTip(place);
      this.plot.classList.toggle("sv-drawable", place?.row?.signal === "x" && place.row.kind === "line" && this.header.editable && state.view === "now");
    });
  }

  showTip(place) {
    const { tip, state } = this;
    if (!place?.row) { tip.style.display = "none"; return; }
    const { row, step } = place;
    const values = this.shown[row.signal];
    const title = `${row.name}${place.unit !== undefined ? ` · unit ${place.unit}` : ""}`;
    const line = (name, value) => el("tr", {}, el("th", { text: name }), el("td", { text: value }));
    const lines = [];
    const label = state.labels ? ` “${visible(state.labels[step])}”` : "";
    if (place.unit !== undefined) {
      const at = (t) => (t < 0 ? 0 : values[t * state.hidden + place.unit]);
      if (step > 0) lines.push(line(`step ${step - 1}`, number(at(step - 1), 4)));
      lines.push(line(`step ${step}${label}`, number(at(step), 4)));
    } else {
      const width = row.width;
      for (let f = 0; f < Math.min(width, 6); f++) lines.push(line(width > 1 ? `${row.symbol}[${f}]` : row.symbol, number(values[step * width + f], 4)));
      lines.unshift(line("step", `${step}${label}`));
    }
    tip.replaceChildren(el("b", { text: title }), el("table", {}, ...lines));
    tip.style.display = "block";
    const right = place.px > this.plot.clientWidth - 190;
    tip.style.transform = `translate(${place.px + (right ? -tip.offsetWidth - 14 : 16)}px, ${clamp(place.py - 16, 0, this.built.height - tip.offsetHeight)}px)`;
  }

  released(event) {
    if (this.pen) {
      event.stopPropagation();
      const edits = [...this.pen.edits].map(([t, v]) => [t, this.pen.feature, v]);
      this.pen = null;
      this.state.hover = null;
      this.commitInput(edits);
      if (this.waiting) { this.waiting = null; }
      return;
    }
    const still = this.down && Math.hypot(event.clientX - this.down.x, event.clientY - this.down.y) < 4;
    this.down = null;
    if (!still || event.target.closest(".sv-head")) return;
    const place = this.under(event);
    if (!place) return;
    if (place.unit !== undefined) this.state.unit = place.unit;
    if (place.feature !== undefined) this.state.feature = place.feature;
    this.move(place.step);
  }

  key(event) {
    if (event.target.closest("input, select, textarea") && !(event.target === this.scrubber && [" ", "ArrowUp", "ArrowDown"].includes(event.key))) return;
    const { state } = this;
    const jump = event.shiftKey ? 10 : 1;
    const unit = (by) => { const line = state.order.indexOf(state.unit); state.unit = state.order[clamp(line + by, 0, state.hidden - 1)]; state.hover = null; this.place(); this.writeAddress(); };
    const control = event.ctrlKey || event.metaKey;
    const actions = control
      ? { z: () => (event.shiftKey ? this.buttons.redo : this.buttons.undo).click(), Z: () => this.buttons.redo.click(), y: () => this.buttons.redo.click() }
      : {
          ArrowLeft: () => this.move(state.step - jump), ArrowRight: () => this.move(state.step + jump),
          PageUp: () => this.move(state.step - 1), PageDown: () => this.move(state.step + 1),
          ArrowUp: () => unit(-jump), ArrowDown: () => unit(jump), Home: () => this.move(0), End: () => this.move(state.L - 1),
        };
    if (event.key === " " && !control && !event.target.closest("button")) actions[" "] = () => this.toggle();
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  move(step) {
    const { state } = this;
    state.step = clamp(step, 0, state.L - 1);
    state.hover = null;
    if (!this.timer) {
      const h = this.now.h[state.step * state.hidden + state.unit];
      this.live.textContent = `Step ${state.step}, unit ${state.unit}, hidden state ${number(h)}`;
    }
    this.place();
    this.tip.style.display = "none";
    this.root.dataset.step = `${state.step}`;
    if (!this.timer) this.writeAddress();
  }

  toggle() {
    if (this.timer) { this.stop(); return; }
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
        if (this.state.step >= this.state.L - 1) { this.stop(); return; }
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

  // --- following the hand -------------------------------------------------------------------------

  // Show what the network would do with these edits, before anybody has told the server.
  preview({ inputs = [], weights = [] }) {
    const { header } = this;
    const x = this.message.arrays.x.values.slice();
    for (const [t, f, v] of inputs) x[t * header.inputs + f] = v;
    this.draft = { inputs, weights };
    cancelAnimationFrame(this.previewFrame);
    this.previewFrame = requestAnimationFrame(() => {
      if (this.gone || !this.built) return;
      this.now = this.model ? pickLayer(forward(edited(this.model, weights), x, header.rules ?? []), header) : { ...this.now, x };
      this.drafted = this.now;
      this.differences = null;
      this.root.dataset.previews = `${+(this.root.dataset.previews ?? 0) + 1}`;
      this.redraw(false);
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
    const whole = (name) => (/^\d{1,5}$/.test(view.get(name) ?? "") ? +view.get(name) : 0);
    Object.assign(this.state, { step: whole("step"), unit: whole("unit") });
    if (ORDERS.some(([o]) => o === view.get("by"))) this.state.sort = view.get("by");
    for (const signal of (view.get("folded") ?? "").split(".")) if (/^[a-z]$/.test(signal)) this.state.folded.add(signal);
    const zoom = (view.get("zoom") ?? "").split("_").map(Number);
    if (zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1]) this.state.zoom = zoom;
  }

  writeAddress() {
    const { state } = this;
    const view = new URLSearchParams();
    if (state.step) view.set("step", state.step);
    if (state.unit) view.set("unit", state.unit);
    if (state.sort !== "index") view.set("by", state.sort);
    if (state.folded.size) view.set("folded", [...state.folded].join("."));
    if (state.zoom) view.set("zoom", state.zoom.map((v) => v.toFixed(1)).join("_"));
    writeAddress(this.header.address, view);
  }

  async save(format) {
    if (!format) return;
    const { data, layout } = poster(this.built, this.rows, this.state, this.theme, this.header.title);
    await this.Plotly.downloadImage({ data, layout }, { format, width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1, filename: "seqviz" });
  }

  resized() {
    const width = this.plot.clientWidth;
    if (!width || width === this.lastWidth) return;
    this.lastWidth = width;
    cancelAnimationFrame(this.resizeFrame);
    this.resizeFrame = requestAnimationFrame(() => { if (this.header) this.draw(true); });
  }

  rethemed() {
    if (this.header && readTheme(this.root, this.header.palettes).dark !== this.theme?.dark) this.draw(true);
  }

  destroy() {
    this.gone = true;
    for (const frame of [this.hoverFrame, this.previewFrame, this.resizeFrame, this.timer]) cancelAnimationFrame(frame);
    this.resizer.disconnect();
    this.observer.disconnect();
    if (this.link?.scope === this) this.link.scope = null;
    this.Plotly?.purge(this.graph);
  }
}

function pick(arrays, prefix) {
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

function pickLayer(result, header) {
  const found = { x: result.x, y: result.y };
  const prefix = `l${header.layer}.`;
  for (const [name, values] of Object.entries(result)) if (name.startsWith(prefix)) found[name.slice(prefix.length)] = values;
  return found;
}

function edited(model, weights) {
  if (!weights.length) return model;
  const parameters = { ...model.parameters };
  for (const [name, row, col, value] of weights) {
    if (parameters[name] === model.parameters[name]) parameters[name] = parameters[name].slice();
    parameters[name][row * model.columns[name] + col] = value;
  }
  return { ...model, parameters };
}
