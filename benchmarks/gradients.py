"""What gradients at every step cost, beside what a user would write.

    python benchmarks/gradients.py [--rounds 7] [--short]

``gradient_flow`` (its forward run and the capture included) beside a loop over the steps of an ``LSTMCell`` with
``retain_grad``; all Jacobians d h_T / d(h_t, c_t) beside ``torch.func.jacrev`` taken step by step and multiplied.
Calls alternate in one process on one thread and are timed by the processor's clock, which other programs move less
than the wall's; results go to ``benchmarks/results/gradients.json``.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _ending import options, write
from torch import Tensor, nn

from seqviz import SequenceLSTM, capture, gradient_flow, state_jacobians
from seqviz.gradients.jacobians import StateJacobians


def step_loop(net: SequenceLSTM, x: Tensor) -> Callable[[], Any]:
    """The gradient at every state by autograd, as a user would write it."""
    cell = nn.LSTMCell(net.rnn.input_size, net.rnn.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): p for name, p in net.rnn.state_dict().items()})
    zero = torch.zeros(1, net.rnn.hidden_size)

    def run() -> list[Tensor | None]:
        h, c = zero, zero
        states = []
        for step in x:
            h, c = cell(step, (h, c))
            h.retain_grad()
            c.retain_grad()
            states += [h, c]
        net.readout(h).sum().backward()
        return [state.grad for state in states]

    return run


def jacrev_loop(rnn: nn.LSTM, x: Tensor) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """The states of a step loop, and from them the Jacobians by ``torch.func.jacrev``, multiplied up.

    Without a log scale, as a user would write it.
    """
    size = rnn.hidden_size
    cell = nn.LSTMCell(rnn.input_size, size).double()
    cell.load_state_dict({name.removesuffix("_l0"): p for name, p in rnn.state_dict().items()})
    parameters = dict(cell.named_parameters())

    def step(state: Tensor, given: Tensor) -> Tensor:
        h, c = torch.func.functional_call(cell, parameters, (given, (state[:size], state[size:])))
        return torch.cat([h, c])

    @torch.no_grad()
    def forward() -> list[Tensor]:
        states = [torch.zeros(2 * size, dtype=torch.float64)]
        for given in x[:-1, 0]:
            states.append(step(states[-1], given))
        return states

    def products(states: list[Tensor]) -> list[Tensor]:
        jacobians = [torch.func.jacrev(step)(s, given).detach() for s, given in zip(states, x[:, 0], strict=True)]
        found = [torch.eye(2 * size, dtype=torch.float64)[:size]]
        for jacobian in reversed(jacobians[1:]):
            found.append(found[-1] @ jacobian)
        return found[::-1]

    return forward, products


def in_turn(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median processor seconds of each call, made in turn; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(rounds + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            if k:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def check(ours: StateJacobians, products: list[Tensor]) -> None:
    """Both sides compute the same thing, as far back as theirs does not underflow."""
    assert ours.h_c is not None
    last = len(products) - 1
    for t in (last, last - 1, int(0.9 * last), last // 2):
        mine = np.exp(ours.log_scale[t]) * np.concatenate([ours.h_h[t], ours.h_c[t]], axis=1)
        np.testing.assert_allclose(mine, products[t], rtol=0, atol=1e-10 * np.abs(mine).max())


def main() -> None:
    """Run, print, write."""
    asked = options(__doc__, rounds=7)
    rounds = 1 if asked.short else asked.rounds
    short, long = (20, 40) if asked.short else (512, 1000)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, x = SequenceLSTM(16, 64, 1), torch.randn(short, 1, 16)
    found = in_turn({"flow": lambda: gradient_flow(net, x), "loop": step_loop(net, x)}, rounds)
    flow = found["flow"] / found["loop"]
    print(f"gradient_flow at ({short}, 1, 16, 64): {flow:.3f} of a step loop with retain_grad (goal 0.25)")
    rnn, x = nn.LSTM(16, 64).double(), torch.randn(long, 1, 16, dtype=torch.float64)
    forward, products = jacrev_loop(rnn, x)
    trace, states = capture(rnn, x), forward()
    calls = {
        "ours": lambda: state_jacobians(rnn, x, of="h"),
        "jacrev": lambda: products(forward()),
        "ours, run given": lambda: state_jacobians(rnn, x, trace=trace, of="h"),
        "jacrev, run given": lambda: products(states),
    }
    check(calls["ours"](), calls["jacrev"]())
    found = in_turn(calls, rounds)
    whole, known = (found[f"ours{end}"] / found[f"jacrev{end}"] for end in ("", ", run given"))
    print(f"all d h_T / d(h_t, c_t) at L={long}, H=64: {known:.3f} of jacrev step by step (goal 0.05);")
    print(f"    {whole:.3f} with the forward run on both sides")
    result = {
        "gradient_flow_over_step_loop": flow,
        "jacobians_over_jacrev": known,
        "jacobians_over_jacrev_with_forward": whole,
    }
    write("gradients", result, asked.short)


if __name__ == "__main__":
    main()
