// Experiments too long for an address, kept in this browser by a digest of them: the latest of them, so many bytes.

const NAME = "seqviz";
const VERSION = 1;
const MOST = 48 * 2 ** 20;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function store(mode) {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => opening.result.createObjectStore("experiments", { keyPath: "digest" });
  const base = await done(opening);
  return { base, rows: base.transaction("experiments", mode).objectStore("experiments") };
}

/** @type {Map<string, Promise<void>>} */
const known = new Map();

// Keep what lies at an address of the server, unless it is kept already; done when it is kept, or cannot be.
export function remember(digest, address) {
  if (!known.has(digest)) known.set(digest, fetched(digest, address));
  return known.get(digest);
}

async function fetched(digest, address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${answer.status}`);
    await put({ digest, code: await answer.text(), at: Date.now() });
  } catch {
    known.delete(digest); // a full or forbidden store: a reload will say that it has nothing
  }
}

async function put(row) {
  const { base, rows } = await store("readwrite");
  const all = (await done(rows.getAll())).filter(({ digest }) => digest !== row.digest).sort((a, b) => b.at - a.at);
  let bytes = row.code.length;
  for (const { digest, code } of all) if ((bytes += code.length) > MOST) rows.delete(digest);
  await done(rows.put(row));
  base.close();
}

// The codes of these digests; null where there is none.
export async function recall(digests) {
  const found = Object.fromEntries(digests.map((digest) => [digest, null]));
  try {
    const { base, rows } = await store("readonly");
    const got = await Promise.all(digests.map((digest) => done(rows.get(digest))));
    for (const row of got) if (row) found[row.digest] = row.code;
    base.close();
  } catch {
    return found; // this browser keeps nothing, and says so
  }
  return found;
}
