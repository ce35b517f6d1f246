// SPDX-License-Identifier: Apache-2.0
// TLS at the edge: versions, ciphers, resumption, ALPN, what is refused, and certificates that change (RFC 8446, RFC 9325).
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { makePair, withPair as options, type Pair } from './certificate.js';
import { decodeJwt, isToken } from './check.js';
import { cleanEnvironment, eventually, POSTERN, request, run, Server, temporaryDirectory, within, withServer, type Json } from './server.js';

function connect(port: number, more: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    return within('a TLS connection', new Promise((resolve, reject) => {
        const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, ...more }, () => resolve(socket));
        socket.on('error', reject);
    }));
}

/** Writes, and reads until the other side ends. */
function talk(socket: tls.TLSSocket | net.Socket, text: string | Buffer): Promise<string> {
    return within('an answer', new Promise((resolve, reject) => {
        let answer = '';
        socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1')));
        socket.on('end', () => resolve(answer));
        socket.on('error', reject);
        socket.write(text);
    }));
}

const LAST = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('TLS', () => {
    const directory = temporaryDirectory();
    let pair: Pair;
    let server: Server;

    before(async () => {
        pair = await makePair(directory, 'first');
        server = new Server({ listen: false, args: ['--listen', '127.0.0.1:0 tls', ...options(pair)] });
        await server.start();
    });
    after(async () => {
        await server.dispose();
        rmSync(directory, { recursive: true, force: true });
    });

    it('is in the ready line and in the issuer', async () => {
        assert.match(server.url, /^https:\/\/127\.0\.0\.1:[0-9]+$/);
        const answer = await talk(await connect(server.port), 'GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).issuer, server.url);
    });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        it(`${version}: a token, kept alive, checked against the certificate`, async () => {
            const client = await server.createClient(['corpus_viewer']);
            const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: [await fileText(pair.certificate)], minVersion: version, maxVersion: version });
            const ask = (method: string, path: string, headers: Record<string, string>, body = ''): Promise<{ status: number; json: Json }> =>
                new Promise((resolve, reject) => {
                    const outgoing = https.request({ agent, host: 'localhost', lookup: loopback, port: server.port, method, path, headers }, (incoming) => {
                        let text = '';
                        incoming.on('data', (piece: Buffer) => (text += piece.toString()));
                        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, json: JSON.parse(text) }));
                    });
                    outgoing.on('error', reject);
                    outgoing.end(body);
                });
            try {
                const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret });
                const token = await ask('POST', '/oauth2/token', { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
                assert.equal(token.status, 200);
                const list = await ask('GET', '/v2/corpora', { authorization: `Bearer ${token.json.access_token as string}` });
                assert.equal(list.status, 200);
            } finally {
                agent.destroy();
            }
        });

        it(`${version}: a session is resumed`, async () => {
            const first = await connect(server.port, { minVersion: version, maxVersion: version });
            let session: Buffer | undefined = version === 'TLSv1.2' ? first.getSession() : undefined;
            first.on('session', (bytes: Buffer) => (session = bytes));
            assert.equal(first.isSessionReused(), false);
            await talk(first, LAST); // a ticket of TLS 1.3 comes after the handshake
            assert(session !== undefined, 'the server gave a ticket');
            const second = await connect(server.port, { minVersion: version, maxVersion: version, session: session as Buffer<ArrayBuffer> });
            assert.equal(second.isSessionReused(), true);
            assert.match(await talk(second, LAST), /^HTTP\/1\.1 200 /);
        });
    }

    it('TLSv1.3: each connection gives the ticket of the next (RFC 8446 C.4)', async () => {
        let session: Buffer | undefined;
        for (let i = 0; i < 5; i++) {
            const given = session;
            const socket = await connect(server.port, { minVersion: 'TLSv1.3', ...(given === undefined ? {} : { session: given as Buffer<ArrayBuffer> }) });
            session = undefined;
            socket.on('session', (bytes: Buffer) => (session = bytes));
            assert.equal(socket.isSessionReused(), given !== undefined);
            assert.match(await talk(socket, LAST), /^HTTP\/1\.1 200 /);
            assert(session !== undefined, `connection ${i} gave a ticket`);
        }
    });

    it('older versions are refused', async () => {
        for (const version of ['TLSv1', 'TLSv1.1'] as const)
            await assert.rejects(connect(server.port, { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }));
    });

    for (const ciphers of ['AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'DHE-RSA-AES128-GCM-SHA256', 'NULL', 'aNULL', 'RC4', '3DES']) {
        it(`TLS 1.2 with ${ciphers} alone is refused`, async () => {
            const refused = await connect(server.port, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` }).then((socket) => socket.getCipher().name, () => 'refused');
            assert.equal(refused, 'refused');
        });
    }

    it('speaks http/1.1 by ALPN, and nothing else', async () => {
        assert.equal((await connect(server.port, { ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol, 'http/1.1');
        assert.equal((await connect(server.port, {})).alpnProtocol, false);
        await assert.rejects(connect(server.port, { ALPNProtocols: ['h2'] }), /no application protocol|alert/i);
    });

    it('takes no early data', async () => {
        const done = await run('sh', ['-c', `printf '${LAST.replaceAll('\r\n', '\\r\\n')}' > ${directory}/early; ` +
            `(sleep 0.3; printf '${LAST.replaceAll('\r\n', '\\r\\n')}') | openssl s_client -quiet -connect 127.0.0.1:${server.port} -sess_out ${directory}/session >/dev/null 2>&1; ` +
            `openssl s_client -connect 127.0.0.1:${server.port} -sess_in ${directory}/session -early_data ${directory}/early </dev/null 2>&1`]);
        assert.match(done.stdout, /Early data was not sent|Early data was rejected/);
    });

    it('does not renegotiate', async () => {
        const done = await run('sh', ['-c', `(sleep 0.2; printf 'R\\n'; sleep 0.3) | openssl s_client -tls1_2 -connect 127.0.0.1:${server.port} 2>&1`]);
        assert.match(done.stdout, /no renegotiation|handshake failure|alert/i);
    });

    it('answers pipelined requests in order, also cut anywhere', async () => {
        const socket = await connect(server.port);
        const many = Array.from({ length: 200 }, (_, i) => `GET /healthz?${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') + LAST;
        const answer = within('the answers', new Promise<string>((resolve, reject) => {
            let text = '';
            socket.on('data', (piece: Buffer) => (text += piece.toString('latin1')));
            socket.on('end', () => resolve(text));
            socket.on('error', reject);
        }));
        for (let at = 0; at < many.length; at += 777) socket.write(many.slice(at, at + 777));
        assert.equal((await answer).split('HTTP/1.1 200 OK').length - 1, 201);
    });

    it('takes large bodies and gives large replies', async () => {
        const token = await tokenOf(server);
        const body = JSON.stringify({ key: 'large', name: 'n', description: 'x'.repeat(200_000) });
        const head = `POST /v2/corpora HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
        assert.match(await talk(await connect(server.port), head + body), /^HTTP\/1\.1 400 /); // a description is at most 1,000 bytes
        for (let i = 0; i < 60; i++) await server.createCorpus(`many-${i}`, { description: 'y'.repeat(1000) });
        const list = await talk(await connect(server.port), `GET /v2/corpora?limit=100 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`);
        assert.match(list, /^HTTP\/1\.1 200 /);
        assert.equal(JSON.parse(list.slice(list.indexOf('\r\n\r\n') + 4)).corpora.length, 60);
    });

    it('refuses broken framing as without TLS', async () => {
        for (const bad of ['GET /healthz HTTP/1.1\nHost: a\n\n', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n']) {
            const answer = await talk(await connect(server.port), bad + LAST);
            assert.equal(answer.split('HTTP/1.1 ').length - 1, 1, answer);
            assert.match(answer, /^HTTP\/1\.1 400 /);
        }
    });

    it('tells HTTP without TLS that this is HTTPS', async () => {
        const answer = await talk(net.connect(server.port, '127.0.0.1'), LAST);
        assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*HTTPS only/);
    });

    it('survives what is no TLS', async () => {
        for (const bytes of [Buffer.alloc(4000), Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]), Buffer.from([0x80, 0x2e, 1, 3, 1]), Buffer.from([0x15, 3, 3, 0, 2, 2, 40])]) {
            const socket = net.connect(server.port, '127.0.0.1');
            await within('the end', new Promise<void>((resolve) => {
                socket.on('close', () => resolve());
                socket.on('error', () => undefined);
                socket.on('data', () => undefined);
                socket.end(bytes);
            }));
        }
        assert.match(await talk(await connect(server.port), LAST), /^HTTP\/1\.1 200 /);
    });

    it('cuts a handshake off that does not go on', async () => {
        const hasty = new Server({ listen: false, args: ['--listen', '127.0.0.1:0 tls', '--head-seconds-max', '1', ...options(pair)] });
        try {
            await hasty.start();
            const socket = net.connect(hasty.port, '127.0.0.1');
            socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
            await within('the end', new Promise<void>((resolve) => {
                socket.on('close', () => resolve());
                socket.on('data', () => undefined);
            }));
        } finally {
            await hasty.dispose();
        }
    });
});

async function tokenOf(server: Server): Promise<string> {
    const client = await server.createClient(['owner']);
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret }).toString();
    const answer = await talk(await connect(server.port), `POST /oauth2/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
    return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).access_token;
}

async function fileText(path: string): Promise<string> {
    return (await run('cat', [path])).stdout;
}

const loopback: net.LookupFunction = (_host, given, done) => {
    if (given.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(null, '127.0.0.1', 4);
};

async function servedName(port: number): Promise<string> {
    const socket = await connect(port);
    const name = String(socket.getPeerCertificate().subject.CN);
    socket.destroy();
    return name;
}

describe('certificates that change', () => {
    const directory = temporaryDirectory();
    after(() => rmSync(directory, { recursive: true, force: true }));

    it('a renewed pair is taken by itself; one that does not fit is not, and said', async () => {
        const [first, second, third] = [await makePair(directory, 'one'), await makePair(directory, 'two'), await makePair(directory, 'three')];
        const live = { certificate: join(directory, 'live.crt'), key: join(directory, 'live.key') };
        const use = (certificate: string, key: string): void => {
            copyFileSync(certificate, live.certificate);
            copyFileSync(key, live.key);
            chmodSync(live.key, 0o600);
        };
        use(first.certificate, first.key);
        await withServer({ listen: false, args: ['--listen', '127.0.0.1:0 tls', ...options(live)] }, async (server) => {
            assert.equal(await servedName(server.port), 'one');
            use(second.certificate, second.key);
            await eventually('the new certificate', async () => ((await servedName(server.port)) === 'two' ? true : undefined));
            use(third.certificate, first.key);
            await eventually('the message', () => (server.stderr.includes('the running configuration stays') ? true : undefined));
            assert.match(server.stderr, /do not belong together/);
            assert.equal(await servedName(server.port), 'two');
            use(third.certificate, third.key);
            process.kill(server.pid, 'SIGHUP');
            await eventually('the third certificate', async () => ((await servedName(server.port)) === 'three' ? true : undefined));
        });
    });

    for (const [what, spoil, says] of [
        ['a key of another certificate', (pair: Pair, other: Pair) => copyFileSync(other.key, pair.key), /do not belong together/],
        ['a key that others can read', (pair: Pair) => chmodSync(pair.key, 0o644), /can be read by others/],
        ['no certificate', (pair: Pair) => writeFileSync(pair.certificate, 'nonsense'), /holds no certificate/],
        ['an empty key', (pair: Pair) => writeFileSync(pair.key, ''), /tls_key/],
        ['a key that is not there', (pair: Pair) => rmSync(pair.key), /cannot open/],
    ] as const) {
        it(`${what}: refused at start, and said`, async () => {
            const folder = join(directory, what.replaceAll(' ', '-'));
            mkdirSync(folder);
            const pair = await makePair(folder, 'a');
            spoil(pair, await makePair(folder, 'b'));
            const end = await run(POSTERN, ['serve', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0 tls', ...options(pair)], { env: cleanEnvironment() });
            assert.notEqual(end.code, 0);
            assert.match(end.stderr, says);
        });
    }

    it('an RSA certificate with its chain', async () => {
        const pair = await makePair(directory, 'rsa', 30, ['-newkey', 'rsa:2048']);
        const chain = join(directory, 'chain.crt');
        writeFileSync(chain, (await fileText(pair.certificate)) + (await fileText(pair.certificate)));
        await withServer({ listen: false, args: ['--listen', '127.0.0.1:0 tls', '--tls-certificate', chain, '--tls-key', pair.key] }, async (server) => {
            assert.equal(await servedName(server.port), 'rsa');
        });
    });
});

describe('listeners', () => {
    it('serve what they are for, and 404 for the rest', async () => {
        await withServer({ args: ['--listen', '127.0.0.2:0 for=token', '--listen', '127.0.0.3:0 for=api'] }, async (server) => {
            const ports = await portsOf(server);
            const [tokenPort = 0, apiPort = 0] = [ports['127.0.0.2'], ports['127.0.0.3']];
            const client = await server.createClient(['corpus_viewer']);
            const ask = (host: string, port: number): Promise<Json> => request({ host, port }, 'POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials' }, basic: [client.client_id, client.client_secret],
            });
            const token = isToken(await ask('127.0.0.2', tokenPort));
            assert.equal((await ask('127.0.0.3', apiPort)).status, 404);
            assert.equal((await request({ host: '127.0.0.3', port: apiPort }, 'GET', '/v2/corpora', { token })).status, 200);
            assert.equal((await request({ host: '127.0.0.2', port: tokenPort }, 'GET', '/v2/corpora', { token })).status, 404);
            for (const [host, port] of [['127.0.0.2', tokenPort], ['127.0.0.3', apiPort]] as const)
                assert.equal((await request({ host, port }, 'GET', '/healthz')).status, 200);
        });
    });

    it('serve metrics where they are for metrics', async () => {
        await withServer({ args: ['--listen', '127.0.0.2:0 for=metrics'] }, async (server) => {
            const port = (await portsOf(server))['127.0.0.2'] ?? 0;
            const reply = await request({ host: '127.0.0.2', port }, 'GET', '/metrics');
            assert.equal(reply.status, 200);
            assert.match(reply.text, /^# HELP /);
            assert.equal((await request({ host: '127.0.0.2', port }, 'GET', '/v2/corpora')).status, 404);
            assert.equal((await server.request('GET', '/metrics')).status, 404);
        });
    });

    it('the end of the certificate is a metric', async () => {
        const directory = temporaryDirectory();
        try {
            const pair = await makePair(directory, 'metric', 30);
            await withServer({ listen: false, args: ['--listen', '127.0.0.1:0 tls', ...options(pair)] }, async (server) => {
                const shown = (await server.cli(['metrics'])).stdout;
                const seconds = Number(/^postern_\w*not_after\w* (\S+)$/m.exec(shown)?.[1]);
                assert(Math.abs(seconds - Date.now() / 1000 - 30 * 86400) < 3 * 86400, shown.match(/.*not_after.*/g)?.join());
                const doctor = await server.cli(['doctor', '--json']);
                assert.match(doctor.stdout, /certificate/);
            });
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });

    it('beyond loopback take TLS, or a word that plain HTTP is meant', async () => {
        const directory = temporaryDirectory();
        try {
            const plain = await run(POSTERN, ['serve', '--data', join(directory, 'data'), '--listen', '0.0.0.0:0']);
            assert.equal(plain.code, 2);
            assert.match(plain.stderr, /beyond loopback/);
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });

    it('beyond loopback need to know their URL: the issuer of the tokens', async () => {
        const open = ['--listen', '0.0.0.0:0', '--allow-plain-http', 'true'];
        const nowhere = await run(POSTERN, ['config', 'check', ...open]);
        assert.equal(nowhere.code, 2);
        assert.match(nowhere.stderr, /0\.0\.0\.0:0 does not say where clients find the server: set public_url/);
        await withServer({ listen: false, args: [...open, '--public-url', 'http://auth.internal:8080'] }, async (server) => {
            assert.equal(decodeJwt(await server.tokenFor(['viewer'])).claims.iss, 'http://auth.internal:8080');
        });
        await withServer({ listen: false, args: ['--listen', '0.0.0.0:0', '--trusted-proxies', '127.0.0.1', '--public-url', 'https://auth.example'] }, async (server) => {
            assert.equal(decodeJwt(await server.tokenFor(['viewer'])).claims.iss, 'https://auth.example');
        });
    });
});

/** The listening ports of a server by address, from /proc. */
async function portsOf(server: Server): Promise<Record<string, number>> {
    const shown = await run('sh', ['-c', `ls -l /proc/${server.child('posternd')}/fd`]);
    const inodes = new Set([...shown.stdout.matchAll(/socket:\[([0-9]+)\]/g)].map((match) => match[1]));
    const ports: Record<string, number> = {};
    for (const line of (await fileText('/proc/net/tcp')).split('\n').slice(1)) {
        const [, address = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state !== '0A' || !inodes.has(inode)) continue;
        const [hex = '', port = ''] = address.split(':');
        ports[hex.match(/../g)?.reverse().map((byte) => parseInt(byte, 16)).join('.') ?? ''] = parseInt(port, 16);
    }
    return ports;
}
