"""From an edit to the repainted picture, in Chromium: seqviz beside the app that a user would write.

    python benchmarks/app.py [--rounds 15] [--short]

Both apps run at once and are edited in turn, in the same browser, each only when the other is at rest. Times are
taken inside the page, from the input event to the frame that shows the change. Keys and drags go through the
browser's own keyboard and mouse. Ratios of medians go to ``benchmarks/results/app.json``, with the machine's load
when the run began: a busy machine has more to do with a figure than the app.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from _apps import ROOT, chromium, served
from _ending import options, write

from seqviz import Experiment, Init, Sequence

SIZES = ((128, 32), (512, 64))
WINDOW = {"width": 1280, "height": 900}
AT_REST = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
GOAL = 0.25

# `until(node, what, test)`: the time at which the first frame with test() true had been painted.
HELPERS = """
const painted = () => new Promise(r => requestAnimationFrame(() => setTimeout(() => r(performance.now()), 0)));
const until = (node, what, test) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('Nothing was repainted within a minute.')), 60000);
  const seen = () => { if (test()) { watch.disconnect(); painted().then(resolve); } };
  const watch = new MutationObserver(seen);
  watch.observe(node, what);
  seen();
});
"""

NAIVE = f"""async ([label, wanted, value]) => {{
  {HELPERS}
  const input = document.querySelector(`input[aria-label="${{label}}"]`);
  const titles = () => [...document.querySelectorAll('.js-plotly-plot .gtitle')].map(t => t.textContent);
  const done = until(document.body, {{subtree: true, childList: true, characterData: true}},
    () => titles().filter(t => t.includes(wanted)).length === 7);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, `${{value}}`);
  input.dispatchEvent(new Event('input', {{bubbles: true}}));
  const start = performance.now();
  input.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true}}));
  return await done - start;
}}"""

OURS = f"""async ([selector, value]) => {{
  {HELPERS}
  const root = document.querySelector('.sv-scope');
  const input = document.querySelector(selector);
  const [id, previews] = [root.dataset.drawn, root.dataset.previews];
  const first = until(root, {{attributes: true}}, () => root.dataset.previews !== previews);
  const confirmed = until(root, {{attributes: true}}, () => root.dataset.drawn !== id);
  input.value = value;
  const start = performance.now();
  input.dispatchEvent(new Event('change', {{bubbles: true}}));
  return [await first - start, await confirmed - start];
}}"""

WATCH_KEYS = """() => {
  const band = document.querySelector('.sv-scope .sv-band');
  window.presses = [];
  document.addEventListener('keydown', event => {
    const before = band.style.transform;
    let frames = 0;
    const look = () => {
      frames++;
      if (band.style.transform === before) requestAnimationFrame(look);
      else setTimeout(() => window.presses.push([frames, performance.now() - event.timeStamp]), 0);
    };
    requestAnimationFrame(look);
  }, true);
}"""

WATCH_SLIDER = f"""([label, picture]) => {{
  {HELPERS}
  const root = document.querySelector(picture);
  const id = root.dataset.drawn;
  document.querySelector(`[data-testid=stSlider] input[aria-label="${{label}}"]`).focus();
  window.took = new Promise((resolve, reject) => document.addEventListener('keydown', event =>
    until(root, {{attributes: true}}, () => root.dataset.drawn !== id)
      .then(at => resolve(at - event.timeStamp), reject), {{capture: true, once: true}}));
}}"""

# The left end and the middle of a picture's first row.
INSIDE = """picture => {
  const box = document.querySelector(picture).getBoundingClientRect();
  const { xaxis, yaxis } = document.querySelector(`${picture} .sv-graph`)._fullLayout;
  return [box.left + xaxis._offset, box.top + yaxis._offset + yaxis._length / 2];
}"""

REDRAWS = "() => [+(document.querySelector('.sv-scope').dataset.previews ?? 0), performance.now()]"

# What is edited: the naive app's control, how its titles show the value, our control.
EDITS = {
    "sequence": ("x at step 0", "x = {},", ".sv-scope .sv-why input"),
    "weight": ("weight_hh_l0[0, 0]", "w = {}", ".sv-weights .sv-number"),
}


def open_ours(browser: Any, address: str, steps: int, hidden: int) -> Any:
    """Our gates page on an LSTM of this size."""
    experiment = Experiment(hidden_size=hidden, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", steps))
    page = browser.new_context(viewport=WINDOW).new_page()
    page.goto(f"{address}/?e={experiment.to_url()}")
    page.wait_for_selector(".sv-scope[data-drawn]", timeout=120_000)
    page.wait_for_function(AT_REST)
    return page


def open_naive(browser: Any, address: str) -> Any:
    """The naive app, all seven charts drawn."""
    page = browser.new_context(viewport=WINDOW).new_page()
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .gtitle').length >= 7", timeout=120_000)
    page.wait_for_function(AT_REST)
    return page


def open_weights(page: Any) -> None:
    """The matrix beside the picture."""
    page.get_by_text("Weights", exact=True).click()
    page.wait_for_selector(".sv-weights[data-drawn]")
    page.wait_for_function(AT_REST)


def in_turn(ours: Any, naive: Any, what: str, rounds: int) -> dict[str, float]:
    """Medians of edits of one kind made in turn, and their ratios."""
    label, shown, selector = EDITS[what]
    times: dict[str, list[float]] = {"naive": [], "confirmed": [], "first": []}
    for k in range(rounds + 2):
        value = round(0.11 + 0.01 * k, 2)
        naive.bring_to_front()
        took = naive.evaluate(NAIVE, [label, shown.format(value), value])
        naive.wait_for_function(AT_REST)
        ours.bring_to_front()
        first, confirmed = ours.evaluate(OURS, [selector, value])
        ours.wait_for_function(AT_REST)
        if k >= 2:
            for name, figure in (("naive", took), ("first", first), ("confirmed", confirmed)):
                times[name].append(figure)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "naive_ms": medians["naive"],
        "first_repaint_ms": medians["first"],
        "server_repaint_ms": medians["confirmed"],
        "first_repaint_ratio": medians["first"] / medians["naive"],
        "server_repaint_ratio": medians["confirmed"] / medians["naive"],
    }


def edits(browser: Any, ours_at: str, naive_at: str, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Edits of the sequence, then of a weight, at one size."""
    ours, naive = open_ours(browser, ours_at, *size), open_naive(browser, naive_at)
    found = {"sequence": in_turn(ours, naive, "sequence", rounds)}
    ours.bring_to_front()
    open_weights(ours)
    found["weight"] = in_turn(ours, naive, "weight", rounds)
    ours.context.close()
    naive.context.close()
    return found


