# SPDX-License-Identifier: Apache-2.0
"""What the requests around a token cost the server, each beside a bare HTTP exchange of the same bytes in the
same run: the JWK set, what /v2 answers to a token and to an API key, introspection of both. Run by script/bench.

CPU per exchange of all processes of the server, from the kernel's accounts; wrk is not in it.
"""
import argparse
import base64
import json
import os
import subprocess
import tempfile

from bench import PROGRAMS, WINDOWS, Load, Process, exchange, median_window, number, say, send, serve

CORPORA = 10

LUA = """
local raw
function init(args)
   local file = io.open(args[1], "rb")
   raw = file:read("*a")
   file:close()
end
function request()
   return raw
end
function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      'RESULT {"requests": %d, "refused": %d, "broken": %d, "p50_us": %d, "p99_us": %d}\\n',
      summary.requests, e.status, e.connect + e.read + e.write + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
"""


def http(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def make_requests(build, data, port):
    """An owner with a token, some corpora and a key for query on all of them; by name, what is asked."""
    made = subprocess.run([f"{build}/postern", "--data", data, "app-client", "create", "--name", "bench", "--role", "owner",
                           "--json"], capture_output=True, text=True, check=True)
    client = json.loads(made.stdout)
    credential = client["client_id"], client["client_secret"]
    token = json.loads(exchange(port, credential)[1])["access_token"]
    bearer = [f"Authorization: Bearer {token}"]
    for i in range(CORPORA):
        send(port, http("POST", "/v2/corpora", [*bearer, "Content-Type: application/json"], json.dumps({"key": f"corpus-{i}"}).encode()))
    made = send(port, http("POST", "/v2/api_keys", [*bearer, "Content-Type: application/json"], json.dumps({
        "name": "bench", "api_key_role": "serving", "corpus_keys": [f"corpus-{i}" for i in range(CORPORA)]}).encode()))
    key = json.loads(made[1])["secret_key"]
    by_key = [f"x-api-key: {key}"]
    basic = base64.b64encode(":".join(credential).encode()).decode()
    form = ["Content-Type: application/x-www-form-urlencoded", f"Authorization: Basic {basic}"]
    return {
        "JWK set": http("GET", "/.well-known/jwks.json"),
        "get a corpus": http("GET", "/v2/corpora/corpus-1", bearer),
        f"list {CORPORA} corpora": http("GET", "/v2/corpora", bearer),
        "get by key": http("GET", "/v2/corpora/corpus-1", by_key),
        f"list {CORPORA} by key": http("GET", "/v2/corpora", by_key),
        "introspection": http("POST", "/oauth2/introspect", form, f"token={token}".encode()),
        "of a key": http("POST", "/oauth2/introspect", form, f"token={key}".encode()),
    }


def measure(build, process, load, scratch, request):
    path = os.path.join(scratch, "request")
    with open(path, "wb") as file:
        file.write(request)
    response_bytes, _ = send(process.port, request)
    load.window(process, path, 1)
    window = median_window([load.window(process, path) for _ in range(WINDOWS)])
    probe = Process([f"{build}/tests/bench/bare_http", "0", "100"])
    head_bytes = send(probe.port, request)[0] - 100
    probe.stop()
    bare = Process([f"{build}/tests/bench/bare_http", "0", str(response_bytes - head_bytes)])
    load.window(bare, path, 1)
    bare_us = load.window(bare, path)["cpu_us"]
    bare.stop()
    return {**window, "bare_us": bare_us, "ratio": window["cpu_us"] / bare_us, "response_bytes": response_bytes}


def main():
    parser = argparse.ArgumentParser(prog="script/bench requests", description=__doc__)
    parser.add_argument("what", choices=["requests"])
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--seconds", type=int, default=3, help="length of a window")
    parser.add_argument("--alg", default="RS256")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as scratch:
        data = os.path.join(scratch, "data")
        process = serve(options.build, data, options.alg)
        load = Load(scratch, options.seconds, LUA)
        for name, request in make_requests(options.build, data, process.port).items():
            say(name)
            results[name] = measure(options.build, process, load, scratch, request)
        process.stop()
    rows = [
        ("server CPU per exchange", "us", lambda r: number(r["cpu_us"])),
        *[(f"  of it {name}", "us", lambda r, name=name: number(r["by_program_us"].get(name))) for name in PROGRAMS],
        ("bare HTTP exchange", "us", lambda r: number(r["bare_us"])),
        ("ratio", "x", lambda r: number(r["ratio"], 2)),
        ("per second (with wrk here)", "1/s", lambda r: number(r["per_second"], 0)),
        ("latency at full load, p50", "us", lambda r: number(r["p50_us"], 0)),
        ("latency at full load, p99", "us", lambda r: number(r["p99_us"], 0)),
    ]
    print(f"{'':30}{'':>4}" + "".join(f"{name:>18}" for name in results))
    for label, unit, cell in rows:
        print(f"{label:30}{unit:>4}" + "".join(f"{cell(result):>18}" for result in results.values()))


if __name__ == "__main__":
    main()
