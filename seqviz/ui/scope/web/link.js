// Components of one page that move together: the scope and the weights beside it.

const links = new Map();

export function link(name) {
  if (!links.has(name)) links.set(name, { scope: null, weights: null });
  return links.get(name);
}
