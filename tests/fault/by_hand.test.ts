// SPDX-License-Identifier: Apache-2.0
// Who can write the database, but has no key: rows changed by hand yield no rights (the record MAC of decisions).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { run, withServer, type Json, type Reply, type Server } from '../blackbox/server.js';

/** One statement on the running server's database, as an intruder on its disk would. */
async function sql(server: Server, statement: string): Promise<void> {
    const finished = await run('sqlite3', [join(server.data, 'postern.db'), `PRAGMA busy_timeout = 10000; ${statement}`]);
    assert.equal(finished.code, 0, finished.stderr);
}

const CASES: Record<string, (key: Json, user: Json) => string> = {
    'a user becomes an owner': (_, user) =>
        `INSERT INTO role_grant SELECT account_id, 'app_user', '${user.id}', 99, 'api', '', 'owner' FROM app_user WHERE id = '${user.id}'`,
    'a personal key becomes the owner’s': (key) =>
        `UPDATE api_key SET user_id = (SELECT id FROM app_user WHERE username = 'owner') WHERE id = '${key.id}'`,
    'a key gets a role': (key) => `INSERT INTO role_grant SELECT account_id, 'api_key', '${key.id}', 99, 'api', '', 'owner' FROM api_key WHERE id = '${key.id}'`,
    'a key is another’s secret': (key) =>
        `UPDATE credential SET hash = (SELECT hash FROM credential WHERE owner_id <> '${key.id}' LIMIT 1) WHERE owner_id = '${key.id}'`,
    'a key does not expire': (key) => `UPDATE credential SET expires_at = 0 WHERE owner_id = '${key.id}'`,
    'a disabled key is enabled': (key) => `UPDATE api_key SET is_enabled = 1 WHERE id = '${key.id}'`,
    'a disabled user is enabled': (_, user) => `UPDATE app_user SET is_enabled = 1 WHERE id = '${user.id}'`,
};

describe('rows changed by hand', () => {
    for (const [what, statement] of Object.entries(CASES)) {
        it(`${what}: nothing is opened by it`, async () => {
            await withServer({}, async (server) => {
                const control = (method: string, path: string, json?: unknown): Promise<Reply> =>
                    server.control(method, path, json === undefined ? {} : { json });
                // A second credential, so that there is a hash to take.
                await server.createClient(['owner']);
                const user = (await control('POST', '/v2/users', { email: 'ada@example.com', username: 'ada', api_roles: ['viewer'] })).json;
                if (what !== 'a disabled user is enabled') await control('PATCH', '/v2/users/ada', { enabled: true });
                const reply = await control('POST', '/v2/api_keys', { name: 'k', api_key_role: 'personal', username: 'ada', expires_in_seconds: 100000 });
                assert.equal(reply.status, 201, reply.text);
                const key = reply.json;
                if (what === 'a disabled key is enabled') await control('PATCH', `/v2/api_keys/${key.id}`, { enabled: false });
                const ask = (path: string): Promise<Reply> => server.request('GET', path, { headers: { 'x-api-key': key.secret_key } });
                // Before anything of it is in memory: what was read before goes on as it was.
                await sql(server, statement(key, user));
                for (const path of ['/v2/corpora', '/v2/app_clients']) {
                    const answer = await ask(path);
                    assert([401, 500].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
                }
                // Nor does a change by the rightful administrator authenticate it.
                const isUser = statement(key, user).includes(`'${user.id}'`) && !statement(key, user).includes('api_key');
                const change = isUser
                    ? await control('PATCH', '/v2/users/ada', { description: 'x' })
                    : await control('PATCH', `/v2/api_keys/${key.id}`, { enabled: true });
                assert.equal(change.status, 500, change.text);
                assert([401, 500].includes((await ask('/v2/app_clients')).status));
            });
        });
    }

    it('a client becomes an owner: its live token opens nothing more', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient([]);
            const token = await server.token(client);
            const ask = (path: string): Promise<Reply> => server.request('GET', path, { token });
            assert.equal((await ask('/v2/app_clients')).status, 403);
            await sql(server, `INSERT INTO role_grant SELECT account_id, 'app_client', id, 99, 'api', '', 'owner' FROM app_client WHERE id = '${client.id}'`);
            // What makes the server forget everything that it has read.
            assert.equal((await server.cli(['account', 'update', '--name', 'other'])).code, 0);
            for (const path of ['/v2/app_clients', '/v2/corpora']) assert.equal((await ask(path)).status, 500, path);
        });
    });

    it('an owner’s rights are taken away, so that its key could be read: it cannot', async () => {
        await withServer({}, async (server) => {
            const boss = await server.createClient(['owner']);
            const admin = await server.tokenFor(['administrator']);
            await sql(server, `DELETE FROM role_grant WHERE holder_id = '${boss.id}'`);
            const reply = await server.request('GET', `/v2/app_clients/${boss.id}`, { token: admin });
            assert.equal(reply.status, 500, reply.text);
            assert(!reply.text.includes(boss.client_secret));
        });
    });
});
