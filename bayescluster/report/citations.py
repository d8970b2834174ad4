"""Sources that the text of a paper cites, as BibTeX."""

from __future__ import annotations

from typing import Final

BIBLIOGRAPHY: Final = """\
@article{ai_norton,
  author = {Ai, Chunrong and Norton, Edward C.},
  title = {Interaction terms in logit and probit models},
  journal = {Economics Letters}, volume = {80}, number = {1}, pages = {123--129}, year = {2003}
}
@article{rhat,
  author = {Vehtari, Aki and Gelman, Andrew and Simpson, Daniel and Carpenter, Bob and B{\\"u}rkner, Paul-Christian},
  title = {Rank-normalization, folding, and localization: An improved R-hat for assessing convergence of MCMC},
  journal = {Bayesian Analysis}, volume = {16}, number = {2}, pages = {667--718}, year = {2021}
}
@article{loo,
  author = {Vehtari, Aki and Gelman, Andrew and Gabry, Jonah},
  title = {Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC},
  journal = {Statistics and Computing}, volume = {27}, number = {5}, pages = {1413--1432}, year = {2017}
}
@article{stacking,
  author = {Yao, Yuling and Vehtari, Aki and Simpson, Daniel and Gelman, Andrew},
  title = {Using stacking to average Bayesian predictive distributions},
  journal = {Bayesian Analysis}, volume = {13}, number = {3}, pages = {917--1007}, year = {2018}
}
@article{nuts,
  author = {Hoffman, Matthew D. and Gelman, Andrew},
  title = {The No-U-Turn Sampler: Adaptively setting path lengths in Hamiltonian Monte Carlo},
  journal = {Journal of Machine Learning Research}, volume = {15}, pages = {1593--1623}, year = {2014}
}
@article{pymc,
  author = {Abril-Pla, Oriol and others},
  title = {{PyMC}: a modern, and comprehensive probabilistic programming framework in {Python}},
  journal = {PeerJ Computer Science}, volume = {9}, pages = {e1516}, year = {2023}
}
@article{lkj,
  author = {Lewandowski, Daniel and Kurowicka, Dorota and Joe, Harry},
  title = {Generating random correlation matrices based on vines and extended onion method},
  journal = {Journal of Multivariate Analysis}, volume = {100}, number = {9}, pages = {1989--2001}, year = {2009}
}
@techreport{ipcc,
  author = {Mastrandrea, Michael D. and others},
  title = {Guidance note for lead authors of the {IPCC} Fifth Assessment Report on consistent treatment of uncertainties},
  institution = {Intergovernmental Panel on Climate Change}, year = {2010}
}
"""


def cited(*keys: str, when: bool = True) -> str:
    """A citation of these sources in pandoc's Markdown; nothing where it does not apply."""
    return f" [{'; '.join(f'@{key}' for key in keys)}]" if when else ""
