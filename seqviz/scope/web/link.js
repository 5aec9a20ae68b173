// Components that belong together: the weights find the scope beside them by a name, and the pages that show the same
// run keep one cursor.

const links = new Map();

export function link(name) {
  if (!links.has(name)) links.set(name, { scope: null });
  return links.get(name);
}

// Where the person last was, and the last wish of the server's that was followed.
export const cursor = { step: null, unit: 0, wish: null };

// What a message wishes to be shown, the first time that it says so: [step, unit, the number of the wish].
/** @param {number[] | null | undefined} at */
export function wish(at) {
  if (!at || at[2] === cursor.wish) return null;
  cursor.wish = at[2];
  return { step: at[0], unit: at[1] };
}
