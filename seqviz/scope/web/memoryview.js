// The four pictures of a step beside each other: before, what is kept, what is poured in, what shows; played one after
// the other, so that every number is written when its motion ends.

import { button } from "./controls.js";
import { el, svg } from "./dom.js";
import { tr } from "./language.js";
import { amounts, phaseAt, PHASES, reach, scene, tankOf, TIMES } from "./memory.js";
import { calm } from "./motion.js";
import { number } from "./numbers.js";
import { hue, said, TankDrawing } from "./tank.js";

/** @import { Tank } from "./memory.js" */

const END = TIMES[PHASES - 1][1];

export class MemoryView {
  /** @type {Tank | null} */
  tank = null;
  /** @type {number | undefined} */
  frame;
  /** @type {Record<string, any>} */
  v;
  /** @type {import("./theme.js").Theme} */
  theme;
  /** @type {(name: string) => boolean} whether a value is to be guessed */
  hides;

  constructor() {
    const label = tr("Play this step");
    this.play = button(`▶ ${label}`, tr("Watch the memory change, part by part"), () => this.run());
    this.play.classList.add("sv-memory-play");
    this.cards = el("div", { class: "sv-memory-cards" });
    this.root = el("div", { class: "sv-memory" }, this.cards);
    this.root.hidden = this.play.hidden = true;
  }

  /** @param {import("./headers.js").CellDescription} description */
  of(description) {
    this.tank = tankOf(description);
    const { tank } = this;
    const count = !tank ? 0 : tank.shutter ? 4 : 3;
    this.pictures = Array.from({ length: count }, () => svg("svg", { class: "sv-tank", role: "img" }));
    this.parts = this.pictures.map((picture) => ({
      title: el("h3"),
      note: el("p"),
      line: el("p", { class: "sv-memory-line" }),
      picture,
    }));
    this.cards.replaceChildren(
      ...this.parts.map(({ title, note, picture, line }) =>
        el("section", { class: "sv-memory-card" }, title, note, picture, line),
      ),
    );
    this.cards.style.setProperty("--sv-cards", `${count}`);
  }

  // v: the numbers of the step; all: those of the state over the run; lively: whether it moves.
  /** @param {{v: any, all: number[], theme: any, hides: (name: string) => boolean, lively: boolean}} shown */
  show({ v, all, theme, hides, lively }) {
    if (!this.tank) return;
    Object.assign(this, { v, theme, hides });
    this.sizes = amounts(this.tank, v);
    this.reach = reach([...all, this.sizes.kept]);
    this.play.hidden = calm();
    this.words();
    cancelAnimationFrame(this.frame);
    if (lively) this.run();
    else this.draw(PHASES);
  }

  run() {
    cancelAnimationFrame(this.frame);
    if (calm()) {
      this.draw(PHASES);
      return;
    }
    const begun = performance.now();
    const next = (time) => {
      const ms = Math.max(0, time - begun);
      this.draw(phaseAt(Math.min(ms, END)));
      if (ms < END) this.frame = requestAnimationFrame(next);
    };
    this.frame = requestAnimationFrame(next);
  }

  // Every picture goes as far as its own part of the motion; its line is there once that has ended.
  draw(at) {
    const { tank, sizes, v, theme, hides } = this;
    this.root.dataset.at = `${Math.round(1000 * at) / 1000}`;
    const type = { letters: theme.label, large: Math.round(1.2 * theme.label) };
    this.parts.forEach(({ picture, line }, k) => {
      const own = Math.min(at, k);
      const [width, height] = [Math.max(240, picture.clientWidth), Math.max(220, picture.clientHeight)];
      const drawn = { tank, sizes, scene: scene(sizes, own), v, reach: this.reach, width, height, type };
      picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      picture.replaceChildren(...new TankDrawing({ ...drawn, scale: theme.diverging, hides }).draw());
      line.classList.toggle("sv-waits", own < k);
    });
  }

  // One sentence, for the top of the page.
  sentence(step, unit) {
    const { tank, v, sizes, hides } = this;
    const secret = [tank.gate, ...tank.pour, tank.state].some(hides);
    if (secret) return tr("Step {step}, unit {unit}: how much of the old memory stays?", { step, unit });
    const kept = `${Math.round(100 * v[tank.gate])}`;
    const values = { step, unit, kept, written: number(sizes.written, 2) };
    if (!tank.shutter)
      return tr("Step {step}, unit {unit}: {kept}% of the old state stays, {written} is poured in.", values);
    const shown = `${Math.round(100 * v[tank.shutter.gate])}`;
    return tr("Step {step}, unit {unit}: {kept}% of the old memory stays, {written} is poured in, {shown}% shows.", {
      ...values,
      shown,
    });
  }

  words() {
    const { tank, v, sizes, hides } = this;
    const says = (name, value = v[name]) => (hides(name) ? "?" : number(value, 3));
    const [one, two] = tank.pour;
    const colored = (name) => el("b", { style: `color:${hue(name)}`, text: says(name) });
    const result = (name, value) => el("b", { text: says(name, value) });
    const kept = says(tank.gate, sizes.kept);
    const lines = [
      [`${said(`${tank.state}_`)} = `, result(`${tank.state}_`, sizes.before)],
      [colored(tank.gate), ` × ${says(`${tank.state}_`)} = `, el("b", { text: kept })],
      [`${kept} + `, colored(one), " × ", colored(two), " = ", result(tank.state, sizes.now)],
    ];
    const told = [
      [tr("Before"), tr("The tank holds what the last step left.")],
      [
        tr("{gate} shrinks it", { gate: said(tank.gate) }),
        tr("{gate} lets {share} of it through.", { gate: said(tank.gate), share: says(tank.gate) }),
      ],
      [
        tr("{one} · {two} pours in", { one: said(one), two: said(two) }),
        tr("{one} opens to {share}, on a candidate of {candidate}.", {
          one: said(one),
          share: says(one),
          candidate: says(two),
        }),
      ],
    ];
    if (tank.shutter) {
      const { gate, out, through } = tank.shutter;
      const whole = hides(tank.state) ? "?" : number(sizes.whole, 3);
      lines.push([colored(gate), ` × ${whole} = `, result(out, sizes.out)]);
      told.push([
        tr("{gate} is a shutter on {out}", { gate: said(gate), out }),
        tr("It uncovers {share} of {through}({state}) = {whole}. The tank stays full.", {
          share: says(gate),
          through,
          state: tank.state,
          whole,
        }),
      ]);
    }
    this.parts.forEach(({ title, note, line, picture }, k) => {
      [title.textContent, note.textContent] = told[k];
      line.replaceChildren(...lines[k]);
      picture.setAttribute("aria-label", `${told[k].join(": ")}`);
    });
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}
