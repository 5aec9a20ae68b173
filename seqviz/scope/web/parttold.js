// What the parts of a step do, a sentence a part, with that step's numbers in it. `say` gives a value as it is shown: a
// question mark where it is to be guessed.

import { tr } from "./language.js";

/** @typedef {(name: string) => string} Say */

/** @type {((say: Say) => string)[]} */
export const LSTM_TELLS = [
  (say) =>
    tr("In come the input, {x}, and from the step before the cell state, {c}, and the hidden state, {h}.", {
      x: say("x"),
      c: say("c_"),
      h: say("h_"),
    }),
  (say) =>
    tr("The forget gate says what share of the old cell state stays: {f} of {c}.", { f: say("f"), c: say("c_") }),
  (say) =>
    tr("The candidate, {g}, is what could be written; the input gate says what share of it is: {i}.", {
      g: say("g"),
      i: say("i"),
    }),
  (say) =>
    tr("What was kept, {kept}, and what is written, {written}, are added: the cell state is {c}.", {
      kept: say("kept"),
      written: say("written"),
      c: say("c"),
    }),
  (say) =>
    tr("The output gate shows {o} of tanh(c), which is {tanh}: h is {h}. What it hides stays in c.", {
      o: say("o"),
      tanh: say("tanh_c"),
      h: say("h"),
    }),
];

/** @type {((say: Say) => string)[]} */
export const GRU_TELLS = [
  (say) => tr("In come the input, {x}, and the old hidden state, {h}.", { x: say("x"), h: say("h_") }),
  (say) =>
    tr("The reset gate says what share of the old state’s part, {part}, the candidate hears: {r}.", {
      part: say("n_hh"),
      r: say("r"),
    }),
  (say) => tr("The candidate, {n}, is what the state could become.", { n: say("n") }),
  (say) =>
    tr("The update gate says what share of the old state stays: {z} of {h}. The rest is the candidate’s.", {
      z: say("z"),
      h: say("h_"),
    }),
  (say) =>
    tr("What was kept, {kept}, and what is written, {written}, are added: the hidden state is {h}.", {
      kept: say("kept"),
      written: say("written"),
      h: say("h"),
    }),
];

/** @type {(squash: string) => ((say: Say) => string)[]} */
export const rnnTells = (squash) => [
  GRU_TELLS[0],
  (say) =>
    tr("The input brings {x}, the old state {h}, each with its bias: the sum is {sum}.", {
      x: say("h_ih"),
      h: say("h_hh"),
      sum: say("h_pre"),
    }),
  (say) =>
    tr("{squash} makes {h} of the sum, and this one number a unit is all that is carried on.", {
      squash,
      h: say("h"),
    }),
];
