"""Made-up scores of what was left out."""

from __future__ import annotations

from bayescluster.features.folds import results as f
from bayescluster.results import model as m

FORMS = ("additive", "conjunctive")


def left_out(
    whole: m.Results, forms: tuple[str, ...] = FORMS, groups: tuple[str, ...] = ()
) -> m.Results:
    """Return the results with clusters, industries and rows left out."""
    found = f.Folds(
        name=whole.name,
        run_key=whole.reproduction.key,
        synthetic=True,
        cluster=_groups("cluster", forms, groups or ("Sialkot & sons", "Ludhiana", "Tiruppur")),
        industry=_groups("industry", forms, ("Goods", "Services")),
        row=_rows(forms),
    )
    return whole.model_copy(update={"folds": found})


def _groups(by: f.GroupBy, forms: tuple[str, ...], names: tuple[str, ...]) -> f.LeftOutGroups:
    return f.LeftOutGroups(
        by=by,
        key="a" * 16,
        folds=len(names),
        draws=517,
        tune=611,
        chains=2,
        seed=1,
        khat_threshold=0.667,
        rhat_max=1.05,
        ess_min=100,
        error_max=0.5,
        forms=tuple(_form(k, form, len(names)) for k, form in enumerate(forms)),
        rows=tuple(
            _row(k, j, form, name) for k, form in enumerate(forms) for j, name in enumerate(names)
        ),
        notes=("the score is joint & of a new group <b>",),
    )


def _form(k: int, form: str, groups: int) -> f.FormFolds:
    return f.FormFolds(
        form=form,
        groups=groups,
        counted=groups - 1,
        elpd=-557.94 - 3.1 * k,
        se=36.43,
        mcse=0.22,
        psis=-556.71 - 2.2 * k,
        psis_se=35.12,
        difference=-3.1 * k,
        difference_se=1.7 * k,
        weight=0.83 - 0.66 * k,
        psis_weight=0.71 - 0.42 * k,
        diag_khat_bad=1,
        diag_khat_max=0.92,
        diag_refits=groups,
        diag_second=1,
        diag_failed=1,
    )


def _row(k: int, j: int, form: str, name: str) -> f.GroupRow:
    return f.GroupRow(
        form=form,
        group=name,
        rows=41 + j,
        fold=j + 1,
        counts=j > 0,
        elpd=-29.37 - j - 0.5 * k,
        mcse=0.113 + 0.1 * j,
        psis=-29.14 - j,
        khat=0.92 - 0.3 * j,
        khat_bad=j == 0,
        why="" if j else "3 divergent draws",
    )


def _rows(forms: tuple[str, ...]) -> f.LeftOutRows:
    ways: tuple[f.Way, ...] = ("integrated", "refit", "left")
    return f.LeftOutRows(
        key="b" * 16,
        most=1,
        draws=517,
        tune=611,
        chains=2,
        seed=1,
        khat_threshold=0.7,
        unit="cluster",
        forms=tuple(
            f.FormRows(
                form=form,
                rows=300,
                elpd=-512.31 - k,
                se=14.2,
                psis=-511.12 - k,
                psis_se=14.1,
                difference=-1.0 * k,
                difference_se=0.4 * k,
                weight=0.61 - 0.22 * k,
                psis_weight=0.57 - 0.14 * k,
                diag_khat_bad=3,
                diag_khat_max=1.13,
                diag_integrated=1,
                diag_refits=1,
                diag_failed=0,
                diag_left=1,
            )
            for k, form in enumerate(forms)
        ),
        repairs=tuple(
            f.RowRepair(
                form=form,
                row=f"firm {way}",
                way=way,
                khat=1.13,
                psis=-5.17,
                integrated_khat=0.41,
                integrated=-6.23,
                refit=-6.31 if way == "refit" else None,
                refit_mcse=0.04 if way == "refit" else None,
                why="more rows than --most allows" if way == "left" else "",
            )
            for form in forms
            for way in ways
        ),
        notes=("units rest on all rows",),
    )
