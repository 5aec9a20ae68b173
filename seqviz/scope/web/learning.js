// Training seen from its checkpoints: loss, score and gradient norm on one scrubber, which plays.

import { axisOf, domain, fitted, layoutOf, marginOf, roomOfNote, sheet, stacked, timeAxis } from "./axes.js";
import { band, groups } from "./bands.js";
import { saver } from "./controls.js";
import { copyLink, dock } from "./dock.js";
import { el } from "./dom.js";
import { clauses, tr } from "./language.js";
import { lettered, lineNote, strokeNote } from "./legends.js";
import { decades, number, power } from "./numbers.js";
import { addressed, download, poster } from "./poster.js";
import { KeyHelp } from "./stage.js";
import { Timeline } from "./timeline.js";

const [TALL, FOLDED] = [92, 10];
const BELOW = 7.2; // letters' heights for the step under the axis, the legend and the status
const AXIS = 3.4; // letters of an axis's numbers
const DIGIT = 0.62; // of a letter's height
const REPLAY = 6; // seconds

/** @import { Message } from "./bytes.js" */
/** @import { LearningHeader, LearningRow } from "./headers.js" */
/** @import { Built, Place, TimedState, TipContent } from "./types.js" */

/** @extends {Timeline<LearningHeader, TimedState, LearningRow>} */
export class Learning extends Timeline {
  constructor(root, host) {
    super(
      root,
      host,
      tr("Training, checkpoint by checkpoint. Left and right arrows move through the checkpoints, space plays."),
      tr("checkpoint"),
      tr("optimiser step"),
    );
    root.classList.add("sv-learning");
    this.follow = true;
    this.whole = el("option", { text: tr("all in {seconds} s", { seconds: REPLAY }) });
    this.time.speed.prepend(this.whole);
    this.whole.selected = true;
    this.help = new KeyHelp("learning");
    // The server writes the address, whenever the scrubber rests.
    const right = el(
      "div",
      { class: "sv-group sv-right" },
      saver((format) => this.save(format), true),
      copyLink(host, () => {}),
    );
    const bar = el("div", { class: "sv-bar" }, right);
    root.replaceChildren(this.plot, this.legend, this.status, dock(this.time.root, bar, this.help), this.live);
  }

  /** @param {Message<LearningHeader>} message */
  update({ header, arrays }) {
    const { state } = this;
    // A new run is followed; a picture that is made anew goes on from where the person left the last one.
    if (this.header && header.run !== this.header.run) this.follow = true;
    if (!this.header && header.at !== null) [state.step, this.follow] = [header.at, false];
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    state.L = header.count;
    if (this.follow || state.step > state.L - 1) state.step = state.L - 1;
    this.rows = header.rows;
    // However many checkpoints there are, a replay takes as long, unless the person has chosen a speed.
    const all = this.whole.selected || !this.time.speed.value;
    this.whole.value = `${Math.max(1, (state.L - 1) / REPLAY)}`;
    if (all) state.speed = this.time.speed.value = this.whole.value;
    this.time.reach(state.L);
    this.status.textContent = header.status;
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    await this.area.react(this.figure(), this.state.L);
    this.area.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
    this.legend.replaceChildren(
      ...groups(this.header.nets).map(([{ label, line }]) =>
        lineNote(this.theme.lines[line], 2, this.theme.dashes[line], label),
      ),
      strokeNote("1px dashed", tr("chance")),
      strokeNote("1px dotted", tr("solved")),
    );
    this.place();
    this.plot.setAttribute("aria-description", this.summary());
    this.drawn();
  }

  // A number as it is printed; a score is as the server says it, which never rounds it to its threshold.
  text(name, row, k) {
    const value = this.arrays[`${name}.${row.signal}`][k];
    return row.texts?.[name]?.[k] ?? (Number.isFinite(value) ? number(value, 4) : "–");
  }

