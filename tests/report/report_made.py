"""A realistic `Results`, made up number by number from a fixed seed."""

from __future__ import annotations

import numpy as np

from bayescluster.features.ceilings import results as ceil
from bayescluster.features.checklist.compute import Known, filled
from bayescluster.features.learning import results as ml
from bayescluster.features.sets import results as mset
from bayescluster.results import claims as mc
from bayescluster.results import claims as mcorner
from bayescluster.results import facts as identify
from bayescluster.results import facts as mf
from bayescluster.results import facts as mr
from bayescluster.results import facts as ms
from bayescluster.results import fit as compare
from bayescluster.results import model as m
from tests.report import fit_made as fit

INDUSTRIES = (
    "Traditional manufacturing",
    "Resource-based",
    "Complex product systems",
    "Specialised suppliers",
)
CAPITALS = ("human_capital", "social_capital")
CORNERS = ("LL", "HL", "LH", "HH")
RNG = 20080301


def estimate(mean: float, sd: float) -> m.Estimate:
    return m.Estimate(
        mean=mean,
        sd=sd,
        low=mean - 1.645 * sd,
        high=mean + 1.645 * sd,
        mcse=sd / 45,
        rhat=1.002,
        ess_bulk=2024.6,
        ess_tail=1833.2,
    )


def cluster_names(industries: tuple[str, ...]) -> list[tuple[str, str]]:
    first = ("Jepara furniture", "Taiwan flowers", "Thailand automotive", "Bangalore software")
    found = []
    for k, industry in enumerate(industries):
        head = industry.split()[0].split("-")[0]
        found += [(first[k % 4] if j == 0 else f"{head} {chr(65 + j)}", industry) for j in range(6)]
    return found


def groups(industries: tuple[str, ...], rng: np.random.Generator) -> list[ms.GroupRow]:
    clusters = []
    for name, industry in cluster_names(industries):
        human, social = rng.normal(0, 0.6, 2)
        clusters.append(
            ms.GroupRow(
                by="cluster",
                group=name,
                industry=industry,
                clusters=1,
                rows=int(rng.integers(40, 62)),
                outcome_mean=float(rng.uniform(0.1, 0.6)),
                human_capital=float(human),
                social_capital=float(social),
            )
        )
    above = []
    for industry in industries:
        mine = [row for row in clusters if row.industry == industry]
        above.append(
            ms.GroupRow(
                by="industry",
                group=industry,
                industry=None,
                clusters=len(mine),
                rows=sum(row.rows for row in mine),
                outcome_mean=float(np.mean([row.outcome_mean for row in mine])),
                human_capital=float(rng.normal(0, 0.3)),
                social_capital=float(rng.normal(0, 0.3)),
            )
        )
    whole = ms.GroupRow(
        by="all",
        group="all",
        industry=None,
        clusters=len(clusters),
        rows=sum(row.rows for row in clusters),
        outcome_mean=0.337,
        human_capital=0.0,
        social_capital=0.0,
    )
    return [whole, *above, *clusters]


def effects(rows: list[ms.GroupRow], rng: np.random.Generator) -> list[m.EffectRow]:
    found = []
    for capital in CAPITALS:
        for measure in ("average_marginal_effect", "contrast"):
            for row in rows:
                sd = float(rng.uniform(0.012, 0.035)) * (2.5 if measure == "contrast" else 1)
                mean = float(rng.uniform(-0.01, 0.12)) * (2.5 if measure == "contrast" else 1)
                alone = row.by == "industry"
                found.append(
                    m.EffectRow(
                        capital=capital,
                        measure=measure,
                        by=row.by,
                        group=row.group,
                        scope="observed",
                        rows=row.rows,
                        estimate=estimate(mean, sd),
                        positive=float(np.clip(0.5 + mean / sd / 4, 0.0004, 0.9996)),
                        unpooled=estimate(mean * 1.4, sd * 1.5) if alone else None,
                    )
                )
    return found


def differences(
    industries: tuple[str, ...], rng: np.random.Generator
) -> tuple[m.DifferenceRow, ...]:
    return tuple(
        m.DifferenceRow(
            capital=capital,
            first=first,
            second=second,
            scope="observed",
            estimate=estimate(float(rng.normal(0, 0.05)), 0.031),
            positive=float(rng.uniform(0.05, 0.95)),
        )
        for capital in CAPITALS
        for k, first in enumerate(industries)
        for second in industries[k + 1 :]
    )


def ranks(industries: tuple[str, ...], rng: np.random.Generator) -> tuple[m.RankRow, ...]:
    return tuple(
        m.RankRow(
            capital=capital,
            group=industry,
            probabilities=tuple(rng.dirichlet(np.ones(len(industries))).tolist()),
        )
        for capital in CAPITALS
        for industry in industries
    )


