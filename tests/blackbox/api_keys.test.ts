// SPDX-License-Identifier: Apache-2.0
// API keys: both request forms, whose rights they have, how they are sent, and when they stop.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { isBadRequest, isError, isNotFound, isUnauthorized } from './check.js';
import { allPages } from './pages.js';
import { eventually, useServer, withServer, type Json, type Reply, type RequestOptions } from './server.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The text with another secret part and a checksum that fits. */
function forged(key: string): string {
    const open = key.slice(0, -6);
    const last = open.at(-1) === 'a' ? 'b' : 'a';
    const text = open.slice(0, -1) + last;
    let rest = crc32(text);
    let sum = '';
    for (let i = 0; i < 6; i++) {
        sum = BASE62.charAt(rest % 62) + sum;
        rest = Math.floor(rest / 62);
    }
    return text + sum;
}

describe('API keys', () => {
    const server = useServer({ args: ['--unseal-per-minute-max', '100000', '--address-failures-per-minute-max', '100000'] });
    let users = 0;

    const control = (method: string, path: string, json?: unknown): Promise<Reply> =>
        server.control(method, path, json === undefined ? {} : { json });
    const by = (key: string, method: string, path: string, options: RequestOptions = {}): Promise<Reply> =>
        server.request(method, path, { ...options, headers: { 'x-api-key': key, ...options.headers } });

    async function make(json: Json): Promise<Json> {
        const reply = await control('POST', '/v2/api_keys', json);
        assert.equal(reply.status, 201, reply.text);
        server.confidential.push(reply.json.secret_key);
        return reply.json;
    }
    async function user(api_roles: string[], more: Json = {}): Promise<string> {
        const username = `key-user-${users++}`;
        const made = await control('POST', '/v2/users', { email: `${username}@example.com`, username, api_roles, ...more });
        assert.equal(made.status, 201, made.text);
        const enabled = await control('PATCH', `/v2/users/${username}`, { enabled: true });
        assert.equal(enabled.status, 200, enabled.text);
        return username;
    }
    const personal = async (username: string): Promise<Json> => make({ name: 'mine', api_key_role: 'personal', username });
    const status = async (key: string, path = '/v2/corpora'): Promise<number> => (await by(key, 'GET', path)).status;

    before(async () => {
        await server.createCorpus('one');
        await server.createCorpus('two');
    });

    it('for query: the older form, its text, and what it opens', async () => {
        const key = await make({ name: 'search box', api_key_role: 'serving', corpus_keys: ['one'] });
        assert.match(key.id, /^aky_[0-9A-Za-z]{12}$/);
        assert.match(key.secret_key, /^pst_qk_[0-9A-Za-z]{61}$/);
        assert.equal(key.enabled, true);
        assert.equal(key.api_key_role, 'serving');
        assert.deepEqual(key.corpus_roles, [{ corpus_key: 'one', role: 'viewer' }]);
        assert.equal(await status(key.secret_key, '/v2/corpora/one'), 200);
        isError(await by(key.secret_key, 'GET', '/v2/corpora/two'), 403);
        isError(await by(key.secret_key, 'GET', '/v2/corpora/no-such'), 403);
        isError(await by(key.secret_key, 'PATCH', '/v2/corpora/one', { json: { description: 'x' } }), 403);
        isError(await by(key.secret_key, 'GET', '/v2/app_clients'), 403);
        assert.deepEqual((await by(key.secret_key, 'GET', '/v2/corpora')).json.corpora.map((one: Json) => one.key), ['one']);
    });

    it('for query and index', async () => {
        const key = await make({ name: 'importer', api_key_role: 'serving_and_indexing', corpus_keys: ['one', 'two'] });
        assert.match(key.secret_key, /^pst_ik_/);
        assert.deepEqual(key.corpus_roles, [{ corpus_key: 'one', role: 'editor' }, { corpus_key: 'two', role: 'editor' }]);
    });

    it('with roles: the newer form has no api_key_role, and its kind follows from what it may', async () => {
        const views = await make({ name: 'views', api_roles: ['viewer'] });
        assert(!('api_key_role' in views));
        assert.match(views.secret_key, /^pst_qk_/);
        const writes = await make({ name: 'writes', api_roles: ['corpus_developer'], corpus_roles: [{ corpus_key: 'one', role: 'viewer' }] });
        assert.match(writes.secret_key, /^pst_ik_/);
        assert.equal((await by(writes.secret_key, 'PATCH', '/v2/corpora/two', { json: { description: 'changed' } })).status, 200);
    });

    it('is taken as Bearer too; where both headers stand the Authorization decides', async () => {
        const key = await make({ name: 'both', api_roles: ['viewer'] });
        assert.equal((await server.request('GET', '/v2/corpora/one', { token: key.secret_key })).status, 200);
        const reply = await by(key.secret_key, 'GET', '/v2/corpora/one', { token: 'not.a.token' });
        isUnauthorized(reply, 'credential');
        const other = await by('nonsense', 'GET', '/v2/corpora/one', { token: key.secret_key });
        assert.equal(other.status, 200);
    });

    it('what is wrong with a request is told by member, and nothing is made', async () => {
        const wrong: [Json, string][] = [
            [{}, 'name'],
            [{ name: 'x', api_key_role: 'all' }, 'api_key_role'],
            [{ name: 'x', api_key_role: 'serving' }, 'corpus_keys'],
            [{ name: 'x', api_key_role: 'serving', corpus_keys: [] }, 'corpus_keys'],
            [{ name: 'x', api_key_role: 'serving', corpus_keys: ['no such'] }, 'corpus_keys'],
            [{ name: 'x', api_key_role: 'serving', corpus_keys: ['absent'] }, 'corpus_keys'],
            [{ name: 'x', corpus_roles: [{ corpus_key: 'absent', role: 'viewer' }] }, 'corpus_roles'],
            [{ name: 'x', api_key_role: 'serving', corpus_keys: ['one'], api_roles: ['viewer'] }, 'api_key_role'],
            [{ name: 'x', corpus_keys: ['one'] }, 'corpus_keys'],
            [{ name: 'x', api_key_role: 'personal', username: 'owner', corpus_keys: ['one'] }, 'corpus_keys'],
            [{ name: 'x', api_key_role: 'personal' }, 'username'],
            [{ name: 'x', api_key_role: 'personal', username: 'nobody' }, 'username'],
            [{ name: 'x', username: 'owner' }, 'username'],
            [{ name: 'x', api_roles: ['king'] }, 'api_roles'],
            [{ name: 'x', expires_in_seconds: -1 }, 'expires_in_seconds'],
            [{ name: 'x', secret_key: 'mine' }, 'secret_key'],
        ];
        const count = (await allPages(control, '/v2/api_keys', 'api_keys')).length;
        for (const [json, field] of wrong) isBadRequest(await control('POST', '/v2/api_keys', json), field);
        assert.equal((await allPages(control, '/v2/api_keys', 'api_keys')).length, count);
    });

    describe('personal', () => {
        it('has the rights of its user, as they are when it is used', async () => {
            const username = await user(['corpus_viewer']);
            const key = await personal(username);
            assert.match(key.secret_key, /^pst_pk_/);
            assert.equal(key.api_key_role, 'personal');
            assert.deepEqual(key.api_roles, []);
            assert.equal(await status(key.secret_key, '/v2/corpora/one'), 200);
            isError(await by(key.secret_key, 'POST', '/v2/corpora', { json: { key: 'made' } }), 403);
            await control('PATCH', `/v2/users/${username}`, { api_roles: ['corpus_administrator'] });
            assert.equal((await by(key.secret_key, 'POST', '/v2/corpora', { json: { key: 'made' } })).status, 201);
            await control('PATCH', `/v2/users/${username}`, { api_roles: [] });
            isError(await by(key.secret_key, 'GET', '/v2/corpora/one'), 403);
        });

        it('stops with its user, from the moment of the answer, and works again when that does', async () => {
            const username = await user(['viewer']);
            const key = await personal(username);
            assert.equal(await status(key.secret_key), 200);
            assert.equal((await control('PATCH', `/v2/users/${username}`, { enabled: false })).status, 200);
            isUnauthorized(await by(key.secret_key, 'GET', '/v2/corpora'), 'credential');
            assert.equal((await control('PATCH', `/v2/users/${username}`, { enabled: true })).status, 200);
            assert.equal(await status(key.secret_key), 200);
            assert.equal((await control('DELETE', `/v2/users/${username}`)).status, 204);
            isUnauthorized(await by(key.secret_key, 'GET', '/v2/corpora'), 'credential');
            isNotFound(await control('GET', `/v2/api_keys/${key.id}`), key.id);
        });

        it('is made by its user; not by an app client', async () => {
            const key = await personal(await user(['administrator']));
            const own = await by(key.secret_key, 'POST', '/v2/api_keys', { json: { name: 'second', api_key_role: 'personal' } });
            assert.equal(own.status, 201, own.text);
            assert.equal(own.json.user_id, key.user_id);
            assert.equal(own.json.owner_id, key.user_id);
            const token = await server.tokenFor(['owner']);
            isError(await server.request('POST', '/v2/api_keys', { token, json: { name: 'x', api_key_role: 'personal' } }), 403);
        });

        it('for another user is made by owners alone: rights that grow later would be lent', async () => {
            const boss = await personal(await user(['owner']));
            const low = await user(['viewer']);
            const ask = (key: Json, username: string): Promise<Reply> =>
                by(key.secret_key, 'POST', '/v2/api_keys', { json: { name: 'for another', api_key_role: 'personal', username } });
            const made = await ask(boss, low);
            assert.equal(made.status, 201, made.text);
            isBadRequest(await ask(boss, 'nobody'), 'username');
            const texts = new Set<string>();
            for (const roles of [['administrator'], ['viewer'], []]) {
                const key = await personal(await user(roles));
                for (const username of [low, 'owner', 'nobody']) {
                    const reply = await ask(key, username);
                    isError(reply, 403);
                    texts.add(JSON.stringify(reply.json.messages));
                }
                isError(await by(key.secret_key, 'POST', `/v2/api_keys/${made.json.id}/regenerate`), roles[0] === 'administrator' ? 403 : 404);
            }
            assert.equal(texts.size, 1, 'who exists is not told');
            // An administrator may still take it out of use.
            const admin = await personal(await user(['administrator']));
            assert.equal((await by(admin.secret_key, 'PATCH', `/v2/api_keys/${made.json.id}`, { json: { enabled: false } })).status, 200);
            isError(await by(admin.secret_key, 'PATCH', `/v2/api_keys/${made.json.id}`, { json: { enabled: true } }), 403);
            assert.equal((await by(admin.secret_key, 'DELETE', `/v2/api_keys/${made.json.id}`)).status, 204);
        });
    });

    describe('rule R7', () => {
        it('nobody gives a key more than it holds', async () => {
            const token = await server.tokenFor(['corpus_viewer'], { corpus_roles: [{ corpus_key: 'one', role: 'editor' }] });
            const create = (json: Json): Promise<Reply> => server.request('POST', '/v2/api_keys', { token, json });
            assert.equal((await create({ name: 'a', api_roles: ['corpus_viewer'] })).status, 201);
            assert.equal((await create({ name: 'b', api_key_role: 'serving_and_indexing', corpus_keys: ['one'] })).status, 201);
            isError(await create({ name: 'c', api_key_role: 'serving_and_indexing', corpus_keys: ['two'] }), 403);
            isError(await create({ name: 'd', api_roles: ['corpus_developer'] }), 403);
            isError(await create({ name: 'e', corpus_roles: [{ corpus_key: 'one', role: 'administrator' }] }), 403);
            // What one may everywhere one may hand on for one corpus.
            assert.equal((await create({ name: 'f', api_key_role: 'serving', corpus_keys: ['two'] })).status, 201);
        });

        it('a corpus that one holds no role on is like one that does not exist', async () => {
            const token = await server.tokenFor([], { corpus_roles: [{ corpus_key: 'one', role: 'editor' }] });
            const texts = [];
            for (const key of ['two', 'absent']) {
                const reply = await server.request('POST', '/v2/api_keys', { token, json: { name: 'x', api_key_role: 'serving', corpus_keys: [key] } });
                isError(reply, 403);
                texts.push(reply.json.messages);
            }
            assert.deepEqual(texts[0], texts[1]);
        });

        it('an administrator neither reads nor touches a key with an owner’s rights', async () => {
            const key = await make({ name: 'high', api_roles: ['owner'] });
            const ownersOwn = await personal('owner');
            const token = await server.tokenFor(['administrator']);
            for (const { id } of [key, ownersOwn]) {
                const seen = await server.request('GET', `/v2/api_keys/${id}`, { token });
                assert.equal(seen.status, 200);
                assert(!('secret_key' in seen.json));
                isError(await server.request('PATCH', `/v2/api_keys/${id}`, { token, json: { enabled: false } }), 403);
                isError(await server.request('POST', `/v2/api_keys/${id}/regenerate`, { token }), 403);
                isError(await server.request('DELETE', `/v2/api_keys/${id}`, { token }), 403);
            }
            assert.equal(await status(key.secret_key), 200);
        });

        it('a key with rights of its own makes no keys', async () => {
            const key = await make({ name: 'high', api_roles: ['administrator'] });
            isError(await by(key.secret_key, 'POST', '/v2/api_keys', { json: { name: 'child' } }), 403);
        });
    });

    it('one sees and manages its own keys; another’s are not there', async () => {
        const mine = await personal(await user(['viewer']));
        const theirs = await personal(await user(['viewer']));
        const made = await by(mine.secret_key, 'POST', '/v2/api_keys', { json: { name: 'own', api_roles: ['viewer'] } });
        const listed = await by(mine.secret_key, 'GET', '/v2/api_keys');
        assert.deepEqual(listed.json.api_keys.map(({ id }: Json) => id), [made.json.id, mine.id]);
        for (const one of listed.json.api_keys) assert(!('secret_key' in one), 'never in a list');
        assert.equal((await by(mine.secret_key, 'GET', `/v2/api_keys/${made.json.id}`)).json.secret_key, made.json.secret_key);
        for (const method of ['GET', 'DELETE']) isNotFound(await by(theirs.secret_key, method, `/v2/api_keys/${made.json.id}`), made.json.id);
        isNotFound(await by(theirs.secret_key, 'PATCH', `/v2/api_keys/${made.json.id}`, { json: { enabled: false } }), made.json.id);
        isNotFound(await by(theirs.secret_key, 'POST', `/v2/api_keys/${made.json.id}/regenerate`), made.json.id);
        assert.equal((await by(mine.secret_key, 'DELETE', `/v2/api_keys/${made.json.id}`)).status, 204);
    });

    it('disabling, enabling and deleting act from the moment of the answer', async () => {
        const key = await make({ name: 'switch', api_roles: ['viewer'] });
        for (const enabled of [false, true, false, true]) {
            assert.equal(await status(key.secret_key), enabled ? 401 : 200);
            const reply = await control('PATCH', `/v2/api_keys/${key.id}`, { enabled });
            assert.equal(reply.status, 200, reply.text);
            assert.equal(reply.json.enabled, enabled);
            assert.equal(await status(key.secret_key), enabled ? 200 : 401);
            assert.equal((await control('GET', `/v2/api_keys/${key.id}`)).json.enabled, enabled);
        }
        isBadRequest(await control('PATCH', `/v2/api_keys/${key.id}`, { name: 'other' }), 'name');
        assert.equal((await control('DELETE', `/v2/api_keys/${key.id}`)).status, 204);
        isUnauthorized(await by(key.secret_key, 'GET', '/v2/corpora'), 'credential');
        isNotFound(await control('GET', `/v2/api_keys/${key.id}`), key.id);
    });

    it('regenerated, the old text stops and the new one goes on', async () => {
        const key = await make({ name: 'again', api_roles: ['viewer'] });
        assert.equal(await status(key.secret_key), 200);
        const reply = await control('POST', `/v2/api_keys/${key.id}/regenerate`);
        assert.equal(reply.status, 200, reply.text);
        assert.equal(reply.json.id, key.id);
        assert.notEqual(reply.json.secret_key, key.secret_key);
        isUnauthorized(await by(key.secret_key, 'GET', '/v2/corpora'), 'credential');
        assert.equal(await status(reply.json.secret_key), 200);
    });

    it('does not expire unless asked to', async () => {
        const key = await make({ name: 'for ever', api_roles: ['viewer'] });
        assert(!('expires_at' in key));
        const brief = await make({ name: 'brief', api_roles: ['viewer'], expires_in_seconds: 1 });
        assert.match(brief.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        await eventually('the key expires', async () => ((await status(brief.secret_key)) === 401 ? true : undefined));
        assert.equal(await status(key.secret_key), 200);
    });

    it('what an app client made dies with it', async () => {
        const client = await server.createClient(['viewer']);
        const token = await server.token(client);
        const made = await server.request('POST', '/v2/api_keys', { token, json: { name: 'child', api_roles: ['viewer'] } });
        assert.equal(made.status, 201, made.text);
        assert.equal(made.json.owner_id, client.id);
        assert.equal(await status(made.json.secret_key), 200);
        assert.equal((await control('DELETE', `/v2/app_clients/${client.id}`)).status, 204);
        isUnauthorized(await by(made.json.secret_key, 'GET', '/v2/corpora'), 'credential');
        isNotFound(await control('GET', `/v2/api_keys/${made.json.id}`), made.json.id);
    });

    it('stops while who made it is disabled, and works again with it', async () => {
        const client = await server.createClient(['viewer']);
        const token = await server.token(client);
        const ofClient = (await server.request('POST', '/v2/api_keys', { token, json: { name: 'child', api_roles: ['viewer'] } })).json;
        const username = await user(['viewer']);
        const ofUser = (await by((await personal(username)).secret_key, 'POST', '/v2/api_keys', { json: { name: 'child', api_roles: ['viewer'] } })).json;
        for (const [key, path] of [[ofClient, `/v2/app_clients/${client.id}`], [ofUser, `/v2/users/${username}`]] as const) {
            assert.equal(await status(key.secret_key), 200);
            assert.equal((await control('PATCH', path, { enabled: false })).status, 200);
            assert.equal(await status(key.secret_key), 401, path);
            assert.equal((await control('PATCH', path, { enabled: true })).status, 200);
            assert.equal(await status(key.secret_key), 200, path);
        }
    });

    it('none is left of a maker that was deleted while it made some', async () => {
        for (let round = 0; round < 5; round++) {
            const client = await server.createClient(['viewer']);
            const token = await server.token(client);
            const creating = Array.from({ length: 24 }, () => server.request('POST', '/v2/api_keys', { token, json: { name: 'late', api_roles: ['viewer'] } }));
            const deleted = await control('DELETE', `/v2/app_clients/${client.id}`);
            assert.equal(deleted.status, 204, deleted.text);
            for (const reply of await Promise.all(creating)) {
                assert([201, 401].includes(reply.status), reply.text);
                if (reply.status === 201) assert.equal(await status(reply.json.secret_key), 401);
            }
        }
    });

    it('the right text of a key that is off is no guess: it costs its sender nothing', async () => {
        await withServer({ args: ['--address-failures-per-minute-max', '5'] }, async (strict) => {
            const make = async (): Promise<Json> => (await strict.control('POST', '/v2/api_keys', { json: { name: 'k', api_roles: ['viewer'] } })).json;
            const [off, good] = [await make(), await make()];
            await strict.control('PATCH', `/v2/api_keys/${off.id}`, { json: { enabled: false } });
            const ask = async (key: string): Promise<number> => (await strict.request('GET', '/v2/corpora', { headers: { 'x-api-key': key } })).status;
            for (let i = 0; i < 30; i++) assert.equal(await ask(off.secret_key), 401);
            assert.equal(await ask(good.secret_key), 200);
        });
    });

    it('what is no good key is refused alike, and says nothing about why', async () => {
        const key = await make({ name: 'good', api_roles: ['viewer'] });
        const off = await make({ name: 'off', api_roles: ['viewer'] });
        await control('PATCH', `/v2/api_keys/${off.id}`, { enabled: false });
        const texts = new Set<string>();
        for (const wrong of [forged(key.secret_key), off.secret_key, forged(off.secret_key), 'pst_qk_', 'x', key.secret_key + 'x', key.secret_key.slice(0, -1)]) {
            const reply = await by(wrong, 'GET', '/v2/corpora');
            isUnauthorized(reply, 'credential');
            texts.add(JSON.stringify(reply.json.messages));
        }
        assert.equal(texts.size, 1, [...texts].join());
        assert.equal(await status(key.secret_key), 200);
        assert.equal(await status(forged(key.secret_key)), 401, 'also when the right one was just used');
    });

    it('a client secret is no API key, and an API key no client secret', async () => {
        const client = await server.createClient(['owner']);
        const reply = await by(client.client_secret, 'GET', '/v2/corpora');
        isUnauthorized(reply, 'credential');
        assert.match(reply.json.messages.join(), /client secret/);
        const key = await make({ name: 'x', api_roles: ['owner'] });
        const token = await server.request('POST', '/oauth2/token', {
            form: { grant_type: 'client_credentials', client_id: `crd_${key.secret_key.slice(7, 19)}`, client_secret: key.secret_key },
        });
        assert.equal(token.status, 401);
        assert.equal(token.json.error, 'invalid_client');
    });

    it('lists by corpus and by role', async () => {
        await server.createCorpus('listed');
        const key = await make({ name: 'by corpus', api_key_role: 'serving', corpus_keys: ['listed'] });
        const ids = async (query: string): Promise<string[]> => (await control('GET', `/v2/api_keys?${query}`)).json.api_keys.map(({ id }: Json) => id);
        assert.deepEqual(await ids('corpus_key=listed'), [key.id]);
        assert.deepEqual(await ids('corpus_key=absent'), []);
        assert((await ids('api_key_role=serving&limit=100')).includes(key.id));
        assert(!(await ids('api_key_role=personal&limit=100')).includes(key.id));
        isBadRequest(await control('GET', '/v2/api_keys?api_key_role=all'), 'api_key_role');
        isBadRequest(await control('GET', '/v2/api_keys?corpus_key=one&corpus_key=two'), 'corpus_key');
    });

    it('with an Idempotency-Key is made once', async () => {
        const ask = (): Promise<Reply> => server.control('POST', '/v2/api_keys', { json: { name: 'once' }, headers: { 'idempotency-key': 'k1' } });
        const [first, second] = [await ask(), await ask()];
        assert.equal(first.status, 201, first.text);
        assert.deepEqual(second.json, first.json);
    });
});
