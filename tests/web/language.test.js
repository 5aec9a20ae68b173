// Sentences in each language, and what is counted in the form that the language has for the number as it is read.

import assert from "node:assert/strict";
import test from "node:test";

import { clauses, sentences, speak, tag, tr, trn } from "../../seqviz/scope/web/language.js";

const STEPS = ["{count} step", "{count} steps"];

const COUNTED = {
  en: [["en"], [0, "0 steps"], [1, "1 step"], [2, "2 steps"], [-1, "-1 step"], ["−1", "−1 step"], ["1.0", "1.0 steps"]],
  de: [
    ["de"],
    [0, "0 Schritte"],
    [1, "1 Schritt"],
    [2, "2 Schritte"],
    ["1.0", "1.0 Schritte"],
    ["1,001", "1,001 Schritte"],
  ],
  zh: [["zh-CN"], [0, "0 步"], [1, "1 步"], [2, "2 步"], ["NaN", "NaN 步"]],
};

for (const [language, [[called], ...pairs]] of Object.entries(COUNTED)) {
  test(`${language}: a noun is counted`, () => {
    speak(language);
    assert.equal(tag(), called);
    for (const [count, said] of pairs) assert.equal(trn(...STEPS, count), said);
  });
}

test("what no catalogue has is said in English, grammatically", () => {
  for (const language of ["zh", "de", "en"]) {
    speak(language);
    assert.equal(trn("{count} crate of {what}", "{count} crates of {what}", 1, { what: "tea" }), "1 crate of tea");
    assert.equal(trn("{count} crate of {what}", "{count} crates of {what}", 3, { what: "tea" }), "3 crates of tea");
  }
});

test("sentences and clauses stand one after the other as in their language", () => {
  const says = { en: ["A. B.", "a; b"], de: ["A. B.", "a; b"], zh: ["A. B.".replace(" ", ""), "a；b"] };
  for (const [language, [one, other]] of Object.entries(says)) {
    speak(language);
    assert.equal(sentences(["A.", "", "B."]), one);
    assert.equal(sentences([]), "");
    assert.equal(clauses(["a", null, "b"]), other);
  }
  speak("de");
  assert.equal(tr("step {step}", { step: 3 }), "Schritt 3");
});
