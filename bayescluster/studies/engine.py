"""One engine for every study: its folder, key and lock, tasks that are kept, progress, and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from bayescluster.inference.nuts import available_cores
from bayescluster.inference.watch import CountingWatch, Silent
from bayescluster.kit.table import RawTable, Table, csv_text
from bayescluster.runs.files import write_text
from bayescluster.runs.layout import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.workers import done_elsewhere, has_cluster, worker_count


class Plan(Protocol):
    """What a study is going to do."""

    @property
    def home(self) -> Path:
        """Folder in which the study has its own: that of the analysis."""

    @property
    def key(self) -> str:
        """Key of what each task depends on."""


class Finished[Results](NamedTuple):
    """Results of a study, and the directory of its files."""

    directory: Path
    results: Results


@dataclass(frozen=True)
class Study[Source, Options, P: Plan, Work, Results: BaseModel]:
    """A study, which is called as a function: ``study(source, options, root, watch)``.

    Attributes
    ----------
    name
        Its folder, and its documents without their endings.
    options
        Makes the options where none are given.
    plan
        Reads the source and refuses what the study cannot do, from source, options and root.
    work
        Does the tasks that are not finished, in a directory that is locked, and gives all of them.
    summary
        Results, from the plan and the work.
    tables, page
        What is written next to the results: csv tables, from results and work, and a page.
    printed
        What is printed of the results: lines and tables.
    reading
        Reported while the source is read.
    kept
        What is kept of the work where it is interrupted.
    notes
        Whether the notes of the results are printed below them.
    """

    name: str
    options: Callable[[], Options]
    plan: Callable[[Source, Options, Path], P]
    work: Callable[[P, Path, CountingWatch], Work]
    summary: Callable[[P, Work], Results]
    tables: Callable[[Results, Work], Iterable[RawTable]]
    page: Callable[[Results], str]
    printed: Callable[[Results], Iterable[str | Table]]
    reading: str = "Reading the firms"
    kept: str = "chains"
    notes: bool = True

    def __call__(
        self,
        source: Source,
        options: Options | None = None,
        root: Path | str = "runs",
        watch: CountingWatch | None = None,
    ) -> Finished[Results]:
        """Do what is not finished yet, summarise everything, and write the documents.

        Parameters
        ----------
        source
            Analysis file, or an analysis made in Python; for a comparison the runs.
        options
            Settings of the study; the defaults without them.
        root
            Folder of the runs.
        watch
            Reports the progress.

        Raises
        ------
        ConfigError, DataError, FitError, RunError
            See `bayescluster.errors`. Tasks that were finished before are kept.
        """
        watch = watch or Silent()
        watch.step(self.reading)
        plan = self.plan(source, self.options() if options is None else options, Path(root))
        directory = RunDirectory.create(plan.home, self.name, plan.key).path
        with locked(directory), _called(_Call(self, source, options, Path(root).absolute())):
            work = self.work(plan, directory, watch)
            results = self.summary(plan, work)
            text = results.model_dump_json(indent=2) + "\n"
            write_text(directory / f"{self.name}.json", text)
            for table in self.tables(results, work):
                write_text(directory / f"{table.name}.csv", csv_text(table))
            write_text(self.page_path(directory), self.page(results))
        return Finished(directory, results)

    def page_path(self, directory: Path) -> Path:
        """Place of the page."""
        return directory / f"{self.name}.html"


class _Share(NamedTuple):
    """Tasks of one batch of a study that are done by one worker of a cluster."""

    batch: int
    positions: tuple[int, ...]


class _Call:
    """A call of a study, by which a worker of a cluster can do a share of its tasks."""

    def __init__(
        self, study: Any, source: Any, options: Any, root: Path, share: _Share | None = None
    ) -> None:
        self.study, self.options, self.root, self.share = study, options, root, share
        self.source = Path(source).absolute() if isinstance(source, str | Path) else source
        self._batches = count()

    def next_batch(self) -> int:
        """Number of the batch that begins now: every process comes to them in the same order."""
        return next(self._batches)

    def sent(self, share: _Share) -> tuple[Any, ...]:
        """Arguments of `_do_share`."""
        return self.study, self.source, self.options, self.root, share


_CALL: ContextVar[_Call | None] = ContextVar("call", default=None)


@contextmanager
def _called(call: _Call) -> Iterator[None]:
    token = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(token)


class _ShareDoneError(Exception):
    """The share of a worker is done: the rest of the study is not its business."""


def _do_share(study: Any, source: Any, options: Any, root: Path, share: _Share) -> int:
    """Do some tasks of a study whose directory another process has locked; give their number.

    Every task is kept when it is finished: a share that is begun again goes on from there.
    """
    if options is None:
        options = study.options()
    with _called(_Call(study, source, options, root, share)):
        plan = study.plan(source, options, root)
        directory = RunDirectory.create(plan.home, study.name, plan.key).path
        with suppress(_ShareDoneError):
            study.work(plan, directory, Silent())
    return len(share.positions)


class Store[Task, Record](Protocol):
    """Where the records of finished tasks are."""

    def load(self, task: Task) -> Record | None:
        """Read the record of a task; nothing where it is not finished."""

    def save(self, task: Task, record: Record) -> None:
        """Keep the record of a task; called from several threads."""


@dataclass(frozen=True)
class Files[Task, Record: BaseModel]:
    """Records of tasks, a file each; half a file, or one of another version, counts as none."""

    path: Callable[[Task], Path]
    kind: type[Record]
    version: int

    def load(self, task: Task) -> Record | None:
        """Read the record of a task."""
        try:
            record = self.kind.model_validate_json(self.path(task).read_bytes())
        except (OSError, ValidationError):
            return None
        return record if getattr(record, "schema_version", None) == self.version else None

    def save(self, task: Task, record: Record) -> None:
        """Write the record of a task."""
        write_text(self.path(task), record.model_dump_json(indent=1) + "\n")


@dataclass(frozen=True)
class Batch[Task, Record]:
    """Tasks that share what is compiled once.

    Attributes
    ----------
    tasks
        All of them, finished or not.
    store
        Where their records are.
    prepare
        Compiles what the unfinished tasks need, and gives the function that does one.
    name
        Starts each line of progress.
    unit
        What a task is, in the plural.
    """

    tasks: Sequence[Task]
    store: Store[Task, Record]
    prepare: Callable[[Sequence[Task]], Callable[[Task], Record]]
    name: str = ""
    unit: str = "replications"

    def line(self, message: str) -> str:
        """Line of progress, under the name of the batch."""
        return f"{self.name}: {message}" if self.name else f"{message[:1].upper()}{message[1:]}"


def records_of[Task, Record](
    batch: Batch[Task, Record], jobs: int | None, watch: CountingWatch
) -> tuple[Record, ...]:
    """Do the tasks of a batch that are not finished, and give the records of all.

    Tasks are done in threads of this process or, where there is a cluster, by its workers, each of
    which prepares once for all of a share.
    """
    call = _CALL.get()
    number = call.next_batch() if call else 0
    if call and call.share:
        if call.share.batch == number:
            _do_own(batch, call.share)
            raise _ShareDoneError
        return tuple(record for task in batch.tasks if (record := batch.store.load(task)))
    pending = [task for task in batch.tasks if batch.store.load(task) is None]
    if pending:
        kept = len(batch.tasks) - len(pending)
        unit = batch.unit.removesuffix("s") if len(pending) == 1 else batch.unit
        before = f" ({kept} kept from before)" if kept else ""
        watch.step(batch.line(f"{len(pending)} {unit}{before}"))
        watch.count(batch.unit, 0, len(pending))
        if call and has_cluster():
            progress = _on_cluster(call, batch, number)
        else:
            do = batch.prepare(pending)
            progress = _in_threads(lambda task: batch.store.save(task, do(task)), pending, jobs)
        for done in progress:
            watch.count(batch.unit, done, len(pending))
    elif batch.tasks:
        watch.step(batch.line(f"all {batch.unit} are there already"))
    found = map(batch.store.load, batch.tasks)
    return tuple(record for record in found if record is not None)


SHARES_A_WORKER: Final = 4
"""Shares that a worker does on average: more of them wait less for the slowest, and prepare more often."""


def _on_cluster[Task, Record](
    call: _Call, batch: Batch[Task, Record], number: int
) -> Iterator[int]:
    """Have workers do the tasks, and give after each share how many are done."""
    positions = [k for k, task in enumerate(batch.tasks) if batch.store.load(task) is None]
    shares = min(len(positions), SHARES_A_WORKER * worker_count())
    sent = [_Share(number, tuple(positions[k::shares])) for k in range(shares)]
    done = 0
    for _, finished in done_elsewhere(_do_share, [(share, call.sent(share)) for share in sent]):
        done += finished
        yield done


def _do_own[Task, Record](batch: Batch[Task, Record], share: _Share) -> None:
    own = [batch.tasks[k] for k in share.positions]
    pending = [task for task in own if batch.store.load(task) is None]
    if pending:
        do = batch.prepare(pending)
        for task in pending:
            batch.store.save(task, do(task))


def _in_threads[Task](
    work: Callable[[Task], None], tasks: Sequence[Task], jobs: int | None
) -> Iterator[int]:
    """Work at tasks in threads, and give after each how many are done.

    The sampler and numpy hold no lock while they compute. What runs when something goes wrong ends,
    and is kept; nothing further is begun.
    """
    pool = ThreadPoolExecutor(jobs or available_cores())
    try:
        futures = as_completed([pool.submit(work, task) for task in tasks])
        for done, future in enumerate(futures, start=1):
            future.result()
            yield done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
