"""Ray's engine: jobs in actors, and what becomes of them when processes, machines or the driver go."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from retarget_cli.batch import ray_cluster, ray_engine
from retarget_cli.batch.engine import Event, Finished, Job, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome
from retarget_cli.batch.ray_engine import RayEngine
from retarget_cli.batch.ray_fate import fate
from retarget_cli.core.errors import BackendError, UsageError

if importlib.util.find_spec("ray") is None:  # not imported here: what is set for it has to be set before
    pytest.skip("Ray is not installed", allow_module_level=True)
ROOT = Path(__file__).resolve().parents[2]
QUICK = "tests.batch.ray_attempts:quick"


class Listed:
    """Jobs from a list."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = list(jobs)

    def take(self) -> Job | None:
        return self._jobs.pop(0) if self._jobs else None

    @property
    def is_over(self) -> bool:
        return not self._jobs


def job(number: int, what: str, folder: Path) -> Job:
    name = f"-ü {number}.mp4"
    return Job(Item(number, {"driving": what, "source": ("a b", "c")}, "a", what, name), str(folder / name))


def jobs_of(folder: Path, *what: str) -> Listed:
    return Listed([job(number, each, folder) for number, each in enumerate(what, 1)])


def outcomes(events: list[Event]) -> dict[int, Outcome]:
    """By number; every job must end once."""
    ends = [event for event in events if isinstance(event, Finished)]
    assert len({event.job.item.number for event in ends}) == len(ends)
    return {event.job.item.number: event.outcome for event in ends}


def heard(engine: RayEngine, jobs: Listed) -> list[Event]:
    return [event for event in engine.run(jobs) if event is not None]


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends soon; one that nobody has waited for yet counts as ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(autouse=True)
def tests_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find these tests' attempts, from wherever they begin."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "src")]))


@pytest.fixture(scope="module")
def private_ray() -> Iterator[ray_cluster.RayCluster]:
    """One for several tests: starting it takes seconds."""
    cluster = ray_cluster.start_ray(2)
    assert cluster.folder is not None
    assert cluster.folder.stat().st_mode & 0o077 == 0
    yield cluster
    cluster.close()
    assert not cluster.folder.exists()


