// A picture in a lesson's light: rows that are not spoken of stand back, and what is to be guessed is covered.

import { el } from "./dom.js";
import { tr } from "./language.js";
import { calm } from "./motion.js";
import { attend, named, rowNamed, spotlight } from "./spotlight.js";

const SPEED = "6"; // steps a second
const PANELS = ["scope", "cell", "flow"];
const SPECTRUM = "eigenvalues";
const BACK = 0.25; // how much is left of a curve that stands back

export class Spot {
  // panel: a Timeline.
  /** @param {any} panel */
  constructor(panel) {
    this.panel = panel;
    this.root = el("div", { class: "sv-spots" });
    this.due = !!spotlight.spot;
    panel.plot.append(this.root);
    this.unlisten = attend((moved) => this.heard(moved));
  }

  get spot() {
    const { header } = this.panel;
    return header && PANELS.includes(header.panel) && !header.plain ? spotlight.spot : null;
  }

  heard(moved) {
    if (!this.panel.header) return;
    this.due = moved;
    if (moved) this.place();
    this.paint();
  }

  // The picture was drawn: perhaps it is the one that the lesson speaks of now.
  drawn() {
    if (this.due) {
      this.due = false;
      this.place();
      this.play();
    }
    this.paint();
  }

  place() {
    const { panel, spot } = this;
    if (!spot) return;
    const { state } = panel;
    if (spot.unit !== null && "unit" in state) state.unit = Math.min(spot.unit, panel.header.hidden - 1);
    if (panel.header.panel === "cell") this.part();
    if (spot.step !== null) panel.move(spot.step);
    else panel.place();
    if (spot.light.includes(SPECTRUM)) panel.spectrum?.reveal();
  }

  part() {
    const { panel, spot } = this;
    panel.state.phase = panel.within(spot.part === null ? null : spot.part - 1);
  }

  play() {
    const { panel, spot } = this;
    if (!spot?.play || this.played === spot.key || calm()) return;
    this.played = spot.key;
    panel.state.step = 0;
    panel.state.speed = panel.time.speed.value = SPEED;
    panel.player.start();
  }

  paint() {
    const { panel, spot } = this;
    const covered = spot?.cover ?? [];
    panel.root.classList.toggle("sv-guessing", covered.length > 0);
    if (panel.header.panel === "cell") {
      this.coverCell(covered);
      return;
    }
    if (!panel.area.built) return;
    const curves = panel.header.curves?.map(({ name }) => name) ?? [];
    this.root.replaceChildren(
      ...panel.rows.flatMap((row, k) => this.over(row, panel.area.built.places[k], curves, covered)),
    );
    panel.rows.forEach((row, k) => {
      const hidden = covered.length > 0 && rowNamed(row, curves, covered);
      for (const layer of [panel.area.heads, panel.area.ends]) layer.children[k]?.classList.toggle("sv-hushed", hidden);
    });
    if (panel.header.panel === "flow") this.curves(covered);
  }

  // What lies over one row, if anything.
  over(row, { top, height }, curves, covered) {
    const { light = [] } = this.spot ?? {};
    const several = row.kind === "norm" || row.arrays;
    const style = `top:${top}px;height:${height}px`;
    if (rowNamed(row, curves, covered) && !several)
      return [
        el(
          "div",
          { class: "sv-cover", style, onpointermove: silent, onpointerdown: silent },
          el("b", { text: row.symbol }),
          el("span", { text: tr("? Guess first") }),
        ),
      ];
    return light.length && !rowNamed(row, curves, light) ? [el("div", { class: "sv-back", style })] : [];
  }

  // Several networks in one row: each curve has its own light.
  curves(covered) {
    const { panel, spot } = this;
    const graph = panel.area.graph;
    if (covered.length > 0 !== !!panel.state.secret && (covered.length || this.hid)) {
      this.hid = covered.length > 0;
      panel.hide();
    }
    const wanted = (spot?.light ?? []).filter((name) => graph.data?.some(({ meta }) => meta && named(meta, [name])));
    const traces = (graph.data ?? []).flatMap((trace, k) => (trace.meta ? [[k, trace]] : []));
    const opacity = traces.map(([, { meta }]) => {
      if (covered.length && named(meta, covered)) return 0;
      return wanted.length && !named(meta, wanted) ? BACK : 1;
    });
    if (traces.some(([, trace], k) => (trace.opacity ?? 1) !== opacity[k]))
      panel.area.Plotly.restyle(
        graph,
        { opacity },
        traces.map(([k]) => k),
      );
  }

  coverCell(covered) {
    const { panel, spot } = this;
    const key = covered.length ? spot.key : "";
    if (key === (this.covers ?? "")) return;
    this.covers = key;
    panel.state.covered = new Set(covered);
    panel.place();
  }

  destroy() {
    this.unlisten();
  }
}

const silent = (event) => event.stopPropagation();
