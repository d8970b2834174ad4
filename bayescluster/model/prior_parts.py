"""Blocks of priors: what they are made of, and the draws they are read from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.model.cells import flat
from bayescluster.model.distributions import KINDS, prior_text
from bayescluster.spec.priors import Distribution


class UnknownPriorError(ValueError):
    """The log prior of a model is not known: the message says of what."""


class PriorBlock(NamedTuple):
    """Priors that are scaled together.

    Attributes
    ----------
    name, title
        In code and in words; of several equations, each block says which is its own.
    priors
        The priors in words.
    place
        Where an analysis states them; empty where it cannot.
    density
        Log prior density, ``(draw,)``, the chains one after the other, up to a constant.
    """

    name: str
    title: str
    priors: tuple[str, ...]
    place: str
    density: Array


class Part(NamedTuple):
    """One prior: of what, in words, and its log density ``(draw,)``."""

    of: str
    words: str
    density: Array


class PosteriorDraws:
    """Draws by name, noting which were asked for, so that none is left without a prior unseen."""

    def __init__(self, group: xr.Dataset) -> None:
        self.group = group
        self.known: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.group

    def draws(self, name: str) -> Array:
        """Draws of a variable, ``(draw, element)``."""
        self.known.add(name)
        if name not in self.group:
            raise UnknownPriorError(f"the posterior does not hold {name}")
        found = flat(self.group, name)
        return found.reshape(len(found), -1)

    def square(self, name: str) -> Array:
        """Draws of a matrix, ``(draw, row, column)``."""
        found = self.draws(name)
        size = round(found.shape[1] ** 0.5)
        return found.reshape(-1, size, size)


def block_of(name: str, title: str, place: str, parts: Iterable[Part]) -> PriorBlock:
    """Add up priors; those in the same words are told together."""
    some = list(parts)
    together: dict[str, list[str]] = {}
    for part in some:
        together.setdefault(part.words, []).append(part.of)
    words = tuple(f"{', '.join(of)} ~ {prior}" for prior, of in together.items())
    return PriorBlock(name, title, words, place, np.sum([part.density for part in some], axis=0))


def part_of(of: str, prior: Distribution, values: Array) -> Part:
    """Prior of some values ``(draw, element)``, each by itself."""
    density = np.asarray(KINDS[type(prior)].scipy(prior).logpdf(values))
    return Part(of, prior_text(prior), density.sum(axis=1))


def lkj(of: str, eta: float, matrices: Array) -> Part:
    """LKJ prior of correlation matrices ``(draw, row, column)``, by the Cholesky factor.

    Source: Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9).
    """
    size = matrices.shape[-1]
    # squares of the factor's diagonal by leading minors: no factorisation that could fail
    minors = [np.linalg.slogdet(matrices[:, :k, :k])[1] for k in range(1, size + 1)]
    log_diagonal = 0.5 * np.diff(
        np.column_stack(minors), axis=1
    )  # (draw, size - 1), from the second
    power = size - np.arange(2, size + 1) + 2.0 * eta - 2.0
    return Part(of, f"LKJ({eta:g})", log_diagonal @ power)
