"""Parameters of an equation by the block of `priors` that states their prior."""

from __future__ import annotations

from typing import NamedTuple

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.model.distributions import prior_text
from bayescluster.model.evaluate import Draws
from bayescluster.model.priors import model_priors, population_terms
from bayescluster.names import CUTPOINTS


class Block(NamedTuple):
    """A parameter: where its prior is stated, in words, and its draws, ``(draw,)``."""

    words: str
    draws: Array


def blocks(design: Design, drawn: Draws) -> tuple[Block, ...]:
    """List the parameters of an equation, each with the place of its prior in the analysis.

    Parameters
    ----------
    design
        The equation.
    drawn
        Draws of its prior.
    """
    priors, stated = model_priors(design), design.equation.priors
    shared = stated.r2d2m2 is not None
    level = design.structure.level
    found = []
    for term in population_terms(design):
        place = "priors: r2d2m2" if shared and term != level else f"priors: terms: {term}"
        text = "" if shared and term != level else prior_text(priors.population[term])
        own = term in stated.terms or (shared and term != level)
        found.append(Block(_words(place, text, own), drawn.population[term]))
    for k, (name, prior) in enumerate(priors.controls.items()):
        alone = name in stated.terms
        place = f"priors: terms: {name}" if alone else "priors: controls"
        own = alone or stated.controls is not None
        place, text = ("priors: r2d2m2", "") if shared else (place, prior_text(prior))
        found.append(Block(_words(f"{place}, {name}", text, own or shared), drawn.controls[:, k]))
    for name, group in drawn.groups.items():
        place = "priors: r2d2m2" if shared else f"priors: group_sd: {name}"
        text = "" if shared else prior_text(priors.group_sd[name])
        own = shared or name in stated.group_sd
        found += [
            Block(_words(f"{place}, {term}", text, own), group.sd[:, k])
            for k, term in enumerate(group.terms)
        ]
    for name, own_prior in priors.family.items():
        words = _words(f"priors: family: {name}", prior_text(own_prior), name in stated.family)
        found.append(Block(words, drawn.parameters[name][:, 0]))
    for k, (mean, sd) in enumerate(priors.cutpoints):
        words = _words(f"priors: cutpoints, {k + 1}", f"Normal({mean:.3g}, {sd:.3g})", False)
        found.append(Block(words, drawn.parameters[CUTPOINTS][:, 0, k]))
    return tuple(found)


def _words(place: str, text: str, stated: bool) -> str:
    told = " ".join(part for part in ("stated" if stated else "default", text) if part)
    return f"{place} ({told})"
