// The equations beside the drawing, with their numbers: for one unit, or for all units as strips; each sum can be
// taken apart into what every input and every unit gave to it.

import { barsOf, numbersOf } from "./equations.js";
import { el, typeset } from "./dom.js";
import { tr } from "./language.js";
import { number } from "./numbers.js";
import { flat } from "./terms.js";
import { rowsOf } from "./terms.js";
import { Vectors, ask } from "./vectors.js";

/** @import { Form } from "./form.js" */

export class Lines {
  // peek(unit or null): a strip is hovered; choose(unit): it is clicked; open(signal): its sum is to be taken apart;
  // reveal(name): a question mark is clicked.
  constructor(hands) {
    this.hands = hands;
    this.root = el("div", { class: "sv-lines" });
  }

  // held: the layer's signals that are held by hand somewhere.
  /**
   * @param {Form} form
   * @param {Set<string>} held
   */
  build({ lines }, held) {
    const spell = (part) =>
      typeof part === "string"
        ? typeset(part)
        : [el("span", { "data-link": part.link, tabindex: "0" }, ...part.text.flatMap(spell))];
    this.lines = lines.map((line) => {
      const { value: name, sum } = line;
      const [numbers, bars] = [el("div", { class: "sv-numbers" }), el("div", { class: "sv-bars" })];
      const opener =
        sum &&
        el("button", {
          type: "button",
          class: "sv-opener",
          "aria-expanded": "false",
          "aria-label": tr("What the sum of {gate} is made of", { gate: name }),
          title: tr("What the sum is made of"),
          text: "▸",
        });
      const strips = new Vectors(rowsOf(line, held), this.hands);
      const some = [...held].some((signal) => signal.split("_")[0] === name);
      const head = el(
        "div",
        {
          class: `sv-lawline ${sum ? "sv-openable" : ""}`,
          "data-link": name,
          onclick: () => {
            if (sum) this.hands.open(name);
          },
        },
        strips.range,
        el("b", { style: `color: var(--sv-hue-${name})` }, ...(sum ? [opener] : []), ...line.law.flatMap(spell)),
        numbers,
      );
      return {
        pending: false,
        line,
        sum,
        numbers,
        bars,
        head,
        opener,
        strips,
        root: el("div", { class: `sv-eq ${some ? "sv-some-held" : ""}` }, head, bars),
      };
    });
    this.root.replaceChildren(...this.lines.map((shown) => shown.root));
  }

  // v: one unit's numbers, `made` what they would be by their own lines, parts(product) its single products; all:
  // whether they are shown as vectors, by strip(); opened: the signal whose sum is taken apart; hides(name): if it is
  // to be guessed; held(name): in whose words it is held by hand, if it is.
  show({ all, phase, opened, names, ...reading }) {
    for (const shown of this.lines) {
      const { line, sum, numbers, bars, head, opener, strips, root } = shown;
      const reached = line.phase <= (phase ?? Infinity);
      root.classList.toggle("sv-dim", !reached);
      root.inert = !reached;
      if (!all) strips.root.remove();
      else if (!strips.root.isConnected) head.after(strips.root);
      numbers.hidden = all;
      strips.range.hidden = !all;
      shown.pending = phase !== null && phase < line.result;
      const here = { ...reading, pending: shown.pending };
      numbers.replaceChildren(...(all ? [] : numbersOf(line, here, this)));
      const open = sum && opened === line.value;
      if (sum) {
        opener.setAttribute("aria-expanded", `${open}`);
        opener.textContent = open ? "▾" : "▸";
      }
      bars.hidden = !open;
      bars.replaceChildren(...(open ? this.drawBars(barsOf(line, names, reading), reading) : []));
    }
  }

  // Every equation, and below it its numbers where they are shown, as lines of text.
  said() {
    return this.lines.flatMap(({ line, numbers }) => [
      line.law.map(flat).join(""),
      ...(numbers.hidden || !numbers.textContent ? [] : [numbers.textContent]),
    ]);
  }

  // all: the vectors by name.
  strip(all, reading) {
    for (const { line, strips, pending } of this.lines)
      strips.show(all, { ...reading, pending, gate: line.squash === "σ" ? line.value : null });
  }

  // A value, or a question mark that can be clicked.
  read(name, { v, hides }) {
    return hides(name) ? ask(() => this.hands.reveal(name)) : number(v[name]);
  }

  // Where somebody holds a value, what it is set to.
  set(name, { v, hides, held }) {
    const rule = hides(name) ? "" : held(name);
    return rule
      ? [", ", el("span", { class: "sv-held", title: rule, text: tr("set to {value}", { value: number(v[name]) }) })]
      : [];
  }

  // A value behind what its own equation gives, if somebody holds it at another one.
  worth(name, reading) {
    const set = this.set(name, reading);
    return set.length ? [number(reading.made[name]), ...set] : [this.read(name, reading)];
  }

  // A line's value behind its equation. A line may break before the sign of its result, not between the two.
  result(name, reading) {
    const [value, ...more] = this.worth(name, reading);
    const shown = el("span", { "data-link": name, class: reading.pending && "sv-dim" }, value);
    return el("span", {}, el("span", { class: "sv-result" }, "= ", shown), ...more);
  }

  // rows: {look, label, value, secret} each, `secret` the name of what is to be guessed.
  drawBars(rows, reading) {
    const { theme } = reading;
    const most = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)).filter(Number.isFinite));
    return rows.map(({ look, label, value, secret }) => {
      const width = secret || Number.isNaN(value) ? 0 : Math.min(50, (50 * Math.abs(value)) / most);
      const [side, ink] = value < 0 ? ["right", theme.diverging[1][1]] : ["left", theme.diverging[3][1]];
      return el(
        "div",
        { class: `sv-barrow ${look}` },
        el("span", {}, ...typeset(label)),
        el("i", {}, el("b", { style: `width:${width}%;${side}:50%;background:${ink}` })),
        el("span", { class: "sv-barvalue" }, secret ? this.read(secret, reading) : number(value)),
      );
    });
  }
}
