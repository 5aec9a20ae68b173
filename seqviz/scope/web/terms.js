// The equations of any cell as they are printed, out of its tape: a line a signal, term by term, each with the name of
// the value that it stands for.

import { nameOf, partOf, plain, termsOf } from "./cellgraph.js";
import { later } from "./language.js";

/** @import { CellDescription } from "./headers.js" */
/** @import { Described } from "./cellgraph.js" */
/**
 * A piece of an equation: text, or a part that stands for a value.
 * @typedef {string | {link: string, text: any[]}} Piece
 */
/**
 * A product with a matrix: its node, its name, `from` the value that is multiplied and `source` how that is printed.
 * @typedef {{node: number, name: string, from: string, source: string, weight: string, bias: string}} Product
 */
/**
 * `row`: it has a row of its own among the vectors, being neither a signal nor a plain number.
 * @typedef {{node: number, name: string, law: Piece[], product: Product | null, row: boolean}} Factor
 */
/**
 * @typedef {object} Term
 * @property {number} sign
 * @property {number} node
 * @property {string} name the value's
 * @property {string} link what it lights up with, "" where that is nothing that is drawn
 * @property {Piece[]} law
 * @property {Factor[]} factors the two values that it multiplies, if it does
 * @property {Product | null} product if it is one with a matrix
 */
/**
 * @typedef {object} Equation
 * @property {string} value the signal
 * @property {number} phase when the walk reaches its sum
 * @property {number} result and its value
 * @property {string} squash what its sum goes through, "" if nothing
 * @property {string} total the name of that sum, or of the value where nothing squashes it
 * @property {boolean} sum whether it can be taken apart
 * @property {boolean} weighed whether there are weights in it
 * @property {Piece[]} law
 * @property {Term[]} terms
 */

const SIGNS = { sigmoid: "σ", logsigmoid: "log σ", "*": " ⊙ ", "/": " / ", "+": " + ", "-": " − " };
const TIGHT = { "+": 1, "-": 1, affine: 1, "*": 2, "/": 2, "^": 3 }; // how strongly it binds; a call binds most
const LEAVES = ["x", "prev", "at", "vec", "const"];
const BINARY = ["+", "-", "*", "/", "^", "neg"];

/** @type {(piece: Piece) => string} */
export const flat = (piece) => (typeof piece === "string" ? piece : piece.text.map(flat).join(""));
/** @type {(law: Piece[]) => string} */
export const spelt = (law) => law.map(flat).join("");

// As it is written in a line of text: h₋₁ for h_{t−1}, and no t.
const SHORT = [
  [/_\{t−1\}/g, "₋₁"],
  [/(?<!\bb)_t\b/g, ""], // b_t is a bias
  [/ ⊙ /g, " · "],
];
/** @type {(text: string) => string} */
export const short = (text) =>
  SHORT.reduce((found, [from, to]) => found.replace(from, /** @type {string} */ (to)), text);

