// Several runs of the same kind, a seed each: from the least to the most of them at every place.

// The runs by their kind, in order; one alone is a group too.
/**
 * @template {{name: string, group?: string}} N
 * @param {N[]} nets
 * @returns {N[][]}
 */
export function groups(nets) {
  const found = new Map();
  for (const net of nets) {
    const key = net.group ?? net.name;
    found.set(key, [...(found.get(key) ?? []), net]);
  }
  return [...found.values()];
}

// The least and the most at every place; a run that has ended stands where it ended.
/**
 * @param {ArrayLike<number>[]} runs
 * @returns {{low: (number | null)[], high: (number | null)[]}}
 */
export function band(runs) {
  const last = runs.map(() => NaN);
  const [low, high] = [[], []];
  for (let k = 0; k < runs[0].length; k++) {
    runs.forEach((values, r) => {
      if (Number.isFinite(values[k])) last[r] = values[k];
    });
    const known = last.filter(Number.isFinite);
    low.push(known.length ? Math.min(...known) : null);
    high.push(known.length ? Math.max(...known) : null);
  }
  return { low, high };
}
