# SPDX-License-Identifier: Apache-2.0
"""How the server bears more than it can do, and peers that are slow. Run by script/bench.

overload: the most tokens per second that it gives; then five times that, offered whatever comes
back; then half of it again. Goodput counts what was answered 200 within a second of being due.
slow: half of the peak, beside nothing and beside thousands of connections that send a byte of a
head per second or do not read what they asked for; and what an idle connection costs in memory.
The load runs on the same machine, on the last processor, and the server on the others: only the
ratios mean something.
"""
import argparse
import json
import os
import socket
import subprocess
import tempfile
import threading
import time

from bench import fail, number, pss_kib, say, seed, serve

DEADLINE_MS = 1000
PEAK_CONNECTIONS = 128
LOAD_CONNECTIONS = 2000
SLOT_MS = 100
# The load has a processor of its own where there are two, so that it does not take the server's.
CORES = sorted(os.sched_getaffinity(0))
PINNED_LOAD = ["taskset", "-c", str(CORES[-1])] if len(CORES) > 1 else []


def load(build, port, credentials, rate, milliseconds, connections):
    done = subprocess.run([*PINNED_LOAD, f"{build}/tests/bench/load", str(port), credentials, str(int(rate)), str(milliseconds),
                           str(connections), str(DEADLINE_MS)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"load: {done.stderr}")
    return json.loads(done.stdout)


def recovered_ms(slots, normal_ms):
    """From when on every slot is answered whole, and not later than ten times the normal p99."""
    for at in range(len(slots), 0, -1):
        _, bad, worst = slots[at - 1]
        if bad or worst > max(50, 10 * normal_ms):
            return at * SLOT_MS
    return 0


def measure_overload(build, port, credentials, seconds):
    say(f"peak: {PEAK_CONNECTIONS} connections, one request after the other, {seconds} s")
    peak = load(build, port, credentials, 0, seconds * 1000, PEAK_CONNECTIONS)["good"] / seconds
    normal = load(build, port, credentials, peak / 2, seconds * 1000, LOAD_CONNECTIONS)
    say(f"offering five times {peak:.0f} a second, {2 * seconds} s; then half of it")
    over = load(build, port, credentials, 5 * peak, 2 * seconds * 1000, LOAD_CONNECTIONS)
    after = load(build, port, credentials, peak / 2, 5000, LOAD_CONNECTIONS)
    goodput = over["good"] / (2 * seconds)
    rows = [
        ("peak, tokens per second", number(peak, 0)),
        ("goodput at 5 x, per second", number(goodput, 0)),
        ("goodput / peak", f"{goodput / peak:.2f} (goal: at least 0.85)"),
        ("p50, p99 of it", f"{number(over['p50_ms'])} ms, {number(over['p99_ms'])} ms"),
        ("refused, late, broken at 5 x", f"{over['refused']}, {over['late']}, {over['broken']}"),
        ("p99 at half of the peak", f"{number(normal['p99_ms'])} ms"),
        ("normal again after", f"{recovered_ms(after['slots'], normal['p99_ms'])} ms (goal: at most 2000)"),
    ]
    for label, value in rows:
        print(f"{label:34}{value}")


class Slow:
    """Connections that drip. Half of them send a head byte by byte, half ask and do not read."""

    def __init__(self, port, count):
        self.port, self.count = port, count
        self.sockets = [self.open(number) for number in range(count)]
        self.is_ending = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def open(self, number):
        one = socket.socket()
        if number % 2:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", self.port))
        one.setblocking(False)
        if number % 2:
            try:
                one.send(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            except OSError:
                pass
        else:
            one.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        return one

    def run(self):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # the load beside it comes first
        while not self.is_ending:
            began = time.monotonic()
            for number, one in enumerate(self.sockets):
                try:
                    if number % 2:
                        is_open = one.recv(1) != b""
                    else:
                        one.send(b"a")
                        is_open = True
                except BlockingIOError:
                    is_open = True
                except OSError:
                    is_open = False
                if not is_open and not self.is_ending:
                    one.close()
                    self.sockets[number] = self.open(number)
                if number % 50 == 0:
                    time.sleep(0.8 * 50 / self.count)
            time.sleep(max(0, 1 - (time.monotonic() - began)))

    def close(self):
        self.is_ending = True
        self.thread.join()
        for one in self.sockets:
            one.close()


def measure_idle(process, count):
    pid = process.pids()["posternd"]
    before = pss_kib(pid)
    sockets = [socket.create_connection(("127.0.0.1", process.port)) for _ in range(count)]
    for one in sockets:
        one.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n")
        one.recv(65536)
    after = pss_kib(pid)
    for one in sockets:
        one.close()
    return None if before is None or after is None else (after - before) / count


def measure_slow(build, process, credentials, seconds, count):
    idle_kib = measure_idle(process, count)
    peak = load(build, process.port, credentials, 0, seconds * 1000, PEAK_CONNECTIONS)["good"] / seconds
    say(f"half of {peak:.0f} a second, without and with {count} slow connections")
    rate = peak / 2
    alone = load(build, process.port, credentials, rate, seconds * 1000, PEAK_CONNECTIONS)
    slow = Slow(process.port, count)
    beside = load(build, process.port, credentials, rate, seconds * 1000, PEAK_CONNECTIONS)
    slow.close()
    rows = [
        ("memory of an idle connection", f"{number(idle_kib)} KiB (goal: at most 16)"),
        ("p99 alone", f"{number(alone['p99_ms'], 2)} ms"),
        ("p99 beside slow ones", f"{number(beside['p99_ms'], 2)} ms"),
        ("ratio", f"{beside['p99_ms'] / alone['p99_ms']:.2f} (goal: at most 2)"),
        ("p50 alone, beside", f"{number(alone['p50_ms'], 2)} ms, {number(beside['p50_ms'], 2)} ms"),
        ("not answered in time beside", str(beside["late"] + beside["refused"] + beside["broken"])),
    ]
    for label, value in rows:
        print(f"{label:34}{value}")


def main():
    parser = argparse.ArgumentParser(prog="script/bench overload|slow", description=__doc__)
    parser.add_argument("what", choices=["overload", "slow"])
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--seconds", type=int, default=5, help="length of a phase")
    parser.add_argument("--alg", default="RS256")
    parser.add_argument("--connections", type=int, default=5000, help="slow ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as scratch:
        data = os.path.join(scratch, "data")
        credentials = seed(options.build, data, 1000, 1000)
        if PINNED_LOAD:
            os.sched_setaffinity(0, set(CORES[:-1]))  # the server takes this over
        process = serve(options.build, data, options.alg)
        if PINNED_LOAD:
            os.sched_setaffinity(0, {CORES[-1]})
        load(options.build, process.port, credentials, 0, 1000, PEAK_CONNECTIONS)  # fills the memory
        if options.what == "overload":
            measure_overload(options.build, process.port, credentials, options.seconds)
        else:
            measure_slow(options.build, process, credentials, options.seconds, options.connections)
        process.stop()


if __name__ == "__main__":
    main()
