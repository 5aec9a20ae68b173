"""From an edit to the repainted picture, in Chromium: seqviz beside the app that a user would write.

    python benchmarks/app.py [--rounds 15]

Both apps run at once and are edited in turn, in the same browser; times are taken inside the page, from the
input event to the frame after the change. Ratios go to ``benchmarks/results/app.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from typing import Any

from _apps import RESULTS, ROOT, chromium, served

from seqviz import Experiment, Init, Sequence

SIZES = ((128, 32), (512, 64))
PAINTED = "const painted = () => new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)));"

NAIVE = """async (value) => {
  /*PAINTED*/
  const input = document.querySelector('input[type=number]');
  const charts = () => [...document.querySelectorAll('.js-plotly-plot .gtitle')].map(t => t.textContent);
  const wanted = `x[0] = ${value}`;
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, `${value}`);
  input.dispatchEvent(new Event('input', {bubbles: true}));
  const start = performance.now();
  input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
  input.blur();
  while (charts().filter(t => t.includes(wanted)).length < 6) await painted();
  return performance.now() - start;
}""".replace("/*PAINTED*/", PAINTED)

OURS = """async (value) => {
  /*PAINTED*/
  const root = document.querySelector('.sv-scope');
  const input = root.querySelector('.sv-why input');
  const [id, previews, redraws] = [root.dataset.drawn, root.dataset.previews, root.dataset.redraws];
  input.value = value;
  const start = performance.now();
  input.dispatchEvent(new Event('change', {bubbles: true}));
  while (root.dataset.previews === previews) await painted();
  const local = performance.now() - start;
  while (root.dataset.drawn === id) await painted();
  await painted();
  return [local, performance.now() - start];
}""".replace("/*PAINTED*/", PAINTED)

KEY = """async () => {
  const root = document.querySelector('.sv-scope');
  const [plot, band] = [root.querySelector('.sv-plot'), root.querySelector('.sv-band')];
  const before = band.style.transform;
  let frames = 0;
  plot.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
  while (band.style.transform === before) { await new Promise(r => requestAnimationFrame(r)); frames++; }
  return frames;
}"""

DRAG = """async ([selector, seconds]) => {
  const root = document.querySelector('.sv-scope');
  const plot = document.querySelector(selector);
  const box = plot.getBoundingClientRect();
  const at = (k) => ({bubbles: true, cancelable: true, pointerId: 1, button: 0, buttons: 1,
    clientX: box.left + 80 + (selector.includes('scope') ? (k % 200) * 2 : 0),
    clientY: box.top + 60 + 25 * Math.sin(k / 5)});
  plot.dispatchEvent(new PointerEvent('pointerdown', at(0)));
  const [first, start] = [+(root.dataset.previews ?? 0), performance.now()];
  for (let k = 1; performance.now() - start < seconds * 1000; k++) {
    plot.dispatchEvent(new PointerEvent('pointermove', at(k)));
    await new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)));
  }
  const rate = (+root.dataset.previews - first) / ((performance.now() - start) / 1000);
  plot.dispatchEvent(new PointerEvent('pointerup', at(0)));
  return rate;
}"""


def open_ours(browser: Any, address: str, steps: int, hidden: int) -> Any:
    """Our gates page on an LSTM of this size."""
    experiment = Experiment(hidden_size=hidden, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", steps))
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{address}/?e={experiment.to_url()}")
    page.wait_for_selector(".sv-scope[data-drawn]")
    return page


def open_naive(browser: Any, address: str) -> Any:
    """The naive app, all seven charts drawn."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .gtitle').length >= 7")
    return page


def edits(browser: Any, ours_at: str, naive_at: str, steps: int, hidden: int, rounds: int) -> dict[str, float]:
    """Medians of edits made in turn, and their ratios."""
    ours, naive = open_ours(browser, ours_at, steps, hidden), open_naive(browser, naive_at)
    times: dict[str, list[float]] = {"naive": [], "server": [], "local": []}
    for k in range(rounds + 2):
        value = round(0.11 + 0.01 * k, 2)
        naive.bring_to_front()
        took = naive.evaluate(NAIVE, value)
        ours.bring_to_front()
        local, server = ours.evaluate(OURS, value)
        if k >= 2:
            for name, figure in (("naive", took), ("local", local), ("server", server)):
                times[name].append(figure)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "naive_ms": medians["naive"],
        "ours_ms": medians["server"],
        "ours_first_paint_ms": medians["local"],
        "ratio": medians["server"] / medians["naive"],
        "ratio_first_paint": medians["local"] / medians["naive"],
    }


