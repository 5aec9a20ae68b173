// A cell as a graph, out of its tape: what comes in and goes out, operators and boxes, and the values that travel
// between them. A sum in front of a squashing is folded into its box; a product with weights is an arrow into it.

/** @import { CellDescription } from "./headers.js" */
/** @typedef {CellDescription & {called?: Record<number, string>}} Described `called`: a drawing's names of nodes */
/** @typedef {{kind: "end" | "box" | "op", text: string, name: string}} Vertex `name`: the value that it makes */
/** @typedef {{from: string, to: string, value: string, minus: boolean, weight: string}} Edge it carries `value` */
/** @typedef {{vertices: Map<string, Vertex>, edges: Edge[]}} Graph */

const SIGNS = { sigmoid: "σ", logsigmoid: "log σ", "*": "×", "/": "÷", "+": "+", "-": "−", neg: "−" };

// How the value of a node is called: by its hook point, its state of the step before, or its number.
/** @type {(description: Described, k: number) => string} */
export function nameOf({ nodes, called }, k) {
  const [op, , name] = nodes[k];
  if (op === "at" || op === "vec") return name;
  return op === "prev" ? `${name}_` : op === "x" ? "x" : (called?.[k] ?? `#${k}`);
}

// The same where it is a part that has a hook point of its own, such as f_ih.
/** @type {(description: Described, k: number) => string} */
export function partOf(description, k) {
  const { nodes, signals, where } = description;
  const holds = (hook) => !signals.includes(hook) && nodes[where[hook]][1][0] === k;
  return Object.keys(where).find(holds) ?? nameOf(description, k);
}

// Through the hook points of parts, which are not printed or drawn by themselves.
/** @type {(description: CellDescription, k: number) => number} */
export function plain(description, k) {
  const { nodes, signals } = description;
  while (nodes[k][0] === "at" && !signals.includes(nodes[k][2])) k = nodes[k][1][0];
  return k;
}

// What a sum is made of, each with its sign.
/** @type {(description: CellDescription, k: number, sign?: number) => {sign: number, k: number}[]} */
export function termsOf(description, k, sign = 1) {
  const top = plain(description, k);
  const [op, args] = description.nodes[top];
  if (op !== "+" && op !== "-") return [{ sign, k }];
  return [...termsOf(description, args[0], sign), ...termsOf(description, args[1], op === "+" ? sign : -sign)];
}

class Builder {
  /** @param {CellDescription} description */
  constructor(description) {
    this.description = description;
    /** @type {Graph} */
    this.graph = { vertices: new Map(), edges: [] };
    this.made = new Map();
  }

  add(key, kind, text, name) {
    this.graph.vertices.set(key, { kind, text, name });
    return key;
  }

  // An arrow from what makes k.
  join(k, to, { minus = false, weight = "" } = {}) {
    const inner = plain(this.description, k);
    const edge = { from: this.vertex(inner), to, value: nameOf(this.description, inner), minus, weight };
    const known = (e) => JSON.stringify(e) === JSON.stringify(edge);
    if (!this.graph.edges.some(known)) this.graph.edges.push(edge);
  }

  // A term of a sum as an arrow into `to`: a product with weights does not stand alone.
  term({ sign, k }, to) {
    const { nodes } = this.description;
    const inner = plain(this.description, k);
    const [op, args, name] = nodes[inner];
    const minus = sign < 0;
    if (op === "vec" || op === "const") return;
    const vec = op === "*" ? args.find((a) => nodes[plain(this.description, a)][0] === "vec") : undefined;
    if (op === "affine") this.join(args[0], to, { minus, weight: name });
    else if (vec !== undefined)
      this.join(args.find((a) => a !== vec) ?? vec, to, { minus, weight: nodes[plain(this.description, vec)][2] });
    else this.join(inner, to, { minus });
  }

  vertex(k) {
    if (!this.made.has(k)) this.made.set(k, this.make(k));
    return this.made.get(k);
  }

  make(k) {
    const { description } = this;
    const [op, args, name, , value] = description.nodes[k];
    if (op === "x") return this.add("x", "end", "x", "x");
    if (op === "prev") return this.add(`${name}_`, "end", name, `${name}_`);
    if (op === "vec") return this.add(name, "end", name, name);
    if (op === "at") {
      const inner = this.vertex(plain(description, args[0]));
      const found = this.graph.vertices.get(inner);
      if (found.kind !== "end") found.name = name;
      return inner;
    }
    const key = `n${k}`;
    const constant = args.find((a) => description.nodes[a][0] === "const");
    const of = (text, kind = "op") => this.add(key, kind, text, nameOf(description, k));
    if (op === "affine") {
      of("W");
      this.join(args[0], key, { weight: name });
    } else if ((op === "-" || op === "*") && constant !== undefined) {
      const number = description.nodes[constant][4];
      of(op === "*" ? `×${number}` : args[0] === constant ? `${number}−` : `−${number}`);
      this.join(args.find((a) => a !== constant) ?? constant, key);
    } else if (op === "+" || op === "-") {
      of("+");
      for (const term of termsOf(description, k)) this.term(term, key);
    } else if (op === "^") {
      of(`^${value}`);
      this.join(args[0], key);
    } else {
      of(SIGNS[op] ?? op, ["*", "/", "neg"].includes(op) ? "op" : "box");
      if (args.length === 1 && op !== "neg") for (const term of termsOf(description, args[0])) this.term(term, key);
      else for (const a of args) this.join(a, key);
    }
    return key;
  }
}

/**
 * @param {CellDescription} description
 * @returns {Graph}
 */
export function graphOf(description) {
  const builder = new Builder(description);
  for (const state of [...new Set([...description.states, "h"])]) {
    const out = builder.add(`${state} out`, "end", state, state);
    builder.join(description.where[state], out);
  }
  return builder.graph;
}
