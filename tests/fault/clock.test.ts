// SPDX-License-Identifier: Apache-2.0
// A host whose clock is set back: the programs run with libfaketime, which is what a wrong clock looks like to them.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeJwt } from '../blackbox/check.js';
import { BUILD, eventually, run, Server, withServer, type AppClient, type Reply } from '../blackbox/server.js';

const LIBRARY = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find(existsSync);
// A sanitizer's runtime must come first in a process.
const skip = /asan|tsan/.test(BUILD) ? 'not with sanitizers' : false;

function at(offset: string): Record<string, string> {
    assert(LIBRARY !== undefined, 'libfaketime is installed (script/bootstrap --test)');
    return { LD_PRELOAD: LIBRARY, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

function ask(server: Server, client: AppClient): Promise<Reply> {
    return server.request('POST', '/oauth2/token', {
        form: { grant_type: 'client_credentials' }, basic: [client.client_id, client.client_secret],
    });
}

describe('a clock that was set back', { skip }, () => {
    it('signs no tokens until its time comes, or the host says that it is right', async () => {
        await withServer({ env: at('+3600s') }, async (ahead) => {
            const client = await ahead.createClient(['viewer']);
            const before = decodeJwt(await ahead.token(client)).claims;
            assert(before.iat > Date.now() / 1000 + 3000);
            const query = "SELECT 1 FROM meta WHERE name = 'clock_mark'";
            await eventually('the mark to be stored', async () =>
                (await run('sqlite3', ['-readonly', join(ahead.data, 'postern.db'), query])).stdout === '1\n' ? true : undefined);
            await ahead.stop();

            const now = new Server({ data: ahead.data });
            try {
                await now.start();
                const refused = await ask(now, client);
                assert.equal(refused.status, 503, refused.text);
                assert.equal(refused.json.error, 'temporarily_unavailable');
                assert.notEqual(refused.headers['retry-after'], undefined);
                assert.equal((await now.request('GET', '/readyz')).status, 503);
                assert.match(now.stderr, /the clock is behind/);

                const accepted = await now.cli(['clock', 'accept']);
                assert.equal(accepted.code, 0, accepted.stderr);
                const after = decodeJwt(await now.token(client)).claims;
                assert(after.iat < before.iat);
                assert.equal((await now.request('GET', '/readyz')).status, 200);
                await now.stop();

                await now.start(); // it stays accepted
                assert.equal((await ask(now, client)).status, 200);
            } finally {
                await now.dispose();
            }
        });
    });

    it('does not make an expired token live again: a token lives by the clock that signed it', async () => {
        await withServer({ args: ['--token-ttl-seconds', '2'] }, async (server) => {
            const token = await server.tokenFor(['corpus_viewer']);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
            await eventually('its end', async () =>
                (await server.request('GET', '/v2/corpora', { token })).status === 401 ? true : undefined);
        });
    });

    it('changes nothing about revocation, which compares revisions and no clocks', async () => {
        await withServer({ env: at('+7200s') }, async (ahead) => {
            const client = await ahead.createClient(['viewer']);
            const set = (server: Server, enabled: boolean): Promise<Reply> =>
                server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { enabled } });
            const old = await ahead.token(client);
            assert.equal((await set(ahead, false)).status, 200);
            assert.equal((await set(ahead, true)).status, 200);
            const kept = await ahead.token(client);
            assert(decodeJwt(kept).claims.rev > decodeJwt(old).claims.rev);
            await ahead.stop();

            const now = new Server({ data: ahead.data, args: ['--public-url', ahead.url] });
            try {
                await now.start();
                const taken = async (token: string): Promise<number> => (await now.request('GET', '/v2/corpora', { token })).status;
                assert.equal((await now.cli(['clock', 'accept'])).code, 0);
                const fresh = await now.token(client);
                assert(decodeJwt(fresh).claims.iat < decodeJwt(kept).claims.iat, 'hours earlier by its clock');
                assert(decodeJwt(fresh).claims.rev > decodeJwt(old).claims.rev, 'and later by revision');
                assert.equal(await taken(fresh), 200);
                assert.equal(await taken(old), 401);
                assert.equal((await set(now, false)).status, 200);
                assert.equal((await set(now, true)).status, 200);
                for (const token of [old, kept, fresh]) assert.equal(await taken(token), 401);
                assert.equal(await taken(await now.token(client)), 200);
            } finally {
                await now.dispose();
            }
        });
    });
});
