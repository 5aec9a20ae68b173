"""Why torch refused a call of a recurrent layer somewhere inside a module, in a sentence."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from seqviz.capture.found import CELLS, LAYERS
from seqviz.language import Sentence
from seqviz.networks.layers import check_call

__all__ = ["explained"]

_RAISED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@contextmanager
def explained() -> Iterator[None]:
    """While a module runs: where a recurrent layer cannot take what it is given, that is what is said.

    Raises:
        ValueError: the sentence, in the place of torch's own words. Other errors are left as they are.
    """
    try:
        yield
    except _RAISED as error:
        if not isinstance(next(iter(error.args), None), Sentence):
            _explain(error)
        raise


def _explain(error: Exception) -> None:
    """Say what was wrong with the last call of a layer on the way to an error, if that is what it comes from."""
    for frame, _ in reversed([*traceback.walk_tb(error.__traceback__)]):
        layer = frame.f_locals.get("self")
        if isinstance(layer, LAYERS + CELLS) and frame.f_code.co_name == "forward":
            names = frame.f_locals
            try:
                check_call(layer, names.get("orig_input", names.get("input")), names.get("hx"))
            except ValueError as why:
                raise why from error
            return
