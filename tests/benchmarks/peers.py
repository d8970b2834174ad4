"""The models of the benchmarks in other programs, run as ``python peers.py PROGRAM FORM SEED``.

Reads ``firms.csv`` of the working folder, draws 4 chains of 1,000 after 1,000 of tuning, target accept .9, and
leaves draws of the population coefficients and of the sds of groups in ``PROGRAM.npz``, ``(chain, draw, term)``.
Knows nothing of bayescluster: it runs in an environment of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

import numpy as np

GROUPS = ("industry", "cluster")
STAN = """
data { int N; int J; int I; array[N] int cl; array[J] int ind; matrix[N, 4] X;
       array[N] int<lower=0, upper=1> y; }
parameters { vector[4] b; vector<lower=0>[4] si; vector<lower=0>[4] sj; matrix[I, 4] zi; matrix[J, 4] zj; }
model {
  matrix[J, 4] w;
  for (j in 1:J) w[j] = b' + zi[ind[j]] .* si' + zj[j] .* sj';
  b ~ normal(0, 1); si ~ normal(0, 0.5); sj ~ normal(0, 0.5);
  to_vector(zi) ~ std_normal(); to_vector(zj) ~ std_normal();
  y ~ bernoulli_logit(rows_dot_product(X, w[cl]));
}
"""


def firms() -> dict[str, Any]:
    """Columns of the firms by name; groups as numbers from 0."""
    table = np.genfromtxt("firms.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    columns = {name: np.array(table[name], dtype=float) for name in ("hc", "sc", "y")}
    return columns | {name: np.unique(table[name], return_inverse=True)[1] for name in GROUPS}


def keep(program: str, population: Any, sds: Any) -> None:
    """Leave draws behind, ``(chain, draw, term)`` each."""
    np.savez(f"{program}.npz", population=np.asarray(population), sds=np.asarray(sds))


def stan(_: str, seed: int) -> None:
    """Stan's sampler by an interpreter of its language."""
    import stanli

    d = firms()
    of = np.zeros(d["cluster"].max() + 1, int)
    of[d["cluster"]] = d["industry"]
    X = np.c_[np.ones(len(d["y"])), d["hc"], d["sc"], d["hc"] * d["sc"]]
    data = {
        "N": len(X),
        "J": len(of),
        "I": int(of.max() + 1),
        "cl": (d["cluster"] + 1).tolist(),
        "ind": (of + 1).tolist(),
        "X": X.tolist(),
        "y": d["y"].astype(int).tolist(),
    }
    Path("model.stan").write_text(STAN)
    model = stanli.Model(stan_file="model.stan", data=data)
    drawn = model.sample(chains=4, warmup=1000, samples=1000, seed=seed, delta=0.9, refresh=0)
    found = [
        np.stack([np.asarray(drawn[k]).reshape(4, -1) for k in drawn if k.startswith(kinds)], -1)
        for kinds in (("b[", "b."), ("si", "sj"))
    ]
    keep("stanli", *found)


def bambi(_: str, seed: int) -> None:
    """The formula that a user of bambi writes; the product as a column of its own."""
    import bambi as bmb
    import pandas as pd

    d = pd.read_csv("firms.csv")
    d["hcsc"] = d.hc * d.sc

    def normal(sd: Any) -> Any:
        return bmb.Prior("Normal", mu=0, sigma=sd)

    slopes = ("hc", "sc", "hcsc")
    priors = {name: normal(1) for name in ("Intercept", *slopes)}
    for group in GROUPS:
        for name in ("1", *slopes):
            priors[f"{name}|{group}"] = normal(bmb.Prior("HalfNormal", sigma=0.5))
    right = " + ".join(slopes)
    formula = f"y ~ {right} + ({right}|industry) + ({right}|cluster)"
    model = bmb.Model(formula, d, family="bernoulli", priors=priors, noncentered=True)
    found = model.fit(
        draws=1000,
        tune=1000,
        chains=4,
        cores=2,
        random_seed=seed,
        target_accept=0.9,
        inference_method="nutpie",
        progressbar=False,
    ).posterior
    # bambi centres slopes: its intercept is that of the mean firm
    names = ["Intercept", *slopes]
    sds = [f"{name}|{group}_sigma" for group in GROUPS for name in ("1", *slopes)]
    keep("bambi", *(np.stack([found[k].values for k in some], -1) for some in (names, sds)))


def pymc_model(form: str) -> Any:
    """The model in plain PyMC, not centred, as its documentation has it."""
    import pymc as pm

    d = firms()
    h, s, y = d["hc"], d["sc"], d["y"]
    terms = {"interaction": 4, "conjunctive": 4, "ces": 3}[form]

    def effects() -> Any:
        """Sum of the effects of both groupings, ``(row, term)``."""
        total = 0.0
        for group in GROUPS:
            sd = pm.HalfNormal(f"sd_{group}", 0.5, shape=terms)
            z = pm.Normal(f"z_{group}", 0, 1, shape=(d[group].max() + 1, terms))
            total = total + (z * sd)[d[group]]
        return total

    with pm.Model() as model:
        match form:
            case "interaction":
                b = pm.Normal("b", 0, 1, shape=4)
                X = np.c_[np.ones(len(y)), h, s, h * s]
                pm.Bernoulli("y", logit_p=(X * (b + effects())).sum(-1), observed=y)
            case "conjunctive":
                b = pm.Normal("b", np.array([-2.0, -1.0, -1.0, 1.0]), 1, shape=4)
                place = pm.Normal("threshold", 0, 0.7, shape=2)
                steep = pm.LogNormal("steepness", np.log(2.0), 0.5, shape=2)
                gh = pm.math.sigmoid(steep[0] * (h - place[0]))
                gs = pm.math.sigmoid(steep[1] * (s - place[1]))
                corner = pm.math.sigmoid(b + effects())
                weights = [(1 - gh) * (1 - gs), gh * (1 - gs), (1 - gh) * gs, gh * gs]
                p = sum(weight * corner[:, k] for k, weight in enumerate(weights))
                pm.Bernoulli("y", p=p, observed=y)
            case "ces":
                level = pm.Normal("level", 0, 1.5)
                gain = pm.HalfNormal("gain", 2)
                share = pm.Beta("share", 2, 2)
                r = pm.Normal("substitution", 0, 2)
                by = effects()
                odds = pm.math.logit(share) + by[:, 2]
                d_h, d_s = -pm.math.log1pexp(-odds), -pm.math.log1pexp(odds)
                one, other = d_h + r * h, d_s + r * s
                mean = (other + pm.math.log1pexp(one - other)) / r
                eta = level + by[:, 0] + pm.math.exp(pm.math.log(gain) + by[:, 1]) * mean
                pm.Bernoulli("y", logit_p=eta, observed=y)
                pm.Deterministic("b", pm.math.stack([level, gain, share]))
    return model


def pymc(form: str, seed: int, sampler: str = "nutpie") -> None:
    """Plain PyMC with a sampler in another language."""
    import pymc as pm

    with pymc_model(form):
        found = pm.sample(
            draws=1000,
            tune=1000,
            chains=4,
            cores=2,
            random_seed=seed,
            target_accept=0.9,
            nuts_sampler=sampler,
            progressbar=False,
        ).posterior
    sds = np.concatenate([found[f"sd_{group}"].values for group in GROUPS], axis=-1)
    keep(f"pymc-{sampler}", found["b"].values, sds)


PROGRAMS = {
    "bambi": bambi,
    "pymc-nutpie": pymc,
    "pymc-numpyro": lambda form, seed: pymc(form, seed, "numpyro"),
    "stanli": stan,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