def corners(rows: list[ms.GroupRow], rng: np.random.Generator) -> mcorner.Corners:
    base = {"LL": 0.14, "HL": 0.26, "LH": 0.21, "HH": 0.62}
    return mcorner.Corners(
        scope="observed",
        human_low=-1.281,
        human_high=1.274,
        social_low=-1.302,
        social_high=1.265,
        declared="quantiles 0.1 and 0.9",
        rows=tuple(
            mcorner.CornerRow(
                by=row.by,
                group=row.group,
                corner=corner,
                estimate=estimate(
                    float(base[corner] + rng.uniform(-0.06, 0.06)), float(rng.uniform(0.02, 0.05))
                ),
                support=int(rng.integers(0, 9 if row.by == "cluster" else 34)),
            )
            for row in rows
            for corner in CORNERS
        ),
    )


def verdict(
    kind: str, title: str, group: str, share: float, rng: np.random.Generator, **more: object
) -> m.Verdict:
    decision = "supported" if share >= 0.95 else "rejected" if share <= 0.05 else "undecided"
    prior = float(rng.uniform(0.1, 0.6))
    inside = 0 < share < 1
    odds = share / (1 - share) / (prior / (1 - prior)) if inside else None
    known = {
        "kind": kind,
        "capital": None,
        "by": "industry",
        "group": group,
        "scope": "observed",
        "title": title,
        "region": "outcome with both high at least 0.5 (quantiles 0.1 and 0.9)",
        "verdict": decision,
        "reason": f"{100 * share:.1f} % of the posterior lies in the region.",
        "probability": share,
        "given": share,
        "mcse": 0.0042,
        "prior_probability": prior,
        "odds_ratio": odds,
        "level": 0.95,
        "figures": (
            m.VerdictFigure(
                label="expected outcome, both high",
                estimate=estimate(float(rng.uniform(0.4, 0.7)), 0.036),
                support=int(rng.integers(5, 30)),
            ),
        ),
    }
    return m.Verdict.model_validate(known | more)


def unreliable(found: m.Verdict) -> m.Verdict:
    reason = "The diagnostics gate failed: the probability cannot be relied on."
    return found.model_copy(update={"verdict": "undecided", "reason": reason})


def verdicts(industries: tuple[str, ...], rng: np.random.Generator) -> tuple[m.Verdict, ...]:
    found = []
    shares = (0.974, 0.0213, 0.612, 0.949)
    for capital in CAPITALS:
        words = capital.replace("_", " ").capitalize()
        for k, industry in enumerate(industries):
            share = shares[(k + CAPITALS.index(capital)) % 4]
            needed = (
                m.VerdictFigure(
                    label=f"expected outcome, {words.lower()} low, the other high",
                    estimate=estimate(0.19 + 0.02 * k, 0.031),
                    support=11 + k,
                ),
                m.VerdictFigure(
                    label=f"expected outcome, {words.lower()} high, the other low",
                    estimate=estimate(0.27 + 0.01 * k, 0.042),
                    support=9 - k,
                ),
                m.VerdictFigure(
                    label="expected outcome, both high", estimate=estimate(0.63, 0.04), support=21
                ),
            )
            found.append(
                verdict(
                    "necessary_not_sufficient",
                    f"{words} is necessary but not sufficient",
                    industry,
                    share,
                    rng,
                    capital=capital,
                    region="outcome with the capital low at most half of that with both high, and "
                    "outcome with it alone high at least 0.1 below it (quantiles 0.1 and 0.9)",
                    figures=needed,
                )
            )
    # every verdict that is more than a probability
    states: tuple[dict[str, object], ...] = (
        {"verdict": "negligible", "reason": "It is too small to count."},
        {"verdict": "scale-dependent", "reason": "The link function alone would give it."},
        {"verdict": "not assessable", "reason": "Too few firms.", "unsupported": "Too few firms."},
        {
            "verdict": "depends on the form",
            "reason": "Supported under ces, rejected under additive.",
        },
    )
    for k, industry in enumerate(industries):
        found.append(
            verdict(
                "complementarity",
                "The capitals are complements",
                industry,
                (1.0, 0.88, 0.04, 0.9993)[k],
                rng,
                **states[k],
                region="cross difference of the corners above 0 (quantiles 0.1 and 0.9)",
                figures=(
                    m.VerdictFigure(
                        label="cross difference", estimate=estimate(0.21, 0.062), unit="effect"
                    ),
                    m.VerdictFigure(
                        label="cross difference, logit scale",
                        estimate=estimate(0.8, 0.4),
                        unit="number",
                    ),
                ),
            )
        )
    pairs = [(a, b) for k, a in enumerate(industries) for b in industries[k + 1 :]]
    for first, second in pairs:
        found.append(
            verdict(
                "difference",
                "Human capital has a larger effect in one industry than in another",
                f"{first} over {second}",
                float(rng.uniform(0.03, 0.97)),
                rng,
                capital="human_capital",
                region=f"average marginal effect in {first} less that in {second} above 0",
                figures=(
                    m.VerdictFigure(
                        label="effect in first less effect in second",
                        estimate=estimate(0.031, 0.028),
                        unit="effect",
                    ),
                ),
            )
        )
    found.append(
        verdict(
            "necessary",
            "Human capital is necessary",
            "all",
            0.983,
            rng,
            by="all",
            scope="new_cluster",
            capital="human_capital",
        )
    )
    return tuple(found)


