// The equations beside the drawing, with their numbers: for one unit, or for all units as strips; each sum can be
// taken apart into what every input and every unit gave to it.

import { LINES } from "./diagrams.js";
import { el, number, tr, typeset, visible } from "./kit.js";
import { Vectors } from "./vectors.js";

const MOST = 7; // single contributions of a term; the others are added up
const span = (link, ...children) => el("span", { "data-link": link }, ...children);
const flat = (part) => (typeof part === "string" ? part : part.text.map(flat).join(""));
const plus = (value) => (value < 0 ? ` − ${number(-value)}` : ` + ${number(value)}`);
const before = (name) => name.replace(/_$/, "₋₁");

export class Lines {
  // peek(unit or null): a strip is hovered; choose(unit): it is clicked; open(line): a line is to be taken apart.
  constructor({ peek, choose, open }) {
    Object.assign(this, { peek, choose, open });
    this.root = el("div", { class: "sv-lines" });
  }

  build(kind, relu) {
    this.relu = relu;
    const spell = (part) => (typeof part === "string" ? typeset(relu ? part.replace("tanh", "relu") : part) : [el("span", { "data-link": part.link, tabindex: "0" }, ...part.text.flatMap(spell))]);
    this.lines = LINES[kind].map((line) => {
      const name = line.gate ?? line.value;
      const sum = !!line.gate || line.terms.length > 1;
      const [numbers, bars] = [el("div", { class: "sv-numbers" }), el("div", { class: "sv-bars" })];
      const opener = sum && el("button", { type: "button", class: "sv-opener", "aria-expanded": "false", "aria-label": tr("What the sum is made of"), title: tr("What the sum is made of"), text: "▸" });
      const strips = new Vectors(line.rows, this.peek, this.choose);
      const head = el("div", { class: `sv-lawline ${sum ? "sv-openable" : ""}`, "data-link": name, onclick: () => { if (sum) this.open(line); } }, strips.range,
        el("b", { style: `color: var(--sv-hue-${name})` }, ...(sum ? [opener] : []), ...line.law.flatMap(spell)), numbers);
      return { line, sum, numbers, bars, head, opener, strips, root: el("div", { class: "sv-eq" }, head, bars) };
    });
    this.root.replaceChildren(...this.lines.map((shown) => shown.root));
  }

  // v: one unit's numbers; all: whether they are shown as vectors, by strip(); say(name): a value as it may be read;
  // hides(name): whether it is to be guessed; held(name): in whose words it is held by hand, if it is.
  show({ v, all, phase, opened, names, ...reading }) {
    for (const shown of this.lines) {
      const { line, sum, numbers, bars, head, opener, strips, root } = shown;
      const reached = line.phase <= (phase ?? Infinity);
      root.classList.toggle("sv-dim", !reached);
      root.inert = !reached;
      if (!all) strips.root.remove();
      else if (!strips.root.isConnected) head.after(strips.root);
      numbers.hidden = all;
      strips.range.hidden = !all;
      numbers.replaceChildren(...(all ? [] : line.gate ? this.sum(line, v, reading) : this.products(line, v, reading)));
      const open = sum && opened === line;
      if (sum) {
        opener.setAttribute("aria-expanded", `${open}`);
        opener.textContent = open ? "▾" : "▸";
      }
      bars.hidden = !open;
      bars.replaceChildren(...(open ? this.bars(line, v, names, reading) : []));
    }
  }

  // all: the vectors by name.
  strip(all, reading) {
    for (const { line, strips } of this.lines) strips.show(all, { ...reading, gate: line.squash === "σ" ? line.gate : null });
  }

  // A value behind what its own equation gives, where somebody holds it at another one.
  worth(name, v, { say, held, hides }) {
    const rule = held(name);
    if (!rule || hides(name)) return [say(name)];
    return [`${number(v.made[name])}, `, el("span", { class: "sv-held", title: rule }, tr("set to {value}", { value: say(name) }))];
  }

