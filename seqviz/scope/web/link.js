// Components that belong together: the weights find the scope beside them by a name, and the pages that show the same
// run keep one cursor.

const links = new Map();

export function link(name) {
  if (!links.has(name)) links.set(name, { scope: null });
  return links.get(name);
}

// Where the person last was, and the last wish of the server's that was followed.
export const cursor = { step: null, unit: 0, wish: null };