READ = {"N-H": "Human capital is necessary", "J": "Both capitals together are sufficient"}


def claims(industries: tuple[str, ...]) -> mc.Claims:
    """Two claims: one of which all traditions speak, and one of which ceilings do not."""
    rows = []
    for claim, title in READ.items():
        for k, industry in enumerate(industries):
            names = [name for name in mc.TRADITIONS if claim == "N-H" or name != "ceilings"]
            readings = tuple(
                _reading(name, claim, industry, (0.97, 0.41, 0.03, 0.88)[(k + j) % 4])
                for j, name in enumerate(names)
            )
            rows.append(
                mc.ClaimRow(
                    claim=claim,
                    title=title,
                    by="industry",
                    group=industry,
                    readings=readings,
                    silent={name: "It is silent." for name in mc.TRADITIONS if name not in names},
                    words=f"Supported by some in {industry}.",
                    disagreement="They ask different questions.",
                )
            )
    return mc.Claims(level=0.95, rows=tuple(rows))


def _reading(tradition: str, claim: str, group: str, share: float) -> mc.Reading:
    decision = "supported" if share >= 0.95 else "rejected" if share <= 0.05 else "undecided"
    return mc.Reading(
        tradition=tradition,
        claim=claim,
        by="industry",
        group=group,
        quantity=f"quantity of {tradition}",
        estimate=estimate(share / 2, 0.04),
        region=f"{tradition}: at least 0.5",
        probability=share,
        prior_probability=0.25 if tradition == "corners" else None,
        verdict=decision,
        reason=f"{100 * share:.1f}% of the posterior lies in the region.",
        behind="31 firms near",
        flags=("thin",) if share < 0.5 else (),
    )


def coefficients(controls: tuple[str, ...]) -> tuple[mf.Coefficient, ...]:
    slope = "Normal(0, 1)"
    half = "HalfNormal(0.5)"
    listed = [
        ("population", "intercept", "Normal(0, 1.5)", -0.92, 0.21),
        ("population", "human_capital", slope, 0.41, 0.17),
        ("population", "social_capital", slope, 0.33, 0.19),
        ("population", "interaction", slope, 0.29, 0.11),
        *(("controls", name, slope, 0.12, 0.08) for name in controls),
        ("group sd", "industry: intercept", half, 0.31, 0.18),
        ("group sd", "industry: human_capital", half, 0.24, 0.15),
        ("group sd", "industry: social_capital", half, 0.28, 0.16),
        ("group sd", "industry: interaction", half, 0.17, 0.12),
        ("group sd", "cluster: intercept", half, 0.44, 0.1),
    ]
    return tuple(
        mf.Coefficient.model_validate(
            {"block": block, "name": name, "prior": prior, "estimate": estimate(mean, sd)}
        )
        for block, name, prior, mean, sd in listed
    )


def gate(passed: bool) -> m.Gate:
    asked = (
        ("R-hat", "Do the chains agree with each other?", "largest 1.004 over 312", "at most 1.01"),
        (
            "ESS, bulk",
            "Are there enough independent draws for means?",
            "smallest 912",
            "at least 400",
        ),
        (
            "ESS, tail",
            "Are there enough independent draws for intervals and small probabilities?",
            "smallest 744",
            "at least 400",
        ),
        ("Divergences", "Could the sampler follow the posterior everywhere?", "0 of 4000", "0"),
        (
            "E-BFMI",
            "Does the sampler move between the body and the tails?",
            "smallest 0.71",
            "at least 0.3",
        ),
        (
            "Tree depth",
            "Were trajectories cut short?",
            "0.0% of draws at the limit of 10",
            "at most 1%",
        ),
    )
    items = [
        m.CheckItem(name=name, question=question, found=found, threshold=threshold, passed=True)
        for name, question, found, threshold in asked
    ]
    if not passed:
        items[0] = items[0].model_copy(
            update={
                "found": "largest 1.083 over 312",
                "passed": False,
                "worst": ("industry_sd[interaction]", "industry_effect[Resource-based, intercept]"),
                "advice": "double sampling.tune and sampling.draws; if it stays, the posterior may "
                "have several modes or a term that the data do not determine",
            }
        )
        items[4] = items[4].model_copy(update={"found": "not made", "passed": None})
    return m.Gate(passed=passed, items=tuple(items), reasons=() if passed else REASONS)


