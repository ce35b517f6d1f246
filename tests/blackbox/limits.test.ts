// SPDX-License-Identifier: Apache-2.0
// Limits of failures and requests, seen from several loopback addresses; and a server that has run out of descriptors.
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, POSTERN, request, Server, temporaryDirectory, useServer, type AppClient, type Reply } from './server.js';

const TOKENS_PER_CLIENT = 3;
const FAILURES = 8;

function seconds(reply: Reply): number {
    assert.match(String(reply.headers['retry-after']), /^[1-9][0-9]*$/);
    return Number(reply.headers['retry-after']);
}

function isLimitedToken(reply: Reply): void {
    assert.equal(reply.status, 429, reply.text);
    assert.equal(reply.json.error, 'temporarily_unavailable');
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert(seconds(reply) >= 1);
}

function askToken(server: Server, from: string, client: AppClient, secret = client.client_secret): Promise<Reply> {
    const target = { host: '127.0.0.1', port: server.port, localAddress: from };
    return request(target, 'POST', '/oauth2/token', {
        form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: secret },
    });
}

function list(server: Server, from: string, token: string): Promise<Reply> {
    const target = { host: '127.0.0.1', port: server.port, localAddress: from };
    return request(target, 'GET', '/v2/corpora', { token });
}

describe('wrong secrets', () => {
    const server = useServer({
        args: ['--client-failures-per-minute-max', String(TOKENS_PER_CLIENT), '--address-failures-per-minute-max', String(FAILURES)],
    });
    let client: AppClient;
    let other: AppClient;

    before(async () => {
        client = await server.createClient(['owner']);
        other = await server.createClient(['owner']);
    });

    it('are refused with 429 and Retry-After once the budget of client and address is gone; elsewhere nothing happens', async () => {
        for (let i = 0; i < TOKENS_PER_CLIENT; i++)
            assert.equal((await askToken(server, '127.0.0.2', client, other.client_secret)).status, 401);
        isLimitedToken(await askToken(server, '127.0.0.2', client, other.client_secret));
        isLimitedToken(await askToken(server, '127.0.0.2', client)); // unchecked: it never worked from there
        assert.equal((await askToken(server, '127.0.0.2', other)).status, 200);
        assert.equal((await askToken(server, '127.0.0.3', client)).status, 200);
    });

    it('of all clients and of none are one budget of their address', async () => {
        for (let i = 0; i < FAILURES; i++)
            assert.equal((await askToken(server, '127.0.0.4', { ...client, client_id: `none-${i}` }, 'junk')).status, 401);
        isLimitedToken(await askToken(server, '127.0.0.4', client, 'junk'));
        isLimitedToken(await askToken(server, '127.0.0.4', client));
        assert.equal((await askToken(server, '127.0.0.3', client)).status, 200);
    });

    it('that cannot be ones count for the client too, and metrics count the refusals', async () => {
        const before = Number(/^postern_limits_hit_total\{limit="failures"\} (\d+)$/m.exec((await server.cli(['metrics'])).stdout)?.[1]);
        for (let i = 0; i < TOKENS_PER_CLIENT; i++) assert.equal((await askToken(server, '127.0.0.9', client, 'junk')).status, 401);
        isLimitedToken(await askToken(server, '127.0.0.9', client, 'junk'));
        isLimitedToken(await askToken(server, '127.0.0.9', client));
        const after = Number(/^postern_limits_hit_total\{limit="failures"\} (\d+)$/m.exec((await server.cli(['metrics'])).stdout)?.[1]);
        assert.equal(after - before, 2);
    });

    it('do not refuse a client where its secret was right before', async () => {
        assert.equal((await askToken(server, '127.0.0.5', client)).status, 200);
        const replies: Reply[] = [];
        for (let i = 0; i < 3 * FAILURES; i++) replies.push(await askToken(server, '127.0.0.5', client, other.client_secret));
        isLimitedToken(replies.at(-1) as Reply);
        assert.equal((await askToken(server, '127.0.0.5', client)).status, 200);
        isLimitedToken(await askToken(server, '127.0.0.5', other));
    });

    it('from many addresses lock nobody out', async () => {
        const guesses = Array.from({ length: 100 }, (_, i) => askToken(server, `127.0.1.${i + 1}`, client, other.client_secret));
        for (const reply of await Promise.all(guesses)) assert.equal(reply.status, 401);
        assert.equal((await askToken(server, '127.0.0.6', client)).status, 200);
    });

    it('never count on the control socket', async () => {
        for (let i = 0; i < 3 * FAILURES; i++) {
            const reply = await server.control('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: other.client_secret },
            });
            assert.equal(reply.status, 401);
        }
    });
});

