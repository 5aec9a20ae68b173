// The equations beside the drawing, with their numbers: for one unit, or for all units as strips; each sum can be
// taken apart into what every input and every unit gave to it.

import { LINES } from "./diagrams.js";
import { el, number, tr, visible } from "./kit.js";
import { Vectors } from "./vectors.js";

const MOST = 7; // single contributions of a term; the others are added up
const span = (link, text) => el("span", { "data-link": link, text });
const spelled = (part) => (typeof part === "string" ? part : part.text.map(spelled).join(""));
const plus = (value) => (value < 0 ? ` − ${number(-value)}` : ` + ${number(value)}`);

export class Lines {
  // peek(unit or null): a strip is hovered; choose(unit): it is clicked; open(line): a line is to be taken apart.
  constructor({ peek, choose, open }) {
    Object.assign(this, { peek, choose, open });
    this.root = el("div", { class: "sv-lines" });
  }

  build(kind, relu) {
    this.relu = relu;
    this.lines = LINES[kind].map((line) => {
      const name = line.gate ?? line.value;
      const spell = (part) => (typeof part === "string" ? (relu ? part.replace("tanh", "relu") : part) : el("span", { "data-link": part.link }, ...part.text.map(spell)));
      const [numbers, bars] = [el("span", { class: "sv-numbers" }), el("div", { class: "sv-bars" })];
      const inside = [el("b", { style: `color: var(--sv-hue-${name})` }, ...line.law.map(spell)), numbers];
      const sum = !!line.gate || line.terms.length > 1;
      const head = sum ? el("button", { type: "button", class: "sv-lawline", "data-link": name, "aria-expanded": "false", title: tr("What the sum is made of"), onclick: () => this.open(line) }, ...inside)
        : el("div", { class: "sv-lawline", "data-link": name }, ...inside);
      const strips = new Vectors(line.rows, this.peek, this.choose);
      return { line, name, sum, numbers, bars, head, strips, root: el("div", { class: "sv-eq" }, head, strips.root, bars) };
    });
    this.root.replaceChildren(...this.lines.map((shown) => shown.root));
  }

  // all: the vectors by name, or null for one unit; say(name): a value as it may be read.
  show({ v, all, say, phase, opened, names, colors, ...strip }) {
    for (const shown of this.lines) {
      const { line, sum, numbers, bars, head, strips, root } = shown;
      root.classList.toggle("sv-dim", line.phase > (phase ?? Infinity));
      strips.root.hidden = !all;
      numbers.hidden = !!all;
      if (all) strips.show(all, { ...strip, gate: line.squash === "σ" ? line.gate : null });
      numbers.replaceChildren(...(line.gate ? this.sum(line, v, say) : this.products(line, say)));
      const open = sum && opened === line;
      if (sum) head.setAttribute("aria-expanded", `${open}`);
      bars.hidden = !open;
      bars.replaceChildren(...(open ? this.bars(line.gate ? parts(line, v, names) : [], line, v, say, colors) : []));
    }
  }

  strip(all, options) {
    for (const { line, strips } of this.lines) strips.show(all, { ...options, gate: line.squash === "σ" ? line.gate : null });
  }

  sum(line, v, say) {
    const p = v.parts[line.gate];
    const [x, before] = [line.law[2].link, line.law[4].link];
    const tail = line.reset ? [" + ", span(before, `${say("r")} × (${number(p.sh)}${plus(p.bh)})`)] : [span(before, `${plus(p.sh)}${plus(p.bh)}`)];
    return [` = ${this.relu ? "relu" : line.squash}(`, span(x, `${number(p.sx)}${plus(p.bx)}`), ...tail, ") = ", span(line.gate, say(line.gate))];
  }

  products(line, say) {
    const product = ([link, a, b]) => span(link, `${say(a)} × ${say(b)}`);
    return [" = ", ...line.terms.map((term) => (typeof term === "string" ? ` ${term} ` : product(term))), " = ", span(line.value, say(line.value))];
  }

  // Bars that add up: the single contributions to each term, the terms to the total.
  bars(groups, line, v, say, colors) {
    const name = line.gate ? `${line.gate}_pre` : line.value;
    const rows = line.gate ? [] : line.terms.filter((term) => typeof term !== "string").map(([link, a, b]) => ["sv-subtotal", `${a.replace(/_$/, "₋₁")} · ${b.replace(/_$/, "₋₁")}`, v[link], say(link)]);
    for (const { title, value, members } of groups) {
      rows.push(["sv-subtotal", title, value]);
      const ranked = members.slice().sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
      for (const [label, part] of ranked.slice(0, MOST)) rows.push(["sv-part", label, part]);
      if (ranked.length > MOST) rows.push(["sv-part", tr("{count} others", { count: ranked.length - MOST }), ranked.slice(MOST).reduce((total, [, part]) => total + part, 0)]);
    }
    rows.push(["sv-total", tr("sum"), v[name], say(name)]);
    const most = Math.max(1e-9, ...rows.map(([, , value]) => Math.abs(value)).filter(Number.isFinite));
    return rows.map(([look, label, value, said = number(value)]) => {
      const width = said === "?" || Number.isNaN(value) ? 0 : Math.min(50, (50 * Math.abs(value)) / most);
      return el("div", { class: `sv-barrow ${look}` }, el("span", { text: label }),
        el("i", {}, el("b", { style: `width:${width}%;${value < 0 ? "right:50%" : "left:50%"};background:${value < 0 ? colors[1][1] : colors[3][1]}` })), el("span", { class: "sv-barvalue", text: said }));
    });
  }
}

// The two terms of a gate's sum, each with what every input or every unit contributed.
function parts(line, v, names) {
  const p = v.parts[line.gate];
  const r = line.reset ? v.r : 1;
  const times = line.reset ? "r · " : "";
  return [
    { title: spelled(line.law[2]), value: v[`${line.gate}_ih`], members: [...p.wx.map((value, k) => [names ? `x “${visible(names[k])}”` : `x[${k}]`, value]), ["b_i", p.bx]] },
    { title: spelled(line.law[4]), value: r * v[`${line.gate}_hh`], members: [...p.wh.map((value, k) => [`${times}h[${k}]`, r * value]), [`${times}b_h`, r * p.bh]] },
  ];
}
