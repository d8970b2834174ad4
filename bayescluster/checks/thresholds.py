"""Every threshold of the checks, in one place, with its source."""

from __future__ import annotations

from typing import Final

RHAT_MAX: Final = 1.01
ESS_MIN: Final = 400
"""Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Analysis 16(2)."""

DIVERGENCES_MAX: Final = 0
DIVERGENCES_WARNING: Final = 0.001
"""Share of draws (at least one draw) up to which divergences are a warning, not a failure: the estimates
then have to be confirmed by a refit at a higher target_accept. A convention of this project."""
MOVED_ERRORS: Final = 3.0
"""Monte Carlo standard errors that a reported estimand may move by between two fits; see `moved_limit`."""
BFMI_MIN: Final = 0.3
"""Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo."""

TREEDEPTH_SHARE_MAX: Final = 0.01
"""Share of draws at the largest tree depth: a matter of cost, not of truth.

Stan, Runtime warnings and convergence problems, holds a warning of it for safe to ignore where R-hat
and effective sample sizes are good, as does Betancourt (2017); the share is a convention of this
project, for trajectories that end early all the time are a random walk.
"""

FUNNEL_DIVERGENCES: Final = 0.5
"""Share of the divergences that lie in the lowest quarter of a group sd, from which it is a funnel.

A quarter would be chance. Betancourt and Girolami (2015), Hamiltonian Monte Carlo for hierarchical
models, find them in the neck; the share is a convention of this project.
"""

FUNNEL_DIVERGENCES_MIN: Final = 4
"""Fewest divergences whose place is examined: of fewer, half lie in a quarter by chance too often."""

FUNNEL_CORRELATION: Final = 0.8
"""Size of the negative correlation of the log of a group sd with the log spread of its standardised
effects from which the funnel is an inverted one.

The geometry is that of Neal (2003), Annals of Statistics 31(3), section 8; the size is a convention of
this project. The correlation with the spread of the effects themselves is no sign: it is near 1 always.
"""

GROUP_KNOWN: Final = 0.9
GROUP_UNKNOWN: Final = 0.5
"""Share of the prior variance of a group's coefficient that its own rows take away: from the first on
the group is sampled better centred, below the second non-centred.

Papaspiliopoulos, Roberts and Sköld (2007), Statistical Science 22(1): at one half both do alike. At nine
tenths the rows of the group say nine times as much as its prior.
"""

MODES_APART: Final = 1.0
"""Sd of the means of the chains over the sd within them from which chains sit in different places.

R-hat is then about 1.4 (Gelman and Rubin 1992, Statistical Science 7(4)), far beyond slow mixing.
"""

MODES_DRIFT: Final = 0.5
"""Change of a chain from its first half to its second, over that sd, beyond which it is still moving."""

KURTOSIS_MAX: Final = 3.0
"""Excess kurtosis of draws beyond which a parameter has heavy tails: that of a Laplace distribution."""

ENERGY_CORRELATION: Final = 0.5
"""Correlation with the energy from which a parameter is named as what the sampler is slow along.

Stan, Runtime warnings and convergence problems, looks there; the size is a convention of this project.
"""

COLLINEAR: Final = 0.7
"""Correlation of the capitals from which their effects are hard to tell apart.

Dormann et al. (2013), Ecography 36(1).
"""

CORNER_FIRMS_MIN: Final = 1
"""Fewest firms near a corner of which anything is reported: below, it is wholly extrapolated.

King and Zeng (2006), Political Analysis 14(2), on counterfactuals far from all data.
"""

PREDICTIVE_TAIL: Final = 0.01
"""A replicated statistic this far out is flagged."""

MISFIT_P: Final = 0.05
"""LOO-PIT and calibration are flagged below this p-value, adjusted for the number of tests.

A convention. Models that fit fall below it less often: LOO-PIT values are more even than
independent ones, and calibration is tested at draws that have seen the events.
"""

MISFIT_ROWS: Final = 10
"""Fewest rows of a group whose LOO-PIT or calibration is tested: a convention."""

MISFIT_EVENTS: Final = 5
"""Fewest rows with, and without, an event whose calibration is tested: a convention."""

SANDWICH_RATIO: Final = (0.8, 1.2)
"""Sandwich sd over posterior sd outside this range is warned of: intervals a fifth too wide or narrow."""

SANDWICH_UNITS: Final = 30
"""Below so many independent units the sandwich itself is rough, and tends to be too small.

Cameron and Miller (2015), Journal of Human Resources 50(2), section VI.
"""

ELPD_DIFFERENCE_MIN: Final = 4.0
ELPD_DIFFERENCE_SES: Final = 2.0
"""A form is plausible within 4, or within 2 standard errors of the difference, of the best elpd.

A rule of thumb: Sivula, Magnusson, Matamoros and Vehtari (2020), arXiv:2008.10296, for the first.
"""

WEIGHT_MIN: Final = 0.01
"""A form with a larger stacking weight has a part in the averages of effects and corners, and so must pass
its gate; a plausible form must too."""

