# SPDX-License-Identifier: Apache-2.0
"""What the management of a large account costs: a million clients and a hundred thousand users beside an empty
account, in the same run. Wall time of single requests on one connection. Run by script/bench account.
"""
import argparse
import http.client
import json
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from urllib.parse import urlparse

CLIENTS = 1_000_000
USERS = 100_000
WITH_ROLE = USERS // 50


def start(build, data):
    process = subprocess.Popen([f"{build}/postern", "--data", data, "serve", "--listen", "127.0.0.1:0",
                                "--unseal-per-minute-max", "100000"], stdout=subprocess.PIPE, text=True)
    return process, urlparse(process.stdout.readline().split()[1])


def stop(process):
    process.terminate()
    process.wait()


def postern(build, data, *arguments):
    made = subprocess.run([f"{build}/postern", "--data", data, *arguments, "--json"], capture_output=True, text=True, check=True)
    return json.loads(made.stdout)


def seed_users(data):
    """Rows as the server makes them, but for the record's code: lists do not look at it."""
    database = sqlite3.connect(f"{data}/postern.db")
    (account,), (corpus,) = (database.execute(query).fetchone() for query in ("SELECT id FROM account", "SELECT id FROM corpus"))
    (last,) = database.execute("SELECT revision FROM change_counter").fetchone()
    database.executemany(
        "INSERT INTO app_user (sequence, id, account_id, username, email, is_enabled, version, record_mac, created_at, "
        "updated_at) VALUES (?, ?, ?, ?, ?, 1, 1, ?, 1, 1)",
        ((last + 1 + i, f"usr_{i:012d}", account, f"user{i}", f"user{i}@example.com", b"0") for i in range(USERS)))
    database.executemany(
        "INSERT INTO role_grant (account_id, holder_kind, holder_id, position, scope_kind, scope_id, role) "
        "VALUES (?, 'app_user', ?, 0, 'corpus', ?, 'viewer')",
        ((account, f"usr_{i * 50:012d}", corpus) for i in range(WITH_ROLE)))
    database.execute("UPDATE change_counter SET revision = ?", (last + USERS + 1,))
    database.commit()
    database.close()


class Requests:
    def __init__(self, build, data, url):
        client = postern(build, data, "app-client", "create", "--name", "bench", "--role", "owner")
        self.connection = http.client.HTTPConnection(url.hostname, url.port)
        self.form = f"grant_type=client_credentials&client_id={client['client_id']}&client_secret={client['client_secret']}"
        self.token = {"authorization": f"Bearer {json.loads(self.get_token()[1])['access_token']}"}

    def ask(self, method, path, body=None, headers=None):
        began = time.perf_counter()
        self.connection.request(method, path, body, headers or self.token)
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise SystemExit(f"{method} {path}: {reply.status} {text.decode()}")
        return (time.perf_counter() - began) * 1000, text

    def get_token(self):
        return self.ask("POST", "/oauth2/token", self.form, {"content-type": "application/x-www-form-urlencoded"})

    def create(self, path, body):
        return self.ask("POST", path, json.dumps(body), {**self.token, "content-type": "application/json"})


def measure(build, data):
    process, url = start(build, data)
    try:
        requests = Requests(build, data, url)
        made = []

        def make_client(_):
            took, text = requests.create("/v2/app_clients", {"type": "client_credentials", "name": "made"})
            made.append(json.loads(text)["id"])
            return took, text

        rows = [("token", 300, lambda _: requests.get_token())]
        for kind in ("app_clients", "users"):
            for what, query, count in (("first page of 100", "limit=100", 30), ("filter that matches the newest", "limit=10&filter=.", 10),
                                       ("filter that matches none", "limit=10&filter=%5Enever%24", 3)):
                rows.append((f"{kind}: {what}", count, lambda _, k=kind, q=query: requests.ask("GET", f"/v2/{k}?{q}")))
        rows += [("users with a role on one corpus", 10, lambda _: requests.ask("GET", "/v2/users?corpus_key=c")),
                 ("create a client", 50, make_client),
                 ("delete a client", 50, lambda i: requests.ask("DELETE", f"/v2/app_clients/{made[i]}")),
                 ("create a user", 50, lambda i: requests.create("/v2/users", {"email": f"made{i}@example.com"})),
                 ("delete a user", 50, lambda i: requests.ask("DELETE", f"/v2/users/made{i}@example.com"))]
        return {name: statistics.median(ask(i)[0] for i in range(count)) for name, count, ask in rows}
    finally:
        stop(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["account"])
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = []
        for name in ("empty", "large"):
            data = os.path.join(directory, name)
            os.mkdir(data)
            process, _ = start(options.build, data)
            postern(options.build, data, "corpus", "create", "--key", "c")
            stop(process)
            if name == "large":
                print(f"seeding {CLIENTS} clients and {USERS} users", flush=True)
                subprocess.run([f"{options.build}/tests/bench/seed-clients", "--data", data, "--count", str(CLIENTS)],
                               check=True, stdout=subprocess.DEVNULL)
                seed_users(data)
            figures.append(measure(options.build, data))
        empty, large = figures
        print(f"{'median, ms':<46} {'empty':>8} {'large':>8}")
        for name, took in empty.items():
            print(f"{name:<46} {took:>8.2f} {large[name]:>8.2f}")


main()
