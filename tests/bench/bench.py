# SPDX-License-Identifier: Apache-2.0
"""What a token costs the server, against a bare signature and a bare HTTP exchange of the same run.

Run by script/bench; README.md in this folder says how to read the figures. Nothing is asserted but
that every answer is 200.
"""
import argparse
import json
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
TARGET_RATIOS = {"RS256": 1.4, "ES256": 2.5}
CONNECTIONS = 32
WINDOWS = 3
STARTS = 5
CLIENTS = 10_000
HOT_CLIENTS = 1_000
MILLION = 1_000_000
MILLION_HOT_CLIENTS = 10_000
MILLION_COLD_CLIENTS = 200_000
PROGRAMS = ["postern", "posternd", "postern-signer"]

# One request after the other from the list; what wrk counted comes out as one line of JSON.
LUA = """
local requests, at = {}, 0
function init(args)
   for line in io.lines(args[1]) do
      local id, secret = line:match("^(%S+) (%S+)$")
      local body = "grant_type=client_credentials&client_id=" .. id .. "&client_secret=" .. secret
      requests[#requests + 1] = wrk.format("POST", "/oauth2/token",
         {["Content-Type"] = "application/x-www-form-urlencoded"}, body)
   end
end
function request()
   at = at % #requests + 1
   return requests[at]
end
function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      'RESULT {"requests": %d, "refused": %d, "broken": %d, "p50_us": %d, "p99_us": %d}\\n',
      summary.requests, e.status, e.connect + e.read + e.write + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
"""


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"bench: {text}")


# --- Processes ---------------------------------------------------------------------------------


def read_text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        try:
            fields = read_text(f"/proc/{entry}/stat").rpartition(")")[2].split() if entry.isdigit() else []
        except OSError:
            continue
        if fields and int(fields[1]) == pid:
            found.append(int(entry))
    return found


def run_ns(pid):
    """Time that all threads of a process ran, in nanoseconds."""
    tasks = os.listdir(f"/proc/{pid}/task")
    return sum(int(read_text(f"/proc/{pid}/task/{task}/schedstat").split()[0]) for task in tasks)


def pss_kib(pid):
    """None where the kernel does not show it: the programs are not dumpable, so only to root."""
    try:
        for line in read_text(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return None


def is_alive(pid):
    try:
        return read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Process:
    """A program that says "ready …" on standard output when it takes connections."""

    def __init__(self, command):
        self.started_at = time.monotonic()
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.popen.stdout.readline()
        if not line.startswith("ready "):
            self.popen.kill()
            fail(f"{command[0]} did not start: {self.popen.stderr.read()}")
        self.port = int(line.split()[1].rsplit(":", 1)[-1])

    def pids(self):
        """By the program's name."""
        pids = [self.popen.pid, *children(self.popen.pid)]
        return {os.path.basename(read_text(f"/proc/{pid}/cmdline").split("\0")[0]): pid for pid in pids}

    def stop(self):
        self.popen.terminate()
        self.popen.communicate(timeout=30)

    def kill(self):
        pids = self.pids().values()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.popen.communicate()
        while any(is_alive(pid) for pid in pids):
            time.sleep(0.001)


def serve(build, data, alg):
    return Process([f"{build}/postern", "serve", "--data", data, "--listen", "127.0.0.1:0",
                    "--token-alg", alg])


# --- One request --------------------------------------------------------------------------------


def token_request(port, credential):
    client_id, secret = credential
    body = f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}"
    return (f"POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            f"{body}").encode()


def exchange(port, credential):
    """The whole answer to a token request, which must be 200, and its body."""
    return send(port, token_request(port, credential))


def send(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536) or fail("the server closed the connection")
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536) or fail("the server closed the connection")
    if head.split(b" ", 2)[1] not in (b"200", b"201"):
        fail(f"not 200: {head.splitlines()[0].decode()} {body.decode()}")
    return len(head) + 4 + length, body


# --- Windows under load -------------------------------------------------------------------------


