"""Words where numbers or codes are expected: scales of words, no answers, spellings, shares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescluster.dataset.read import Table
from bayescluster.features.codebook.compute import guesses
from bayescluster.features.codebook.spelling import ranks, scale_of, wordy_cells
from bayescluster.features.starter.draft import columns_named
from bayescluster.spec.load import load_analysis
from tests.cli.small import call

N = 240
RNG = np.random.default_rng(3)
ORDER = np.array(["never", "rarely", "sometimes", "often", "always"])


def frame() -> pd.DataFrame:
    cluster = np.arange(N) % 8
    human, social = RNG.normal(size=N), RNG.normal(size=N)

    def answers(z: np.ndarray) -> np.ndarray:
        return ORDER[np.digitize(z + RNG.normal(0, 0.4, N), [-1.2, -0.4, 0.4, 1.2])]

    return pd.DataFrame(
        {
            "firm_id": np.arange(N),
            "cluster": [f"c{k}" for k in cluster],
            "industry": np.where(cluster < 4, "wood", "metal"),
            **{f"training_{k}": answers(human) for k in range(3)},
            **{f"trust_{k}": answers(social) for k in range(3)},
            "upgrading": np.where(RNG.random(N) < 1 / (1 + np.exp(-human)), "Yes", "No"),
        }
    )


def init(data: pd.DataFrame, folder: Path, *options: str, **written: str):
    data.to_csv(folder / "firms.csv", index=False, **written)
    return call(
        "init", str(folder / "firms.csv"), "--yes", "--out", str(folder / "a.yaml"), *options
    )


def test_words_of_a_known_scale_are_ranked_and_no_answer_is_none(tmp_path):
    data = frame()
    data.loc[[4, 9], "training_0"] = "don't know"
    data.loc[3, "trust_1"] = "Often"
    data.loc[5, "upgrading"] = "yes "
    data.loc[6, "upgrading"] = "N"
    found = init(data, tmp_path)
    assert found.code == 0, found
    assert "don't know means no answer in 'training_0'" in found.out
    assert "never 1, rarely 2, sometimes 3, often 4, always 5" in found.out
    analysis = load_analysis(tmp_path / "a.yaml").value
    assert analysis.equation.family == "bernoulli"
    by_name = {one.name: one for one in analysis.data.derive}
    assert by_name["trust_1_rank"].values["Often"] == by_name["trust_1_rank"].values["often"] == 4
    assert by_name["upgrading_yes"].values == {"No": 0, "N": 0, "Yes": 1, "yes ": 1}


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["often", "never", "sometimes"], ("never", "sometimes", "often")),
        (["radical", "none", "minor", "substantial"], ("none", "minor", "substantial", "radical")),
        (["Setuju", "Netral", "Tidak setuju"], ("Tidak setuju", "Netral", "Setuju")),
        (["much", "a lot", "little"], None),
        (["often", "green", "never"], None),
        (["often", "never"], None),
    ],
)
def test_only_scales_that_are_known_have_an_order(words, order):
    assert scale_of(words) == order


def test_words_among_numbers_are_told_by_the_signs_of_the_numbers():
    cells = pd.Series(["7,9", "1.234,5", "n.d.", "6", None, "ca. 50"])
    assert list(wordy_cells(cells)) == ["n.d.", "ca. 50"]
    assert ranks(cells) is None


def test_numbers_with_decimal_commas_and_no_answers_stay_numbers(tmp_path):
    data = frame()
    data["trust_score"] = [f"{x:.1f}".replace(".", ",") for x in RNG.normal(5, 1, N)]
    data.loc[data.index % 9 == 0, "trust_score"] = "k.A."
    data.to_csv(tmp_path / "firms.csv", index=False, sep=";")
    shown = call("check-data", str(tmp_path / "firms.csv"))
    assert "numbers, but for 'k.A.'" in shown.out
    found = init(data, tmp_path, "--social", "trust_score", sep=";")
    assert found.code == 0, found
    assert load_analysis(tmp_path / "a.yaml").value.data.missing_values["trust_score"] == ("k.A.",)


def test_spellings_and_no_answers_look_wrong(tmp_path):
    data = frame().assign(degree=np.where(np.arange(N) % 2, "minor", "radical"))
    data.loc[0, "degree"] = "Radical"
    data.loc[2, "degree"] = "unknown"
    data.loc[4, "degree"] = "radicall"
    data.to_csv(tmp_path / "firms.csv", index=False)
    shown = call("check-data", str(tmp_path / "firms.csv"), "--json").out
    assert "'Radical' for 'radical'" in shown
    assert "'radicall' for 'radical'" in shown
    assert '\\"unknown\\" in 1 row' in shown


def test_groups_that_are_one_number_in_two_spellings_are_two(tmp_path):
    data = frame().assign(nace=np.where(np.arange(N) % 2, "10.1", "10.10")).drop(columns="industry")
    data.to_csv(tmp_path / "firms.csv", index=False)
    shown = call("check-data", str(tmp_path / "firms.csv")).out
    assert "every answer is" not in shown
    assert "10.10" in shown


def test_firms_in_several_rows_vary(tmp_path):
    data = pd.concat([frame().assign(year=year) for year in (2019, 2020, 2021)])
    found = init(data, tmp_path)
    assert found.code == 0
    assert "'year' tells the rows of a firm apart: each has its own level" in found.out
    equation = load_analysis(tmp_path / "a.yaml").value.equation
    assert equation.varying["firm"] == ("intercept",)
    (year,) = equation.controls
    assert (year.column, year.coding) == ("year", "sum")
    assert call("validate", str(tmp_path / "a.yaml")).code == 0


def test_a_table_of_one_industry_is_compared_over_all_firms(tmp_path):
    assert init(frame().assign(industry="wood"), tmp_path).code == 0
    analysis = load_analysis(tmp_path / "a.yaml").value
    assert (analysis.data.industry, analysis.data.cluster) == (None, "cluster")
    assert {claim.by for claim in analysis.hypotheses} == {"all"}


NAMES = {
    "German": (
        (
            "Unternehmensnummer Cluster Branche Weiterbildung Bildung Erfahrung Vertrauen Netzwerk "
            "Kooperation Innovation Beschäftigte"
        ),
        ("Ja", "Nein"),
    ),
    "Spanish": (
        (
            "id_empresa conglomerado sector capacitación educación experiencia confianza redes "
            "cooperación innovación trabajadores"
        ),
        ("Sí", "No"),
    ),
    "Chinese": (
        "企业编号 产业集群 行业 培训时间 教育水平 管理经验 信任 关系网络 合作 产品升级 员工人数",
        ("是", "否"),
    ),
    "Vietnamese": (
        (
            "mã_doanh_nghiệp cụm ngành giờ_đào_tạo trình_độ kinh_nghiệm lòng_tin mạng_lưới hợp_tác "
            "đổi_mới số_lao_động"
        ),
        ("Có", "Không"),
    ),
    "French": (
        (
            "id_entreprise grappe secteur heures_formation éducation expérience confiance réseaux "
            "coopération innovation effectif"
        ),
        ("Oui", "Non"),
    ),
    "Indonesian": (
        (
            "id_perusahaan klaster industri pelatihan pendidikan pengalaman kepercayaan jaringan "
            "kerja_sama inovasi jumlah_karyawan"
        ),
        ("Ya", "Tidak"),
    ),
}


@pytest.mark.parametrize("language", NAMES)
def test_names_of_columns_in_other_languages(language, tmp_path):
    names, (yes, no) = NAMES[language]
    data = frame().assign(staff=np.arange(N) % 50 + 1)
    data["upgrading"] = data["upgrading"].map({"Yes": yes, "No": no})
    data.columns = pd.Index(names.split())
    assert init(data, tmp_path).code == 0
    analysis = load_analysis(tmp_path / "a.yaml").value
    firm, cluster, industry, *others = names.split()
    assert (analysis.data.firm, analysis.data.cluster, analysis.data.industry) == (
        firm,
        cluster,
        industry,
    )
    *items, outcome, control = others
    capitals = analysis.constructs.values()
    assert [[item.column for item in each.items] for each in capitals] == [
        [f"{name}_rank" for name in items[:3]],
        [f"{name}_rank" for name in items[3:]],
    ]
    assert analysis.equation.outcome == f"{outcome}_yes"
    assert list(analysis.equation.controls) == [control]


def test_names_that_repeat_could_be_the_cluster_where_none_is_named_so(tmp_path):
    found = init(frame().rename(columns={"cluster": "valle"}), tmp_path)
    assert "could it be 'valle' (8 different) (--cluster)?" in found.out


def test_a_capital_that_lies_within_clusters_is_not_contextual(tmp_path):
    assert init(frame(), tmp_path).code == 0
    assert not load_analysis(tmp_path / "a.yaml").value.equation.contextual


@pytest.mark.parametrize(("ones", "family"), [(2, "zero_inflated_beta"), (60, "gaussian")])
def test_percent_with_zeros_is_a_share(ones, family, tmp_path):
    share = np.round(100 * RNG.beta(2, 3, N), 1)
    share[:90], share[-ones:] = 0, 100
    data = frame().assign(upgrading=share).rename(columns={"upgrading": "share_new_products"})
    assert init(data, tmp_path).code == 0
    analysis = load_analysis(tmp_path / "a.yaml").value
    assert analysis.equation.family == family
    if family == "zero_inflated_beta":
        assert [one.multiply for one in analysis.data.derive if one.kind == "scale"] == [0.00999]


def test_a_word_that_is_no_number_is_one_message_of_validate(tmp_path):
    data = frame().assign(joint=[*("12" * 119), "ca. 50", "1"])
    found = init(data, tmp_path, "--social", "joint")
    assert found.code == 2
    assert "what 'ca. 50' means in 'joint'" in found.out
    text = (tmp_path / "a.yaml").read_text()
    text = text.replace("    varying:", "    contextual: [social_capital]\n    varying:")
    (tmp_path / "a.yaml").write_text(text)
    checked = call("validate", str(tmp_path / "a.yaml"))
    assert checked.code == 3
    assert "'ca. 50' in row 239" in checked.err


def test_an_analysis_is_written_over_on_request(tmp_path):
    assert init(frame(), tmp_path).code == 0
    again = init(frame(), tmp_path)
    assert (again.code, "--force" in again.err) == (2, True)
    assert init(frame(), tmp_path, "--force").code == 0


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("q1-q3", ("q1", "q2", "q3")),
        ("q*, trust", ("q1", "q2", "q3", "trust")),
        ("q1 q3", ("q1", "q3")),
        ("share-of sales", ("share-of sales",)),
        ("-", ()),
        ("q9", ("q9",)),
    ],
)
def test_columns_are_named_as_in_stata(text, columns):
    known = ["q1", "q2", "q3", "trust", "share-of sales"]
    assert columns_named([text], known) == columns


def test_a_role_that_is_declined_is_not_guessed_again(tmp_path):
    assert init(frame(), tmp_path, "--firm", "-", "--social", "trust_0-trust_1").code == 0
    analysis = load_analysis(tmp_path / "a.yaml").value
    assert analysis.data.firm is None
    assert [item.column for item in analysis.constructs["social_capital"].items] == [
        "trust_0_rank",
        "trust_1_rank",
    ]


def test_a_count_has_its_exposure_and_regions_per_unit_of_it(tmp_path):
    years = RNG.integers(1, 10, N)
    data = frame().assign(upgrading=RNG.poisson(0.8 * years), years_observed=years)
    found = init(data.rename(columns={"upgrading": "patents"}), tmp_path)
    assert (found.code, "per 'years_observed'" in found.out) == (0, True)
    assert load_analysis(tmp_path / "a.yaml").value.equation.exposure == "years_observed"


def test_weights_are_offered(tmp_path):
    assert "`weight: wgt`" in init(frame().assign(wgt=RNG.gamma(4, 0.25, N)), tmp_path).out


def test_a_cover_sheet_is_passed_over(tmp_path):
    with pd.ExcelWriter(tmp_path / "firms.xlsx") as book:
        pd.DataFrame({"Survey of firms": ["by us"]}).to_excel(book, sheet_name="Cover", index=False)
        frame().to_excel(book, sheet_name="Data", index=False)
    shown = call("check-data", str(tmp_path / "firms.xlsx")).out
    assert f"{N} rows" in shown
    assert "The first sheet with a table is read, 'Data', after 'Cover'" in shown


def test_totals_and_notes_below_a_table_look_wrong(tmp_path):
    data = frame().astype(object)
    data.loc[N] = ["Total", *[None] * 9]
    data.to_csv(tmp_path / "firms.csv", index=False)
    shown = call("check-data", str(tmp_path / "firms.csv"), "--json").out
    assert f"nearly empty, or a total: row {N + 1} ('Total')" in shown
    assert "if these are no firms, write `exclude: [{column: firm_id, one_of: " in shown


def test_many_columns_and_industries_are_shortened_on_a_terminal(tmp_path):
    data = frame().assign(industry=np.arange(N) // 4, **{f"z{k}": np.arange(N) for k in range(60)})
    data.to_csv(tmp_path / "firms.csv", index=False)
    shown = call("check-data", str(tmp_path / "firms.csv")).out
    assert "and 30 more columns" in shown
    assert "and 40 more industries" in shown
    assert shown.count("fewer than 5 rows in industry") == 1


def test_codes_of_several_columns_are_one_line(tmp_path):
    data = frame().assign(**{f"a{k}": RNG.integers(1, 6, N) for k in range(5)})
    for k in range(5):
        data.loc[k, f"a{k}"] = -9
    data.to_csv(tmp_path / "firms.csv", index=False)
    found = json.loads(call("check-data", str(tmp_path / "firms.csv"), "--json").out)
    (one,) = [each for each in found["concerns"] if "-9" in each["what"]]
    assert one["what"].startswith("-9 in 5 cells of 5 columns")
    assert "missing_values: {a0: [-9], a1: [-9]" in one["advice"]


def test_what_the_analysis_mends_looks_wrong_no_more(tmp_path):
    data = frame().assign(hours_trained=RNG.gamma(9, 2, N))
    data.loc[4, "industry"], data.loc[5, "hours_trained"] = "metall", 90_000
    data["industry"] = data["industry"].replace({"metal": "metallic", "metall": "metalic"})
    assert init(data, tmp_path, "--human", "hours_trained").code == 0
    text = (tmp_path / "a.yaml").read_text()
    fix = "data:\n  fix: [{column: hours_trained, row: 6, to: 9}]\n"
    (tmp_path / "a.yaml").write_text(text.replace("data:\n", fix, 1))
    shown = call("check-data", str(tmp_path / "a.yaml")).out
    assert "90,000" not in shown
    assert "several spellings" not in shown
    left = json.loads(call("check-data", str(tmp_path / "a.yaml"), "--json").out)["concerns"]
    assert all("around each corner" in one["what"] for one in left)


def test_a_question_put_the_other_way_round_stays_with_its_battery() -> None:
    rng = np.random.default_rng(4)
    trust = rng.integers(1, 6, 60)
    columns = {f"q3_{k}": np.clip(trust + rng.integers(-1, 2, 60), 1, 5) for k in (1, 2, 4)}
    columns["q3_3"] = 6 - trust
    columns["q4_1"] = rng.integers(1, 6, 60)
    frame = pd.DataFrame(columns)[["q3_1", "q3_2", "q3_3", "q3_4", "q4_1"]]
    words = {
        "q3_1": "We trust others",
        "q3_2": "We trust suppliers",
        "q3_4": "Our network helps us",
    }
    words |= {"q3_3": "We rarely meet", "q4_1": "Weather"}
    table = Table(frame, "survey", False, "", "", (), words)
    found = guesses(table)
    assert {name for name, one in found.items() if one.role == "social_capital"} == {
        *("q3_1", "q3_2", "q3_3", "q3_4")
    }
    assert found["q3_3"].reason == "it stands with q3_1, q3_2, q3_4"
    assert not found["q3_3"].sure
