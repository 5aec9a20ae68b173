// The equations of any cell as they are printed, out of its tape: a line a signal, term by term, each with the name of
// the value that it stands for.

import { nameOf, plain, termsOf } from "./cellgraph.js";
import { later } from "./language.js";

/** @import { CellDescription } from "./headers.js" */
/**
 * A piece of an equation: text, or a part that stands for a value.
 * @typedef {string | {link: string, text: any[]}} Piece
 */
/**
 * @typedef {object} Term
 * @property {number} sign
 * @property {string} name the value's
 * @property {Piece} law
 * @property {string[]} factors the two values that it multiplies, if it does
 * @property {number | null} affine the node of its product with a matrix, if it has one
 */
/**
 * @typedef {object} Equation
 * @property {string} value the signal
 * @property {number} phase when the walk reaches it
 * @property {string} squash what its sum goes through, "" if nothing
 * @property {Piece[]} law
 * @property {Term[]} terms
 * @property {string[][]} rows of the vectors: text, name, link
 * @property {true} general not one of the drawn cells'
 */

const SIGNS = { sigmoid: "σ", logsigmoid: "log σ", "*": " ⊙ ", "/": " / ", "+": " + ", "-": " − " };
const TIGHT = { "+": 1, "-": 1, affine: 1, "*": 2, "/": 2, "^": 3 }; // how strongly it binds; a call binds most
const NAMED = ["x", "prev", "at"];

/** @type {(piece: Piece) => string} */
export const flat = (piece) => (typeof piece === "string" ? piece : piece.text.map(flat).join(""));

export class Printed {
  /** @param {CellDescription} description */
  constructor(description) {
    this.description = description;
  }

  /** @type {(k: number, tight?: number) => Piece[]} */
  spell(k, tight = 0) {
    const top = plain(this.description, k);
    const [op, args, name, bias, value] = this.description.nodes[top];
    if (op === "x") return [{ link: "x", text: ["x_t"] }];
    if (op === "prev") return [{ link: `${name}_`, text: [`${name}_{t−1}`] }];
    if (op === "at") return [{ link: name, text: [`${name}_t`] }];
    if (op === "vec") return [name];
    if (op === "const") return [`${value}`];
    const inner = this.inside(op, args, name, bias, value);
    return (TIGHT[op] ?? 9) < tight ? ["(", ...inner, ")"] : inner;
  }

  inside(op, args, name, bias, value) {
    if (op === "affine") return [`${name} `, ...this.spell(args[0], 3), ...(bias ? [` + ${bias}`] : [])];
    if (op === "neg") return ["−", ...this.spell(args[0], 2)];
    if (op === "^") return [...this.spell(args[0], 4), `^${value}`];
    if (op in TIGHT)
      return [...this.spell(args[0], TIGHT[op]), SIGNS[op], ...this.spell(args[1], TIGHT[op] + +"-/".includes(op))];
    return [`${SIGNS[op] ?? op}(`, ...args.flatMap((a, i) => [...(i ? [", "] : []), ...this.spell(a)]), ")"];
  }

  /** @type {(term: {sign: number, k: number}) => Term} */
  term({ sign, k }) {
    const { nodes } = this.description;
    const top = plain(this.description, k);
    const [op, args] = nodes[top];
    const name = nameOf(this.description, nodes[k][0] === "at" ? k : top);
    const factors = op === "*" ? args.map((a) => nameOf(this.description, plain(this.description, a))) : [];
    const law = { link: name, text: this.spell(k, 1) };
    return { sign, name, law, factors, affine: op === "affine" ? top : null };
  }

  /** @type {(signal: string, phase: number) => Equation} */
  equation(signal, phase) {
    const { nodes, where } = this.description;
    const top = nodes[where[signal]][1][0];
    const [op, args] = nodes[top];
    const squashes = args.length === 1 && !["affine", "neg", "^", ...NAMED].includes(op);
    const terms = termsOf(this.description, squashes ? args[0] : top).map((term) => this.term(term));
    const squash = squashes ? (SIGNS[op] ?? op) : "";
    const joined = terms.flatMap(({ sign, law }, i) => [...(i || sign < 0 ? [sign < 0 ? " − " : " + "] : []), law]);
    const law = [{ link: signal, text: [`${signal}_t`] }, ` = ${squash && `${squash}(`}`, ...joined, squash && ")"];
    const rows = terms.length > 1 || squash ? terms.map((term) => [flat(term.law), term.name]) : [];
    const sum = squash && `${signal}_pre` in where ? [[later("sum"), `${signal}_pre`]] : [];
    return {
      value: signal,
      phase,
      squash,
      law,
      terms,
      rows: [...rows, ...sum, [`${signal}_t`, signal]],
      general: true,
    };
  }
}

/**
 * @param {CellDescription} description
 * @returns {Equation[]}
 */
export function equationsOf(description) {
  const printed = new Printed(description);
  return description.signals.map((signal, k) => printed.equation(signal, k + 1));
}

// When the walk reaches a value: with the signal whose line makes it, and what comes in first.
/**
 * @param {CellDescription} description
 * @returns {Record<string, number>}
 */
export function phasesOf(description) {
  const { nodes, signals, where } = description;
  /** @type {Record<string, number>} */
  const found = {};
  const reach = (k, phase) => {
    const name = nameOf(description, k);
    if (name in found) return;
    const [op, args] = nodes[k];
    found[name] = op === "x" || op === "prev" ? 0 : phase;
    for (const a of args) reach(a, phase);
  };
  signals.forEach((signal, k) => reach(where[signal], k + 1));
  return found;
}
