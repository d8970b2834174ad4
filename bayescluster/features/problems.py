"""The check of an analysis before any fit; the one module that names what all features refuse."""

from __future__ import annotations

from bayescluster.design.claims import is_bounded
from bayescluster.design.semantics import analysis_problems
from bayescluster.errors import ConfigError
from bayescluster.features.causes.spec import causes_problems
from bayescluster.features.ceiling_models.scope import ceiling_model_problems
from bayescluster.features.ceilings.spec import ceiling_problems
from bayescluster.features.sets.spec import set_problems
from bayescluster.features.weakest_node.spec import weakest_node_problems
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where


def check_semantics(analysis: Analysis, where: Where) -> None:
    """Refuse an analysis that contradicts itself.

    Raises
    ------
    ConfigError
        With every contradiction and how to resolve it.
    """
    problems = [
        *analysis_problems(analysis, where),
        *ceiling_model_problems(analysis, where),
        *causes_problems(analysis, where, bounded=is_bounded(analysis.equation)),
        *set_problems(analysis, where),
        *weakest_node_problems(analysis, where),
        *ceiling_problems(analysis, where),
    ]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