  // The picture in words, from its numbers.
  summary() {
    const { rows, header, arrays } = this;
    const [first, last] = [arrays.step[0], arrays.step[header.count - 1]];
    const ends = ({ name, label }, row) => {
      const known = [...arrays[`${name}.${row.signal}`].keys()].filter((k) =>
        Number.isFinite(arrays[`${name}.${row.signal}`][k]),
      );
      const [from, to] = [known[0], known.at(-1)].map((k) => this.text(name, row, k));
      return known.length ? tr("{name} from {from} to {to}", { name: label, from, to }) : "";
    };
    return [
      tr("Optimiser steps {first} to {last}", { first, last }),
      ...rows.map((row) =>
        tr("{row}: {says}", { row: row.name, says: clauses(header.nets.map((net) => ends(net, row))) }),
      ),
    ].join(tr(". "));
  }

  /** @returns {Built} */
  figure() {
    const { rows, state, theme } = this;
    const margin = marginOf(this.plot.clientWidth, theme.label, 0);
    margin.left = Math.max(margin.left, AXIS * theme.label);
    const fixed = (row) => state.folded.has(row.signal);
    const usual = (row) => (fixed(row) ? FOLDED : TALL);
    const tall = fitted(
      rows,
      { usual, fixed, least: 0.5, most: 1.9 },
      state.room && state.room - BELOW * theme.label,
      margin,
    );
    const { places, height } = stacked(rows, tall, margin, roomOfNote(this.plot.clientWidth));
    const across = this.plot.clientWidth - margin.left - margin.right;
    const wide = DIGIT * theme.label * (1 + `${this.arrays.step[state.L - 1]}`.length);
    const every = Math.max(1, Math.ceil((state.L * wide) / across));
    const tickvals = [...Array(state.L).keys()].filter((k) => k % every === 0);
    /** @type {any} */
    const layout = {
      ...sheet(theme, this.plot.clientWidth, height, margin),
      dragmode: false,
      shapes: rows.flatMap((row, k) => this.levels(row, axisOf(k))),
      xaxis: {
        ...timeAxis(state, theme, rows.length),
        range: [-0.5, Math.max(1, state.L) - 0.5],
        fixedrange: true,
        ticks: "",
        tickmode: "array",
        tickvals,
        ticktext: tickvals.map((k) => `${this.arrays.step[k]}`),
      },
    };
    rows.forEach((row, k) => {
      layout[layoutOf(k)] = { domain: domain(places[k], height, margin), ...this.axis(row) };
    });
    return { traces: rows.flatMap((row, k) => this.curves(row, axisOf(k))), layout, places, height, margin };
  }

  axis(row) {
    const { theme, header, arrays } = this;
    const marks = [row.chance, row.solved].filter((v) => v != null);
    const known = header.nets.flatMap(({ name }) => Array.from(arrays[`${name}.${row.signal}`]));
    const range = row.range ?? (row.log ? decades([...known, ...marks]) : null);
    return {
      type: row.log ? "log" : "linear",
      fixedrange: true,
      nticks: 4,
      showgrid: true,
      gridcolor: theme.rule,
      zeroline: false,
      tickfont: { size: theme.label },
      ...(row.log && range ? ticks(range) : {}),
      exponentformat: "power",
      ...(range ? { range } : {}),
    };
  }

  curves(row, yaxis) {
    return groups(this.header.nets).flatMap((nets) => [
      ...(nets.length > 1 ? this.band(row, yaxis, nets) : []),
      ...nets.map((net) => this.curve(row, yaxis, net, nets.length > 1)),
    ]);
  }

  curve({ signal }, yaxis, { name, line }, seeds) {
    return {
      type: "scatter",
      mode: this.state.L < 60 && !seeds ? "lines+markers" : "lines",
      connectgaps: true,
      y: Array.from(this.arrays[`${name}.${signal}`], (v) => (Number.isFinite(v) ? v : null)),
      yaxis,
      line: { color: this.theme.lines[line], width: seeds ? 1 : 2, dash: this.theme.dashes[line] },
      marker: { size: 4 },
      hoverinfo: "skip",
    };
  }

