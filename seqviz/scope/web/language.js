// The language that sentences are said in: the twin of seqviz/language.py, over the same catalogues.

import WORDS from "./words.js";

let language = "en";
/** @type {(wanted?: string) => string} */
export const tag = (wanted = language) => WORDS[wanted]?.tag ?? "en";

/** @param {string} wanted */
export function speak(wanted) {
  language = wanted;
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// A sentence in the language of now; the English one is its key.
export const tr = (sentence, values = {}) => filled(WORDS[language]?.texts[sentence] ?? sentence, values);

// A sentence that counts something, in its English form for 1 and its other one; {count} is a number, or one as read.
export function trn(one, other, count, values = {}) {
  const said = WORDS[language]?.texts[one];
  const forms = said ?? { one, other };
  const form = typeof forms === "string" ? forms : forms[category(count, said ? tag() : "en")];
  return filled(form ?? forms.other, { count, ...values });
}

// The plural category of a number as it is read: "1.0" has a decimal, and is not one in English.
function category(count, spoken) {
  const text = String(count).replace("−", "-").replaceAll(",", "");
  return new Intl.PluralRules(spoken, { minimumFractionDigits: text.split(".")[1]?.length ?? 0 }).select(+text);
}

export const catalogue = (wanted) => WORDS[wanted]?.texts;
export const later = (sentence) => sentence;
// Whole sentences one after the other, as the language of now does it.
export const sentences = (parts) =>
  parts.filter(Boolean).reduce((first, second) => (first ? tr("{first} {second}", { first, second }) : second), "");
export const clauses = (parts) => parts.filter(Boolean).join(tr("; "));
