// What of a cell is to be guessed: all values from a part of the walk on, or one that was covered by itself.

/**
 * @typedef {object} Guessed
 * @property {number | null} phase the part of the walk, or all of the cell
 * @property {boolean} hidden whether all values are to be guessed
 * @property {Set<string>} covered what is to be guessed by itself
 * @property {Set<string>} bared what is shown though its part is to be guessed
 */
/**
 * @typedef {object} Walk
 * @property {Record<string, number>} phases by a value's name, the part of the walk that computes it
 * @property {Record<string, string>} given what gives a value away: z of 1 − z
 */

// What is hidden with what: a product and its bias (f_ih:w and f_ih:b) with both together, and 1 − z with z.
const hiddenWith = (name, { given }) => given[name] ?? name.replace(/:[wb]$/, "");

/** @type {(state: Guessed, walk: Walk, own: string) => boolean} */
const hushed = ({ hidden, phase }, { phases }, own) => hidden && phases[own] >= Math.max(1, phase ?? 1);

// Whether a value is to be guessed: covered by itself, or with the part of the walk that computes it, or later.
/** @type {(state: Guessed, walk: Walk, name: string) => boolean} */
export function hides(state, walk, name) {
  const own = hiddenWith(name, walk);
  return state.covered.has(own) || (hushed(state, walk, own) && !state.bared.has(own));
}

// Hide one value, or show it again; without a name all of them.
/** @type {(state: Guessed, walk: Walk, name: string | null) => void} */
export function cover(state, walk, name) {
  if (name === null) {
    state.hidden = !(state.hidden || state.covered.size);
    state.covered.clear();
    state.bared.clear();
    return;
  }
  const own = hiddenWith(name, walk);
  if (hides(state, walk, own)) {
    state.covered.delete(own);
    if (hushed(state, walk, own)) state.bared.add(own);
  } else if (!state.bared.delete(own)) state.covered.add(own);
}