def keys(page: Any, sent: list[Any], presses: int = 30) -> dict[str, float]:
    """Frames from an arrow key to the moved band, and the messages that the keys sent."""
    page.evaluate(WATCH_KEYS)
    page.focus(".sv-scope .sv-plot")
    before = len(sent)
    for k in range(presses):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"window.presses.length > {k}")
    frames, took = zip(*page.evaluate("window.presses"), strict=True)
    # One edit at the end: whatever the keys had sent would have been sent before it.
    page.evaluate(OURS, [EDITS["sequence"][2], 0.77])
    page.wait_for_function(AT_REST)
    return {
        "frames": statistics.median(frames),
        "frames_most": max(frames),
        "ms": statistics.median(took),
        "messages": len(sent) - before - 1,
    }


def drag(page: Any, selector: str, across: float, seconds: float = 3) -> float:
    """Redraws of the scope in a second while the mouse drags up and down, and `across` pixels to the right a move."""
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    left, y = page.evaluate(INSIDE, selector)
    x = left + 40
    page.mouse.move(x, y)
    page.mouse.down()
    first, start = page.evaluate(REDRAWS)
    end = time.monotonic() + seconds
    k = 0
    while time.monotonic() < end:
        k += 1
        page.mouse.move(x + (across * k) % 400, y + 20 - abs(k % 40 - 20) * 2)
    last, stop = page.evaluate(REDRAWS)
    page.mouse.up()
    page.wait_for_function(AT_REST)
    if last == first:
        raise RuntimeError(f"Dragging over {selector} redrew nothing.")
    return 1000 * (last - first) / (stop - start)


