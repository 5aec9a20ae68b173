// In which order the units of a layer are drawn.

// values: Float32Array(L * H), time first. Returns H unit numbers, top to bottom.
export function unitOrder(values, L, H, how) {
  const units = [...Array(H).keys()];
  if (how === "index" || H < 3) return units;
  const mean = units.map((u) => {
    let sum = 0;
    for (let t = 0; t < L; t++) sum += values[t * H + u];
    return sum / L;
  });
  const byMean = units.slice().sort((a, b) => mean[b] - mean[a]);
  if (how === "mean") return byMean;
  // A chain of nearest neighbours by correlation over (at most 256 samples of) time.
  const stride = Math.max(1, Math.ceil(L / 256));
  const series = units.map((u) => {
    const s = [];
    for (let t = 0; t < L; t += stride) s.push(values[t * H + u] - mean[u]);
    const norm = Math.hypot(...s) || 1;
    return s.map((v) => v / norm);
  });
  const alike = (a, b) => series[a].reduce((sum, v, k) => sum + v * series[b][k], 0);
  const left = new Set(byMean);
  const chain = [byMean[0]];
  left.delete(byMean[0]);
  while (left.size) {
    const last = chain[chain.length - 1];
    let best = null;
    let score = -Infinity;
    for (const u of left) {
      const s = alike(last, u);
      if (s > score) [best, score] = [u, s];
    }
    chain.push(best);
    left.delete(best);
  }
  return chain;
}