def test_jobs_run_and_a_killed_worker_costs_one_job(
    private_ray: ray_cluster.RayCluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = jobs_of(tmp_path, "short", "long", "ok", "memory", "ok")
    events: list[Event] = []
    for event in RayEngine(None, 2, None, None, attempts=QUICK).run(jobs):
        if event is None:
            continue
        events.append(event)
        if isinstance(event, Progressed) and event.job.item.number == 2:
            os.kill(int((tmp_path / "-ü 2.mp4.pid").read_text()), signal.SIGKILL)
    ends = outcomes(events)
    assert {number: end.fault for number, end in ends.items()} == {
        1: Fault.NONE, 2: Fault.MEMORY, 3: Fault.NONE, 4: Fault.MEMORY, 5: Fault.NONE
    }  # fmt: skip
    assert "killed" in ends[2].reason
    assert ends[2].seconds > 0
    first = [event for event in events if event.job.item.number == 1]
    assert isinstance(first[0], Started)
    assert [(event.done, event.total) for event in first if isinstance(event, Progressed)] == [(1, 2), (2, 2)]
    assert isinstance(first[-1], Finished)
    assert first[-1].job == job(1, "short", tmp_path)
    _, folder, threads, has_torch = ends[5].notes
    assert (folder, threads, has_torch) == (os.getcwd(), os.environ.get("OMP_NUM_THREADS", "1"), "False")
    told = capfd.readouterr()
    assert told.out == ""
    assert "noise" not in told.err


@pytest.mark.slow
def test_timeouts_and_crashes_stay_with_their_job(private_ray: ray_cluster.RayCluster, tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, "long", "crash", "exit", "ok", "ok")
    ends = outcomes(heard(RayEngine(None, 2, None, 8.0, attempts=QUICK), jobs))
    assert ends[1].fault is Fault.TIMEOUT
    assert ends[1].reason == "took longer than --timeout 8 s"
    assert {ends[2].fault, ends[3].fault} <= {Fault.MEMORY, Fault.CRASH}
    assert all("\n" not in end.reason and end.reason for number, end in ends.items() if number < 4)
    assert ends[4].fault is ends[5].fault is Fault.NONE
    assert is_gone(int((tmp_path / "-ü 1.mp4.pid").read_text()))


@pytest.mark.slow
def test_closing_ends_the_workers(private_ray: ray_cluster.RayCluster, tmp_path: Path) -> None:
    events = RayEngine(None, 2, None, None, attempts=QUICK).run(jobs_of(tmp_path, "long", "long"))
    pids: set[int] = set()
    for event in events:
        if isinstance(event, Progressed):
            pids.add(int(Path(f"{event.job.output}.pid").read_text()))
        if len(pids) == 2:
            break
    events.close()  # type: ignore[attr-defined]
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
    assert private_ray.ray.is_initialized()  # it was not this run that started it


@pytest.mark.slow
def test_workers_that_can_t_start_are_not_tried_for_ever(private_ray: ray_cluster.RayCluster, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"can't be started.*no module of this name"):
        heard(RayEngine(None, 2, None, None, attempts="tests.batch.ray_attempts:broken"), jobs_of(tmp_path, "ok"))


DRIVER = """
import sys, time
from pathlib import Path
from tests.batch.test_ray_engine import QUICK, Progressed, RayEngine, jobs_of
for event in RayEngine(None, 1, None, None, attempts=QUICK).run(jobs_of(Path(sys.argv[1]), *sys.argv[2:])):
    if isinstance(event, Progressed):
        print("at it", flush=True)
heavy = ("torch", "numpy", "av", "cv2", "mediapipe", "numba")
print("loaded:", [name for name in heavy if name in sys.modules])
"""


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where drivers keep what is passing; sockets lie in it, so its name has to be short."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def driver(folder: Path, *what: str) -> subprocess.Popen[str]:
    """A run in a process, and a session, of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder), *what],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
def test_a_driver_imports_nothing_heavy_and_leaves_nothing(tmp_path: Path, short_folder: Path) -> None:
    out, err = driver(tmp_path, "ok").communicate(timeout=180)
    assert out.splitlines()[-1] == "loaded: []"
    assert err == ""
    assert is_gone(int((tmp_path / "-ü 1.mp4.pid").read_text()))
    assert list(short_folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_driver_that_is_stopped(
    number: signal.Signals, tmp_path: Path, short_folder: Path
) -> None:
    with driver(tmp_path, "long") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at it\n"
        worker = int((tmp_path / "-ü 1.mp4.pid").read_text())
        assert not is_gone(worker, 0.2)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        process.wait(30)
        assert is_gone(worker)
        process.stdout.read()
        assert process.stderr is not None
        process.stderr.read()
    # Ray's own agents look for their node only once a minute.
    assert not [pid for pid in processes_of_session(process.pid) if not is_gone(pid, 90)]


def processes_of_session(leader: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(path.parent.name))
    return found


NODES = """
import os, sys, time
from pathlib import Path
from ray.cluster_utils import Cluster
from retarget_cli.batch.engine import Finished, Progressed
from retarget_cli.batch.ray_engine import RayEngine
from tests.batch.test_ray_engine import QUICK, jobs_of
import ray
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
other = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
jobs = jobs_of(Path(sys.argv[1]), "long", "long", "ok", "ok")
places = {}
killed = None
for event in RayEngine(cluster.address, None, None, 45.0, attempts=QUICK).run(jobs):
    if isinstance(event, Progressed) and event.job.item.number < 3 and killed is None:
        places[event.job.item.number] = True
        if len(places) == 2:
            cluster.remove_node(other, allow_graceful=False)
            killed = time.monotonic()
    if isinstance(event, Finished):
        print(event.job.item.number, event.outcome.fault.name, event.outcome.reason, flush=True)
cluster.shutdown()
"""


@pytest.mark.slow
def test_a_lost_machine_costs_what_it_was_at(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NODES, str(tmp_path)], capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line[:1].isdigit())
    lost = [number for number in "12" if told[number].startswith("CRASH") and "machine" in told[number]]
    assert len(lost) == 1, done.stdout
    other = "2" if lost == ["1"] else "1"
    assert told[other].startswith("TIMEOUT")
    assert told["3"].split()[0] == told["4"].split()[0] == "NONE"


def test_without_ray_one_line_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendError) as caught:
        heard(RayEngine(None, 1, None, None), jobs_of(tmp_path, "ok"))
    assert caught.value.line == "--engine ray needs Ray (pip install retarget-cli[ray])"


class NotConnected:
    """Ray, as far as it is looked at before it is joined."""

    @staticmethod
    def is_initialized() -> bool:
        return False


@pytest.fixture
def unjoined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "import_ray", lambda **_: NotConnected)


def test_an_address_where_nobody_listens_is_said_at_once(unjoined: None, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(BackendError, match=f"no Ray answers at {address}"):
        heard(RayEngine(address, 1, None, None), jobs_of(tmp_path, "ok"))


def test_an_address_where_something_else_listens_is_given_up(
    unjoined: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "_PROBE_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(BackendError) as caught:
            heard(RayEngine(address, 1, None, None), jobs_of(tmp_path, "ok"))
    assert address in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize(
    "given",
    [
        ("ray://host:10001", 1, None, None),
        ("host", 1, None, None),
        ("-x:1;ls", 1, None, None),
        ("", 1, None, None),
        (None, 0, None, None),
        (None, 1, -0.5, None),
        (None, 1, 1.5, None),
        (None, 1, float("nan"), None),
        (None, 1, None, 0.0),
        (None, 1, None, float("nan")),
    ],
)
def test_impossible_options_are_refused(given: tuple[str | None, int | None, float | None, float | None]) -> None:
    with pytest.raises(UsageError):
        RayEngine(*given)


@pytest.mark.parametrize(("gpus", "share", "workers"), [(2, None, 2), (2, 0.5, 4), (4, 2, 2), (2, 0, 0), (0, None, 0)])
def test_gpus_are_shared_out(gpus: float, share: float | None, workers: int) -> None:
    assert ray_engine._fitting(gpus, share) == workers


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x\nThe actor is dead because its process has died. Worker exit type: NODE_OUT_OF_MEMORY", Fault.MEMORY),
        ("Worker unexpectedly exits with a connection error code 2. End of file.", Fault.MEMORY),
        ("The actor died because its node has died. Node Id: ab", Fault.CRASH),
        ("The actor ab is unavailable: The actor is temporarily unavailable: RpcError: RPC error", Fault.CRASH),
        ("Worker exits with an exit code 1. The process receives a SIGTERM.", Fault.CRASH),
    ],
)
def test_what_ray_says_of_a_lost_worker_is_understood(text: str, fault: Fault) -> None:
    outcome = fate(RuntimeError(text), MemoryError)
    assert outcome.fault is fault
    assert outcome.reason
    assert "\n" not in outcome.reason


def test_what_workers_find_has_whole_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"src{os.pathsep}tests")
    monkeypatch.setenv("RETARGET_CACHE", "x")
    monkeypatch.setenv("SOME_KEY", "hidden")
    carried = ray_engine._carried()
    assert carried["PYTHONPATH"].split(os.pathsep)[:2] == [os.path.abspath("src"), os.path.abspath("tests")]
    assert carried["RETARGET_CACHE"] == "x"
    assert "SOME_KEY" not in carried


@pytest.mark.slow
def test_films_are_those_of_the_local_engine(private_ray: ray_cluster.RayCluster, tmp_path: Path) -> None:
    from tests.media_maker import Clip
    from tests.workflows.scenes import clip_of, draw

    from retarget_cli.batch.local import LocalEngine
    from retarget_cli.media.images import write_png

    write_png(tmp_path / "person.png", draw((192, 128)).image)
    clip_of(tmp_path / "dance.mp4", Clip(size=(192, 128)))
    ends = {}
    for name, engine in {
        "ray": RayEngine(None, 1, None, None),
        "local": LocalEngine(1, None, None),
    }.items():
        (tmp_path / name).mkdir()
        options = {"source": str(tmp_path / "person.png"), "driving": str(tmp_path / "dance.mp4"), "backend": "still"}
        asked = Job(Item(1, options, "person", "dance", "a.mp4"), str(tmp_path / name / "a.mp4"), cache="")
        ends[name] = outcomes([event for event in engine.run(Listed([asked])) if event is not None])[1]
        assert ends[name].fault is Fault.NONE, ends[name].reason
    assert ends["ray"].frames == ends["local"].frames == 12
    assert ends["ray"].sha256 == ends["local"].sha256