REASONS = (
    m.Reason(
        kind="funnel",
        title="funnel: a group sd near 0",
        equation="upgrading",
        level="industry",
        term="interaction",
        parameters=("industry_sd[interaction]",),
        found="75% of 12 divergences lie where the sd of interaction by industry is small",
        number=0.75,
        threshold=0.5,
        advice="raise sampling.target_accept (0.95, then 0.99)",
        source="Betancourt and Girolami (2015)",
        checks=("R-hat",),
    ),
    m.Reason(
        kind="collinear_capitals",
        title="collinear capitals",
        equation="upgrading",
        parameters=("human_capital", "social_capital"),
        found="correlation 0.81 of human and social capital over 400 rows",
        number=0.81,
        threshold=0.7,
        advice="do not read their effects one by one",
        source="Dormann et al. (2013), Ecography 36(1)",
    ),
)
ATTEMPTS = (
    m.Attempt(number=0, key="0" * 16, gate_passed=False, failing=("R-hat", "E-BFMI")),
    m.Attempt(
        number=1,
        key="1" * 16,
        changes=(
            m.Change(
                setting="sampling.target_accept", before="0.9", after="0.95", why="Divergences"
            ),
        ),
        gate_passed=True,
        settings="sampling:\n  target_accept: 0.95\n",
    ),
)


def predictive(rows: list[ms.GroupRow], rng: np.random.Generator) -> tuple[m.PredictiveRow, ...]:
    found = []
    for row in rows:
        half = 1.645 * float(np.sqrt(0.22 / row.rows))
        tail = float(rng.uniform(0.03, 0.97))
        shift = (0.5 - tail) * 1.2 * half
        found.append(
            m.PredictiveRow(
                by=row.by,
                group=row.group,
                rows=row.rows,
                statistic="mean",
                observed=row.outcome_mean,
                low=row.outcome_mean + shift - half,
                high=row.outcome_mean + shift + half,
                tail=tail,
                flagged=False,
            )
        )
    last = found[-1]
    found[-1] = last.model_copy(
        update={
            "low": last.observed + 0.02,
            "high": last.observed + 0.2,
            "tail": 0.9961,
            "flagged": True,
        }
    )
    return tuple(found)


def curves(industries: tuple[str, ...]) -> tuple[m.Curve, ...]:
    found = []
    at = np.linspace(-2.0, 2.0, 9)
    for c, capital in enumerate(CAPITALS):
        for k, industry in enumerate(industries):
            mean = 0.22 + 0.1 * np.tanh(at) * (k - 1) + 0.05 * c
            half = 0.05 + 0.02 * at**2
            found.append(
                m.Curve(
                    capital=capital,
                    group=industry,
                    at=tuple(at.tolist()),
                    mean=tuple(mean.tolist()),
                    low=tuple((mean - half).tolist()),
                    high=tuple((mean + half).tolist()),
                )
            )
    return tuple(found)


def surfaces(industries: tuple[str, ...], rng: np.random.Generator) -> tuple[m.Surface, ...]:
    grid = np.linspace(-2.2, 2.2, 11)
    found = []
    for k, industry in enumerate(industries):
        eta = -1 + 0.3 * k + 0.5 * grid[:, None] + 0.4 * grid + 0.3 * grid[:, None] * grid
        mean = 1 / (1 + np.exp(-eta))
        firms = rng.normal(0, 0.9, (290, 2)).round(4)
        outcome = rng.random(290) < 0.35
        found.append(
            m.Surface(
                group=industry,
                human=tuple(grid.tolist()),
                social=tuple(grid.tolist()),
                mean=tuple(map(tuple, mean.tolist())),
                points=tuple(
                    (float(h), float(s), float(y)) for (h, s), y in zip(firms, outcome, strict=True)
                ),
                points_shown=290,
                points_total=345,
            )
        )
    return tuple(found)


LEARNED = ("learning_buyers", "learning_firms", "learning_customers")
PATHS = ("total", "direct", "indirect", *LEARNED)


def placed(industries: tuple[str, ...]) -> list[tuple[m.By, str]]:
    return [("all", "all"), *(("industry", name) for name in industries)]


