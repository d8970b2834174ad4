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
  source: firms.csv            # csv, xlsx, dta, sav, parquet, ...; relative to this file
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
                               # negative_binomial, ordinal; with many zeros hurdle_lognormal,
                               # zero_inflated_beta, zero_inflated_poisson or
                               # zero_inflated_negative_binomial
    # structure: left out, claims about corners are judged by the forms interaction, conjunctive,
    # ces and additive, each fitted in turn; write one or several to choose: [interaction, ces]
    controls:
      - {column: employees, transform: log}
    varying:
      industry: all            # what each form lets vary as a rule
      cluster: [intercept]

sampling: {seed: 1}            # draws come until the checks of convergence pass, for at most
                               # minutes: 10; or say how many: draws: 1000, tune: 1000

hypotheses:
  # without the capital at most ratio of the outcome with both, and the other one alone covers at most
  # kappa of the way; with it alone at most theta_not, and delta below both
  - {kind: necessary_not_sufficient, capital: human_capital, by: industry, kappa: 0.40, theta_not: 0.50}
  - {kind: necessary_not_sufficient, capital: social_capital, by: industry, kappa: 0.40, theta_not: 0.50}
  - {kind: complementarity, by: industry}
  - {kind: difference, capital: human_capital}
"""