CONTRACTION_MIN: Final = 0.2
"""Below this share of its prior variance taken away by the data, a parameter is hardly identified.

A convention of this project on the contraction of Schad, Betancourt and Vasishth (2021),
Psychological Methods 26(1).
"""

SUBSTITUTION_FLAT: Final = 4.0
"""Beyond this ``|r|`` a CES form is close to its limits, and flat in ``r``."""

GAIN_SMALL: Final = 0.1
"""A gain below this share of the unit of the outcome carries no information on the CES mean it multiplies."""

UNIDENTIFIED_SHARE: Final = 0.2
"""Posterior probability of such values above which a note is made of it: a convention."""

KAPPA: Final = 0.40
"""Share of the way from both low to both high, on the link scale, up to which one capital does not make up
for the other. An additive form splits the whole way between the two, whatever the base rate."""


SHIFT: Final = {"industry": 0.1, "cluster": 0.25}
"""Shift of an indicator's intercept in a group, in its standard deviations, from which it is reported.

A tenth moves the mean of four indicators by a fortieth, little next to differences between
industries. Some 50 firms of a cluster know their mean to a tenth only: of the many shifts of
clusters those below a quarter would be chance too often.
"""
LOADING_DIFFERENCE: Final = 0.1
"""Difference of a standardised loading in an industry from which it is reported: of loadings near .7,
differences below it leave the weights of the indicators much as they are."""


SURE_OF_SIGN: Final = 0.90
"""Probability of a sign from which a likelihood counts as sure of it."""

SENSITIVITY_MIN: Final = 0.05
"""Power-scaling sensitivity from which a quantity counts as sensitive.

Kallioinen, Paananen, Bürkner and Vehtari (2024), Statistics and Computing 34, 57: the distance that
a standard normal moves by when its mean shifts by about .3 standard deviations per doubling.
"""


PRIOR_ODDS: Final = 10.0
"""Prior odds for or against a claim from which the prior leans: strong evidence only makes up for it.

Jeffreys (1961), Theory of Probability, appendix B: strong evidence is a factor of ten.
"""

PRIOR_EDGE: Final = 0.01
PRIOR_EDGE_SHARE: Final = 0.05
"""Share of the prior with a group's mean within 0.01 of the ends of its scale (or one level of an
ordinal outcome for all but that share of firms) from which it is reported: a convention of this project."""

PRIOR_MAGNITUDES: Final = 3.0
"""Orders of magnitude that the central 90% of the prior of a positive mean may span: a convention."""

PRIOR_TURNS: Final = 0.1
"""Correlation over prior draws from which an event is said to turn on a parameter: a convention."""


FOLD_RHAT_MAX: Final = 1.05
FOLD_ESS_MIN: Final = 100
"""A refit without some rows has few draws, and gives one log score, whose own error is reported.

So its limits are laxer than the gate's: R-hat between the 1.01 of Vehtari et al. (2021) and the 1.1 of
Gelman and Rubin (1992), and 50 effective draws for each of the 2 chains, below which Vehtari et al. do
not rely on R-hat itself. Divergences are not borne here either.
"""

FOLD_ERROR_MAX: Final = 0.5
"""Largest Monte Carlo standard error of the log score of a left-out group: a convention.

Eight times below the difference in elpd from which forms are told apart.
"""


def khat_max(draws: int) -> float:
    """Largest Pareto k that PSIS-LOO can bear, given the draws.

    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72).
    """
    from math import log10

    return min(1 - 1 / log10(draws), 0.7)


def moved_limit(count: int) -> float:
    """How many standard errors of its change one of so many estimands may move by.

    `MOVED_ERRORS`, or more where the largest of so many changes would exceed it by chance in one of
    twenty refits.
    """
    from scipy.special import ndtri

    return max(MOVED_ERRORS, float(-ndtri(0.05 / (2 * max(count, 1)))))


DOUBLED_CHANGE: Final = 0.1
"""Change of an effect, in its standard deviations, with twice the draws that is no cause to look.

A convention of this project: some 100 independent draws know a mean to a tenth of its deviation.
"""
FLIP_ERRORS: Final = 2.0
"""A flip of a verdict is called near where either probability lies within so many Monte Carlo
standard errors of the bound it is judged by: about the 95% interval of a mean of draws."""


NOT_UNIFORM: Final = 0.05
"""Calibration is rejected where ranks are as far from uniform with at most this probability.

Corrected for the number of quantities (Holm 1979, Scandinavian Journal of Statistics 6), so that it
is the chance of a false alarm over all of them; 0.05 is a convention.
"""
RANKS_MIN: Final = 20
"""Fewest replications from which ranks are held against the uniform distribution: a convention.

Of 20 uniform ranks the band of the ECDF still reaches 0.3 to each side in its middle.
"""
INDEPENDENT_MIN: Final = 25
"""Effective draws of every quantity below which a refit fails the gate of a calibration.

Ranks among autocorrelated draws pile up at both ends (Talts, Betancourt, Simpson, Vehtari and
Gelman 2018, section 5.1); so few draws hardly know their own autocorrelation. A convention.
"""
