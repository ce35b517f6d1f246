// SPDX-License-Identifier: Apache-2.0
// Starting, stopping, dying and coming back: what was acknowledged stays, and what is wrong is said.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeJwt, isToken, isUnauthorized } from './check.js';
import { Connection } from './socket.js';
import {
    childrenOf, cleanEnvironment, eventually, isAlive, POSTERN, run, Server, withServer, type AppClient,
} from './server.js';

const PUBLIC = ['--public-url', 'https://auth.example.com'];

function tokenForm(client: AppClient): Record<string, string> {
    return { grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret };
}

describe('starting', () => {
    it('says ready once, with a URL that serves', async () => {
        await withServer({}, async (server) => {
            assert.match(server.url, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
            for (const path of ['/healthz', '/readyz']) assert.equal((await server.request('GET', path)).status, 200);
            await server.tokenFor(['viewer']);
            await server.stop();
            assert.deepEqual(server.stdout.match(/^ready .*$/gm), [`ready ${server.url}`]);
        });
    });

    it('listens where it is told, at several addresses', async () => {
        await withServer({ args: ['--listen', '127.0.0.2:0'] }, async (server) => {
            assert.equal((await server.request('GET', '/healthz')).status, 200);
        });
    });

    it('runs as three processes', async () => {
        await withServer({}, async (server) => {
            const front = server.child('posternd');
            const signer = server.child('postern-signer');
            await server.stop();
            assert(!isAlive(front) && !isAlive(signer), 'no process is left');
        });
    });

    it('fails, and says so, when the address is taken', async () => {
        await withServer({}, async (server) => {
            const other = new Server();
            try {
                const end = await run(POSTERN, ['serve', '--data', other.data, '--listen', `127.0.0.1:${server.port}`]);
                assert.notEqual(end.code, 0);
                assert.match(end.stderr, new RegExp(`${server.port}|in use`));
                assert.equal((await server.request('GET', '/healthz')).status, 200);
            } finally {
                await other.dispose();
            }
        });
    });

    it('a second server on the same data directory is refused; the first goes on', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            const end = await run(POSTERN, ['serve', '--data', server.data, '--listen', '127.0.0.1:0']);
            assert.notEqual(end.code, 0);
            assert.doesNotMatch(end.stdout, /ready/);
            assert.match(end.stderr, /lock|in use|running|another/i);
            await server.token(client);
            assert.equal((await server.control('GET', '/v2/app_clients')).status, 200, 'its control socket is still its own');
        });
    });

    it('leaves nothing readable to others in the data directory', async () => {
        await withServer({}, async (server) => {
            await server.createClient(['viewer']);
            const look = (directory: string): void => {
                for (const name of readdirSync(directory)) {
                    const path = join(directory, name);
                    const stat = statSync(path);
                    assert.equal(stat.mode & 0o007, 0, `${path} ${(stat.mode & 0o777).toString(8)}`);
                    if (stat.isDirectory()) look(path);
                }
            };
            look(server.data);
        });
    });

    it('keeps no secret in the clear on disk', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            const token = await server.token(client);
            await server.stop();
            const look = (directory: string): void => {
                for (const entry of readdirSync(directory, { withFileTypes: true })) {
                    const path = join(directory, entry.name);
                    if (entry.isDirectory()) look(path);
                    else if (entry.isFile()) {
                        const bytes = readFileSync(path);
                        assert(!bytes.includes(client.client_secret), `the secret stands in ${path}`);
                        assert(!bytes.includes(token), `the token stands in ${path}`);
                        assert(!bytes.includes('PRIVATE KEY'), `a private key stands in ${path}`);
                    }
                }
            };
            look(server.data);
            const database = join(server.data, 'postern.db');
            assert(existsSync(database));
            const stored = readdirSync(server.data).filter((name) => name.startsWith('postern.db'));
            assert(stored.some((name) => readFileSync(join(server.data, name)).includes(client.client_id)), 'the search finds what is there');
        });
    });
});

