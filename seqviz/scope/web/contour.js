// Contours of numbers on a grid, by straight lines between the points; nothing is smoothed. Nothing here needs a page.

/**
 * The segments, each `[x, y, x, y]` in places of the grid, on which the values cross a level. What has a corner that
 * is no number is left out.
 *
 * @param {ArrayLike<number>} values row by row
 * @param {number} columns
 * @param {number} rows
 * @param {number} level
 */
export function contour(values, columns, rows, level) {
  /** @type {number[][]} */
  const found = [];
  const at = (x, y) => values[y * columns + x] - level;
  for (let y = 0; y < rows - 1; y++)
    for (let x = 0; x < columns - 1; x++) {
      const corners = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
      ];
      const cut = [];
      for (let k = 0; k < 4; k++) {
        const [[x1, y1], [x2, y2]] = [corners[k], corners[(k + 1) % 4]];
        const [a, b] = [at(x1, y1), at(x2, y2)];
        if (a < 0 === b < 0 || Number.isNaN(a - b)) continue;
        const share = a / (a - b);
        cut.push([x1 + share * (x2 - x1), y1 + share * (y2 - y1)]);
      }
      for (let k = 0; k + 1 < cut.length; k += 2) found.push([...cut[k], ...cut[k + 1]]);
    }
  return found;
}

// What a colour shows: the sign and the root of the size, from -1 to 1; full from `reach` on.
export const shade = (v, reach) => Math.sign(v) * Math.sqrt(Math.min(Math.abs(v), reach) / reach);
