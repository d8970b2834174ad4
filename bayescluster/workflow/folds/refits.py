"""Refits of one form without some of its rows, each a file of its own; none is made twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Final

from bayescluster.checks.fold_gate import LogScore, fold_gate
from bayescluster.design.record import Design
from bayescluster.errors import FitError, RunError
from bayescluster.estimands.summary import number
from bayescluster.inference.left_out import LeftOut
from bayescluster.inference.nuts import available_cores
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.results.folds import FOLDS_VERSION, Fold, GroupScore
from bayescluster.runs.layout import StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.workflow.folds.plan import Held, Options, samplings
from bayescluster.workflow.watch import CountingWatch

STAGE: Final[StageName] = "folds"

Score = Callable[[Held, Refit], tuple[tuple[str, LogScore], ...]]


class Refits:
    """Refits of one form, each kept in a file as soon as it is made.

    Parameters
    ----------
    design, directory
        The form, and the directory of its run; its lock is held and the stage has begun.
    options
        Settings of the refits.
    place
        Folder of the files inside the run.
    watch
        Told of the progress.
    """

    def __init__(
        self,
        design: Design,
        directory: RunDirectory,
        options: Options,
        place: str,
        watch: CountingWatch,
    ) -> None:
        self._design, self._directory, self._options = design, directory, options
        self._place, self._watch = place, watch
        # the manifest is read, changed and written: one thread at a time
        self._writing = threading.Lock()

    def made(self, wanted: Sequence[Held], score: Score) -> tuple[Fold, ...]:
        """Give every refit, those that are there and those that are made now, in order."""
        found = {one.number: self._kept(one) for one in wanted}
        pending = [one for one in wanted if found[one.number] is None]
        if not pending:
            if wanted:
                self._watch.step("All refits are there already")
            return tuple(fold for fold in found.values() if fold is not None)
        self._watch.step("Compiling the model with weights of the rows")
        repeated = Repeated(self._design, weighted=True)
        kept = len(wanted) - len(pending)
        more = f" ({kept} kept from before)" if kept else ""
        self._watch.step(f"{len(pending)} {'refit' if len(pending) == 1 else 'refits'}{more}")
        self._watch.count("refits", 0, len(pending))

        def work(one: Held) -> Fold:
            fold = self._fold(one, repeated, score)
            with self._writing:
                self._directory.save_document(STAGE, self._file(one), fold)
            return fold

        for done, future in enumerate(_run(work, pending, self._options.jobs), start=1):
            fold = future.result()
            found[fold.number] = fold
            self._watch.count("refits", done, len(pending))
        return tuple(fold for fold in found.values() if fold is not None)

    def _file(self, one: Held) -> str:
        return f"{self._place}/{one.number:03d}.json"

    def _kept(self, one: Held) -> Fold | None:
        """A refit that is there; one that was altered counts as none."""
        try:
            found = self._directory.load_document(STAGE, self._file(one), Fold, FOLDS_VERSION)
        except RunError:
            return None
        return found if found is not None and found.held == one.labels else None

    def _fold(self, one: Held, repeated: Repeated, score: Score) -> Fold:
        """Refit without the rows; a second time, with smaller steps, where the gate fails."""
        started = time.perf_counter()
        about: dict[str, Any] = {
            "number": one.number,
            "held": one.labels,
            "rows": int(one.rows.size),
        }
        for attempt, sampling in enumerate(
            samplings(self._design, self._options, (one.number,)), start=1
        ):
            about["attempts"] = attempt
            try:
                refit = LeftOut(self._design, sampling, repeated).refit(one.rows)
            except FitError as error:
                fold = Fold(**about, status="not_fitted", reasons=(error.problems[0].what,))
            else:
                fold = Fold(**about, status="fitted", **_judged(score(one, refit), refit))
            if fold.passed:
                break
        return fold.model_copy(update={"seconds": round(time.perf_counter() - started, 3)})


def _judged(scores: tuple[tuple[str, LogScore], ...], refit: Refit) -> dict[str, Any]:
    gate = fold_gate(refit.tree, [score.mcse for _, score in scores])
    return {
        "reasons": gate.reasons,
        "rhat": number(gate.rhat),
        "ess": number(gate.ess),
        "divergences": gate.divergences,
        "scores": tuple(
            GroupScore(group=label, elpd=number(score.elpd), mcse=number(score.mcse))
            for label, score in scores
        ),
    }


def _run(
    work: Callable[[Held], Fold], wanted: Sequence[Held], jobs: int | None
) -> Iterator[Future[Fold]]:
    """Refit in threads: the sampler and numpy hold no lock while they compute.

    What runs when something goes wrong ends, and is kept; nothing further is begun.
    """
    pool = ThreadPoolExecutor(jobs or available_cores())
    try:
        yield from as_completed([pool.submit(work, one) for one in wanted])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
