// A graph laid out from left to right: layers, an order in each with few crossings, places with straight wires, and
// tracks between the layers on which the wires turn.

/** @import { Edge, Graph } from "./cellgraph.js" */
/** @typedef {[number, number]} Point */
/**
 * @typedef {object} Layout
 * @property {Map<string, Point>} at of each vertex
 * @property {{edge: Edge, points: Point[]}[]} wires
 * @property {number} width
 * @property {number} height
 */

const [SWEEPS, SETTLE] = [24, 40];
const [TRACK, LEAD, GAP, SIDE, TOP] = [13, 56, 46, 48, 40]; // px
const TALL = { box: 62, op: 48, end: 44, bend: 30 };
const bend = (key) => key.startsWith("·");
const append = (map, key, value) => map.set(key, (map.get(key) ?? new Set()).add(value));

// As late as can be, so that wires of values that are made early are short.
/** @param {Graph} graph */
function ranked({ vertices, edges }) {
  const rank = new Map();
  const find = (key) => {
    if (!rank.has(key)) rank.set(key, 1 + Math.max(-1, ...edges.filter((e) => e.to === key).map((e) => find(e.from))));
    return rank.get(key);
  };
  for (const key of vertices.keys()) find(key);
  const last = Math.max(...rank.values());
  for (const key of vertices.keys()) if (key.endsWith(" out")) rank.set(key, last);
  for (const key of [...vertices.keys()].sort((a, b) => rank.get(b) - rank.get(a))) {
    const outs = edges.filter((e) => e.from === key).map((e) => rank.get(e.to));
    if (outs.length && edges.some((e) => e.to === key)) rank.set(key, Math.min(...outs) - 1);
  }
  return { rank, last };
}

// Where a wire passes a layer it has a bend there, one for all the wires of a vertex.
function routed(edges, rank) {
  const level = new Map(rank);
  const [up, down] = [new Map(), new Map()];
  const tie = (a, b) => {
    append(up, b, a);
    append(down, a, b);
  };
  const routes = edges.map((edge) => {
    const way = [edge.from];
    for (let r = rank.get(edge.from) + 1; r < rank.get(edge.to); r++) {
      const key = `·${edge.from}·${r}`;
      level.set(key, r);
      tie(way.at(-1), key);
      way.push(key);
    }
    tie(way.at(-1), edge.to);
    return { edge, way: [...way, edge.to] };
  });
  return { level, up, down, routes };
}

function crossings(layers, up) {
  let total = 0;
  for (let r = 1; r < layers.length; r++) {
    const place = new Map(layers[r - 1].map((key, i) => [key, i]));
    const ends = layers[r].map((key) => [...(up.get(key) ?? [])].map((other) => place.get(other)));
    ends.forEach((first, i) => {
      for (const second of ends.slice(i + 1)) for (const p of first) total += second.filter((q) => q < p).length;
    });
  }
  return total;
}

// The best of some sweeps: each layer by the middle of what its vertices are tied to in the one before.
function ordered(layers, up, down) {
  let best = { count: Infinity, layers };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forward = sweep % 2 === 0;
    const near = forward ? up : down;
    const now = layers.map((_, r) => (forward ? r : layers.length - 1 - r)).slice(1);
    for (const r of now) {
      const place = new Map(layers[forward ? r - 1 : r + 1].map((key, i) => [key, i]));
      const old = new Map(layers[r].map((key, i) => [key, i]));
      const middle = (key) => {
        const ties = [...(near.get(key) ?? [])].map((other) => place.get(other));
        return ties.length ? ties.reduce((a, b) => a + b, 0) / ties.length : old.get(key);
      };
      layers[r].sort((a, b) => middle(a) - middle(b));
    }
    const count = crossings(layers, up);
    if (count < best.count) best = { count, layers: layers.map((layer) => [...layer]) };
  }
  return best.layers;
}

// Places in this order, at least `gaps` apart, nearest to what is wanted (pool adjacent violators).
function spread(wanted, gaps) {
  const shift = [0];
  for (const gap of gaps) shift.push(shift.at(-1) + gap);
  const blocks = [];
  wanted.forEach((want, i) => {
    blocks.push([want - shift[i], 1]);
    while (blocks.length > 1 && blocks.at(-2)[0] > blocks.at(-1)[0]) {
      const [b, a] = [blocks.pop(), blocks.pop()];
      blocks.push([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1]]);
    }
  });
  return blocks.flatMap(([value, count]) => Array(count).fill(value)).map((value, i) => value + shift[i]);
}