def learning(industries: tuple[str, ...], rng: np.random.Generator) -> ml.Learning:
    outcomes, groups = ("upgrading", "process"), placed(industries)
    paths = [
        ml.PathRow(
            equation=equation,
            capital=capital,
            by=by,
            group=group,
            path=path if path not in LEARNED else "through",
            through=path if path in LEARNED else None,
            estimate=estimate(float(rng.uniform(0, 0.3)), 0.04),
            positive=float(rng.uniform(0.4, 1)),
        )
        for equation in (*LEARNED, *outcomes)
        for capital in CAPITALS
        for path in (PATHS if equation in outcomes else PATHS[:1])
        for by, group in groups
    ]
    matrix = [
        ml.MatrixRow(
            equation=equation,
            form=form,
            binary=True,
            by=by,
            group=group,
            estimate=estimate(float(rng.uniform(-0.02, 0.2)), 0.04),
            positive=0.93,
            standardised=estimate(float(rng.uniform(-0.01, 0.1)), 0.02),
            ranks=(0.5, 0.3, 0.2),
        )
        for equation in outcomes
        for form in LEARNED
        for by, group in groups
    ]
    keys = [(e, c, by, g) for e in outcomes for c in CAPITALS for by, g in groups]
    return ml.Learning(
        declared="quantiles 0.1 and 0.9",
        draws=2000,
        outcomes=outcomes,
        forms=LEARNED,
        through=LEARNED,
        ways=dict.fromkeys(outcomes, "combinations"),
        edges=tuple((form, equation) for equation in outcomes for form in LEARNED),
        limit=0.5,
        paths=tuple(paths),
        mediated=tuple(
            ml.MediatedRow(
                equation=e, capital=c, by=by, group=g, median=0.241, low=0.12, high=0.433
            )
            for e, c, by, g in keys[1:]
        ),
        matrix=tuple(matrix),
        dominance=tuple(
            ml.DominanceRow(equation=e, first=a, second=b, probability=0.61, mcse=0.011)
            for e in outcomes
            for k, a in enumerate(industries)
            for b in industries[k + 1 :]
        ),
        sensitivity=tuple(
            ml.SensitivityRow(
                equation=e,
                capital=c,
                by=by,
                group=g,
                bias=bias,
                direct=estimate(0.2 + bias / 2, 0.05),
                indirect=estimate(0.06 - bias / 2, 0.02),
            )
            for e, c, by, g in keys
            for bias in (0.0, 0.05, 0.1)
        ),
        tipping=tuple(
            ml.TippingRow(
                equation=e,
                capital=c,
                by=by,
                group=g,
                mean_at=0.12,
                interval_at=0.054 if k else None,
            )
            for k, (e, c, by, g) in enumerate(keys)
        ),
    )


def beside(
    name: str, whole: m.Results, rng: np.random.Generator, industries: tuple[str, ...]
) -> m.EquationResults:
    return m.EquationResults(
        outcome=whole.outcome.model_copy(
            update={"column": name, "label": f"probability of {name}"}
        ),
        model=whole.model.model_copy(
            update={"equation": name, "structure": "additive", "cases": None}
        ),
        predictive=predictive(groups(industries, rng)[:5], rng),
        loo=whole.loo,
        effects=tuple(row for row in whole.effects if row.by != "cluster"),
        fit_checks=fit.not_made(5),
    )


def several(industries: tuple[str, ...] = INDUSTRIES) -> m.Results:
    """Return results of five equations: three forms of learning, two outcomes."""
    whole, rng = results(industries=industries), np.random.default_rng(RNG)
    names = (*LEARNED, "process")
    return whole.model_copy(
        update={
            "others": tuple(beside(name, whole, rng, industries) for name in names),
            "residuals": (
                m.ResidualRow(
                    first="process",
                    second="upgrading",
                    estimate=estimate(0.21, 0.08),
                    positive=0.99,
                ),
            ),
            "learning": learning(industries, rng),
        }
    )


ANALYSIS = """name: asian-clusters
data:
  source: firms.csv
  firm: firm_id
  cluster: cluster
  industry: industry
equations:
  upgrading:
    outcome: product_upgrading
    family: bernoulli
    structure: interaction
sampling: {draws: 1000, tune: 1000, chains: 4, seed: 20080301}
"""


