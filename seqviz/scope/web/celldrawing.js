// A first drawing of a cell that nobody drew: its graph, laid out, as wires, boxes and operators.

import { graphOf } from "./cellgraph.js";
import { later } from "./language.js";
import { layered } from "./layered.js";

/** @import { CellDescription } from "./headers.js" */
/** @import { Form } from "./form.js" */

const REACH = { box: 22, op: 14, end: 0 }; // px from the middle to the edge
const [INSET, EDGE] = [66, 12]; // px from the edge of the picture to the hull, across and down

/** @type {(points: number[][]) => string} */
const path = (points) => `M${points.map((p) => p.map(Math.round).join(" ")).join(" L")}`;

/**
 * @param {CellDescription} description
 * @param {Record<string, number>} phaseOf
 * @returns {Pick<Form, "phases" | "parts" | "size" | "hull" | "ends">}
 */
export function drawn(description, phaseOf) {
  const { states, signals, labels } = description;
  const graph = graphOf(description);
  const { at, wires, width, height } = layered(graph, [...states].reverse());
  const phase = (name) => phaseOf[name] ?? 0;
  const told = new Set();
  const turns = new Set();
  const parts = wires.flatMap(({ edge, points }) => {
    const { from, to, value, minus, weight } = edge;
    const [start, end] = [graph.vertices.get(from), graph.vertices.get(to)];
    const line = points.map((p) => [...p]);
    line[0][0] += REACH[start.kind];
    line.at(-1)[0] -= REACH[end.kind];
    // A value's number stands on the first of its wires; on its way out where it goes out.
    const labelled = !told.has(value) && (told.add(value), true);
    // What comes in is there from the beginning; how it goes on is seen with the box that it goes to.
    const when = phase(value) || (labelled ? 0 : phase(end.name));
    const label = labelled ? [line[0][0] + 5, line[0][1] - 8] : undefined;
    const parting = points.slice(1, -1).filter((p) => {
      const key = `${from} ${p}`;
      return turns.has(key) || !turns.add(key);
    });
    return [
      { kind: "wire", name: value, value, path: path(line), phase: when, label, weight },
      ...parting.map(([x, y]) => ({ kind: "dot", name: value, x, y, phase: when })),
      ...(minus ? [{ kind: "sign", name: value, x: line.at(-1)[0] - 10, y: line.at(-1)[1] - 9, phase: when }] : []),
    ];
  });
  for (const [key, { kind, text, name }] of graph.vertices) {
    const [x, y] = at.get(key);
    const letter = signals.includes(name) ? name : "";
    if (kind !== "end") parts.push(/** @type {any} */ ({ kind, name, x, y, text, phase: phase(name), letter }));
  }
  const ends = [...graph.vertices]
    .filter(([, { kind }]) => kind === "end")
    .map(([key, { text, name }]) => {
      const [x, y] = at.get(key);
      const out = key.endsWith(" out");
      const when = out || name === "x" ? "t" : "t−1";
      return /** @type {[string, number, number, string]} */ ([text, out ? x + 6 : x - 40, y + 4, when]);
    });
  return {
    phases: [later("what comes in"), ...signals.map((signal) => labels?.[signal]?.[0] ?? signal)],
    parts,
    ends,
    size: [Math.round(width), Math.round(height)],
    hull: [INSET, EDGE, Math.round(width) - 2 * INSET, Math.round(height) - 2 * EDGE],
  };
}
