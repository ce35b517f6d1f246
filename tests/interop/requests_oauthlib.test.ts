// SPDX-License-Identifier: Apache-2.0
// Debian's requests-oauthlib, unmodified: HTTP Basic without encoding, and credentials in the body.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { cleanEnvironment, ROOT, run, useServer, type AppClient, type Json } from '../blackbox/server.js';

describe('requests-oauthlib', () => {
    const server = useServer();
    let app: AppClient;

    before(async () => {
        app = await server.createClient(['corpus_viewer']);
        await server.createCorpus('python');
    });

    const python = async (method: string, client_secret: string): Promise<Json> => {
        // Debian's interpreter by its path: its packages are what is tested.
        const finished = await run('/usr/bin/python3', [join(ROOT, 'tests', 'interop', 'requests_oauthlib_client.py')], {
            input: JSON.stringify({ url: server.url, client_id: app.client_id, client_secret, method }),
            env: cleanEnvironment({ OAUTHLIB_INSECURE_TRANSPORT: '1', NO_PROXY: '127.0.0.1' }),
        });
        assert.equal(finished.code, 0, finished.stderr);
        return JSON.parse(finished.stdout);
    };

    for (const method of ['basic', 'body']) {
        it(`${method}: gets a token and uses it`, async () => {
            const { token, status, body } = await python(method, app.client_secret);
            assert.equal(token.token_type, 'Bearer');
            assert.equal(token.expires_in, 1800);
            assert.equal(status, 200);
            assert.deepEqual(body.corpora.map((corpus: Json) => corpus.key), ['python']);
        });

        it(`${method}: sees invalid_client for a wrong secret`, async () => {
            assert.deepEqual(await python(method, 'wrong'), { error: 'invalid_client', status: 401 });
        });
    }
});
