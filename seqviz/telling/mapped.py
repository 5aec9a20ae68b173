"""What a map of vanishing says at one place on its x axis."""

from __future__ import annotations

from seqviz.language import Sentence, later, number, sentences, tr

__all__ = ["describe_map"]


def describe_map(radius: float, from_bias: dict[str, float | None], halves: dict[str, float | None]) -> str:
    """From which bias on nothing is lost, and where a network always loses, from which on half is left per 100 steps.

    Args:
        radius: the spectral radius that is asked about.
        from_bias: by network, the bias from which on the mean of the draws loses nothing, as far as the map goes; None
            where it loses at the largest, NaN where nothing was measured there.
        halves: the same for losing no more than half per 100 steps.
    """
    said: list[Sentence] = []
    for name, bias in from_bias.items():
        half = halves[name]
        about = {"name": name, "radius": number(radius, ".2f")}
        if bias is not None and bias != bias:
            said.append(tr("At ρ = {radius} the {name} has no measured gradient at the largest bias.", **about))
        elif bias is not None:
            says = later("At ρ = {radius} the {name} loses nothing from a forget bias of {bias} on.")
            said.append(tr(says, bias=number(bias, ".1f"), **about))
        elif half is not None:
            says = later(
                "At ρ = {radius} the {name} loses at the largest bias; half is left after 100 steps from {bias} on."
            )
            said.append(tr(says, bias=number(half, ".1f"), **about))
        else:
            says = later("At ρ = {radius} the {name} loses more than half per 100 steps at the largest bias.")
            said.append(tr(says, **about))
    return sentences(said)