def results(
    *,
    industries: tuple[str, ...] = INDUSTRIES,
    passed: bool = True,
    synthetic: bool = True,
    controls: tuple[str, ...] = ("log employees", "exporter", "tnc_owned"),
) -> m.Results:
    rng = np.random.default_rng(RNG)
    rows = groups(industries, rng)
    judged = verdicts(industries, rng)
    whole = m.Results(
        ceilings=made_ceilings(),
        name="asian-clusters",
        title="Human capital, social capital and product upgrading in 24 clusters",
        description="Does product upgrading go with human capital, social capital, or only both "
        "together, among firms in 24 clusters of four industry categories?",
        limits=(
            "The firms are simulated. Nothing here is evidence about real firms.",
            "The capitals are means of three indicators each, with a reliability below one.",
        ),
        outcome=ms.OutcomeFacts(
            column="product_upgrading",
            family="bernoulli",
            scale="probability",
            label="probability of product_upgrading",
        ),
        sample=ms.SampleFacts(
            label="../data/asian_clusters/firms.csv",
            title="Simulated survey of firms in Asian clusters",
            synthetic=synthetic,
            rows_read=rows[0].rows + 11,
            rows=rows[0].rows,
            firms=rows[0].rows,
            clusters=len(industries) * 6,
            industries=len(industries),
            crossed=False,
            dropped=(
                ms.Dropped(variable="training_hours", cluster="Jepara furniture", rows=7),
                ms.Dropped(variable="trust", cluster="Bangalore software", rows=4),
            ),
            filters=("employees at least 5",),
            notes=("Capitals are put on mean 0 and standard deviation 1 over all firms.",),
            groups=tuple(rows),
            capital_correlation=0.214,
        ),
        measures=tuple(
            ms.MeasureFacts(
                capital=capital,
                method="mean",
                unit="mean of standardised indicators",
                center=0.0021,
                scale=0.734,
                indicators=tuple(ms.Indicator(column=name, weight=1 / 3) for name in columns),
                reliability=0.712,
                binary=False,
            )
            for capital, columns in (
                ("human_capital", ("tertiary_share", "training_hours", "management_score")),
                ("social_capital", ("trust", "joint_action", "association_ties")),
            )
        ),
        model=mf.ModelFacts(
            equation="upgrading",
            link="logit",
            structure="interaction",
            formula="logit P(product_upgrading = 1) = a + b_H H + b_S S + b_HS H S + controls "
            "+ u_industry + u_cluster",
            groupings=(
                mf.GroupingFacts(
                    name="industry",
                    groups=len(industries),
                    terms=("intercept", "human_capital", "social_capital", "interaction"),
                    centred=("intercept",),
                    correlated=False,
                ),
                mf.GroupingFacts(
                    name="cluster",
                    groups=len(industries) * 6,
                    terms=("intercept",),
                    centred=(),
                    correlated=False,
                ),
            ),
            coefficients=coefficients(controls),
            group_effect_prior="Deviations of each group are normal around zero, independent, "
            "each with a standard deviation of its own.",
        ),
        fit=mr.FitFacts(
            sampler="nutpie",
            chains=4,
            draws=1000,
            tune=1000,
            seed=20080301,
            target_accept=0.95,
            divergences=0,
            sampling_seconds=74.3,
            total_seconds=131.8,
        ),
        gate=gate(passed),
        predictive=predictive(rows, rng),
        loo=m.Loo(
            elpd=-702.41,
            se=16.83,
            p_loo=21.94,
            khat_max=0.744,
            khat_threshold=0.7,
            bad=1,
            rows=rows[0].rows,
            worst=("JEP-041 (0.74)",),
            advice="the estimate leans on a few rows: read elpd with care, and look at these rows",
        ),
        effects=tuple(effects(rows, rng)),
        differences=differences(industries, rng),
        ranks=ranks(industries, rng),
        corners=(corners(rows, rng),),
        claims=claims(industries),
        verdicts=judged if passed else tuple(map(unreliable, judged)),
        curves=curves(industries),
        surfaces=surfaces(industries, rng),
        fit_checks=fit.checks(industries, len(rows)),
        reproduction=mr.Reproduction(
            command="bayescluster run configs/asian_clusters.yaml",
            analysis=ANALYSIS,
            key="3f9c1b7a52d04e68",
            data_digest="9a0b64dd1e2f3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccd",
            versions={"bayescluster": "0.1.0", "pymc": "6.4.0", "numpy": "2.5.2"},
            host={"system": "Linux", "processors": "2"},
            started="2008-03-01T09:00:00+00:00",
        ),
    )
    return whole.model_copy(update={"checklist": filled(Known(whole, {}, {}, None))})


def yes_or_no(whole: m.Results, capital: str) -> m.Results:
    """Return results in which a capital is 0/1."""
    measures = tuple(
        one.model_copy(update={"binary": one.binary or one.capital == capital})
        for one in whole.measures
    )
    return whole.model_copy(update={"measures": measures})


FORMS = ("additive", "interaction", "conjunctive", "ces")


def compared(whole: m.Results) -> m.Results:
    """Return the results as those of four forms, the third of which leads and the last failed."""
    weights = (0.0, 0.21, 0.79, 0.0)
    forms = tuple(
        compare.FormRow(
            form=form,
            formula=f"formula of {form}",
            gate_passed=form != "ces",
            failing=("R-hat",) if form == "ces" else (),
            non_compensatory_probability=0.97 if form == "conjunctive" else 0.12,
            p_loo=20.5 + k,
            rows=_score(k, weights[k], 0.81),
            clusters=_score(2 * k, weights[k], 0.64),
            weight=weights[k],
            plausible=form != "ces",
        )
        for k, form in enumerate(FORMS)
    )
    known = identify.Identification(
        contractions=(
            identify.Contraction(term="both", contraction=0.912),
            identify.Contraction(term="human_steepness", contraction=0.113),
        ),
        corners=tuple(
            identify.CornerWeight(
                by=row.by, group=row.group, corner=row.corner, firms=estimate(100.5 + k, 9.0)
            )
            for k, row in enumerate(whole.corners[0].rows)
            if row.by != "cluster"
        ),
        substitution_flat=0.0413,
        gain_small=0.002,
        notes=("steepness of the gate is hardly identified & so on",),
    )
    model = whole.model.model_copy(update={"identification": known})
    return whole.model_copy(
        update={"comparison": _comparison(whole, forms), "model": model},
    )


