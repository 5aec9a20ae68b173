// One step and unit of a run, as the inspector is shown it.

import { rulesOf } from "./forward.js";
import { clauses } from "./language.js";
import { stepLabel } from "./rows.js";

// In whose words a state is held by hand, itself or, where one sum makes it, within that.
function heldBy({ rules = [], layer, description }, signal, step, unit, steps) {
  const own = Object.keys(description.where).filter((hook) => hook === signal || hook.startsWith(`${signal}_`));
  return clauses(
    own.flatMap((name) => rulesOf(rules, `l${layer}.${name}`, step, unit, steps)).map((rule) => rule.says),
  );
}

/**
 * @param {import("./view.js").Scope} scope
 * @param {number} step
 * @param {number} unit
 */
export function reading({ header, state, now, baseline, message }, step, unit) {
  const read = (arrays) => (signal, t, u) => {
    const values = arrays?.[signal];
    return t < 0 || !values ? undefined : values[t * (signal === "x" ? header.inputs : state.hidden) + u];
  };
  const exact = message.arrays.h;
  return {
    description: header.description,
    step,
    steps: state.L,
    unit,
    feature: state.feature,
    label: stepLabel(state, step),
    names: state.names,
    read: read(now),
    was: baseline && read(baseline),
    held: (signal) => heldBy(header, signal, step, unit, state.L),
    editable: header.editable,
    quantised: exact && !exact.exact,
  };
}