class Load:
    def __init__(self, scratch, seconds, lua=LUA):
        self.seconds = seconds
        self.lua = os.path.join(scratch, "requests.lua")
        with open(self.lua, "w", encoding="utf-8") as file:
            file.write(lua)

    def window(self, process, requests_file, seconds=None):
        """Drives a server; answers CPU microseconds per exchange, by program and in all."""
        seconds = seconds or self.seconds
        pids = process.pids()
        before = {name: run_ns(pid) for name, pid in pids.items()}
        wrk = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", self.lua,
             f"http://127.0.0.1:{process.port}", "--", requests_file],
            capture_output=True, text=True, check=False)
        after = {name: run_ns(pid) for name, pid in pids.items()}
        lines = [line for line in wrk.stdout.splitlines() if line.startswith("RESULT ")]
        if wrk.returncode != 0 or not lines:
            fail(f"wrk failed: {wrk.stdout}{wrk.stderr}")
        result = json.loads(lines[0].removeprefix("RESULT "))
        if result["refused"] or result["broken"] or not result["requests"]:
            fail(f"not every answer was 200: {result}")
        by_program = {name: (after[name] - before[name]) / 1000 / result["requests"] for name in pids}
        return {"cpu_us": sum(by_program.values()), "by_program_us": by_program,
                "per_second": result["requests"] / seconds, **result}