def _score(k: int, weight: float, khat: float) -> compare.Score:
    return compare.Score(
        elpd=-700.25 - 3.2 * k,
        se=16.6,
        difference=-3.2 * k,
        difference_se=1.9 * k,
        weight=weight,
        bad=k % 2,
        khat_max=khat,
    )


def _comparison(whole: m.Results, forms: tuple[compare.FormRow, ...]) -> compare.Comparison:
    return compare.Comparison(
        criterion="leave-one-cluster-out",
        criterion_reason="the data declare clusters",
        leading="conjunctive",
        forms=forms,
        khat_threshold=0.667,
        clusters=tuple(
            compare.LeftOutCluster(
                form=form, cluster=row.group, rows=row.rows, elpd=-29.31 - k, khat=0.312
            )
            for k, form in enumerate(FORMS)
            for row in whole.sample.groups
            if row.by == "cluster"
        ),
        corners=tuple(
            compare.FormCorner(
                form=form,
                scope=table.scope,
                declared=table.declared,
                by=row.by,
                group=row.group,
                corner=row.corner,
                estimate=estimate(row.estimate.mean + 0.011 * k, 0.04),
            )
            for k, form in enumerate(FORMS)
            for table in whole.corners
            for row in table.rows
            if row.by != "cluster"
        ),
        verdicts=tuple(
            compare.FormVerdict(
                form=form,
                claim=position,
                title=verdict.title,
                group=verdict.group,
                verdict=verdict.verdict,
                probability=min(verdict.probability + 0.01 * k, 1.0),
                prior_probability=verdict.prior_probability,
            )
            for k, form in enumerate(FORMS)
            for position, verdict in enumerate(whole.verdicts)
        ),
        statements=("the data cannot tell conjunctive from interaction", "1 < 2 & so on"),
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "$x$ & $\\frac{1}{2}$ \"quoted\" 'single'",
    "Ω наука 集群 naïve — a very long name of an industry that goes on and on and on " * 2,
    "javascript:alert(1)//--><!--",
)


def hostile() -> m.Results:
    """Return results whose every text is hostile."""
    whole = results(industries=HOSTILE, passed=False, controls=("<b>bold</b>",))
    bad = HOSTILE[0]
    return whole.model_copy(
        update={
            "title": f"{bad} & {HOSTILE[1]}",
            "description": bad,
            "limits": HOSTILE,
            "outcome": whole.outcome.model_copy(update={"label": f"$P$({bad})", "column": bad}),
            "sample": whole.sample.model_copy(
                update={"label": bad, "title": bad, "filters": HOSTILE, "notes": HOSTILE}
            ),
            "reproduction": whole.reproduction.model_copy(
                update={"analysis": f"name: {bad}", "command": bad, "versions": {bad: bad}}
            ),
        }
    )


def bare() -> m.Results:
    """Return results with nothing optional: no capitals, claims, groups or cross-validation."""
    whole = results(industries=INDUSTRIES[:1])
    model = whole.model.model_copy(update={"structure": "intercept", "groupings": ()})
    sample = whole.sample.model_copy(
        update={
            "groups": (
                whole.sample.groups[0].model_copy(
                    update={"human_capital": None, "social_capital": None}
                ),
            ),
            "clusters": 0,
            "industries": 0,
            "dropped": (),
            "filters": (),
            "notes": (),
            "capital_correlation": None,
        }
    )
    return whole.model_copy(
        update={
            "model": model,
            "sample": sample,
            "limits": (),
            "measures": (),
            "loo": None,
            "effects": (),
            "differences": (),
            "ranks": (),
            "corners": (),
            "verdicts": (),
            "claims": None,
            "ceilings": None,
            "curves": (),
            "surfaces": (),
            "predictive": whole.predictive[:1],
            "checklist": None,
            "fit_checks": None,
        }
    )