def hands(browser: Any, address: str) -> dict[str, float]:
    """Arrow keys and drags on our page, at 128 steps and 32 units."""
    page = open_ours(browser, address, 128, 32)
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    page.wait_for_selector(".sv-scope[data-drawn]")
    page.evaluate(KEY)
    before = len(sent)
    frames = [page.evaluate(KEY) for _ in range(20)]
    messages = len(sent) - before
    sequence = page.evaluate(DRAG, [".sv-scope .sv-plot", 2])
    page.get_by_text("Weights", exact=True).click()
    page.wait_for_selector(".sv-weights[data-drawn]")
    weight = page.evaluate(DRAG, [".sv-weights .sv-plot", 2])
    return {
        "key_frames": statistics.median(frames),
        "key_messages": messages,
        "drag_sequence_redraws_per_second": sequence,
        "drag_weight_redraws_per_second": weight,
    }


SLIDER = """async ([label, picture]) => {
  /*PAINTED*/
  const root = document.querySelector(picture);
  const slider = document.querySelector(`[data-testid=stSlider] [aria-label="${label}"]`);
  const id = root.dataset.drawn;
  slider.focus();
  const start = performance.now();
  const key = {key: 'ArrowRight', code: 'ArrowRight', keyCode: 39, bubbles: true};
  slider.dispatchEvent(new KeyboardEvent('keydown', key));
  slider.dispatchEvent(new KeyboardEvent('keyup', key));
  const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  if (slider.tagName === 'INPUT' && root.dataset.drawn === id) {
    setter.call(slider, +slider.value + (+slider.step || 1));
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    slider.dispatchEvent(new Event('change', {bubbles: true}));
  }
  while (root.dataset.drawn === id) await painted();
  await painted();
  return performance.now() - start;
}""".replace("/*PAINTED*/", PAINTED)


def laboratory(browser: Any, address: str, rounds: int) -> dict[str, float]:
    """The same slider on the gates page and in the gradient laboratory (200 steps, 32 units, three networks)."""
    gates = open_ours(browser, address, 200, 32)
    gates.get_by_text("Network", exact=True).click()
    label = "Forget gate bias"
    gates.get_by_text(label).wait_for()
    lab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    lab.goto(f"{address}/gradients")
    lab.wait_for_selector(".sv-flow[data-drawn]")
    times: dict[str, list[float]] = {".sv-scope": [], ".sv-flow": []}
    for k in range(rounds + 2):
        for page, picture in ((gates, ".sv-scope"), (lab, ".sv-flow")):
            page.bring_to_front()
            took = page.evaluate(SLIDER, [label, picture])
            if k >= 2:
                times[picture].append(took)
    medians = [statistics.median(values) for values in times.values()]
    return {"gates_ms": medians[0], "laboratory_ms": medians[1], "ratio": medians[1] / medians[0]}


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    results: dict[str, Any] = {}
    with chromium() as browser, served(ROOT / "app.py") as ours:
        for steps, hidden in SIZES:
            os.environ |= {"BENCH_STEPS": str(steps), "BENCH_HIDDEN": str(hidden)}
            with served(ROOT / "benchmarks" / "naive_app.py", "--runner.postScriptGC", "true") as naive:
                found = results[f"{steps}x{hidden}"] = edits(browser, ours, naive, steps, hidden, rounds)
            first, confirmed, ms = found["ratio_first_paint"], found["ratio"], found["naive_ms"]
            print(f"L={steps} H={hidden}: edit to the repainted picture {first:.2f} of the naive app's ({ms:.0f} ms)")
            print(f"    until torch's own numbers have come back and confirmed it: {confirmed:.2f}")
        results["laboratory"] = lab = laboratory(browser, ours, rounds)
        print(f"gradient laboratory: a slider to the repainted picture {lab['ratio']:.2f} of the gates page's")
        results["hands"] = found = hands(browser, ours)
    print(f"arrow key: {found['key_frames']:.0f} frames, {found['key_messages']} messages")
    sequence, weight = (found[f"drag_{what}_redraws_per_second"] for what in ("sequence", "weight"))
    print(f"redraws a second during a drag: sequence {sequence:.0f}, weight {weight:.0f}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "app.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
