"""What every page shares: process-wide settings made once, and the stylesheet."""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st
import torch

import seqviz

__all__ = ["settle"]


@st.cache_resource(show_spinner=False)
def _once() -> str:
    """Freeze what the imports made, so that later collections need not walk it."""
    gc.collect()
    gc.freeze()
    return seqviz.__version__


def settle(style: Path) -> None:
    """Prepare this run. Script threads do not inherit torch's thread count, so each run sets it."""
    torch.set_num_threads(1)
    _once()
    st.html(style)
