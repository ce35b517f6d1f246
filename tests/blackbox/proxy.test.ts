// SPDX-License-Identifier: Apache-2.0
// Behind a reverse proxy: who the client is, and who may say so. With HAProxy, and with what attackers send.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withHaproxy } from './neighbour.js';
import { eventually, request, run, within, withServer, type AppClient, type Json, type Server } from './server.js';

/** The addresses in the event log, newest last. */
function addresses(server: Server): string[] {
    const folder = join(server.data, 'events');
    return readdirSync(folder).sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
        .filter((line) => line !== '').map((line) => (JSON.parse(line) as Json).address as string);
}

async function ask(port: number, client: AppClient, headers: Record<string, string> = {}): Promise<void> {
    const reply = await request({ host: '127.0.0.1', port }, 'POST', '/oauth2/token', {
        form: { grant_type: 'client_credentials' }, basic: [client.client_id, client.client_secret], headers,
    });
    assert.equal(reply.status, 200, reply.text);
}

/** Asks for a token, and answers the address that the event log has for it. */
async function seenAs(server: Server, client: AppClient, headers: Record<string, string>, port = server.port): Promise<string | undefined> {
    const before = addresses(server).length;
    await ask(port, client, headers);
    return eventually('the event', () => {
        const all = addresses(server);
        return all.length > before ? all.at(-1) : undefined;
    });
}

const PROXIED = ['--trusted-proxies', '127.0.0.1', '--proxy-header'];

