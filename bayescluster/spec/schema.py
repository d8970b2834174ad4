"""What an analysis file can hold: its JSON Schema, and the file that ``bayescluster init`` writes."""

from __future__ import annotations

import json
from typing import Final

from bayescluster.spec.analysis import Analysis


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of an analysis file, as an editor wants it."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    schema = {"$schema": draft, "title": ""} | Analysis.model_json_schema()
    schema["title"] = "bayescluster analysis"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


STARTER: Final = """\
# An analysis for bayescluster. Replace the names of columns by those of your data, then:
#   bayescluster validate THIS_FILE      checks it against the data
#   bayescluster run THIS_FILE           fits it and writes the report
name: my-analysis
description: What is asked, in a sentence.
limits:
  - What these data cannot say.

data:
  source: firms.csv            # csv, parquet, dta, sav or xlsx; relative to this file
  firm: firm_id                # leave out if every row is a firm
  cluster: cluster
  industry: industry
  missing_values: []           # codes that mean "no answer", such as -9
  missing: error               # or drop: rows are counted by variable and cluster
                               # or impute: outcomes, controls, capitals, inside the model

constructs:                    # method: single, mean (of standardised indicators), pca, or latent:
                               # measured in the model, so that errors of answers reach the effects
  human_capital:
    indicators: [tertiary_share, training_hours]
    method: mean
  social_capital:
    indicators: [trust, joint_action]
    method: mean

equations:
  upgrading:
    outcome: product_upgrading
    family: bernoulli          # or probit, binomial, beta, gaussian, student_t, lognormal, poisson,
                               # negative_binomial, ordinal
    structure: interaction     # or additive, conjunctive, ces; or several in brackets, compared
    controls:
      - {column: employees, transform: log}
    varying:
      industry: [intercept, human_capital, social_capital, interaction]
      cluster: [intercept]

sampling: {draws: 1000, tune: 1000, chains: 4, seed: 1, target_accept: 0.95}

hypotheses:
  # rare: at most eps where the capital is low and the other high; theta_not: not enough alone
  - {kind: necessary_not_sufficient, capital: human_capital, by: industry, eps: 0.10, theta_not: 0.50}
  - {kind: necessary_not_sufficient, capital: social_capital, by: industry, eps: 0.10, theta_not: 0.50}
  - {kind: complementarity, by: industry}
  - {kind: difference, capital: human_capital}
"""
