// The numbers of an equation that no hand set: term by term, and what each term is made of.

import { el, visible } from "./dom.js";
import { tr, trn } from "./language.js";
import { number } from "./numbers.js";
import { flat } from "./terms.js";

/** @import { Equation } from "./terms.js" */
/** @import { Lines } from "./lines.js" */

const MOST = 7; // single contributions of a term; the others are added up
const span = (link, ...children) => el("span", { "data-link": link }, ...children);
const signed = (value) => (value < 0 ? `(${number(value)})` : number(value));

/**
 * @param {Equation} line
 * @param {any} reading
 * @param {Lines} lines
 */
export function generalNumbers(line, reading, lines) {
  const { v, hides } = reading;
  const worth = (name) => (hides(name) || typeof v[name] !== "number" ? lines.read(name, reading) : signed(v[name]));
  const terms = line.terms.flatMap(({ sign, name, factors }, i) => {
    const before = i || sign < 0 ? [sign < 0 ? " − " : " + "] : [];
    const [a, b] = factors;
    const shown = factors.length && !hides(name) ? [worth(a), " × ", worth(b)] : [worth(name)];
    return [...before, span(name, ...shown, ...lines.set(name, reading))];
  });
  const inside = line.squash ? [`${line.squash}(`, ...terms, ...lines.set(`${line.value}_pre`, reading), ")"] : terms;
  return ["= ", ...inside, " ", lines.result(line.value, reading)];
}

// What one product with a matrix is made of: the largest single contributions, and the others together.
function contributions({ products, bias, from, weight }, names) {
  const label = (k) => (names && from === "x" ? `${weight} “${visible(names[k])}”` : `${weight}[${k}]`);
  const all = products.map((value, k) => [label(k), value]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rest = all.slice(MOST);
  const others = trn("{count} other", "{count} others", rest.length);
  return [
    ...all.slice(0, MOST),
    ...(rest.length ? [[others, rest.reduce((sum, [, value]) => sum + value, 0)]] : []),
    ...(bias ? [bias] : []),
  ];
}

/**
 * @param {Equation} line
 * @param {string[] | null} names of the input's features
 * @param {any} reading
 * @param {Lines} lines
 */
export function generalBars(line, names, reading, lines) {
  const { v, hides } = reading;
  const rows = line.terms.flatMap(({ sign, name, law, affine }) => {
    const secret = hides(name) ? name : "";
    const whole = { look: "sv-subtotal", label: flat(law), value: secret ? null : sign * v[name], secret };
    const part = affine === null ? null : v.part(affine);
    if (!part || secret || hides(part.from)) return [whole];
    const parts = contributions(part, names);
    return [whole, ...parts.map(([label, value]) => ({ look: "sv-part", label, value: sign * value, secret: "" }))];
  });
  const total = `${line.value}_pre` in v ? `${line.value}_pre` : line.value;
  const secret = hides(total) ? total : "";
  rows.push({ look: "sv-total", label: tr("sum"), value: secret ? null : v.made[total], secret });
  return lines.drawBars(rows, reading);
}
