// The numbers of an equation: term by term, and what each term is made of.

import { el, visible } from "./dom.js";
import { tr, trn } from "./language.js";
import { number } from "./numbers.js";
import { short, spelt } from "./terms.js";

/** @import { Equation, Factor, Product, Term } from "./terms.js" */
/** @import { Lines } from "./lines.js" */
/** @typedef {{look: string, label: string, value: number | null, secret: string}} Bar `secret`: it is to be guessed */

const MOST = 7; // single contributions of a term; the others are added up
const span = (link, ...children) => el("span", link ? { "data-link": link } : {}, ...children);
const signed = (value) => number(value).replace(/^−.*/, "($&)");
const plus = (value) => (value < 0 ? ` − ${number(-value)}` : ` + ${number(value)}`);

/**
 * @param {Equation} line
 * @param {any} reading
 * @param {Lines} lines
 */
export function numbersOf({ value, squash, total, terms }, reading, lines) {
  const shown = terms.flatMap((term, k) => termNumbers(term, k === 0, reading, lines));
  const set = total === value ? [] : lines.set(total, reading);
  const inside = squash ? [`${squash}(`, ...shown, ...set, ") "] : [...shown, " "];
  return ["= ", ...inside, lines.result(value, reading)];
}

/** @type {(term: Term, first: boolean, reading: any, lines: Lines) => (Node | string)[]} */
function termNumbers({ sign, name, link, factors, product }, first, reading, lines) {
  const { v, hides } = reading;
  const set = hides(name) ? [] : lines.set(name, reading);
  if (product && sign > 0 && !hides(name) && !set.length) return [span(link, ...apart(product, v, first))];
  const lead = sign < 0 ? " − " : first ? "" : " + ";
  const worth = (each, opens) => (hides(each) || opens ? lines.read(each, reading) : signed(v[each]));
  if (factors.length) {
    const [a, b] = factors.map((factor, k) => factorNumbers(factor, reading, lines, worth(factor.name, first && !k)));
    return [lead, span(link, ...a, " × ", ...b, ...set)];
  }
  if (!product || hides(name)) return [lead, span(link, worth(name, first && sign > 0), ...set)];
  // A part that is held stands in brackets, so that nobody takes what follows for a part of it.
  return [lead, span(link, "[", ...apart(product, v), ...set, "]")];
}

/** @type {(factor: Factor, reading: any, lines: Lines, worth: Node | string) => (Node | string)[]} */
function factorNumbers({ name, product }, reading, lines, worth) {
  if (!product || reading.hides(name)) return [worth];
  return ["(", ...apart(product, reading.v), ...lines.set(name, reading), ")"];
}

// A product with a matrix and its bias.
/** @type {(product: Product, v: Record<string, number>, first?: boolean) => string[]} */
const apart = ({ name, bias }, v, first = true) => [
  (first ? number : plus)(v[`${name}:w`]),
  ...(bias ? [plus(v[`${name}:b`])] : []),
];

// Bars that add up: the single contributions to each term, the terms to the total. What is to be guessed has neither
// a number nor a length, nor a say in how long the others are.
/**
 * @param {Equation} line
 * @param {string[] | null} names of the input's features
 * @param {any} reading
 * @returns {Bar[]}
 */
export function barsOf({ terms, total }, names, reading) {
  const { v, made, hides } = reading;
  const secret = hides(total) ? total : "";
  const sum = level("sv-total", tr("sum"), made[total], secret, reading.held(total) && v[total]);
  return [...terms.flatMap((term) => termBars(term, names, reading)), ...sum];
}

// A value by its own line, and what it is set to where somebody holds it.
/** @type {(look: string, label: string, value: number, secret: string, set: number | "") => Bar[]} */
function level(look, label, value, secret, set) {
  const own = { look, label, value: secret ? null : value, secret };
  return set === "" || secret ? [own] : [own, { look: `${look} sv-held`, label: tr("set to"), value: set, secret: "" }];
}

/** @type {(term: Term, names: string[] | null, reading: any) => Bar[]} */
function termBars({ sign, name, law, factors, product: own }, names, reading) {
  const { v, made, hides, held } = reading;
  const label = short(spelt(law));
  const inner = factors.find((factor) => factor.product);
  const product = own ?? inner?.product;
  if (!product) return level("sv-subtotal", label, sign * v[name], hides(name) ? name : "", "");
  const other = factors.find((factor) => factor !== inner);
  const scale = sign * (other ? v[other.name] : 1);
  const secret = [product.name, name, ...(other ? [other.name] : [])].find(hides) ?? "";
  const set = held(product.name) && scale * v[product.name];
  const whole = level("sv-subtotal", label, scale * (made[product.name] ?? v[product.name]), secret, set);
  if (secret || hides(product.from)) return whole; // its parts would give away what is to be guessed
  const times = other ? `${short(spelt(other.law))} · ` : "";
  return [...whole, ...contributions(product, scale, times, names, reading)];
}

// What one product with a matrix is made of: the largest single contributions, and the others together.
/** @type {(product: Product, scale: number, times: string, names: string[] | null, reading: any) => Bar[]} */
function contributions(product, scale, times, names, { v, parts }) {
  const { name, from, source, bias } = product;
  const of = (k) => (names && from === "x" ? `x “${visible(names[k])}”` : `${source}[${k}]`);
  const all = parts(product).map((value, k) => [`${times}w · ${of(k)}`, value]);
  if (bias) all.push([`${times}${bias}`, v[`${name}:b`]]);
  const ranked = all.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rest = ranked.slice(MOST).reduce((sum, [, value]) => sum + value, 0);
  const others = trn("{count} other", "{count} others", ranked.length - MOST);
  return [...ranked.slice(0, MOST), ...(ranked.length > MOST ? [[others, rest]] : [])].map(([label, value]) => ({
    look: "sv-part",
    label,
    value: scale * value,
    secret: "",
  }));
}