function heights(layers, up, down, kindOf) {
  const y = new Map(layers.flatMap((layer) => layer.map((key, i) => [key, 50 * i])));
  const tall = (key) => TALL[bend(key) ? "bend" : kindOf(key)];
  for (let sweep = 0; sweep < SETTLE; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wanted = layer.map((key) => {
        const ties = [...(up.get(key) ?? []), ...(down.get(key) ?? [])];
        const weights = ties.map((other) => (bend(other) || bend(key) ? 4 : 1));
        const whole = weights.reduce((a, b) => a + b, 0);
        return whole ? ties.reduce((sum, other, i) => sum + weights[i] * y.get(other), 0) / whole : y.get(key);
      });
      const gaps = layer.slice(1).map((key, i) => (tall(layer[i]) + tall(key)) / 2);
      spread(wanted, gaps).forEach((value, i) => y.set(layer[i], value));
    }
  }
  const low = Math.min(...y.values());
  for (const [key, value] of y) y.set(key, value - low + TOP);
  return y;
}

// Where the layers stand, and between them a track for each vertex whose wires turn: those that overlap get their own.
function across(layers, down, y) {
  const [x, tracks] = [new Map(), new Map()];
  let at = SIDE;
  layers.forEach((layer) => {
    for (const key of layer) x.set(key, at);
    /** @type {Point[][]} */
    const used = [];
    for (const key of layer) {
      const ends = [y.get(key), ...[...(down.get(key) ?? [])].map((other) => y.get(other))];
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      if (high - low < 0.5) continue;
      let lane = used.findIndex((spans) => spans.every(([a, b]) => high < a - 6 || low > b + 6));
      if (lane < 0) lane = used.push([]) - 1;
      used[lane].push([low, high]);
      tracks.set(key, at + LEAD + TRACK * lane);
    }
    at += LEAD + TRACK * used.length + GAP;
  });
  return { x, tracks, width: at - GAP - LEAD };
}

/**
 * @param {Graph} graph
 * @param {string[]} upper ends in the order in which they stand from the top down
 * @returns {Layout}
 */
export function layered(graph, upper) {
  const { rank, last } = ranked(graph);
  const { level, up, down, routes } = routed(graph.edges, rank);
  const place = (key) => {
    const at = upper.indexOf((bend(key) ? key.split("·")[1] : key).replace(/(_| out)$/, ""));
    return at < 0 ? upper.length : at;
  };
  const first = Array.from({ length: last + 1 }, (_, r) => [...level.keys()].filter((key) => level.get(key) === r));
  for (const layer of first) layer.sort((a, b) => place(a) - place(b));
  const layers = ordered(first, up, down);
  const y = heights(layers, up, down, (key) => graph.vertices.get(key).kind);
  const { x, tracks, width } = across(layers, down, y);
  const port = (from, to) => {
    const ties = [...up.get(to)].sort((a, b) => y.get(a) - y.get(b));
    return bend(to) || ties.length < 2
      ? 0
      : (ties.indexOf(from) - (ties.length - 1) / 2) * Math.min(9, 24 / ties.length);
  };
  const wires = routes.map(({ edge, way }) => {
    /** @type {Point[]} */
    const points = [[x.get(way[0]), y.get(way[0])]];
    way.slice(1).forEach((to, i) => {
      const [from, end] = [way[i], y.get(to) + port(way[i], to)];
      const before = points.at(-1)[1];
      const turn = tracks.get(from) ?? x.get(to) - GAP;
      if (Math.abs(before - end) > 0.5) points.push([turn, before], [turn, end]);
      points.push([x.get(to), end]);
    });
    return { edge, points };
  });
  const at = new Map([...graph.vertices.keys()].map((key) => [key, /** @type {Point} */ ([x.get(key), y.get(key)])]));
  return { at, wires, width: width + SIDE, height: Math.max(...y.values()) + TOP };
}
