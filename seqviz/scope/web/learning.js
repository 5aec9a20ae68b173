// Training seen from its checkpoints: loss, score and gradient norm on one scrubber, which plays.

import { power } from "./flow.js";
import { clauses, el, number, tr } from "./kit.js";
import { HEADING, MARGIN } from "./picture.js";
import { Timeline, clamp } from "./timeline.js";

const TALL = 92;

const DECADES = 0.6; // a logarithmic axis spans a factor of four at least, so that rest is drawn as rest

// The range of a logarithmic axis, in decades: all values and marks, downwards where they are too close together.
export function decades(values) {
  const logs = values.filter((v) => v > 0 && v < Infinity).map(Math.log10);
  if (!logs.length) return [-1, 0];
  const high = Math.max(...logs);
  const low = Math.min(...logs, high - DECADES);
  const pad = 0.06 * (high - low);
  return [low - pad, high + pad];
}

/** @import { Message } from "./bytes.js" */
/** @import { LearningHeader, LearningRow } from "./headers.js" */
/** @import { Place, Tip, TimedState } from "./timeline.js" */

/** @extends {Timeline<LearningHeader, TimedState, LearningRow>} */
export class Learning extends Timeline {
  constructor(root) {
    super(
      root,
      tr("Training, checkpoint by checkpoint. Left and right arrows move through the checkpoints, space plays."),
      tr("checkpoint"),
    );
    root.classList.add("sv-learning");
    this.follow = true;
    this.state.speed = this.speedSelect.value = "4";
    root.replaceChildren(this.time, this.legend, this.plot, this.status, this.live);
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
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status;
    this.latest = null;
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    await this.react(this.figure());
    this.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
    this.legend.replaceChildren(
      ...this.header.nets.map(({ label, line }) =>
        el(
          "span",
          { class: "sv-note" },
          el("i", { class: "sv-stroke", style: `border-top: 2px solid ${this.theme.lines[line]}` }),
          label,
        ),
      ),
      el("span", { class: "sv-note" }, el("i", { class: "sv-stroke", style: "border-top: 1px dashed" }), tr("chance")),
      el("span", { class: "sv-note" }, el("i", { class: "sv-stroke", style: "border-top: 1px dotted" }), tr("solved")),
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

  figure() {
    const { rows, state, theme, header, arrays } = this;
    let y = MARGIN.top;
    const places = rows.map((row) => {
      y += HEADING;
      const place = { top: y, height: state.folded.has(row.signal) ? 10 : TALL };
      y += place.height + 4;
      return place;
    });
    const height = y + MARGIN.bottom;
    const inner = height - MARGIN.top - MARGIN.bottom;
    const every = Math.max(1, Math.ceil(state.L / 10));
    const ticks = [...Array(state.L).keys()].filter((k) => k % every === 0);
    const traces = [];
    const layout = {
      width: this.plot.clientWidth,
      height,
      margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom },
      showlegend: false,
      hovermode: false,
      dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: theme.well,
      font: { family: theme.font, color: theme.quiet, size: theme.label },
      shapes: [],
      xaxis: {
        anchor: `y${rows.length}`,
        range: [-0.5, Math.max(1, state.L) - 0.5],
        showgrid: false,
        zeroline: false,
        fixedrange: true,
        tickmode: "array",
        tickvals: ticks,
        ticktext: ticks.map((k) => `${arrays.step[k]}`),
        title: { text: tr("optimiser step"), standoff: 4 },
      },
    };
    rows.forEach((row, k) => {
      const { top, height: tall } = places[k];
      const id = k ? k + 1 : "";
      const marks = [row.chance, row.solved].filter((v) => v != null);
      const known = header.nets.flatMap(({ name }) => Array.from(arrays[`${name}.${row.signal}`]));
      const range = row.range ?? (row.log ? decades([...known, ...marks]) : null);
      layout[`yaxis${id}`] = {
        domain: [1 - (top + tall - MARGIN.top) / inner, 1 - (top - MARGIN.top) / inner].map((v) => clamp(v, 0, 1)),
        type: row.log ? "log" : "linear",
        fixedrange: true,
        nticks: 4,
        showgrid: true,
        gridcolor: theme.rule,
        zeroline: false,
        tickfont: { family: theme.mono, size: theme.small },
        exponentformat: "power",
        ...(range ? { range } : {}),
      };
      for (const { name, line } of header.nets) {
        const values = arrays[`${name}.${row.signal}`];
        traces.push({
          type: "scatter",
          mode: state.L < 60 ? "lines+markers" : "lines",
          connectgaps: true,
          y: Array.from(values, (v) => (Number.isFinite(v) ? v : null)),
          yaxis: `y${id}`,
          line: { color: theme.lines[line], width: 2 },
          marker: { size: 4 },
          hoverinfo: "skip",
        });
      }
      for (const [value, dash] of [
        [row.chance, "dash"],
        [row.solved, "dot"],
      ]) {
        if (value != null)
          layout.shapes.push({
            type: "line",
            xref: "paper",
            x0: 0,
            x1: 1,
            yref: `y${id}`,
            y0: value,
            y1: value,
            line: { color: theme.quiet, width: 1, dash },
          });
      }
    });
    return { traces, layout, places, height };
  }

  inspect(step) {
    this.clock.textContent = tr("step {step}", { step: this.arrays.step[step] ?? 0 });
  }

  /**
   * @param {Place<LearningRow>} place
   * @returns {Tip}
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
    return this.clock.textContent;
  }

  move(step) {
    super.move(step);
    this.follow = this.state.step === this.state.L - 1;
    // One message at a time: the next checkpoint is asked for when the last one has been drawn, or after a while.
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.ask(false), this.timer ? 0 : 60);
    // What stands beside the picture is drawn anew too, but only once the hand rests.
    clearTimeout(this.resting);
    if (!this.timer) this.resting = setTimeout(() => this.ask(true), 400);
  }

  ask(rests) {
    if (this.gone) return;
    this.send({
      type: "checkpoint",
      run: this.header.run,
      index: this.state.step,
      follow: this.follow,
      rests,
      at: performance.now(),
    });
  }

  destroy() {
    super.destroy();
    clearTimeout(this.asking);
    clearTimeout(this.resting);
  }
}
