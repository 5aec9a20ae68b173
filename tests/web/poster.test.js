// The lines under a saved picture: nothing that is said there is cut off at its edge.

import assert from "node:assert/strict";
import test from "node:test";

import { addressed, fitted } from "../../seqviz/scope/web/poster.js";

const ADDRESS = `http://localhost:8501/?e=${"aB3_-".repeat(80)}&b=${"xYz".repeat(30)}#step=26&run=difference`;

test("an address is cut where a line is full, and is whole when its lines are put together", () => {
  for (const most of [9, 40, 103]) {
    const lines = fitted(ADDRESS, most);
    assert.equal(lines.join(""), ADDRESS);
    assert.ok(lines.every((line) => line.length <= most));
    assert.equal(lines.length, Math.ceil(ADDRESS.length / most));
  }
});

test("a sentence is broken between its words", () => {
  const said = "The forget gate of unit 0 is held at 1.00 from step 3 to step 20.";
  const lines = fitted(said, 24);
  assert.deepEqual(lines, ["The forget gate of unit", "0 is held at 1.00 from", "step 3 to step 20."]);
  assert.deepEqual(fitted(said, Infinity), [said]);
});

test("Chinese is broken anywhere but before its punctuation, and its letters count as wide", () => {
  const lines = fitted("第三步到第二十步之间，遗忘门保持为 1.00。", 16);
  assert.ok(lines.length > 2);
  assert.equal(lines.join("").replaceAll(" ", ""), "第三步到第二十步之间，遗忘门保持为1.00。");
  for (const line of lines) assert.ok(!/^[，。]/u.test(line), line);
});

test("every address is printed, or it is said that it is too long and what keeps the experiment", () => {
  const of = (query) => `http://localhost:8501/compare?${query}#step=26&run=difference`;
  for (const short of [of(""), of(`e=${"aB3_-".repeat(140)}`), of("e=aB3&b=x~Z"), of("lesson=3&at=2")])
    assert.deepEqual(addressed(short), [short]);
  for (const long of [of(`e=${"aB3_-".repeat(160)}`), of("e=~0f3a&layer=1"), of("e=aB3&b=~0f3a"), of("e=%7E0f3a")]) {
    const said = addressed(long);
    assert.equal(said.length, 1);
    assert.match(said[0], /too long.*“Save”/u);
  }
  assert.deepEqual(addressed(""), [], "a picture that is nobody's page");
});
