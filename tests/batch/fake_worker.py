"""A worker that makes nothing, and dies or misbehaves as it is told: `fake_worker.py [false-starts COUNTER NUMBER]`.

What a job asks for stands in its item's option `do`. Imports nothing of ours, so that it starts in a moment.
"""

import json
import os
import signal
import sys
import time

OUT = sys.stdout.buffer


def say(**data: object) -> None:
    OUT.write(json.dumps(data).encode() + b"\n")
    OUT.flush()


def finish(**more: object) -> None:
    say(event="finished", outcome={"fault": "", "frames": 1, "device": str(os.getpid()), **more})


def perform(do: str, job: dict[str, object]) -> None:
    word, _, rest = do.partition(" ")
    match word:
        case "signal":
            os.kill(os.getpid(), int(rest))
        case "exit":
            sys.stderr.write(f"loading\nSomethingError: {job['output']} is cursed\n  a line of no use\n")
            sys.stderr.flush()
            os._exit(int(rest))
        case "abort":
            sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
            os.kill(os.getpid(), signal.SIGABRT)
        case "hang":
            time.sleep(600)
        case "babble":
            lines = (b"\xff\xfe\x00", b"[1, 2]", b"{", b'"finished"', b'{"event": 7}', b'{"event": "dance"}', b"")
            OUT.write(b"\n".join([*lines, b"x" * 3_000_000, b'{"event": "progressed", "stage": "pose"}', b""]))
            say(event="finished", outcome={"fault": "no such fault"})
            say(event="progressed", stage="render", done=3, total=None)
            finish()
        case "echo":
            finish(device=str(job["output"]), notes=[str(job["item"])])
        case "leave":
            say(event="leaving")
            finish()
        case "sleep":
            time.sleep(float(rest))
            finish()
        case _:
            finish()


def main() -> None:
    if sys.argv[1:2] == ["false-starts"]:
        with open(sys.argv[2], "a+") as counter:
            counter.write("x")
            counter.seek(0)
            if len(counter.read()) <= int(sys.argv[3]):
                sys.stderr.write("ImportError: there is no torch\n")
                sys.exit(1)
    say(event="ready")
    for line in sys.stdin:
        job = json.loads(line)
        say(event="started", worker="whatever")
        perform(job["item"]["options"]["do"], job)


main()
