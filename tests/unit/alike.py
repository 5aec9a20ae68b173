"""Two traces that must be the same run: what is compared, and how far apart rounding may take them."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from seqviz.trace import Trace

__all__ = ["SLACK", "same"]

SLACK: Final = {torch.float32: 2e-6, torch.float64: 1e-13}


def same(trace: Trace, whole: Trace, slack: float = SLACK[torch.float32]) -> None:
    """Fail where a trace is not the other one up to `slack`."""
    assert trace.signals == whole.signals
    assert trace.modes == whole.modes
    assert trace.all_lengths == whole.all_lengths
    for name in whole:
        assert (trace[name].dtype, trace[name].shape) == (whole[name].dtype, whole[name].shape)
        np.testing.assert_allclose(trace[name], whole[name], atol=slack, rtol=0, err_msg=name)
    assert trace.initial.keys() == whole.initial.keys()
    for name, state in whole.initial.items():
        np.testing.assert_array_equal(trace.initial[name], state)