def hands(browser: Any, address: str, short: bool = False) -> dict[str, Any]:
    """Arrow keys and drags on our page, at 128 steps and 32 units."""
    page = open_ours(browser, address, 128, 32)
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    page.wait_for_selector(".sv-scope[data-drawn]")
    page.wait_for_function(AT_REST)
    found: dict[str, Any] = {"arrow_key": keys(page, sent, presses=3 if short else 30)}
    seconds = 0.5 if short else 3
    sequence = drag(page, ".sv-scope .sv-plot", across=2, seconds=seconds)
    open_weights(page)
    weight = drag(page, ".sv-weights .sv-plot", across=0, seconds=seconds)
    found["redraws_per_second"] = {"sequence": sequence, "weight": weight}
    page.context.close()
    return found


def laboratory(browser: Any, address: str, rounds: int) -> dict[str, float]:
    """The same slider on the gates page and in the gradient laboratory (200 steps, 32 units, three networks)."""
    gates = open_ours(browser, address, 200, 32)
    gates.get_by_text("Network", exact=True).click()
    label = "Forget gate bias"
    gates.get_by_text(label).wait_for()
    lab = browser.new_context(viewport=WINDOW).new_page()
    lab.goto(f"{address}/gradients")
    lab.wait_for_selector(".sv-flow[data-drawn]", timeout=120_000)
    times: dict[str, list[float]] = {".sv-scope": [], ".sv-flow": []}
    for k in range(rounds + 2):
        for page, picture in ((gates, ".sv-scope"), (lab, ".sv-flow")):
            page.bring_to_front()
            page.wait_for_function(AT_REST)
            page.evaluate(WATCH_SLIDER, [label, picture])
            page.keyboard.press("ArrowRight")
            took = page.evaluate("window.took")
            if k >= 2:
                times[picture].append(took)
    for page in (gates, lab):
        page.context.close()
    medians = [statistics.median(values) for values in times.values()]
    return {"gates_ms": medians[0], "laboratory_ms": medians[1], "ratio": medians[1] / medians[0]}


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, rounds=15)
    rounds = 1 if asked.short else asked.rounds
    results: dict[str, Any] = {"goal": GOAL, "rounds": rounds, "load": os.getloadavg()[0]}
    with chromium() as browser, served(ROOT / "app.py") as ours:
        for steps, hidden in SIZES[: 1 if asked.short else None]:
            os.environ |= {"BENCH_STEPS": str(steps), "BENCH_HIDDEN": str(hidden)}
            with served(ROOT / "benchmarks" / "naive_app.py", "--runner.postScriptGC", "true") as naive:
                found = results[f"{steps}x{hidden}"] = edits(browser, ours, naive, (steps, hidden), rounds)
            for what, row in found.items():
                first, server = row["first_repaint_ratio"], row["server_repaint_ratio"]
                print(f"L={steps} H={hidden}, {what}: edit to repaint {first:.2f} of the naive app's;", end=" ")
                print(f"to the server's repaint {server:.2f}")
        results["laboratory"] = lab = laboratory(browser, ours, rounds)
        print(f"gradient laboratory: a slider to the repainted picture {lab['ratio']:.2f} of the gates page's")
        found = results["hands"] = hands(browser, ours, short=asked.short)
    key, rates = found["arrow_key"], found["redraws_per_second"]
    print(f"arrow key: {key['frames']:.0f} frame (at most {key['frames_most']}), {key['messages']} messages")
    print(f"redraws a second during a drag: sequence {rates['sequence']:.0f}, weight {rates['weight']:.0f} (goal 45)")
    write("app", results, asked.short)


if __name__ == "__main__":
    main()