def with_sets(whole: m.Results) -> m.Results:
    """Return the results with those of set theory, made up."""
    rng = np.random.default_rng(RNG)

    def measure(relation: mset.Relation, expression: str, name: mset.SetMeasureName, **group: str):
        value = 0.95 if (relation, expression, name) == ("necessity", "H", "consistency") else 0.6
        return mset.SetMeasure(
            relation=relation,
            expression=expression,
            measure=name,
            rows=300,
            members=140,
            observed=value,
            low=value - 0.04,
            high=value + 0.04,
            model_low=value - 0.08,
            model_high=value + 0.03,
            **group,
        )

    groups = [("all", "all"), *(("industry", name) for name in INDUSTRIES)]
    shown = {"necessity": ("consistency", "RoN"), "sufficiency": ("consistency", "PRI")}
    measures = [
        measure(relation, expression, name, by=by, group=group)
        for by, group in groups
        for relation, names in shown.items()
        for expression in ("H", "S", "H*S")
        for name in (*names, "coverage")
    ]
    anchors = {"exclusion": -1.2, "crossover": 0.03, "inclusion": 1.4}
    crisp = dict.fromkeys(anchors)
    row = {"ambiguous": 0, "missing": 0, "members": 600, "sd": (0.0, 0.1, 0.0)}
    truth = {"by": "all", "group": "all", "pri": 0.7}
    term = {"kind": "complex", "solution": 1, "tied": 1, "pri": 0.7, "coverage": 0.5, "cases": 90}
    return whole.model_copy(
        update={
            "sets": mset.SetResults(
                replicates=1000,
                rows=1200,
                necessity_cuts=(0.9, 0.5),
                sufficiency_cuts=(0.8, 0.5),
                case_cut=1,
                sets=(
                    mset.SetRow(
                        letter="H", name="human_capital", how="declared anchors", **anchors, **row
                    ),
                    mset.SetRow(letter="Y", name="upgraded", how="crisp: 0 or 1", **crisp, **row),
                ),
                measures=tuple(measures),
                truth_table=(
                    mset.TruthTableRow(
                        configuration="H*S",
                        cases=90,
                        consistency=0.85,
                        outcome="1",
                        firms=("JEP-0001", "<b>JEP</b>"),
                        **truth,
                    ),
                    mset.TruthTableRow(
                        configuration="H*~S",
                        cases=0,
                        consistency=None,
                        outcome="?",
                        firms=(),
                        **truth,
                    ),
                ),
                solutions=(
                    mset.SolutionTerm(
                        by="all",
                        group="all",
                        term="H*S",
                        whole=False,
                        consistency=0.85,
                        unique_coverage=0.5,
                        **term,
                    ),
                ),
                spreads=(
                    mset.SetSpread(
                        of="industry",
                        relation="necessity",
                        expression="H",
                        groups=4,
                        pooled=0.9,
                        smallest=0.7,
                        smallest_group=INDUSTRIES[0],
                        largest=0.95,
                        largest_group=INDUSTRIES[1],
                        distance=0.031,
                    ),
                ),
                combinations=(
                    mset.Combination(
                        relation="necessity",
                        expression="H + S",
                        consistency=0.93,
                        relevance=0.6,
                        pri=None,
                        coverage=0.4,
                    ),
                ),
                plots=(
                    mset.SetPlot(
                        expression="H",
                        label="human capital",
                        points=tuple((float(x), float(x > 0.6)) for x in rng.random(60)),
                        total=1200,
                    ),
                ),
                notes=("anchors of human capital come from the sample",),
            )
        }
    )


def made_ceilings() -> ceil.Ceilings:
    """Ceilings of both capitals in every industry, small."""
    at = [(capital, group) for capital in CAPITALS for group in INDUSTRIES]
    return ceil.Ceilings(
        height="expected outcome",
        d_min=0.1,
        level=0.95,
        supported=(0.05, 0.95),
        scope="its range among the firms of the group",
        outcome_low=0.0,
        outcome_high=1.0,
        draws=400,
        replicates=500,
        null="an additive model",
        rows=tuple(
            ceil.FormCeiling(
                capital=capital,
                by="industry",
                group=group,
                rows=300,
                estimate=estimate(0.4, 0.03),
                prior=estimate(0.3, 0.2),
                within=estimate(0.35, 0.03),
                at_least=1.0,
                prior_at_least=0.7,
                ce_fdh=0.12,
                cr_fdh=0.06,
                null_observed=0.23,
                null_expected=0.21,
                null_p=0.4,
                null_clusters=6,
            )
            for capital, group in at
        ),
        bottlenecks=tuple(
            ceil.LeastLevel(
                capital=capital,
                by="industry",
                group=group,
                target=0.5,
                target_percent=50.0,
                low=ceil.Level(word="NN"),
                median=ceil.Level(original=0.2, percent=40.0),
                high=ceil.Level(word="NA"),
                not_needed=0.1,
                not_reached=0.1,
            )
            for capital, group in at
        ),
        lines=tuple(
            ceil.CeilingLine(
                capital=capital,
                by="industry",
                group=group,
                at=(-1.0, 0.0, 1.0),
                mean=(0.2, 0.5, 0.8),
                low=(0.1, 0.4, 0.7),
                high=(0.3, 0.6, 0.9),
            )
            for capital, group in at
        ),
    )
