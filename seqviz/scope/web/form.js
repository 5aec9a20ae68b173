// What a cell looks like: its drawing and its equations. A cell whose equations a hand drew has that drawing; any other
// is laid out from its lines.

import { nameOf } from "./cellgraph.js";
import { drawn } from "./celldrawing.js";
import { DIAGRAMS } from "./diagrams.js";
import { spelled } from "./dom.js";
import { Printed, equationsOf, phasesOf, short, spelt } from "./terms.js";

/** @import { CellDescription } from "./headers.js" */
/** @import { Described } from "./cellgraph.js" */
/** @import { Equation } from "./terms.js" */
/** @typedef {[string, number, number, string]} End a letter, its place, and when */
/**
 * @typedef {object} Form
 * @property {Described} description the cell's, with what its drawing calls the values that have no name there
 * @property {string[]} phases of the walk, in words
 * @property {((say: (name: string) => string) => string)[]} [tells] what each does, with what `say` says of a value
 * @property {any[]} parts wires, boxes, operators, dots
 * @property {[number, number]} size
 * @property {[number, number, number, number]} hull what lies in the cell: left, top, width, height
 * @property {End[]} ends what comes in and goes out
 * @property {Equation[]} lines
 * @property {Record<string, string>} same links that are about the same value as another name
 * @property {Record<string, string>} hues whose colour a value has
 * @property {Record<string, string>} spoken what a value is called when it is read out
 * @property {Record<string, number>} phaseOf when the walk reaches a signal, its sum, and what comes in
 * @property {Record<string, string>} given what gives a value away: z of 1 − z
 */

/** @type {WeakMap<CellDescription, Form>} */
const known = new WeakMap();

/**
 * @param {CellDescription} description
 * @returns {Form}
 */
export function formOf(description) {
  if (!known.has(description)) known.set(description, made(description));
  return known.get(description);
}

/** @type {(description: CellDescription) => Form} */
function made(description) {
  const laws = equationsOf(description).map(({ law }) => spelt(law));
  const hand = DIAGRAMS.find((each) => [...each.laws].sort().join() === [...laws].sort().join());
  return hand ? byHand(hand, description) : laidOut(description);
}

/** @type {(description: CellDescription) => Form} */
function laidOut(description) {
  const phases = phasesOf(description);
  const layout = drawn(description, phases);
  const lines = equationsOf(description, carriedBy(layout.parts));
  const unnamed = Object.keys(phases).filter((name) => name.startsWith("#") && phases[name] > 0);
  const hues = Object.fromEntries(unnamed.map((name) => [name, lines[phases[name] - 1].value]));
  return { ...layout, same: {}, hues, ...told(description, layout.parts, lines) };
}

/** @type {(hand: typeof DIAGRAMS[number], description: CellDescription) => Form} */
function byHand(hand, description) {
  const { laws, called, parts, phases, tells, ends, same } = hand;
  const printed = new Printed(description);
  const texts = description.nodes.map((_, k) => spelt(printed.spell(k)));
  const names = texts.flatMap((text, k) => (text in called ? [[k, called[text][0]]] : []));
  const described = { ...description, called: Object.fromEntries(names) };
  const equations = equationsOf(described, carriedBy(parts));
  const order = (line) => laws.indexOf(spelt(line.law));
  const reached = (name) => parts.find(({ kind, value }) => kind === "wire" && value === name)?.phase;
  const lines = equations
    .sort((a, b) => order(a) - order(b))
    .map((line) => {
      const result = reached(line.value);
      return { ...line, result, phase: reached(line.total) ?? result };
    });
  // A sum is about what it is squashed to, a wire about what it carries.
  const wires = parts.map(({ name, value = name }) => [name, value.replace(/_pre$/, "")]);
  return {
    phases,
    tells,
    parts,
    ends: /** @type {End[]} */ (ends),
    size: [680, 384],
    hull: [90, 34, 548, 306],
    same: { ...Object.fromEntries(wires.filter(([name, value]) => name !== value)), ...same },
    hues: Object.fromEntries(Object.values(called)),
    ...told(described, parts, lines),
  };
}

// Whether a drawing has a wire for a value.
/** @type {(parts: any[]) => (name: string) => boolean} */
function carriedBy(parts) {
  const carried = new Set(parts.map(({ value }) => value));
  return (name) => carried.has(name);
}

// What the lines say of the values that are drawn.
/**
 * @param {Described} description
 * @param {any[]} parts
 * @param {Equation[]} lines
 * @returns {Pick<Form, "description" | "lines" | "spoken" | "phaseOf" | "given">}
 */
function told(description, parts, lines) {
  const { nodes, signals, states } = description;
  const printed = new Printed(description);
  const carried = carriedBy(parts);
  const [spoken, given] = [{}, {}];
  nodes.forEach(([op, args, hook], k) => {
    const name = nameOf(description, k);
    if (!carried(name) || signals.includes(name) || name.endsWith("_pre") || ["x", "prev"].includes(op)) return;
    spoken[name] = spelled(short(spelt(printed.spell(k))));
    const [constant, other] = [args.some((a) => nodes[a][0] === "const"), args.find((a) => nodes[a][0] === "at")];
    if (!hook && constant && other !== undefined) given[name] = nameOf(description, other);
  });
  const sums = lines.filter(({ total, value }) => total !== value).map(({ total, phase }) => [total, phase]);
  const values = lines.map(({ value, result }) => [value, result]);
  const before = ["x", ...states.map((state) => `${state}_`)].map((name) => [name, 0]);
  return { description, lines, spoken, given, phaseOf: Object.fromEntries([...before, ...values, ...sums]) };
}
