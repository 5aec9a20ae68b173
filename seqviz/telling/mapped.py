"""What a map of vanishing says at one place on its x axis."""

from __future__ import annotations

from typing import Final

from seqviz.language import Sentence, later, number, sentences, tr, trn

__all__ = ["PLACES", "describe_lengths", "describe_map"]

PLACES: Final[dict[str, str]] = {
    # Translators: this stands behind "At".
    "spectral_radius": later("ρ = {value}"),
    # Translators: this stands behind "At".
    "gain": later("a gain of {value}"),
    # Translators: this stands behind "At".
    "amplitude": later("an input scale of {value}"),
}
"""How a place on a map's x axis is called, by what runs there."""


def describe_map(place: str, from_bias: dict[str, float | None], halves: dict[str, float | None]) -> str:
    """From which bias on nothing is lost, and where a network always loses, from which on half is left per 100 steps.

    Args:
        place: what is asked about, as :data:`PLACES` says it.
        from_bias: by network, the bias from which on the mean of the draws loses nothing, as far as the map goes; None
            where it loses at the largest, NaN where nothing was measured there.
        halves: the same for losing no more than half per 100 steps.
    """
    said: list[Sentence] = []
    for name, bias in from_bias.items():
        half = halves[name]
        about = {"name": name, "place": place}
        if bias is not None and bias != bias:
            said.append(tr("At {place} the {name} has no measured gradient at the largest bias.", **about))
        elif bias is not None:
            says = later("At {place} the {name} loses nothing from a forget bias of {bias} on.")
            said.append(tr(says, bias=number(bias, ".1f"), **about))
        elif half is not None:
            says = later(
                "At {place} the {name} loses at the largest bias; half is left after 100 steps from {bias} on."
            )
            said.append(tr(says, bias=number(half, ".1f"), **about))
        else:
            says = later("At {place} the {name} loses more than half per 100 steps at the largest bias.")
            said.append(tr(says, **about))
    return sentences(said)


def describe_lengths(place: str, steps: int, decades: dict[str, float]) -> str:
    """What the networks lose or gain per 100 steps over so many steps.

    Args:
        place: what is asked about, as :data:`PLACES` says it.
        steps: over how many.
        decades: by network, gained per 100 steps; NaN where none was measured.
    """
    known = {name: value for name, value in decades.items() if value == value}
    if not known:
        return trn("At {place} no network has a gradient over {count} step.",
                   "At {place} no network has a gradient over {count} steps.", steps, place=place)  # fmt: skip
    values = tr(", ").join(f"{name} {number(v, '+.1f')}" for name, v in known.items())
    return trn(
        "At {place}, over {count} step, decades per 100 steps: {values}.",
        "At {place}, over {count} steps, decades per 100 steps: {values}.", steps, place=place, values=values,
    )  # fmt: skip
