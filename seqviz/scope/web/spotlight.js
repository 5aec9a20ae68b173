// Where a lesson wants to be looked at. Its rail says so, the pictures of the page follow.

/** @import { LessonSpot } from "./headers.js" */
/** @typedef {(moved: boolean) => void} Heard moved: another place than before */

/** @type {{spot: LessonSpot | null}} */
export const spotlight = { spot: null };
/** @type {Set<Heard>} */
const pictures = new Set();

// Whether the page keys belong to a lesson.
export const inLesson = () => spotlight.spot !== null;

/**
 * @param {LessonSpot | null} spot
 * @param {boolean} moved
 */
export function shine(spot, moved) {
  spotlight.spot = spot;
  for (const heard of pictures) heard(moved);
}

/** @param {Heard} heard */
export function attend(heard) {
  pictures.add(heard);
  return () => pictures.delete(heard);
}

const within = (name, wanted) => name === wanted || name.startsWith(`${wanted}.`);

// Whether a row or a curve is among those that are named: "RNN" is all of that network, "LSTM.c" its cell state.
/**
 * @param {string} name
 * @param {string[]} wanted
 */
export const named = (name, wanted) => wanted.some((one) => within(name.toLowerCase(), one.toLowerCase()));

/**
 * @param {{signal: string, array?: string, arrays?: {name: string}[], kind: string}} row
 * @param {string[]} curves of the row of norms
 * @param {string[]} wanted
 */
export function rowNamed({ signal, array, arrays, kind }, curves, wanted) {
  const inside = kind === "norm" ? curves : (arrays ?? []).map(({ name }) => name);
  return [signal, ...(array ? [array] : []), ...inside].some((name) => named(name, wanted));
}