describe('headers of a proxy', () => {
    it('are not believed unless the peer is a listed proxy and the header the configured one', async () => {
        for (const [args, headers, expected] of [
            [[], { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' }, '127.0.0.1'],
            [['--trusted-proxies', '127.0.0.2', '--proxy-header', 'x-forwarded-for'], { 'x-forwarded-for': '192.0.2.1' }, '127.0.0.1'],
            [[...PROXIED, 'forwarded'], { 'x-forwarded-for': '192.0.2.1' }, '127.0.0.1'],
            [[...PROXIED, 'x-forwarded-for'], { forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1', 'true-client-ip': '192.0.2.1' }, '127.0.0.1'],
            [[...PROXIED, 'x-forwarded-for'], { 'x-forwarded-for': '203.0.113.7, 192.0.2.1' }, '192.0.2.1'],
            [[...PROXIED, 'forwarded'], { forwarded: 'for=203.0.113.7, for="[2001:db8::1]:80"' }, '2001:db8::1'],
            [[...PROXIED, 'x-forwarded-for'], { 'x-forwarded-for': 'nonsense' }, '127.0.0.1'],
            [[...PROXIED, 'x-forwarded-for'], {}, '127.0.0.1'],
        ] as [string[], Record<string, string>, string][]) {
            await withServer({ args }, async (server) => {
                const client = await server.createClient([]);
                assert.equal(await seenAs(server, client, headers), expected, `${args.join(' ')} ${JSON.stringify(headers)}`);
            });
        }
    });

    it('never make the issuer', async () => {
        await withServer({ args: [...PROXIED, 'forwarded'] }, async (server) => {
            const reply = await server.request('GET', '/.well-known/oauth-authorization-server', {
                headers: { host: 'evil.example', forwarded: 'for=192.0.2.1;host=evil.example;proto=https', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
            });
            assert.equal(reply.json.issuer, server.url);
            assert(!reply.text.includes('evil'));
        });
    });

    it('name the source that is limited: one client of a proxy does not spend for another', async () => {
        await withServer({ args: [...PROXIED, 'x-forwarded-for', '--address-failures-per-minute-max', '3'] }, async (server) => {
            const wrong = (from: string): Promise<number> => server.request('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials' }, basic: ['a'.repeat(26), 'wrong'], headers: { 'x-forwarded-for': from },
            }).then((reply) => reply.status);
            for (let i = 0; i < 3; i++) assert.equal(await wrong('192.0.2.1'), 401);
            assert.equal(await wrong('192.0.2.1'), 429);
            assert.equal(await wrong('192.0.2.2'), 401);
        });
    });
});

const V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function header(command: number, family: number, addresses: string): Buffer {
    const body = Buffer.from(addresses, 'hex');
    return Buffer.concat([V2, Buffer.from([command, family, body.length >> 8, body.length & 255]), body]);
}

/** Everything that comes back on a connection that says this. */
function talk(port: number, pieces: Buffer[]): Promise<string> {
    return within('an answer', new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        let answer = '';
        socket.setNoDelay(true);
        socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1')));
        socket.on('close', () => resolve(answer));
        socket.on('error', () => undefined);
        let at = 0;
        const next = (): void => {
            const piece = pieces[at++];
            if (piece !== undefined) socket.write(piece, () => setImmediate(next));
        };
        socket.on('connect', next);
    }));
}

describe('the PROXY protocol', () => {
    const get = Buffer.from('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');

    it('is asked of a listed proxy, whole or in pieces; anything else is closed without a word', async () => {
        await withServer({ args: [...PROXIED, 'proxy-v2'] }, async (server) => {
            const good = header(0x21, 0x11, 'c0000201' + '7f000001' + '12340050');
            assert.match(await talk(server.port, [good, get]), /^HTTP\/1\.1 200 /);
            assert.match(await talk(server.port, [Buffer.concat([good, get])]), /^HTTP\/1\.1 200 /);
            assert.match(await talk(server.port, [...Buffer.concat([good, get])].map((byte) => Buffer.from([byte]))), /^HTTP\/1\.1 200 /);
            assert.match(await talk(server.port, [header(0x20, 0, ''), get]), /^HTTP\/1\.1 200 /);
            for (const bad of [get, Buffer.from('PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n'), header(0x11, 0x11, 'c0000201' + '7f000001' + '12340050'), header(0x21, 0x11, 'c0')])
                assert.equal(await talk(server.port, [bad, get]), '');
        });
    });

    it('is not taken from anybody else', async () => {
        await withServer({ args: ['--trusted-proxies', '127.0.0.2', '--proxy-header', 'proxy-v2'] }, async (server) => {
            assert.match(await talk(server.port, [get]), /^HTTP\/1\.1 200 /);
            assert.doesNotMatch(await talk(server.port, [header(0x21, 0x11, 'c0000201' + '7f000001' + '12340050'), get]), /200/);
        });
    });
});

/** HAProxy in front of the server. */
const withFront = (lines: string[], use: (port: number) => Promise<void>): Promise<void> =>
    withHaproxy((port) => ['frontend f', ` bind 127.0.0.1:${port}`, ' default_backend b', 'backend b', ...lines], use);

describe('HAProxy', () => {
    it('with option forwardfor', async () => {
        await withServer({ args: [...PROXIED, 'x-forwarded-for'] }, async (server) => {
            const client = await server.createClient([]);
            // From 127.0.0.1, HAProxy's client is a listed proxy too: what stands before it counts.
            await withFront([' option forwardfor', ` server s 127.0.0.1:${server.port}`], async (port) => {
                assert.equal(await seenAs(server, client, { 'x-forwarded-for': '192.0.2.7' }, port), '192.0.2.7');
            });
        });
    });

    it('with send-proxy-v2', async () => {
        await withServer({ args: [...PROXIED, 'proxy-v2'] }, async (server) => {
            const client = await server.createClient([]);
            await withFront([` server s 127.0.0.1:${server.port} send-proxy-v2`], async (port) => {
                assert.equal(await seenAs(server, client, { 'x-forwarded-for': '192.0.2.7' }, port), '127.0.0.1');
            });
        });
    });
});

describe('web pages', () => {
    it('get no token: the secret is in a browser, and that is said, recorded and counted', async () => {
        await withServer({ args: ['--use-flush-seconds', '1'] }, async (server) => {
            const client = await server.createClient(['viewer']);
            const from = (headers: Record<string, string>, secret = client.client_secret) => server.request('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: secret }, headers,
            });
            for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }] as Record<string, string>[]) {
                const reply = await from(headers);
                assert.equal(reply.status, 400, reply.text);
                assert.equal(reply.json.error, 'invalid_request');
                assert.match(reply.json.error_description, /does not belong in a browser/);
                assert.equal(reply.headers['access-control-allow-origin'], undefined);
            }
            // A page that has no right secret learns nothing more than anybody else.
            assert.equal((await from({ origin: 'https://evil.example' }, 'wrong')).status, 401);
            const own = await from({ origin: server.url });
            assert.equal(own.status, 200);
            assert.equal(own.headers['access-control-allow-origin'], server.url);
            assert.equal((await from({ origin: server.url.replace('127.0.0.1', 'localhost') })).status, 200);
            const database = join(server.data, 'postern.db');
            await eventually('the audit event', async () =>
                (await run('sqlite3', ['-readonly', database, "SELECT COUNT(*) FROM audit_event WHERE action = 'app_client.secret_in_page'"])).stdout === '1\n' ? true : undefined);
        });
    });

    it('may call /v2 from configured origins only', async () => {
        await withServer({ args: ['--cors-origins', 'https://app.example, https://b.example:8443'] }, async (server) => {
            const token = await server.tokenFor(['corpus_viewer']);
            for (const [origin, allowed] of [['https://app.example', true], ['https://b.example:8443', true], ['https://evil.example', false], ['null', false], ['https://app.example.evil', false]] as const) {
                const preflight = await server.request('OPTIONS', '/v2/corpora', {
                    headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
                });
                assert.equal(preflight.status, 204);
                assert.equal(preflight.headers['access-control-allow-origin'], allowed ? origin : undefined);
                if (allowed) assert.match(preflight.headers['access-control-allow-headers'] ?? '', /Authorization/);
                for (const given of [token, 'wrong']) {
                    const reply = await server.request('GET', '/v2/corpora', { token: given, headers: { origin } });
                    assert.equal(reply.status, given === token ? 200 : 401);
                    assert.equal(reply.headers['access-control-allow-origin'], allowed ? origin : undefined);
                    assert.equal(reply.headers.vary, 'Origin');
                    assert.equal(reply.headers['access-control-allow-credentials'], undefined);
                }
            }
        });
    });
});
