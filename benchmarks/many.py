"""Many people on one process: each edits a value every two seconds; how long until the answer is complete?

    python benchmarks/many.py [--people 60] [--seconds 30] [--both] [--heavy] [--racing] [--short]

Raw websocket clients speak Streamlit's protocol on the loopback address: each opens the gates page on an LSTM
of 128 steps and 32 units, then sends the scope's own edit event, waits for its run to finish and sees to it that
another picture came. Everybody edits every two seconds by a clock of their own, and a time begins when the edit was
due: people do not fall into step behind a slow answer, and waiting for one counts. ``--both`` also runs the same app
with Streamlit's default of a full garbage collection after every run; ``--heavy`` lets one more visitor edit the
largest network, again as soon as it was answered, beside a third of the people, and ``--racing`` lets one race three
networks on the training page, again as soon as they have come in. Times go to ``benchmarks/results/many.json``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import websockets
from _apps import ROOT, Served, served
from _ending import options, write
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from seqviz import Experiment, Init, Sequence
from seqviz.experiment import MAX_HIDDEN, MAX_LAYERS, MAX_STEPS

PAUSE = 2.0
GOAL = 100.0
LOOK = 0.3
"""Seconds after which the training page asks how far its networks have come."""
PATIENCE = 20.0
"""Seconds without a word from the server after which it has failed."""
WEIGHTY, RACING = "the largest network", "races of three networks"
PICTURES = ("-scope", "-probe")
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
COLLECTING = ("--runner.postScriptGC", "true")
LARGEST = Experiment(hidden_size=MAX_HIDDEN, num_layers=MAX_LAYERS, sequence=Sequence("sine", MAX_STEPS))
EXPERIMENT = Experiment(hidden_size=32, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", 128))


@dataclass
class Person:
    """One open tab."""

    socket: Any
    number: int
    scope: str = ""
    fragment: str = ""
    page: str = ""
    picture: bytes = b""
    race: str = ""
    live_part: str = ""
    took: list[float] = field(default_factory=list)

    async def until_drawn(self, failure: str) -> None:
        """Read messages until a run is over that brought a picture, noting where the scope lives.

        A visit is more than one run: the first is begun anew, and a fragment of its own draws the scope.
        """
        while True:
            message = ForwardMsg()
            try:
                message.ParseFromString(await asyncio.wait_for(self.socket.recv(), PATIENCE))
            except TimeoutError:
                raise RuntimeError(failure) from None
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.page = message.navigation.page_script_hash
            elif kind == "auto_rerun":
                self.live_part = message.auto_rerun.fragment_id
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.element(message.delta)
            elif kind == "script_finished" and message.script_finished != EARLY and self.picture:
                return

    def element(self, delta: Any) -> None:
        """One element of the page."""
        kind = delta.new_element.WhichOneof("type")
        if kind == "exception":
            raise RuntimeError(f"The app failed: {delta.new_element.exception.type}.")
        if kind == "button" and delta.new_element.button.id.endswith(("-train.race", "-train.stop")):
            button = delta.new_element.button.id
            self.race = button if button.endswith("race") else ""  # where there is something to stop, a race is on
        if kind == "bidi_component" and delta.new_element.bidi_component.id.endswith(PICTURES):
            component = delta.new_element.bidi_component
            self.scope, self.picture, self.fragment = component.id, component.bytes, delta.fragment_id

    async def arrive(self, experiment: Experiment = EXPERIMENT, page: str = "") -> None:
        """The first run of the page."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = f"e={experiment.to_url()}"
        message.rerun_script.context_info.url = "http://127.0.0.1/"
        await self.socket.send(message.SerializeToString())
        await self.until_drawn("The page drew no scope.")

    async def edit(self, step: int, value: float, due: float) -> None:
        """Change one number of the sequence, as the browser would, and wait until its run is over."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash, rerun.fragment_id = self.page, self.fragment
        widget = rerun.widget_states.widgets.add()
        widget.id = f"$$STREAMLIT_INTERNAL_KEY_{self.scope}__events"
        event = {"event": "edit", "value": {"type": "input", "edits": [[step, 0, value]], "at": value}}
        widget.json_trigger_value = json.dumps([event])
        before, self.picture = self.picture, b""
        await self.socket.send(message.SerializeToString())
        await self.until_drawn("An edit brought no picture.")
        self.took.append(1000 * (asyncio.get_running_loop().time() - due))
        if self.picture == before:
            raise RuntimeError("An edit brought no new picture.")

    async def racing(self, seconds: float) -> None:
        """Race all three, look on as the browser does, and again."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            begun, message = loop.time(), BackMsg()
            rerun = message.rerun_script
            rerun.page_script_hash = self.page
            if self.race:
                widget = rerun.widget_states.widgets.add()
                widget.id, widget.trigger_value, self.race = self.race, True, ""
            else:
                rerun.fragment_id, rerun.is_auto_rerun = self.live_part, True
            await self.socket.send(message.SerializeToString())
            await self.until_drawn("A race was not drawn.")
            if rerun.is_auto_rerun:
                await asyncio.sleep(max(0.0, LOOK - (loop.time() - begun)))
            else:
                self.took.append(1000 * (loop.time() - begun))

    async def live(self, seconds: float, pause: float = PAUSE) -> None:
        """Edit every so many seconds, out of step with the others."""
        draw = random.Random(self.number)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        due = loop.time() + draw.random() * pause
        while due < end:
            await asyncio.sleep(due - loop.time())
            await self.edit(draw.randrange(128), round(draw.uniform(-1, 1), 3), due)
            due = max(due + pause, loop.time() if not pause else 0)


