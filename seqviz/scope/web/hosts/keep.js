// Experiments too long for an address, kept in this browser by a digest of them: the latest of them, so many bytes.

const NAME = "seqviz";
const VERSION = 1;
const MOST = 48 * 2 ** 20;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// Do something in the store, and wait until that is written: a disk without room says so at the end.
async function within(mode, act) {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => opening.result.createObjectStore("experiments", { keyPath: "digest" });
  const base = await done(opening);
  try {
    const change = base.transaction("experiments", mode);
    const written = new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = () => reject(change.error);
    });
    const [found] = await Promise.all([act(change.objectStore("experiments")), written]);
    return found;
  } finally {
    base.close();
  }
}

/** @type {Map<string, Promise<boolean>>} */
const known = new Map();

// Keep what lies at an address of the server, unless it is kept already; false where this browser could not.
export function remember(digest, address) {
  if (!known.has(digest)) known.set(digest, fetched(digest, address));
  return known.get(digest);
}

async function fetched(digest, address) {
  const code = await fetch(address).then(
    (answer) => (answer.ok ? answer.text() : null),
    () => null,
  );
  const kept = code !== null && (await put({ digest, code, at: Date.now() }));
  if (!kept) known.delete(digest);
  return kept || code === null; // that a server does not answer is no fault of the browser's
}

// A disk may have less room than is asked for: the oldest go, until this one fits.
async function put(row) {
  for (const most of [MOST, MOST / 4, MOST / 16, 0]) {
    try {
      await within("readwrite", (rows) => makeRoom(rows, row, most));
      await within("readwrite", (rows) => done(rows.put(row)));
      return true;
    } catch {
      continue; // full or forbidden: whoever asked is told
    }
  }
  return false;
}

async function makeRoom(rows, row, most) {
  const all = (await done(rows.getAll())).filter(({ digest }) => digest !== row.digest).sort((a, b) => b.at - a.at);
  let bytes = row.code.length;
  for (const { digest, code } of all) if ((bytes += code.length) > most) rows.delete(digest);
}

// The codes of these digests; null where there is none.
export async function recall(digests) {
  const found = Object.fromEntries(digests.map((digest) => [digest, null]));
  try {
    const got = await within("readonly", (rows) => Promise.all(digests.map((digest) => done(rows.get(digest)))));
    for (const row of got) if (row) found[row.digest] = row.code;
  } catch {
    return found; // this browser keeps nothing, and says so
  }
  return found;
}
