// The browser's address says what is on the screen: the experiment in the query, the view of it after the #. It is
// replaced, never pushed, so that Back leaves the page instead of walking through every edit.

/** The view that the address asks for. */
export const view = () => new URLSearchParams(location.hash.slice(1));
export const lecture = () => new URLSearchParams(location.search).get("lecture") === "true";
export const named = () => new URLSearchParams(location.search).has("e");
export const whole = () => location.href;

// query: what stands there of the page; fields: whatever may stand there of it, so that the rest is left alone.
/**
 * @param {string} query
 * @param {string[]} fields
 * @param {URLSearchParams} shown
 */
export function write(query, fields, shown) {
  const search = new URLSearchParams(location.search);
  for (const name of fields) search.delete(name);
  for (const [name, value] of new URLSearchParams(query)) search.set(name, value);
  const [text, hash] = [search.toString(), shown.toString()];
  const address = `${location.pathname}${text ? `?${text}` : ""}${hash ? `#${hash}` : ""}`;
  if (address !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(history.state, "", address);
  ours = location.search;
}

/** @type {string | null} */
let ours = null;
/** The query as it was last written here. */
export const written = () => ours;

// The view alone, on a page that is nothing but its picture.
/** @param {URLSearchParams} shown */
export function writeView(shown) {
  const hash = shown.toString();
  if (hash !== location.hash.slice(1)) history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname);
}

/** @param {() => void} heard another place of the same page was asked for */
export function listen(heard) {
  window.addEventListener("hashchange", heard);
  return () => window.removeEventListener("hashchange", heard);
}

// Copy the address, or where a browser forbids that, show it to be copied; gives back whether it was copied.
export async function share() {
  const copied = await navigator.clipboard?.writeText(whole()).then(
    () => true,
    () => false,
  );
  if (!copied) window.prompt("", whole());
  return !!copied;
}