describe('stopping', () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        it(`${signal} ends it with status 0, also while idle connections are open`, async () => {
            const server = new Server();
            try {
                await server.start();
                const idle = await Connection.open(server.port);
                const kept = await Connection.open(server.port);
                await kept.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
                assert.equal((await kept.reply())?.status, 200);
                const end = await server.signal(signal);
                assert.deepEqual({ code: end.code, signal: end.signal }, { code: 0, signal: null }, end.stderr);
                assert.deepEqual((await idle.closed()).replies, []);
                assert.equal((await kept.closed()).replies.length, 1);
            } finally {
                await server.dispose();
            }
        });
    }

    /** Opens a connection and sends the head of a token request; the server has read it when this returns. */
    const beginTokenRequest = async (server: Server, body: string): Promise<Connection> => {
        const connection = await Connection.open(server.port);
        await connection.write(
            'POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
                `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
        );
        assert.equal((await connection.reply())?.status, 100);
        return connection;
    };

    const finishTokenRequest = async (connection: Connection, body: string): Promise<void> => {
        await connection.write(body);
        const reply = await connection.reply();
        assert.equal(reply?.status, 200, reply?.body);
        assert.deepEqual(reply.headers.get('connection'), ['close']);
        assert.equal((await connection.closed()).rest, '');
    };

    it('SIGTERM lets requests that are under way finish', async () => {
        const server = new Server();
        try {
            await server.start();
            const client = await server.createClient(['viewer']);
            const body = new URLSearchParams(tokenForm(client)).toString();
            const idle = await Connection.open(server.port);
            await idle.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
            assert.equal((await idle.reply())?.status, 200);
            const busy = await Promise.all(Array.from({ length: 5 }, () => beginTokenRequest(server, body)));
            const front = server.child('posternd');
            const ended = server.signal('SIGTERM');
            await idle.closed(); // so it has taken the signal
            for (const connection of busy) await finishTokenRequest(connection, body);
            const end = await ended;
            assert.equal(end.code, 0, end.stderr);
            assert(!isAlive(front));
        } finally {
            await server.dispose();
        }
    });

    it('SIGTERM refuses new connections at once: none waits for the old ones to finish', async () => {
        const server = new Server();
        try {
            await server.start();
            const client = await server.createClient(['viewer']);
            const body = new URLSearchParams(tokenForm(client)).toString();
            const { port } = server;
            const idle = await Connection.open(port);
            const busy = await beginTokenRequest(server, body);
            const ended = server.signal('SIGTERM');
            await idle.closed();
            for (let i = 0; i < 5; i++) {
                const late = await Connection.open(port).catch(() => undefined);
                await late?.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
                if (late !== undefined) assert((await late.closed()).replies.every((reply) => reply.status === 503));
            }
            // If a late one had waited for the end of all, this one would be gone by now.
            await finishTokenRequest(busy, body);
            assert.equal((await ended).code, 0);
        } finally {
            await server.dispose();
        }
    });
});

describe('coming back', () => {
    for (const name of ['posternd', 'postern-signer'] as const) {
        it(`a killed ${name} is replaced, at the same address, with the same keys and clients`, async () => {
            await withServer({}, async (server) => {
                const client = await server.createClient(['owner']);
                const token = await server.token(client);
                const { kid } = decodeJwt(token).header;
                for (let round = 0; round < 3; round++) {
                    const pid = server.child(name);
                    process.kill(pid, 'SIGKILL');
                    await eventually(`${name} to end`, () => (isAlive(pid) ? undefined : true));
                    await eventually('a token', async () => {
                        const reply = await server.request('POST', '/oauth2/token', { form: tokenForm(client) });
                        // Until it is back: refused connections or 503; never a wrong answer.
                        if (reply.status !== 200) assert.equal(reply.status, 503, reply.text);
                        return reply.status === 200 ? true : undefined;
                    });
                    assert.notEqual(server.child(name), pid);
                    await eventually('readiness', async () =>
                        (await server.request('GET', '/readyz')).status === 200 ? true : undefined);
                    const fresh = await server.token(client);
                    assert.equal(decodeJwt(fresh).header.kid, kid);
                    for (const live of [token, fresh])
                        assert.equal((await server.request('GET', '/v2/app_clients', { token: live })).status, 200);
                    // Writing works again, too.
                    await server.createClient([]);
                }
            });
        });
    }

    it('while the signer is gone, what needs no signature is served', async () => {
        await withServer({}, async (server) => {
            const token = await server.tokenFor(['owner']);
            const signer = server.child('postern-signer');
            // Stopped, not ended: the supervisor does not replace it.
            process.kill(signer, 'SIGSTOP');
            try {
                assert.equal((await server.request('GET', '/.well-known/jwks.json')).status, 200);
                assert.equal((await server.request('GET', '/healthz')).status, 200);
                assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
            } finally {
                process.kill(signer, 'SIGCONT');
            }
            await server.tokenFor([]);
        });
    });

    it('a restart keeps clients, secrets, corpora, keys and revocations', async () => {
        await withServer({ args: PUBLIC }, async (server) => {
            await server.createCorpus('kept', { description: 'd' });
            const kept = await server.createClient(['administrator'], { corpus_roles: [{ corpus_key: 'kept', role: 'viewer' }] });
            const gone = await server.createClient(['owner']);
            const [keptToken, goneToken] = [await server.token(kept), await server.token(gone)];
            const corpus = (await server.control('GET', '/v2/corpora/kept')).json;
            const jwks = (await server.request('GET', '/.well-known/jwks.json')).text;
            const before = (await server.control('GET', `/v2/app_clients/${kept.id}`)).json;
            assert.equal((await server.control('DELETE', `/v2/app_clients/${gone.id}`)).status, 204);

            for (let round = 0; round < 2; round++) {
                await server.stop();
                await server.start();
                assert.equal((await server.request('GET', '/.well-known/jwks.json')).text, jwks);
                assert.deepEqual((await server.control('GET', '/v2/corpora/kept')).json, corpus);
                assert.deepEqual((await server.control('GET', `/v2/app_clients/${kept.id}`)).json, before);
                assert.equal((await server.control('GET', `/v2/app_clients/${gone.id}`)).status, 404);
                assert.equal((await server.request('GET', '/v2/app_clients', { token: keptToken })).status, 200);
                isUnauthorized(await server.request('GET', '/v2/app_clients', { token: goneToken }), 'credential');
                const fresh = decodeJwt(await server.token(kept)).claims;
                assert(fresh.rev >= decodeJwt(keptToken).claims.rev);
            }
        });
    });

    it('the pages of a list go on where they were after a restart', async () => {
        await withServer({}, async (server) => {
            for (let i = 0; i < 5; i++) await server.createClient([], { name: `n${i}` });
            const first = (await server.control('GET', '/v2/app_clients?limit=2')).json;
            await server.stop();
            await server.start();
            const key = encodeURIComponent(first.metadata.page_key);
            const reply = await server.control('GET', `/v2/app_clients?limit=2&page_key=${key}`);
            // A key made before may be refused, never misread.
            if (reply.status === 200) assert.deepEqual(reply.json.app_clients.map((client: AppClient) => client.name), ['n2', 'n1']);
            else assert.equal(reply.status, 400);
        });
    });

    it('a killed supervisor takes its children along, and a new server finds everything', async () => {
        await withServer({ args: PUBLIC }, async (server) => {
            const client = await server.createClient(['viewer']);
            const token = await server.token(client);
            const children = childrenOf(server.pid).map((child) => child.pid);
            await server.signal('SIGKILL');
            for (const pid of children) await eventually(`${pid} to end`, () => (isAlive(pid) ? undefined : true));
            await server.start();
            await server.token(client);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
        });
    });
});

describe('keys that do not fit', () => {
    const refused = async (server: Server, text: RegExp): Promise<void> => {
        const end = await run(POSTERN, ['serve', '--data', server.data, '--listen', '127.0.0.1:0'], { env: cleanEnvironment() });
        assert.notEqual(end.code, 0, 'it must not start');
        assert.doesNotMatch(end.stdout, /ready/);
        assert.match(end.stderr, text);
    };

    it('another KEK: refused, unharmed', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            await server.stop();
            const kek = join(server.data, 'keys', 'kek');
            const right = readFileSync(kek);
            // The same file, so owner and mode stay: only its content is another installation's.
            await withServer({}, async (other) => {
                await other.stop();
                writeFileSync(kek, readFileSync(join(other.data, 'keys', 'kek')));
            });
            await refused(server, /kek|key/i);
            await refused(server, /kek|key/i);
            writeFileSync(kek, right);
            await server.start();
            await server.token(client);
            assert.equal((await server.control('GET', `/v2/app_clients/${client.id}`)).json.client_secret, client.client_secret);
        });
    });

    it('no KEK: refused; none is made silently', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            await server.stop();
            const kek = join(server.data, 'keys', 'kek');
            const digest = createHash('sha256').update(readFileSync(kek)).digest('hex');
            renameSync(kek, join(server.data, 'keys', 'kek.away'));
            await refused(server, /kek|key/i);
            assert(!existsSync(kek), 'no new one was made');
            renameSync(join(server.data, 'keys', 'kek.away'), kek);
            assert.equal(createHash('sha256').update(readFileSync(kek)).digest('hex'), digest);
            await server.start();
            await server.token(client);
        });
    });

    it('a KEK that is cut short or empty: refused', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            await server.stop();
            const kek = join(server.data, 'keys', 'kek');
            const right = readFileSync(kek);
            for (const wrong of [right.subarray(0, right.length - 1), Buffer.alloc(0), Buffer.alloc(right.length)]) {
                writeFileSync(kek, wrong);
                await refused(server, /kek|key/i);
            }
            writeFileSync(kek, right);
            await server.start();
            await server.token(client);
        });
    });

    it('a database that is none: refused, unharmed', async () => {
        await withServer({}, async (server) => {
            await server.createClient(['viewer']);
            await server.stop();
            const database = join(server.data, 'postern.db');
            const junk = Buffer.from('this is no database\n'.repeat(1000));
            const right = readFileSync(database);
            writeFileSync(database, junk);
            await refused(server, /./);
            assert.deepEqual(readFileSync(database), junk);
            writeFileSync(database, right);
        });
    });
});

describe('an order of roles that survives a restart', () => {
    it('a role taken away stays away', async () => {
        await withServer({ args: PUBLIC }, async (server) => {
            const client = await server.createClient(['administrator']);
            const token = await server.token(client);
            assert.equal((await server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { api_roles: [] } })).status, 200);
            await server.stop();
            await server.start();
            assert.equal((await server.request('GET', '/v2/app_clients', { token })).status, 403);
            const reply = await server.request('POST', '/oauth2/token', { form: tokenForm(client) });
            assert.deepEqual(decodeJwt(isToken(reply)).claims.roles, []);
        });
    });
});
