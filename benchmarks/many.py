"""Many people on one process: each edits a value every two seconds; how long until the answer is complete?

    python benchmarks/many.py [--people 60] [--seconds 30] [--both] [--short]

Raw websocket clients speak Streamlit's protocol on the loopback address: each opens the gates page on an LSTM
of 128 steps and 32 units, then sends the scope's own edit event, waits for its run to finish and sees to it that
another picture came. ``--both`` also runs the same app with Streamlit's default of a full garbage collection
after every run. Times go to ``benchmarks/results/many.json``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
from dataclasses import dataclass, field
from typing import Any

import websockets
from _apps import ROOT, served
from _ending import options, write
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from seqviz import Experiment, Init, Sequence

PAUSE = 2.0
GOAL = 100.0
PATIENCE = 20.0
"""Seconds without a word from the server after which it has failed."""
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
COLLECTING = ("--runner.postScriptGC", "true")
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
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.element(message.delta)
            elif kind == "script_finished" and message.script_finished != EARLY and self.picture:
                return

    def element(self, delta: Any) -> None:
        """One element of the page."""
        kind = delta.new_element.WhichOneof("type")
        if kind == "exception":
            raise RuntimeError(f"The app failed: {delta.new_element.exception.type}.")
        if kind == "bidi_component":
            component = delta.new_element.bidi_component
            self.scope, self.picture, self.fragment = component.id, component.bytes, delta.fragment_id

    async def arrive(self) -> None:
        """The first run of the page."""
        message = BackMsg()
        message.rerun_script.query_string = f"e={EXPERIMENT.to_url()}"
        message.rerun_script.context_info.url = "http://127.0.0.1/"
        await self.socket.send(message.SerializeToString())
        await self.until_drawn("The page drew no scope.")

    async def edit(self, step: int, value: float) -> None:
        """Change one number of the sequence, as the browser would, and wait until its run is over."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash, rerun.fragment_id = self.page, self.fragment
        widget = rerun.widget_states.widgets.add()
        widget.id = f"$$STREAMLIT_INTERNAL_KEY_{self.scope}__events"
        event = {"event": "edit", "value": {"type": "input", "edits": [[step, 0, value]], "at": value}}
        widget.json_trigger_value = json.dumps([event])
        before, self.picture = self.picture, b""
        loop = asyncio.get_running_loop()
        start = loop.time()
        await self.socket.send(message.SerializeToString())
        await self.until_drawn("An edit brought no picture.")
        self.took.append(1000 * (loop.time() - start))
        if self.picture == before:
            raise RuntimeError("An edit brought no new picture.")

    async def live(self, seconds: float) -> None:
        """Edit every two seconds, out of step with the others."""
        draw = random.Random(self.number)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        await asyncio.sleep(draw.random() * PAUSE)
        while loop.time() < end:
            await self.edit(draw.randrange(128), round(draw.uniform(-1, 1), 3))
            await asyncio.sleep(PAUSE)


async def crowd(address: str, people: int, seconds: float) -> list[float]:
    """Everybody arrives, then everybody edits; the times of all edits in ms."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    how: dict[str, Any] = {"max_size": None, "subprotocols": ["streamlit"], "origin": address}
    opened = [await websockets.connect(url, **how) for _ in range(people)]
    persons = [Person(socket, k) for k, socket in enumerate(opened)]
    for person in persons:
        await person.arrive()
    await asyncio.gather(*(person.live(seconds) for person in persons))
    for socket in opened:
        await socket.close()
    return [t for person in persons for t in person.took]


def measure(name: str, people: int, seconds: float, *options: str) -> dict[str, float]:
    """Run one app with a crowd and print what it gave."""
    load = os.getloadavg()[0]
    with served(ROOT / "app.py", *options) as address:
        times = sorted(asyncio.run(crowd(address, people, seconds)))
    found = {
        "people": people,
        "edits": len(times),
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * len(times))],
        "load": load,
    }
    print(f"{name}: {people} people, {len(times)} edits, p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms")
    return found


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, "both", people=60, seconds=30.0)
    people, seconds = (3, 3.0) if asked.short else (asked.people, asked.seconds)
    ours = measure("as it is", people, seconds)
    results: dict[str, Any] = {"goal_p95_ms": GOAL, "settings of the project": ours}
    if asked.both:
        slow = measure("with a collection after every run", people, seconds, *COLLECTING)
        results |= {"collection after every run": slow, "p95_ratio": ours["p95_ms"] / slow["p95_ms"]}
        print(f"p95 is {results['p95_ratio']:.3f} of that with a collection after every run")
    write("many", results, asked.short)


if __name__ == "__main__":
    main()
