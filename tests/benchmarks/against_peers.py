"""Time of a whole fit, from the command line, against other programs on the same data and model.

    python tests/benchmarks/against_peers.py --peers PEERS/bin/python [--firms 1200] [--rounds 3]

``PEERS`` is an environment with bambi, nutpie and pyarrow, and stanli where it is to be had. Every program
fits a Bernoulli outcome on human capital, social capital and their product, all of which and the intercept
vary by 4 industries and 24 clusters, with the same priors, 4 chains of 1,000 draws after 1,000 of tuning.
Programs take turns, so that all meet the same machine; medians are printed, and ratios to each peer, of
time by the clock and of processor time: the latter says more on a machine that does other work too.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

TERMS = "[intercept, human_capital, social_capital, interaction]"
ANALYSIS = f"""
name: benchmark
data: {{source: firms.csv, cluster: cluster, industry: industry}}
constructs:
  human_capital: {{indicators: [hc], method: single}}
  social_capital: {{indicators: [sc], method: single}}
equations:
  upgrading:
    outcome: y
    family: bernoulli
    structure: interaction
    varying:
      industry: {{terms: {TERMS}, correlated: false}}
      cluster: {{terms: {TERMS}, correlated: false}}
    priors: {{terms: {{intercept: {{distribution: normal, mean: 0, sd: 1}}}}}}
sampling: {{draws: 1000, tune: 1000, chains: 4, seed: SEED, target_accept: 0.9}}
"""
BAMBI = """
import sys, bambi as bmb, pandas as pd
d = pd.read_csv("firms.csv")
d["hcsc"] = d.hc * d.sc
normal = lambda s: bmb.Prior("Normal", mu=0, sigma=s)
priors = {name: normal(1) for name in ("Intercept", "hc", "sc", "hcsc")}
for group in ("industry", "cluster"):
    for name in ("1", "hc", "sc", "hcsc"):
        priors[f"{name}|{group}"] = normal(bmb.Prior("HalfNormal", sigma=0.5))
slopes = "hc + sc + hcsc"
model = bmb.Model(
    f"y ~ {slopes} + ({slopes}|industry) + ({slopes}|cluster)", d, family="bernoulli",
    priors=priors, noncentered=True,
)
model.fit(
    draws=1000, tune=1000, chains=4, cores=2, random_seed=int(sys.argv[1]), target_accept=0.9,
    inference_method="nutpie", progressbar=False,
)
"""
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
STANLI = """
import sys, numpy as np, stanli
d = np.genfromtxt("firms.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
codes = lambda name: np.unique(d[name], return_inverse=True)[1]
cl, ind = codes("cluster"), codes("industry")
of = np.zeros(cl.max() + 1, int)
of[cl] = ind
X = np.c_[np.ones(len(d)), d["hc"], d["sc"], d["hc"] * d["sc"]]
data = dict(N=len(d), J=int(cl.max() + 1), I=int(ind.max() + 1), cl=(cl + 1).tolist(),
            ind=(of + 1).tolist(), X=X.tolist(), y=d["y"].astype(int).tolist())
model = stanli.Model(stan_file="model.stan", data=data)
model.sample(chains=4, warmup=1000, samples=1000, seed=int(sys.argv[1]), delta=0.9, refresh=0)
"""


def firms(count: int, seed: int) -> pd.DataFrame:
    """Simulated firms whose coefficients vary by industry and cluster."""
    rng = np.random.default_rng(seed)
    by_industry = rng.normal(size=(4, 4)) * [0.5, 0.3, 0.25, 0.2]
    by_cluster = rng.normal(size=(24, 4)) * [0.4, 0.2, 0.2, 0.15]
    cluster = rng.integers(0, 24, count)
    human, social = rng.normal(size=(2, count))
    inputs = np.column_stack([np.ones(count), human, social, human * social])
    slopes = np.array([-0.5, 0.8, 0.5, 0.4]) + by_industry[cluster // 6] + by_cluster[cluster]
    chance = 1 / (1 + np.exp(-(inputs * slopes).sum(axis=1)))
    return pd.DataFrame(
        {
            "industry": [f"i{k // 6}" for k in cluster],
            "cluster": [f"c{k:02d}" for k in cluster],
            "hc": human,
            "sc": social,
            "y": rng.binomial(1, chance),
        }
    )


def processor_seconds() -> float:
    """Processor time of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Take turns, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="Python of the environment of the peers")
    parser.add_argument("--firms", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        firms(asked.firms, 1).to_csv(folder / "firms.csv", index=False)
        (folder / "model.stan").write_text(STAN)
        programs = {
            "bayescluster fit": [
                str(Path(sys.executable).with_name("bayescluster")),
                "fit",
                "a.yaml",
            ],
            "bambi + nutpie": [asked.peers, "-c", BAMBI],
            "stanli": [asked.peers, "-c", STANLI],
        }
        taken: dict[str, list[tuple[float, float]]] = {}
        for seed in range(1, asked.rounds + 1):
            (folder / "a.yaml").write_text(ANALYSIS.replace("SEED", str(seed)))
            for program, command in programs.items():
                started, used = time.perf_counter(), processor_seconds()
                own = program == "bayescluster fit"
                arguments = [] if own else [str(seed)]
                ended = subprocess.run(
                    [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
                )
                seconds = time.perf_counter() - started
                if ended.returncode in (0, 4):
                    used = processor_seconds() - used
                    taken.setdefault(program, []).append((seconds, used))
                    print(f"round {seed}: {program} {seconds:.1f} s, CPU {used:.1f} s", flush=True)
                else:
                    last = ended.stderr.strip().splitlines()[-1:]
                    print(f"round {seed}: {program} failed: {''.join(last)}", flush=True)
        own = [statistics.median(each) for each in zip(*taken["bayescluster fit"], strict=True)]
        for program, rounds in taken.items():
            clock, used = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(
                f"{program}: median {clock:.1f} s, CPU {used:.1f} s; "
                f"bayescluster takes {own[0] / clock:.2f} and {own[1] / used:.2f} of it"
            )


if __name__ == "__main__":
    main()
