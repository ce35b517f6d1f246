// SPDX-License-Identifier: Apache-2.0
// Debian's Authlib, unmodified: metadata, the grant with each kind of authentication, and the check of the token.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makePair, withPair, type Pair } from '../blackbox/certificate.js';
import { cleanEnvironment, ROOT, run, temporaryDirectory, withServer, type Json, type Server } from '../blackbox/server.js';

const directory = temporaryDirectory();
let pair: Pair;

before(async () => {
    pair = await makePair(directory, 'authlib');
});
after(() => rmSync(directory, { recursive: true }));

/** Authlib wants https, so the server has a certificate. */
const withTls = <T>(args: string[], use: (server: Server) => Promise<T>): Promise<T> =>
    withServer({ listen: false, args: ['--listen', '127.0.0.1:0 tls', ...withPair(pair), ...args] }, use);

async function python(server: Server, client_id: string, client_secret: string, method: string): Promise<Json> {
    // Debian's interpreter by its path: its packages are what is tested.
    const finished = await run('/usr/bin/python3', [join(ROOT, 'tests', 'interop', 'authlib_client.py')], {
        input: JSON.stringify({ url: server.url, client_id, client_secret, method }),
        env: cleanEnvironment({ NO_PROXY: '127.0.0.1', REQUESTS_CA_BUNDLE: pair.certificate }),
    });
    assert.equal(finished.code, 0, finished.stderr);
    return JSON.parse(finished.stdout);
}

describe('Authlib', () => {
    for (const method of ['client_secret_basic', 'client_secret_post']) {
        it(`${method}: gets a token, checks it and uses it; sees invalid_client for a wrong secret`, async () => {
            await withTls([], async (server) => {
                const app = await server.createClient(['corpus_viewer']);
                const { token, header, claims, status, body } = await python(server, app.client_id, app.client_secret, method);
                assert.equal(token.token_type, 'Bearer');
                assert.equal(token.expires_in, 1800);
                assert.equal(header.typ, 'at+jwt');
                assert.equal(claims.client_id, app.client_id);
                assert.equal(status, 200);
                assert.deepEqual(body.corpora, []);
                assert.deepEqual(await python(server, app.client_id, 'wrong', method), { error: 'invalid_client' });
            });
        });
    }

    for (const alg of ['PS256', 'ES256', 'EdDSA']) {
        it(`checks ${alg}`, async () => {
            await withTls(['--token-alg', alg], async (server) => {
                const client = await server.createClient(['viewer']);
                const { header } = await python(server, client.client_id, client.client_secret, 'client_secret_basic');
                assert.equal(header.alg, alg);
            });
        });
    }
});