// A law with numbers in place of what it links to. A negative one stands in brackets, unless it begins a law or stands
// behind an opening bracket.
/** @type {(law: Piece[], v: Record<string, string>) => string} */
export function filled(law, v) {
  /** @type {(piece: Piece) => {text: string, own: boolean}[]} */
  const pieces = (piece) => {
    if (typeof piece === "string") return [{ text: piece.replace(" ⊙ ", " × "), own: false }];
    return v[piece.link] === undefined ? piece.text.flatMap(pieces) : [{ text: v[piece.link], own: true }];
  };
  return law.flatMap(pieces).reduce((said, { text, own }, k, all) => {
    const open = /(^|[(=,] ?)$/.test(said) && !all[k + 1]?.text.startsWith("^");
    return said + (own && text.startsWith("−") && !open ? `(${text})` : text);
  }, "");
}

export class Printed {
  /**
   * @param {Described} description
   * @param {(name: string) => boolean} carried whether a drawing has a wire for a value
   */
  constructor(description, carried = () => false) {
    this.description = description;
    this.carried = carried;
  }

  node(k) {
    return this.description.nodes[plain(this.description, k)];
  }

  // A value's name: a part's own, where it has one.
  name(k) {
    return partOf(this.description, plain(this.description, k));
  }

  // What a value lights up with: its own wire, else the one that is folded into the box behind it.
  link(k) {
    if (this.carried(this.name(k))) return this.name(k);
    const [op, args] = this.node(k);
    if (op === "affine") return this.name(args[0]);
    const weight = op === "*" && args.find((a) => this.node(a)[0] === "vec");
    return weight === false || weight === undefined ? "" : this.name(args.find((a) => a !== weight) ?? weight);
  }

  /** @type {(k: number, tight?: number) => Piece[]} */
  spell(k, tight = 0) {
    const [op, args, name, bias, value] = this.node(k);
    if (op === "x") return [{ link: "x", text: ["x_t"] }];
    if (op === "prev") return [{ link: `${name}_`, text: [`${name}_{t−1}`] }];
    if (op === "at") return [{ link: name, text: [`${name}_t`] }];
    if (op === "vec") return [name];
    if (op === "const") return [`${value}`];
    const inner = this.inside(op, args, name, bias, value);
    const text = (TIGHT[op] ?? 9) < tight ? ["(", ...inner, ")"] : inner;
    const link = this.link(k);
    if (!link) return text;
    const folded = op === "affine" && LEAVES.includes(this.node(args[0])[0]);
    return [{ link, text: folded || !this.carried(this.name(k)) ? [spelt(text)] : text }];
  }

  inside(op, args, name, bias, value) {
    if (op === "affine") return [`${name} `, ...this.spell(args[0], 3), ...(bias ? [` + ${bias}`] : [])];
    if (op === "neg") return ["−", ...this.spell(args[0], 2)];
    if (op === "^") return [...this.spell(args[0], 4), `^${value}`];
    if (op in TIGHT)
      return [...this.spell(args[0], TIGHT[op]), SIGNS[op], ...this.spell(args[1], TIGHT[op] + +"-/".includes(op))];
    return [`${SIGNS[op] ?? op}(`, ...args.flatMap((a, i) => [...(i ? [", "] : []), ...this.spell(a)]), ")"];
  }

  weighed(k) {
    const [op, args] = this.node(k);
    return op === "affine" || op === "vec" || (op !== "at" && args.some((a) => this.weighed(a)));
  }

  /** @type {(k: number) => Product | null} */
  product(k) {
    const node = plain(this.description, k);
    const [op, args, weight, bias] = this.description.nodes[node];
    if (op !== "affine") return null;
    return {
      node,
      name: this.name(k),
      from: this.name(args[0]),
      source: short(spelt(this.spell(args[0], 3))),
      weight,
      bias,
    };
  }

  /** @type {(k: number) => Factor} */
  factor(k) {
    const [op] = this.node(k);
    const row = !["at", "vec", "const", "x", ...BINARY].includes(op);
    const node = plain(this.description, k);
    return { node, name: this.name(k), law: this.spell(k), product: this.product(k), row };
  }

  /** @type {(term: {sign: number, k: number}) => Term} */
  term({ sign, k }) {
    const [op, args] = this.node(k);
    const factors = op === "*" ? args.map((a) => this.factor(a)) : [];
    const [node, name, link] = [plain(this.description, k), this.name(k), this.link(k)];
    return { sign, node, name, link, law: this.spell(k, 1), factors, product: this.product(k) };
  }

  /** @type {(signal: string, phase: number) => Equation} */
  equation(signal, phase) {
    const { nodes, where } = this.description;
    const top = nodes[where[signal]][1][0];
    const [op, args] = nodes[top];
    const squashes = args.length === 1 && !["affine", "neg", "^", ...LEAVES].includes(op);
    const terms = termsOf(this.description, squashes ? args[0] : top).map((term) => this.term(term));
    const squash = squashes ? (SIGNS[op] ?? op) : "";
    const joined = terms.flatMap(({ sign, law }, i) => [...(i || sign < 0 ? [sign < 0 ? " − " : " + "] : []), ...law]);
    const law = [{ link: signal, text: [`${signal}_t`] }, ` = ${squash && `${squash}(`}`, ...joined, squash && ")"];
    const sum = terms.length > 1 || terms.some(({ product }) => product);
    const total = `${signal}_pre` in where ? `${signal}_pre` : signal;
    return { value: signal, phase, result: phase, squash, total, sum, weighed: this.weighed(top), law, terms };
  }
}

/**
 * @param {Described} description
 * @param {(name: string) => boolean} [carried]
 * @returns {Equation[]}
 */
export function equationsOf(description, carried) {
  const printed = new Printed(description, carried);
  return inOrder(description).map((signal, k) => printed.equation(signal, k + 1));
}

// The signals as a lecturer tells them.
/** @type {(description: CellDescription) => string[]} */
function inOrder({ told, signals }) {
  return [...told.filter((name) => signals.includes(name)), ...signals.filter((name) => !told.includes(name))];
}

// An equation's rows where all units are shown at once, [text, name of the value, link]: its terms, what they multiply,
// the sum and the value. Where somebody holds a part of the sum it has one row instead of two.
/**
 * @param {Equation} line
 * @param {Set<string>} held signals that are held by hand somewhere
 * @returns {string[][]}
 */
export function rowsOf({ value, terms, total, sum }, held) {
  /** @type {(product: Product, law: Piece[], link: string) => string[][]} */
  const product = ({ name, bias }, law, link) => {
    const text = spelt(law);
    if (!bias || held.has(name)) return [[text, name, link]];
    return [
      [text.slice(0, text.lastIndexOf(" + ")), `${name}:w`, link],
      [bias, `${name}:b`, link],
    ];
  };
  const rows = terms.flatMap(({ name, law, link, factors, product: own }) => {
    if (own) return product(own, law, link);
    const inner = factors.filter(({ row }) => row).map((factor) => [spelt(factor.law), factor.name, factor.name]);
    return sum || total !== value ? [...inner, [spelt(law), name, link || value]] : inner;
  });
  if (total !== value) rows.push([later("sum"), total, value]);
  return [...rows, [`${value}_t`, value, value]];
}

// When the walk reaches a value: with the signal whose line makes it, and what comes in first.
/**
 * @param {Described} description
 * @returns {Record<string, number>}
 */
export function phasesOf(description) {
  const { nodes, where } = description;
  /** @type {Record<string, number>} */
  const found = {};
  const reach = (k, phase) => {
    const name = nameOf(description, k);
    if (name in found) return;
    const [op, args] = nodes[k];
    found[name] = op === "x" || op === "prev" ? 0 : phase;
    for (const a of args) reach(a, phase);
  };
  inOrder(description).forEach((signal, k) => reach(where[signal], k + 1));
  return found;
}
