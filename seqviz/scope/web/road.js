// The road through c alone: the product of the forget gates from every step to the last, and the bias that would bring
// it to a given place. Nothing here needs a page.

const LN10 = Math.LN10;

// ln sigmoid(a), right for any a.
const logSigmoid = (a) => (a > 0 ? -Math.log1p(Math.exp(-a)) : a - Math.log1p(Math.exp(a)));

// log10 of the norm of vectors given by log10 of their parts, however small.
function norm(logs) {
  let most = -Infinity;
  for (const v of logs) if (v > most) most = v;
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (const v of logs) sum += 10 ** (2 * (v - most));
  return most + Math.log10(sum) / 2;
}

/**
 * log10 of what arrives at each step by c alone, over what there is at the last; and the least and most of any unit.
 *
 * drive: the forget gate's argument without its bias, `steps * units`, by step; biases: each unit's; asks: log10 of
 * what the loss asks of each unit.
 *
 * @param {Float32Array} drive
 * @param {ArrayLike<number>} biases
 * @param {Float32Array} asks
 */
export function road(drive, biases, asks) {
  const units = asks.length;
  const steps = drive.length / units;
  const gone = new Float64Array(units);
  const here = Float64Array.from(asks);
  const [kept, low, high] = [0, 0, 0].map(() => new Float64Array(steps));
  const whole = norm(here);
  for (let t = steps - 2; t >= 0; t--) {
    for (let u = 0; u < units; u++) {
      gone[u] += logSigmoid(drive[(t + 1) * units + u] + biases[u]) / LN10;
      here[u] = asks[u] + gone[u];
    }
    kept[t] = norm(here) - whole;
    low[t] = Math.min(...gone);
    high[t] = Math.max(...gone);
  }
  return { kept, low, high };
}

// The one bias for all units, to a tenth, that leaves about so much at the first step.
/**
 * @param {Float32Array} drive
 * @param {Float32Array} asks
 * @param {number} log
 * @param {number[]} range
 */
export function biasFor(drive, asks, log, [low, high]) {
  const at = (bias) => road(drive, new Float64Array(asks.length).fill(bias), asks).kept[0];
  let [a, b] = [low, high];
  while (b - a > 0.04) {
    const middle = (a + b) / 2;
    if (at(middle) < log) a = middle;
    else b = middle;
  }
  return Math.round(10 * ((a + b) / 2)) / 10;
}

// A power of ten; 1 is 1.
export const raised = (exponent) =>
  exponent ? `10${`${exponent}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c]))}` : "1";

// What is left of 1, as it is said: the twin of seqviz.telling.why.left, but for what a picture never shows.
export function left(log) {
  if (Number.isNaN(log)) return "–";
  if (log === -Infinity) return "0";
  if (Math.abs(log) > 6 - 1e-9) return raised(Math.round(log));
  if (log > Math.log10(1.995)) return `×${two(10 ** log)}`;
  return log >= -2 - 1e-9 ? `${two(100 * 10 ** log)}%` : `1/${two(10 ** -log)}`;
}

function two(value) {
  const digits = 1 - Math.floor(Math.log10(value) + 1e-12);
  const rounded = Math.round(value * 10 ** digits) / 10 ** digits;
  return rounded.toLocaleString("en", {
    minimumFractionDigits: rounded < 10 ? Math.max(0, digits) : 0,
    maximumFractionDigits: rounded < 10 ? Math.max(0, digits) : 0,
  });
}
