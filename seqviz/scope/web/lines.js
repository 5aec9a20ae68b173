// The equations beside the drawing, with their numbers: for one unit, or for all units as strips; each sum can be
// taken apart into what every input and every unit gave to it.

import { generalBars, generalNumbers } from "./equations.js";
import { rowsOf } from "./diagrams.js";
import { el, typeset, visible } from "./dom.js";
import { tr, trn } from "./language.js";
import { number } from "./numbers.js";
import { Vectors, ask } from "./vectors.js";

const MOST = 7; // single contributions of a term; the others are added up
const span = (link, ...children) => el("span", { "data-link": link }, ...children);
// A line may break before the sign of its result, not between the two.
const result = (link, look, worth) =>
  el(
    "span",
    {},
    el("span", { class: "sv-result" }, "= ", el("span", { "data-link": link, class: look }, worth[0])),
    ...worth.slice(1),
  );
const flat = (part) => (typeof part === "string" ? part : part.text.map(flat).join(""));
const plus = (value) => (value < 0 ? ` − ${number(-value)}` : ` + ${number(value)}`);
const before = (name) => name.replace(/_$/, "₋₁");

/** @import { Form } from "./form.js" */

export class Lines {
  // peek(unit or null): a strip is hovered; choose(unit): it is clicked; open(line): a line is to be taken apart;
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
  build({ lines, relu }, held) {
    this.relu = relu;
    const spell = (part) =>
      typeof part === "string"
        ? typeset(relu ? part.replace("tanh", "relu") : part)
        : [el("span", { "data-link": part.link, tabindex: "0" }, ...part.text.flatMap(spell))];
    this.lines = lines.map((line) => {
      const name = line.gate ?? line.value;
      const sum = !!line.gate || line.terms.length > 1;
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
      const some = [...held].some((signal) => signal.replace(/_(pre|ih|hh)$/, "") === name);
      const head = el(
        "div",
        {
          class: `sv-lawline ${sum ? "sv-openable" : ""}`,
          "data-link": name,
          onclick: () => {
            if (sum) this.hands.open(line);
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

  // v: one unit's numbers; all: whether they are shown as vectors, by strip(); hides(name): if it is to be guessed;
  // held(name): in whose words it is held by hand, if it is.
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
      numbers.replaceChildren(...(all ? [] : this.numbers(line, here)));
      const open = sum && opened === line;
      if (sum) {
        opener.setAttribute("aria-expanded", `${open}`);
        opener.textContent = open ? "▾" : "▸";
      }
      bars.hidden = !open;
      bars.replaceChildren(
        ...(open ? (line.general ? generalBars(line, names, reading, this) : this.bars(line, names, reading)) : []),
      );
    }
  }

  // all: the vectors by name.
  strip(all, reading) {
    for (const { line, strips, pending } of this.lines)
      strips.show(all, { ...reading, pending, gate: line.squash === "σ" ? (line.gate ?? line.value) : null });
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
    return set.length ? [number(reading.v.made[name]), ...set] : [this.read(name, reading)];
  }

  numbers(line, reading) {
    if (line.general) return generalNumbers(line, reading, this);
    return line.gate ? this.sum(line, reading) : this.products(line, reading);
  }

  sum(line, reading) {
    const { v, hides } = reading;
    const p = v.parts[line.gate];
    const [x, h] = [line.law[2].link, line.law[4].link];
    const [ih, hh, pre] = ["ih", "hh", "pre"].map((part) => `${line.gate}_${part}`);
    // A part that is held stands in brackets, so that nobody takes what follows for a part of it.
    const part = (name, weight, bias, brackets = ["[", "]"]) => {
      if (hides(name)) return [this.read(name, reading)];
      const set = this.set(name, reading);
      const [open, close] = set.length ? brackets : ["", ""];
      return [`${open}${number(weight)}${plus(bias)}`, ...set, close];
    };
    const joined = line.reset
      ? [" + ", span(h, this.read("r", reading), " × (", ...part(hh, p.sh, p.bh, ["", ""]), ")")]
      : hides(hh) || this.set(hh, reading).length
        ? [" + ", span(h, ...part(hh, p.sh, p.bh))]
        : [span(h, `${plus(p.sh)}${plus(p.bh)}`)];
    return [
      `= ${this.relu ? "relu" : line.squash}(`,
      span(x, ...part(ih, p.sx, p.bx)),
      ...joined,
      ...this.set(pre, reading),
      ") ",
      result(line.gate, reading.pending && "sv-dim", this.worth(line.gate, reading)),
    ];
  }

  // A line's value behind its equation.
  result(name, reading) {
    return result(name, null, this.worth(name, reading));
  }

  products(line, reading) {
    const product = ([link, a, b]) => span(link, this.read(a, reading), " × ", this.read(b, reading));
    return [
      "= ",
      ...line.terms.map((term) => (typeof term === "string" ? ` ${term} ` : product(term))),
      " ",
      result(line.value, null, this.worth(line.value, reading)),
    ];
  }

  // Bars that add up: the single contributions to each term, the terms to the total. What is to be guessed has neither
  // a number nor a length, nor a say in how long the others are.
  bars(line, names, reading) {
    const { v, hides, held } = reading;
    const rows = [];
    const add = (look, label, value, secret = "") => rows.push({ look, label, value: secret ? null : value, secret });
    const level = (look, label, name, made, value, secret = hides(name) ? name : "") => {
      add(look, label, made, secret);
      if (held(name) && !secret) add(`${look} sv-held`, tr("set to"), value);
    };
    for (const [link, a, b] of line.gate ? [] : line.terms.filter((term) => typeof term !== "string"))
      add("sv-subtotal", `${before(a)} · ${before(b)}`, v[link], hides(link) ? link : "");
    for (const { title, name, factor, secret, closed, members } of line.gate ? groups(line, v, names, hides) : []) {
      level("sv-subtotal", title, name, factor * v.made[name], factor * v[name], secret);
      if (secret || closed) continue;
      const ranked = members.slice().sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
      for (const [label, part] of ranked.slice(0, MOST)) add("sv-part", label, part);
      if (ranked.length > MOST)
        add(
          "sv-part",
          trn("{count} other", "{count} others", ranked.length - MOST),
          ranked.slice(MOST).reduce((total, [, part]) => total + part, 0),
        );
    }
    const total = line.gate ? `${line.gate}_pre` : line.value;
    level("sv-total", tr("sum"), total, v.made[total], v[total]);
    return this.drawBars(rows, reading);
  }

  // rows: {look, label, value, secret} each, `secret` the name of what is to be guessed.
  drawBars(rows, reading) {
    const { theme } = reading;
    const most = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)).filter(Number.isFinite));
    return rows.map(({ look, label, value, secret }) => {
      const width = secret || Number.isNaN(value) ? 0 : Math.min(50, (50 * Math.abs(value)) / most);
      return el(
        "div",
        { class: `sv-barrow ${look}` },
        el("span", {}, ...typeset(label)),
        el(
          "i",
          {},
          el("b", {
            style: `width:${width}%;${value < 0 ? "right:50%" : "left:50%"};background:${value < 0 ? theme.diverging[1][1] : theme.diverging[3][1]}`,
          }),
        ),
        el("span", { class: "sv-barvalue" }, secret ? this.read(secret, reading) : number(value)),
      );
    });
  }
}

// The two terms of a gate's sum, each with what every input or every unit contributed, unless it is `closed`: the parts
// would give away what is to be guessed.
function groups(line, v, names, hides) {
  const p = v.parts[line.gate];
  const [ih, hh] = [`${line.gate}_ih`, `${line.gate}_hh`];
  const [factor, times] = line.reset ? [v.r, "r · "] : [1, ""];
  return [
    {
      title: flat(line.law[2]),
      name: ih,
      factor: 1,
      secret: hides(ih) ? ih : "",
      closed: hides("x"),
      members: [
        ...p.wx.map((value, k) => [names ? `w · x “${visible(names[k])}”` : `w · x[${k}]`, value]),
        [line.biases[0], p.bx],
      ],
    },
    {
      title: flat(line.law[4]),
      name: hh,
      factor,
      secret: [hh, ...(line.reset ? ["reset"] : [])].find(hides) ?? "",
      closed: hides("h_"),
      members: [
        ...p.wh.map((value, k) => [`${times}w · h₋₁[${k}]`, factor * value]),
        [`${times}${line.biases[1]}`, factor * p.bh],
      ],
    },
  ];
}