async def come(address: str, number: int) -> Person:
    """Open a tab."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    how: dict[str, Any] = {"max_size": None, "subprotocols": ["streamlit"], "origin": address}
    return Person(await websockets.connect(url, **how), number)


def weigh(address: str, seconds: float, kind: str, line: Connection) -> None:
    """A heavy visitor, in a process of its own: reading its pictures must not keep the others waiting."""

    async def visit() -> list[float]:
        person = await come(address, -1)
        await (person.arrive(page="training") if kind == RACING else person.arrive(LARGEST))
        line.send("arrived")
        line.recv()
        await (person.racing(seconds) if kind == RACING else person.live(seconds, pause=0.0))
        await person.socket.close()
        return person.took

    line.send(asyncio.run(visit()))


async def crowd(address: Served, people: int, seconds: float, heavy: str) -> tuple[list[float], float]:
    """Everybody arrives, then everybody edits: the times of all edits in ms, but for the heavy visitor's, and the
    app's processor time in ms an edit."""
    light = [await come(address, k) for k in range(people)]
    for person in light:
        await person.arrive()
    spawn = get_context("spawn")
    line, other = spawn.Pipe()
    beside = spawn.Process(target=weigh, args=(str(address), seconds, heavy, other), daemon=True)
    if heavy:
        beside.start()
        line.recv()
        line.send("begin")
    before = address.cpu()
    await asyncio.gather(*(person.live(seconds) for person in light))
    cpu = address.cpu() - before
    times = sorted(t for person in light for t in person.took)
    edits = len(times)
    if heavy:
        took = line.recv()
        edits += len(took)
        print(f"the visitor with {heavy}: {len(took)} times, p50 {statistics.median(took):.0f} ms")
    for person in light:
        await person.socket.close()
    return times, 1000 * cpu / edits


def measure(name: str, people: int, seconds: float, *options: str, heavy: str = "") -> dict[str, float]:
    """Run one app with a crowd and print what it gave."""
    load = os.getloadavg()[0]
    with served(ROOT / "app.py", *options) as address:
        times, cpu = asyncio.run(crowd(address, people, seconds, heavy))
    found = {
        "people": people,
        "edits": len(times),
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * len(times))],
        "cpu_ms": cpu,
        "load": load,
    }
    print(f"{name}: {people} people, {len(times)} edits, p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms;")
    print(f"    processor {cpu:.1f} ms an edit; load {load:.1f} at the beginning")
    return found


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, "both", "heavy", "racing", people=60, seconds=30.0)
    people, seconds = (3, 3.0) if asked.short else (asked.people, asked.seconds)
    ours = measure("as it is", people, seconds)
    results: dict[str, Any] = {"goal_p95_ms": GOAL, "settings of the project": ours}
    if asked.both:
        slow = measure("with a collection after every run", people, seconds, *COLLECTING)
        results |= {"collection after every run": slow, "p95_ratio": ours["p95_ms"] / slow["p95_ms"]}
        print(f"p95 is {results['p95_ratio']:.3f} of that with a collection after every run")
    few = max(1, people // 3)
    alone = measure("alone", few, seconds) if asked.heavy or asked.racing else None
    for kind, wanted in ((WEIGHTY, asked.heavy), (RACING, asked.racing)):
        if alone and wanted:
            beside = measure(f"beside {kind}", few, seconds, heavy=kind)
            results[f"beside {kind}"] = {
                "alone": alone,
                "beside": beside,
                "p95_ratio": beside["p95_ms"] / alone["p95_ms"],
            }
            print(f"p95 beside {kind} is {results[f'beside {kind}']['p95_ratio']:.2f} of that alone")
    write("many", results, asked.short)


if __name__ == "__main__":
    main()
