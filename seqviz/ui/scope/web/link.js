// Components of one page that move together: the weights find the scope beside them by a name.

const links = new Map();

export function link(name) {
  if (!links.has(name)) links.set(name, { scope: null });
  return links.get(name);
}
