// What of a cell is to be guessed: all values from a part of the walk on, or one that was covered by itself.

/**
 * @typedef {object} Guessed
 * @property {number | null} phase the part of the walk, or all of the cell
 * @property {boolean} hidden whether all values are to be guessed
 * @property {Set<string>} covered what is to be guessed by itself
 * @property {Set<string>} bared what is shown though its part is to be guessed
 */
/** @typedef {Record<string, number>} Phases by a value's name, the part of the walk that computes it */

// What is hidden with what: a term's two parts with their sum (f_wx and f_bx with f_ih), and 1 − z with z.
const hiddenWith = (name) =>
  name === "one_z" ? "z" : name.replace(/_[wb]([xh])$/, (_, end) => (end === "x" ? "_ih" : "_hh"));

/** @type {(state: Guessed, phases: Phases, own: string) => boolean} */
const hushed = ({ hidden, phase }, phases, own) => hidden && phases[own] >= Math.max(1, phase ?? 1);

// Whether a value is to be guessed: covered by itself, or with the part of the walk that computes it, or later.
/** @type {(state: Guessed, phases: Phases, name: string) => boolean} */
export function hides(state, phases, name) {
  const own = hiddenWith(name);
  return state.covered.has(own) || (hushed(state, phases, own) && !state.bared.has(own));
}

// Hide one value, or show it again; without a name all of them.
/** @type {(state: Guessed, phases: Phases, name: string | null) => void} */
export function cover(state, phases, name) {
  if (name === null) {
    state.hidden = !(state.hidden || state.covered.size);
    state.covered.clear();
    state.bared.clear();
    return;
  }
  const own = hiddenWith(name);
  if (hides(state, phases, own)) {
    state.covered.delete(own);
    if (hushed(state, phases, own)) state.bared.add(own);
  } else if (!state.bared.delete(own)) state.covered.add(own);
}
