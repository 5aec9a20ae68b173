"""A product by either library is the product, and the choice is made once, by any number of threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from seqviz import capture
from seqviz.capture import products
from seqviz.capture.products import product


@pytest.fixture(params=[False, True], ids=["mkl", "onednn"])
def chosen(request, monkeypatch) -> bool:
    monkeypatch.setattr(products, "_onednn_is_faster", lambda *size: request.param)
    return request.param


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("rows", "outputs", "inner"), [(1, 3, 2), (7, 64, 33), (512, 256, 40), (130, 1024, 96)])
@torch.no_grad()
def test_a_product_is_what_float64_gives(chosen, rows, outputs, inner, bias):
    g = torch.Generator().manual_seed(0)
    weight, inputs = torch.randn(outputs, inner, generator=g), torch.randn(rows, inner, generator=g)
    added = torch.randn(outputs, generator=g) if bias else None
    multiply = product(weight, added, rows)
    wanted = inputs.numpy().astype(np.float64) @ weight.numpy().astype(np.float64).T
    wanted = wanted + (added.numpy() if added is not None else 0)
    np.testing.assert_allclose(multiply(inputs).numpy(), wanted, atol=2e-6 * inner)
    np.testing.assert_allclose(multiply(inputs[: rows // 2]).numpy(), wanted[: rows // 2], atol=2e-6 * inner)
    turned = product(weight.t().contiguous().t(), added, rows)
    np.testing.assert_allclose(turned(inputs).numpy(), wanted, atol=2e-6 * inner)


@torch.no_grad()
def test_float64_stays_float64(chosen):
    weight, inputs = torch.randn(200, 40).double(), torch.randn(300, 40).double()
    made = product(weight, None, 300)(inputs)
    assert made.dtype == torch.float64
    np.testing.assert_allclose(made.numpy(), inputs.numpy() @ weight.numpy().T, atol=1e-12)


def test_a_size_is_measured_once_whoever_asks(monkeypatch):
    measured = []
    monkeypatch.setattr(products, "_FASTER", {})
    monkeypatch.setattr(products, "_measured", lambda *size: measured.append(size) or len(measured) % 2 == 1)
    answers: list[bool] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        answers.append(products._onednn_is_faster(600, 512, 160))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert measured == [(600, 512, 160)]
    assert answers == [True] * 8
    assert products._onednn_is_faster(1000, 700, 200), "the same size up to a factor of two"
    assert not products._onednn_is_faster(1200, 700, 200)


@pytest.mark.parametrize("why", ["missing", "wrong", "slower"])
def test_mkl_stays_where_onednn_is_missing_wrong_or_slower(monkeypatch, why):
    if why == "missing":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    elif why == "wrong":
        mkl = products._mkl
        monkeypatch.setattr(products, "_seconds", lambda make, *given: 1.0 if make is mkl else 0.1)
        monkeypatch.setattr(products, "_onednn", lambda w, b, rows: lambda x: mkl(w, b, rows)(x) + 1)
    else:
        slower = {products._mkl: 1.0, products._onednn: 0.95}
        monkeypatch.setattr(products, "_seconds", lambda make, *given: slower[make])
    assert not products._measured(64, 128, 32)


def test_small_and_double_products_are_not_even_measured(monkeypatch):
    monkeypatch.setattr(products, "_onednn_is_faster", lambda *size: pytest.fail("measured"))
    with torch.no_grad():
        product(torch.zeros(64, 16), None, 10)
        product(torch.zeros(1000, 1000).double(), None, 1000)


@pytest.mark.parametrize("hooked", [False, True])
def test_what_a_hook_keeps_of_the_output_does_not_reach_the_trace(hooked):
    """torch's own output is only shared with the trace where nobody else has it."""
    layer, x, seen = torch.nn.LSTM(3, 4), torch.randn(6, 2, 3), []
    if hooked:
        layer.register_forward_hook(lambda module, args, out: seen.append(out[0]))
    trace = capture(layer, x)
    wanted = layer(x)[0].detach().numpy().copy()
    for out in seen:
        out.detach().zero_()
    x.zero_()
    np.testing.assert_array_equal(trace["l0.h"], wanted)
    assert trace["x"].any()
    assert len(seen) == 2 * hooked