describe('wrong tokens', () => {
    const server = useServer({ args: ['--address-failures-per-minute-max', String(FAILURES), '--token-ttl-seconds', '1'] });

    it('that are expired never count, tampered ones do', async () => {
        const client = await server.createClient(['owner']);
        const old = await server.token(client);
        await eventually('the token to expire', async () => ((await list(server, '127.0.0.2', old)).status === 401 ? true : undefined));
        for (let i = 0; i < 3 * FAILURES; i++) assert.equal((await list(server, '127.0.0.3', old)).status, 401);
        const tampered = old.slice(0, -8) + (old.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA');
        for (let i = 0; i < FAILURES; i++) assert.equal((await list(server, '127.0.0.3', tampered)).status, 401);
        for (const token of [tampered, 'junk', old]) {
            const reply = await list(server, '127.0.0.3', token);
            assert.equal(reply.status, 429, reply.text);
            assert.deepEqual(Object.keys(reply.json), ['messages', 'request_id']);
            assert(seconds(reply) >= 1);
        }
        assert.equal((await list(server, '127.0.0.4', old)).status, 401);
    });

    it('do not refuse right ones where right ones came from before', async () => {
        await eventually('a right token among wrong ones', async () => {
            const client = await server.createClient(['owner']);
            const first = await list(server, '127.0.0.5', await server.token(client));
            for (let i = 0; i < 2 * FAILURES; i++) await list(server, '127.0.0.5', 'junk');
            const limited = await list(server, '127.0.0.5', 'junk');
            const last = await list(server, '127.0.0.5', await server.token(client));
            // A token of a second may expire on its way; then all of it is tried again.
            return first.status === 200 && limited.status === 429 && last.status === 200 ? true : undefined;
        });
    });
});

describe('rates that are configured', () => {
    it('refuse an address, and all', async () => {
        const server = new Server({ args: ['--address-requests-per-second-max', '2', '--requests-per-second-max', '3'] });
        try {
            await server.start();
            const get = (from: string): Promise<Reply> =>
                request({ host: '127.0.0.1', port: server.port, ...{ localAddress: from } }, 'GET', '/.well-known/jwks.json');
            const statuses = async (from: (i: number) => string): Promise<Set<number>> => {
                const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => get(from(i))));
                for (const reply of replies) if (reply.status !== 200) assert(seconds(reply) >= 1);
                return new Set(replies.map((reply) => reply.status));
            };
            assert((await statuses(() => '127.0.0.2')).has(429));
            assert((await statuses((i) => `127.0.0.${i + 3}`)).has(503));
            await eventually('the rate to allow one again', async () => ((await get('127.0.0.99')).status === 200 ? true : undefined));
        } finally {
            await server.dispose();
        }
    });

    it('refuse a client that has had its tokens', async () => {
        const server = new Server({ args: ['--client-tokens-per-second-max', '1'] });
        try {
            await server.start();
            const [client, other] = [await server.createClient([]), await server.createClient([])];
            assert.equal((await askToken(server, '127.0.0.2', client)).status, 200);
            await eventually('a refusal', async () => {
                const reply = await askToken(server, '127.0.0.3', client);
                if (reply.status === 200) return undefined;
                isLimitedToken(reply);
                return true;
            });
            assert.equal((await askToken(server, '127.0.0.2', other)).status, 200);
        } finally {
            await server.dispose();
        }
    });
});

describe('without descriptors', () => {
    const FILES = 96;

    it('the server says so at start, goes on for those it has, and recovers', async () => {
        const folder = temporaryDirectory();
        const program = join(folder, 'postern');
        writeFileSync(program, `#!/bin/sh\nexec prlimit --nofile=${FILES}:${FILES} ${POSTERN} "$@"\n`);
        chmodSync(program, 0o755);
        const server = new Server({ program, args: ['--loops', '1', '--workers', '1'] });
        const sockets: Socket[] = [];
        const open = (): Socket => {
            const socket = connect(server.port, '127.0.0.1');
            socket.on('error', () => socket.destroy());
            sockets.push(socket);
            return socket;
        };
        /** One request on a connection that stays: its status. */
        const ask = (socket: Socket): Promise<number> =>
            new Promise((resolve, reject) => {
                const onClose = (): void => reject(new Error('closed'));
                socket.once('data', (bytes) => {
                    socket.off('close', onClose);
                    resolve(Number(bytes.toString('latin1').split(' ')[1]));
                });
                socket.once('close', onClose);
                socket.write('GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n');
            });
        try {
            await server.start();
            assert.match(server.stderr, /connections_max 10000 needs [0-9]+ open files; the limit is 96/);
            const kept = open();
            assert.equal(await ask(kept), 200);
            let refused = 0;
            for (let i = 0; i < 2 * FILES; i++) open().on('data', (bytes) => (refused += Number(bytes.toString('latin1').startsWith('HTTP/1.1 503 '))));
            await eventually('connections to be turned away', () => (refused > 0 ? true : undefined));
            for (let i = 0; i < 50; i++) assert.equal(await ask(kept), 200);
            for (const socket of sockets) if (socket !== kept) socket.destroy();
            await eventually('a new connection to be served', async () => ((await ask(open())) === 200 ? true : undefined));
            assert.equal(await ask(kept), 200);
            for (const socket of sockets) socket.destroy();
        } finally {
            for (const socket of sockets) socket.destroy();
            await server.dispose();
            rmSync(folder, { recursive: true, force: true });
        }
    });
});