  sum(line, v, reading) {
    const { say, hides, held } = reading;
    const p = v.parts[line.gate];
    const [x, h] = [line.law[2].link, line.law[4].link];
    const [ih, hh, pre] = ["ih", "hh", "pre"].map((part) => `${line.gate}_${part}`);
    const set = (name) => (held(name) && !hides(name) ? [", ", el("span", { class: "sv-held", title: held(name) }, tr("set to {value}", { value: say(name) }))] : []);
    const term = (name, ...text) => (hides(name) ? ["?"] : [...text, ...set(name)]);
    const joined = line.reset
      ? [" + ", span(h, `${say("r")} × (`, ...term(hh, `${number(p.sh)}${plus(p.bh)}`), ")")]
      : hides(hh) ? [" + ", span(h, "?")] : [span(h, ...term(hh, `${plus(p.sh)}${plus(p.bh)}`))];
    return [`= ${this.relu ? "relu" : line.squash}(`, span(x, ...term(ih, `${number(p.sx)}${plus(p.bx)}`)), ...joined, ...set(pre), ") = ", span(line.gate, ...this.worth(line.gate, v, reading))];
  }

  products(line, v, reading) {
    const { say } = reading;
    const product = ([link, a, b]) => span(link, `${say(a)} × ${say(b)}`);
    return ["= ", ...line.terms.map((term) => (typeof term === "string" ? ` ${term} ` : product(term))), " = ", span(line.value, ...this.worth(line.value, v, reading))];
  }

  // Bars that add up: the single contributions to each term, the terms to the total. What is to be guessed has neither
  // a number nor a length, nor a say in how long the others are.
  bars(line, v, names, { hides, held, theme }) {
    const colors = theme.diverging;
    const rows = [];
    const add = (look, label, value, secret = false) => rows.push({ look, label, value: secret ? null : value });
    const level = (look, label, name, made, value, secret = hides(name)) => {
      add(look, label, made, secret);
      if (held(name) && !secret) add(`${look} sv-held`, tr("set to"), value);
    };
    if (!line.gate) for (const [link, a, b] of line.terms.filter((term) => typeof term !== "string")) add("sv-subtotal", `${before(a)} · ${before(b)}`, v[link], hides(link));
    for (const { title, name, factor, secret, closed, members } of line.gate ? groups(line, v, names, hides) : []) {
      level("sv-subtotal", title, name, factor * v.made[name], factor * v[name], secret);
      if (secret || closed) continue;
      const ranked = members.slice().sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
      for (const [label, part] of ranked.slice(0, MOST)) add("sv-part", label, part);
      if (ranked.length > MOST) add("sv-part", tr("{count} others", { count: ranked.length - MOST }), ranked.slice(MOST).reduce((total, [, part]) => total + part, 0));
    }
    const total = line.gate ? `${line.gate}_pre` : line.value;
    level("sv-total", tr("sum"), total, v.made[total], v[total]);
    const most = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)).filter(Number.isFinite));
    return rows.map(({ look, label, value }) => {
      const width = value === null || Number.isNaN(value) ? 0 : Math.min(50, (50 * Math.abs(value)) / most);
      return el("div", { class: `sv-barrow ${look}` }, el("span", {}, ...typeset(label)),
        el("i", {}, el("b", { style: `width:${width}%;${value < 0 ? "right:50%" : "left:50%"};background:${value < 0 ? colors[1][1] : colors[3][1]}` })), el("span", { class: "sv-barvalue", text: value === null ? "?" : number(value) }));
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
    { title: flat(line.law[2]), name: ih, factor: 1, secret: hides(ih), closed: hides("x"),
      members: [...p.wx.map((value, k) => [names ? `x “${visible(names[k])}”` : `x[${k}]`, value]), [line.biases[0], p.bx]] },
    { title: flat(line.law[4]), name: hh, factor, secret: hides(hh) || (!!line.reset && hides("reset")), closed: hides("h_"),
      members: [...p.wh.map((value, k) => [`${times}h[${k}]`, factor * value]), [`${times}${line.biases[1]}`, factor * p.bh]] },
  ];
}