  // From the least to the most of several seeds.
  band({ signal }, yaxis, nets) {
    const color = this.theme.lines[nets[0].line];
    const { low, high } = band(nets.map(({ name }) => this.arrays[`${name}.${signal}`]));
    const edge = { type: "scatter", mode: "lines", yaxis, line: { width: 0, color }, hoverinfo: "skip" };
    return [
      { ...edge, y: low },
      { ...edge, y: high, fill: "tonexty", fillcolor: `${color}2e` },
    ];
  }

  // Chance, and from where on the task is solved, as lines across a row.
  /**
   * @param {LearningRow} row
   * @param {string} yref
   */
  levels({ chance, solved }, yref) {
    return [
      { y: chance, dash: "dash" },
      { y: solved, dash: "dot" },
    ]
      .filter(({ y }) => y != null)
      .map(({ y, dash }) => ({
        ...{ type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: y, y1: y },
        line: { color: this.theme.quiet, width: 1, dash },
      }));
  }

  inspect(step) {
    const reached = this.arrays.step[step] ?? 0;
    this.time.clock.textContent = tr("step {step}", { step: reached });
    this.area.pill.textContent = `${reached}`;
  }

  /**
   * @param {Place<LearningRow>} place
   * @returns {TipContent}
   */
  tooltip({ row, step }) {
    return {
      title: tr("{row}, step {step}", { row: row.name, step: this.arrays.step[step] }),
      lines: this.header.nets.map(({ name, label }) => {
        const value = this.arrays[`${name}.${row.signal}`][step];
        return [
          label,
          row.log && !row.texts && Number.isFinite(value) ? power(Math.log10(value)) : this.text(name, row, step),
        ];
      }),
    };
  }

  spoken() {
    return this.time.clock.textContent;
  }

  move(step) {
    super.move(step);
    this.follow = this.state.step === this.state.L - 1;
    // One message at a time: the next checkpoint is asked for when the last one has been drawn, or after a while.
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.ask(false), this.player.on ? 0 : 60);
    // What stands beside the picture is drawn anew too, but only once the hand rests.
    clearTimeout(this.resting);
    if (!this.player.on) this.resting = setTimeout(() => this.ask(true), 400);
  }

  ask(rests) {
    if (this.gone) return;
    this.send({
      type: "checkpoint",
      run: this.header.run,
      index: this.state.step,
      follow: this.follow,
      rests,
    });
  }

  async save(format) {
    const { area, header, rows, theme } = this;
    const keys = groups(header.nets).map(([{ label, line }]) => ({
      label,
      color: theme.lines[line],
      dash: lettered(theme.dashes[line]),
    }));
    const levels = tr("{dashed} chance, {dotted} solved", { dashed: "- - -", dotted: "· · ·" });
    const says = rows.map((row) => row.says).filter(Boolean);
    const notes = [...says, levels, tr("optimiser step"), ...addressed(this.host.address())];
    const posted = poster(area.built, rows, theme, { title: header.title, notes, keys });
    await download(area.Plotly, posted, theme, format, "seqviz-training", { steps: 1, delay: 0 });
  }

  destroy() {
    super.destroy();
    clearTimeout(this.asking);
    clearTimeout(this.resting);
  }
}

// The marks of an axis of logarithms: powers of ten, or where it has no two of them 1, 2 and 5 of each, if that is two.
/** @type {(range: number[]) => object} */
function ticks([low, high]) {
  if (high - low > 1) return { dtick: 1 };
  const powers = [Math.floor(low), Math.floor(low) + 1];
  const marks = powers.flatMap((k) => [1, 2, 5].map((digit) => +`${digit}e${k}`));
  const tickvals = marks.filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
  return tickvals.length > 1 ? { tickmode: "array", tickvals } : {};
}
