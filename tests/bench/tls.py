# SPDX-License-Identifier: Apache-2.0
"""What a connection with TLS costs that is used once: connect, handshake, one request, close; beside nginx
in the same run, with the same certificate and the same client. Run by script/bench.

    a token from Postern's own TLS listener
    a token from Postern behind nginx, which ends the TLS and keeps connections to Postern open
    a constant answer: Postern's /healthz, and nginx's `return 200`

CPU per exchange of all processes of a server, from the kernel's accounts; wrk is not in it. wrk resumes
sessions where it can, so both servers resume: nginx has its tickets on, as they are by default.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from bench import Process, children, fail, number, run_ns, say, seed

CONNECTIONS = 16
WINDOWS = 3

LUA = """
local requests, at = {}, 0
function init(args)
   if args[1] == "-" then
      requests[1] = wrk.format("GET", "/healthz", {["Connection"] = "close"})
      return
   end
   for line in io.lines(args[1]) do
      local id, secret = line:match("^(%S+) (%S+)$")
      requests[#requests + 1] = wrk.format("POST", "/oauth2/token",
         {["Content-Type"] = "application/x-www-form-urlencoded", ["Connection"] = "close"},
         "grant_type=client_credentials&client_id=" .. id .. "&client_secret=" .. secret)
   end
end
function request()
   at = at % #requests + 1
   return requests[at]
end
function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format('RESULT {"requests": %d, "refused": %d, "broken": %d}\\n',
      summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
"""

NGINX = """
daemon off;
worker_processes {workers};
error_log {scratch}/error.log;
pid {scratch}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    upstream postern {{ server 127.0.0.1:{upstream}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {scratch}/cert.pem;
        ssl_certificate_key {scratch}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{
            proxy_pass http://postern;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host:{upstream};
        }}
        location = /healthz {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
    }}
}}
"""


def make_certificate(scratch):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", f"{scratch}/key.pem", "-out", f"{scratch}/cert.pem"],
                   check=True, capture_output=True)
    os.chmod(f"{scratch}/key.pem", 0o600)


class Nginx:
    """nginx takes no port 0 that it would tell: one that was free a moment ago."""

    def __init__(self, scratch, upstream):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path = f"{scratch}/nginx.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(NGINX.format(workers=os.cpu_count(), scratch=scratch, upstream=upstream, port=self.port))
        self.popen = subprocess.Popen(["nginx", "-p", scratch, "-c", path], stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.popen.poll() is not None:
                    fail(f"nginx: {self.popen.stderr.read()}")
                time.sleep(0.02)
        fail("nginx does not listen")

    def pids(self):
        return {f"nginx-{pid}": pid for pid in [self.popen.pid, *children(self.popen.pid)]}

    def stop(self):
        self.popen.terminate()
        self.popen.communicate(timeout=30)


def window(lua, port, what, servers, seconds):
    """CPU microseconds per exchange, of all processes of these servers."""
    pids = [pid for server in servers for pid in server.pids().values()]
    before = sum(run_ns(pid) for pid in pids)
    wrk = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", lua,
                          f"https://127.0.0.1:{port}", "--", what], capture_output=True, text=True, check=False)
    after = sum(run_ns(pid) for pid in pids)
    lines = [line for line in wrk.stdout.splitlines() if line.startswith("RESULT ")]
    if wrk.returncode != 0 or not lines:
        fail(f"wrk failed: {wrk.stdout}{wrk.stderr}")
    result = json.loads(lines[0].removeprefix("RESULT "))
    if result["refused"] or not result["requests"]:
        fail(f"not every answer was 200: {result}")
    return (after - before) / 1000 / result["requests"], result["requests"] / seconds


def main():
    parser = argparse.ArgumentParser(prog="script/bench tls", description=__doc__)
    parser.add_argument("what", choices=["tls"])
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--seconds", type=int, default=4, help="length of a window")
    parser.add_argument("--alg", default="RS256")
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        fail("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as scratch:
        make_certificate(scratch)
        lua = f"{scratch}/tls.lua"
        with open(lua, "w", encoding="utf-8") as file:
            file.write(LUA)
        data = os.path.join(scratch, "data")
        credentials = seed(options.build, data, 1000, 1000)
        postern = Process([f"{options.build}/postern", "serve", "--data", data, "--token-alg", options.alg,
                           "--listen", "127.0.0.1:0 tls", "--tls-certificate", f"{scratch}/cert.pem",
                           "--tls-key", f"{scratch}/key.pem"])
        plain_data = os.path.join(scratch, "plain")
        plain_credentials = seed(options.build, plain_data, 1000, 1000)
        plain = Process([f"{options.build}/postern", "serve", "--data", plain_data, "--token-alg", options.alg,
                         "--listen", "127.0.0.1:0"])
        nginx = Nginx(scratch, plain.port)
        ways = {
            "token, Postern's own TLS": (postern.port, credentials, [postern]),
            "token, nginx before Postern": (nginx.port, plain_credentials, [nginx, plain]),
            "/healthz, Postern": (postern.port, "-", [postern]),
            "constant, nginx": (nginx.port, "-", [nginx]),
        }
        figures = {way: [] for way in ways}
        say(f"{WINDOWS} windows of {options.seconds} s each way, one after the other; {CONNECTIONS} connections")
        for round_number in range(WINDOWS + 1):
            for way, (port, what, servers) in ways.items():
                figure = window(lua, port, what, servers, 1 if round_number == 0 else options.seconds)
                if round_number > 0:
                    figures[way].append(figure)
        print(f"{options.alg}, connect + TLS + request + close      CPU us   per second")
        medians = {}
        for way, windows in figures.items():
            medians[way] = statistics.median(cpu for cpu, _ in windows)
            print(f"{way:44}{number(medians[way]):>10}{number(statistics.median(rate for _, rate in windows), 0):>11}")
        own, before, health, constant = medians.values()
        print(f"{'token: own TLS / behind nginx':44}{number(own / before, 2):>10}")
        print(f"{'constant: Postern / nginx':44}{number(health / constant, 2):>10}")
        nginx.stop()
        plain.stop()
        postern.stop()


if __name__ == "__main__":
    main()
