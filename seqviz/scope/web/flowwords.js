// The curves over time in words: the whole picture for who cannot see it, and one step of it beside the pointer.

import { clauses, tr, trn } from "./language.js";
import { clamp, number, power } from "./numbers.js";
import { stepLabel } from "./rows.js";

/** @import { Curve, FlowRow } from "./headers.js" */
/** @import { Shown } from "./flowfigure.js" */
/** @import { Place, TipContent } from "./types.js" */

/** @type {(flow: Shown, curve: Curve) => string} */
function curveSays({ arrays, state }, { name, label }) {
  const values = arrays[name];
  const last = state.L - 1;
  const at = values.reduce((best, v, t) => (v > values[best] || Number.isNaN(values[best]) ? t : best), 0);
  return tr("{name} from {from} at step 0 to {to} at step {last}, largest at step {at}: {most}", {
    name: label,
    from: power(values[0]),
    to: power(values[last]),
    last,
    at,
    most: power(values[at]),
  });
}

function lineSays({ arrays }, { name, label }) {
  const finite = arrays[name].filter(Number.isFinite);
  if (!finite.length) return tr("{name} overflows at once", { name: label });
  const between = tr("{name} between {low} and {high}", {
    name: label,
    low: number(finite.reduce((a, b) => Math.min(a, b), Infinity)),
    high: number(finite.reduce((a, b) => Math.max(a, b), -Infinity)),
  });
  return finite.length === arrays[name].length ? between : tr("{says} before it overflows", { says: between });
}

/** @type {Record<string, (flow: Shown, row: FlowRow) => string>} */
const SAYS = {
  norm: (flow) => clauses(flow.header.curves.filter((c) => c.label).map((c) => curveSays(flow, c))),
  lines: (flow, row) => clauses(row.arrays.map((line) => lineSays(flow, line))),
  states: (_, row) =>
    trn("{count} unit, up to {reach} in size", "{count} units, up to {reach} in size", row.width, {
      reach: number(row.reach),
    }),
};

// The picture in words, from its numbers.
/** @param {Shown} flow */
export const summary = (flow) =>
  flow.rows
    .map((row) => tr("{row}: {says}", { row: row.name, says: clauses([SAYS[row.kind]?.(flow, row), row.says]) }))
    .join(tr(". "));

/**
 * @param {Shown} flow
 * @param {Place<FlowRow>} place
 * @returns {TipContent}
 */
export function tooltip({ header, arrays, state }, { row, step, share }) {
  const named = `${step}${stepLabel(state, step)}`;
  const title = tr("step {step}", { step: named });
  if (row.kind === "norm")
    return {
      title: tr("step {step}, {lag} before the end", { step: named, lag: header.steps - 1 - step }),
      lines: header.curves.filter((c) => c.label).map((c) => [c.label, power(arrays[c.name][step])]),
    };
  if (row.kind === "share")
    return {
      title,
      lines: [
        [tr("cell-state highway"), `${(100 * arrays["highway.share"][step]).toPrecision(3)}%`],
        [tr("highway norm"), power(arrays["highway.direct"][step])],
        [tr("the rest"), power(arrays["highway.rest"][step])],
      ],
    };
  if (row.kind === "moved") return { title, lines: [[tr("was step"), `${arrays.order[step]}`]] };
  if (row.kind === "rests")
    return {
      title,
      lines: row.arrays.map(({ name, label }) => [label, number(arrays[name][step * state.L + step], 4)]),
    };
  if (row.kind === "lines")
    return { title, lines: row.arrays.map(({ name, label }) => [label, number(arrays[name][step], 4)]) };
  const unit = clamp(Math.floor(share * row.width), 0, row.width - 1);
  const value = arrays[row.array][step * row.width + unit];
  return {
    title: tr("{row} · unit {unit}", { row: row.name, unit }),
    lines: [[title, row.kind === "states" ? number(value, 4) : power(value)]],
  };
}
