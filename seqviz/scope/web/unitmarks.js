// Which of a row's units are named beside it, and where: a low row has room for few names.

const [TALL, ALL, MANY] = [0.86, 6, 3]; // letters that a name takes; so many are all named; more are these at most

// All stand whole inside the row, clear of one another and of the rows above and below. `places` are along the row's
// axis: the first and the last stand beside their unit's line where that is too thin for them.
/** @type {(n: number, tall: number, letters: number, most?: number) => {units: number[], places: number[]}} */
export function unitMarks(n, tall, letters, most = MANY) {
  const room = Math.floor(tall / (TALL * letters));
  const all = [...Array(n).keys()];
  if (n <= Math.min(ALL, room)) return { units: all, places: all };
  if (room < 2) return { units: all.slice(-1), places: [(n - 1) / 2] };
  const inset = Math.max(0, (0.5 * TALL * letters * n) / tall - 0.5);
  const [first, last] = [inset, n - 1 - inset];
  if (Math.min(room, most, n) < 3) return { units: [0, n - 1], places: [first, last] };
  return { units: [0, Math.floor((n - 1) / 2), n - 1], places: [first, (n - 1) / 2, last] };
}