def median_window(windows):
    """The window with the median cost, whole."""
    return sorted(windows, key=lambda window: window["cpu_us"])[len(windows) // 2]


def measure_bare_http(build, load, credentials_file, response_bytes, credential):
    """A bare server whose answers are as long, heads included, as the token response."""
    probe = Process([f"{build}/tests/bench/bare_http", "0", "100"])
    head_bytes = exchange(probe.port, credential)[0] - 100
    probe.stop()
    process = Process([f"{build}/tests/bench/bare_http", "0", str(response_bytes - head_bytes)])
    load.window(process, credentials_file, 1)
    window = load.window(process, credentials_file)
    process.stop()
    return window["cpu_us"]


def measure_bare_signature(build, alg, seconds, input_bytes):
    made = subprocess.run([f"{build}/tests/bench/bench-sign", str(max(200, seconds * 250)), str(input_bytes), alg],
                          capture_output=True, text=True, check=True)
    return float(made.stdout.split()[1])


def measure_token(build, data, alg, load, credentials_file, credentials):
    """Bare figures, the server's windows, bare figures again: drift shows as their difference."""
    say(f"{alg}: {WINDOWS} windows of {load.seconds} s, bare figures before and after")
    process = serve(build, data, alg)
    response_bytes, body = exchange(process.port, credentials[0])
    token = json.loads(body)["access_token"]
    input_bytes = token.rindex(".")
    bare_http, bare_signature = [], []

    def measure_bare():
        bare_signature.append(measure_bare_signature(build, alg, load.seconds, input_bytes))
        bare_http.append(measure_bare_http(build, load, credentials_file, response_bytes, credentials[0]))

    measure_bare()
    load.window(process, credentials_file, 1)
    windows = [load.window(process, credentials_file) for _ in range(WINDOWS)]
    exchange(process.port, credentials[0])
    memory = measure_memory(process)
    process.stop()
    measure_bare()
    window = median_window(windows)
    signature, http = statistics.mean(bare_signature), statistics.mean(bare_http)
    return {
        "token_us": window["cpu_us"], "by_program_us": window["by_program_us"],
        "token_us_windows": [each["cpu_us"] for each in windows],
        "tokens_per_second": window["per_second"], "p50_us": window["p50_us"], "p99_us": window["p99_us"],
        "bare_signature_us": signature, "bare_signature_us_before_after": bare_signature,
        "bare_http_us": http, "bare_http_us_before_after": bare_http,
        "ratio": window["cpu_us"] / (signature + http), "ratio_target": TARGET_RATIOS.get(alg),
        "signing_input_bytes": input_bytes, "response_bytes": response_bytes,
        "pss_kib_after_load": memory["all"] if memory else None,
    }


# --- Memory and starting ------------------------------------------------------------------------


def measure_memory(process):
    sizes = {name: pss_kib(pid) for name, pid in process.pids().items()}
    return None if None in sizes.values() else {**sizes, "all": sum(sizes.values())}


def start_ms(build, data, credential):
    """From the start of the program to the first token received, and the process."""
    process = serve(build, data, "ES256")
    exchange(process.port, credential)
    return (time.monotonic() - process.started_at) * 1000, process


def measure_starts(build, data, credentials):
    say(f"{STARTS} starts after an orderly stop, {STARTS} after SIGKILL of all processes")
    orderly, killed = [], []
    memory = None
    for credential in credentials[:STARTS]:
        milliseconds, process = start_ms(build, data, credential)
        orderly.append(milliseconds)
        if memory is None:
            time.sleep(1)
            memory = measure_memory(process)
        process.stop()
    for credential in credentials[:STARTS]:
        _, process = start_ms(build, data, credential)
        subprocess.run([f"{build}/postern", "--data", data, "app-client", "create", "--name",
                        f"killed {time.monotonic_ns()}", "--role", "viewer", "--json"],
                       stdout=subprocess.DEVNULL, check=True)
        process.kill()
        milliseconds, process = start_ms(build, data, credential)
        killed.append(milliseconds)
        process.stop()
    return {"start_ms": statistics.median(orderly), "start_ms_all": orderly,
            "start_after_kill_ms": statistics.median(killed), "start_after_kill_ms_all": killed,
            "pss_kib": memory}


# --- A million clients --------------------------------------------------------------------------


def seed(build, data, count, listed):
    say(f"seeding {count} clients")
    serve(build, data, "ES256").stop()
    path = data + ".credentials"
    started_at = time.monotonic()
    subprocess.run([f"{build}/tests/bench/seed-clients", "--data", data, "--count", str(count),
                    "--credentials", path, "--credentials-count", str(listed)], check=True)
    say(f"seeded in {time.monotonic() - started_at:.1f} s")
    return path


def read_credentials(path):
    return [tuple(line.split()) for line in read_text(path).splitlines()]


def write_credentials(path, credentials):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{client_id} {secret}\n" for client_id, secret in credentials)
    return path


def measure_hot_and_cold(build, data, load, credentials_file):
    """Cost over a set that is in memory, and of clients met for the first time."""
    credentials = read_credentials(credentials_file)
    step = max(1, len(credentials) // MILLION_HOT_CLIENTS)
    hot_file = write_credentials(data + ".hot", credentials[::step])
    random.Random(1).shuffle(credentials)  # listed in the order of their keys in the database
    cold_file = write_credentials(data + ".cold", credentials)
    process = serve(build, data, "ES256")
    load.window(process, hot_file, max(2, load.seconds))
    hot = median_window([load.window(process, hot_file) for _ in range(WINDOWS)])
    memory = measure_memory(process)
    process.stop()
    process = serve(build, data, "ES256")
    cold = load.window(process, cold_file, 2)
    process.stop()
    return {"clients_hot": len(credentials[::step]), "hot_us": hot["cpu_us"],
            "cold_us": cold["cpu_us"] if cold["requests"] <= len(credentials) else None,
            "pss_kib_after_load": memory["all"] if memory else None}


def measure_million(build, scratch, load, small_data, small_credentials_file):
    data = os.path.join(scratch, "million")
    path = seed(build, data, MILLION, MILLION_COLD_CLIENTS)
    result = measure_starts(build, data, read_credentials(path))
    say("ES256 over a hot set of 10 thousand: of a million clients, and of 10 thousand")
    result["hot_set"] = measure_hot_and_cold(build, data, load, path)
    result["hot_set_of_small"] = measure_hot_and_cold(build, small_data, load, small_credentials_file)
    return result


# --- Report -------------------------------------------------------------------------------------


def machine():
    model = next((line.split(":", 1)[1].strip() for line in read_text("/proc/cpuinfo").splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "load_average_at_start": os.getloadavg()[0]}


def number(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def print_tokens(tokens):
    rows = [
        ("server CPU per token", "us", lambda t: number(t["token_us"])),
        *[(f"  of it {name}", "us", lambda t, name=name: number(t["by_program_us"].get(name)))
          for name in PROGRAMS],
        ("bare signature", "us", lambda t: number(t["bare_signature_us"])),
        ("bare HTTP exchange", "us", lambda t: number(t["bare_http_us"])),
        ("token / (signature + HTTP)", "x", lambda t: number(t["ratio"], 2)),
        ("target, at most", "x", lambda t: number(t["ratio_target"], 2)),
        ("tokens per second (with wrk here)", "1/s", lambda t: number(t["tokens_per_second"], 0)),
        ("latency at full load, p50", "us", lambda t: number(t["p50_us"], 0)),
        ("latency at full load, p99", "us", lambda t: number(t["p99_us"], 0)),
    ]
    print(f"{'':36}{'':>5}" + "".join(f"{alg:>10}" for alg in tokens))
    for label, unit, cell in rows:
        print(f"{label:36}{unit:>5}" + "".join(f"{cell(token):>10}" for token in tokens.values()))


def mib(kib):
    return None if kib is None else kib / 1024


def print_sizes(columns):
    def of_hot(result, name):
        return result.get("hot_set", {}).get(name)

    rows = [
        ("start to first token", "ms", lambda r: number(r["start_ms"])),
        ("the same after SIGKILL of all", "ms", lambda r: number(r["start_after_kill_ms"])),
        ("PSS at rest, all processes", "MiB", lambda r: number(mib((r["pss_kib"] or {}).get("all")))),
        ("PSS after load", "MiB", lambda r: number(mib(r["pss_kib_after_load"]))),
        ("CPU per token, 10 thousand hot", "us", lambda r: number(of_hot(r, "hot_us"))),
        ("CPU per token, first met", "us", lambda r: number(of_hot(r, "cold_us"))),
    ]
    print(f"\n{'':36}{'':>5}" + "".join(f"{name:>20}" for name in columns))
    for label, unit, cell in rows:
        print(f"{label:36}{unit:>5}" + "".join(f"{cell(result):>20}" for result in columns.values()))


def print_first_table(report):
    where = report["machine"]
    print(f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, "
          f"load average {where['load_average_at_start']:.2f} at the start")
    print(f"windows of {report['seconds']} s, median of {WINDOWS}; {CONNECTIONS} connections; "
          f"{report['clients']} clients, {report['clients_hot']} of them asking\n")
    print_tokens(report["tokens"])
    sys.stdout.flush()


def print_second_table(report):
    columns = {"10 thousand clients": report["start"]}
    if "million" in report:
        columns["1 million clients"] = report["million"]
    print_sizes(columns)


def measure_all(options, scratch):
    data = os.path.join(scratch, "data")
    load = Load(scratch, options.seconds)
    report = {"machine": machine(), "seconds": options.seconds, "clients": CLIENTS, "clients_hot": HOT_CLIENTS}
    all_file = seed(options.build, data, CLIENTS, CLIENTS)
    credentials = read_credentials(all_file)
    hot_file = write_credentials(data + ".asking", credentials[:: CLIENTS // HOT_CLIENTS])
    report["start"] = measure_starts(options.build, data, credentials)
    report["tokens"] = {alg: measure_token(options.build, data, alg, load, hot_file, credentials)
                        for alg in options.alg or ALGORITHMS}
    report["start"]["pss_kib_after_load"] = max(
        (token["pss_kib_after_load"] or 0 for token in report["tokens"].values())) or None
    print_first_table(report)
    if options.million:
        report["million"] = measure_million(options.build, scratch, load, data, all_file)
        report["start"]["hot_set"] = report["million"].pop("hot_set_of_small")
        report["million"]["pss_kib_after_load"] = report["million"]["hot_set"]["pss_kib_after_load"]
    return report


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--seconds", type=int, default=5, help="length of a window")
    parser.add_argument("--alg", action="append", choices=ALGORITHMS, help="only this one (repeatable)")
    parser.add_argument("--million", action="store_true", help="also with a million clients")
    parser.add_argument("--json", metavar="FILE", help="write every figure there too")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        fail("wrk is not installed: script/bootstrap")
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as scratch:
        report = measure_all(options, scratch)
    print_second_table(report)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
