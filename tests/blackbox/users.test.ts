// SPDX-License-Identifier: Apache-2.0
// Users: the contract's shapes, names in paths, who may do what to whom, and the owner that stays.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBadRequest, isError, isNotFound } from './check.js';
import { useServer, withServer, type Json, type Reply } from './server.js';

describe('users', () => {
    const server = useServer({ args: ['--address-failures-per-minute-max', '100000'] });
    const control = (method: string, path: string, json?: unknown): Promise<Reply> =>
        server.control(method, path, json === undefined ? {} : { json });
    let made = 0;
    async function user(api_roles: string[] = [], more: Json = {}): Promise<Json> {
        const username = `user-${made++}`;
        const reply = await control('POST', '/v2/users', { email: `${username}@example.com`, username, api_roles, ...more });
        assert.equal(reply.status, 201, reply.text);
        const { one_time_code, ...shown } = reply.json;
        codes.set(username, one_time_code);
        return shown;
    }
    const codes = new Map<string, string>();
    const redeem = (one_time_code: unknown): Promise<Reply> => server.request('POST', '/v2/one_time_codes/redeem', { json: { one_time_code } });

    it('create answers 201 with the user, disabled until it is enabled', async () => {
        await server.createCorpus('for-users');
        const wanted = {
            email: 'ada@example.com',
            description: 'first\nof them',
            api_roles: ['viewer'],
            corpus_roles: [{ corpus_key: 'for-users', role: 'editor' }],
            agent_roles: [{ agent_key: 'helper', role: 'agent_user' }],
        };
        const reply = await control('POST', '/v2/users', wanted);
        assert.equal(reply.status, 201, reply.text);
        const { one_time_code, ...shown } = reply.json;
        assert.match(one_time_code, /^pst_oc_[0-9A-Za-z]{61}$/);
        const { id, username, enabled, created_at, updated_at, ...rest } = shown;
        assert.match(id, /^usr_[0-9A-Za-z]{12}$/);
        assert.equal(username, wanted.email);
        assert.equal(enabled, false);
        assert.match(created_at, /Z$/);
        assert.equal(updated_at, created_at);
        assert.deepEqual(rest, wanted);
        for (const path of ['/v2/users/ada@example.com', '/v2/users/ada%40example.com', '/v2/users/%61da@example.com'])
            assert.deepEqual((await control('GET', path)).json, shown, path);
    });

    it('a name may hold what a path may not', async () => {
        const reply = await control('POST', '/v2/users', { email: 'odd@example.com', username: 'a/b c?d#é' });
        assert.equal(reply.status, 201, reply.text);
        const path = `/v2/users/${encodeURIComponent('a/b c?d#é')}`;
        assert.equal((await control('GET', path)).json.id, reply.json.id);
        assert.equal((await control('DELETE', path)).status, 204);
        isNotFound(await control('GET', path), 'a/b c?d#é');
    });

    it('what is wrong is told by member', async () => {
        const wrong: [Json, string][] = [
            [{}, 'email'],
            [{ email: 'nobody' }, 'email'],
            [{ email: '@example.com' }, 'email'],
            [{ email: 'a b@example.com' }, 'email'],
            [{ email: `${'a'.repeat(250)}@example.com` }, 'email'],
            [{ email: `${'a'.repeat(130)}@example.com` }, 'username'],
            [{ email: 'x@example.com', username: 'x'.repeat(129) }, 'username'],
            [{ email: 'x@example.com', description: 'x'.repeat(256) }, 'description'],
            [{ email: 'x@example.com', api_roles: ['king'] }, 'api_roles'],
            [{ email: 'x@example.com', corpus_roles: [{ corpus_key: 'absent', role: 'viewer' }] }, 'corpus_roles'],
            [{ email: 'x@example.com', enabled: true }, 'enabled'],
            [{ email: 'x@example.com', password: 'x' }, 'password'],
        ];
        for (const [json, field] of wrong) isBadRequest(await control('POST', '/v2/users', json), field);
        isNotFound(await control('GET', '/v2/users/x@example.com'), 'x@example.com');
    });

    it('username and address are taken once', async () => {
        const one = await user();
        isError(await control('POST', '/v2/users', { email: 'other@example.com', username: one.username }), 409);
        isError(await control('POST', '/v2/users', { email: one.email, username: 'other' }), 409);
    });

    it('update replaces what it names, and nothing else', async () => {
        const one = await user(['viewer'], { description: 'before' });
        const path = `/v2/users/${one.username}`;
        let reply = await control('PATCH', path, { enabled: true, api_roles: null });
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual({ ...reply.json, updated_at: '' }, { ...one, enabled: true, updated_at: '' });
        reply = await control('PATCH', path, { api_roles: ['corpus_viewer'], description: '' });
        assert.deepEqual(reply.json.api_roles, ['corpus_viewer']);
        assert.equal((await control('GET', path)).json.enabled, true);
        isBadRequest(await control('PATCH', path, { username: 'x' }), 'username');
        isBadRequest(await control('PATCH', path, { email: 'x@example.com' }), 'email');
        isNotFound(await control('PATCH', '/v2/users/nobody', { enabled: true }), 'nobody');
    });

    it('lists newest first, by corpus too, page by page', async () => {
        await server.createCorpus('listed');
        const names: string[] = [];
        for (let i = 0; i < 3; i++) names.unshift((await user([], { corpus_roles: [{ corpus_key: 'listed', role: 'viewer' }] })).username);
        const first = await control('GET', '/v2/users?corpus_key=listed&limit=2');
        assert.deepEqual(first.json.users.map(({ username }: Json) => username), names.slice(0, 2));
        const next = await control('GET', `/v2/users?corpus_key=listed&limit=2&page_key=${first.json.metadata.page_key}`);
        assert.deepEqual(next.json.users.map(({ username }: Json) => username), names.slice(2));
        assert(!('page_key' in next.json.metadata));
        assert.deepEqual((await control('GET', '/v2/users?limit=1')).json.users.map(({ username }: Json) => username), names.slice(0, 1));
        isBadRequest(await control('GET', '/v2/users?limit=0'), 'limit');
    });

    it('an administrator neither makes, changes nor deletes an owner', async () => {
        const token = await server.tokenFor(['administrator']);
        const ask = (method: string, path: string, json?: unknown): Promise<Reply> =>
            server.request(method, path, json === undefined ? { token } : { token, json });
        isError(await ask('POST', '/v2/users', { email: 'boss@example.com', api_roles: ['owner'] }), 403);
        isError(await ask('PATCH', '/v2/users/owner', { enabled: false }), 403);
        isError(await ask('DELETE', '/v2/users/owner'), 403);
        const low = await user(['viewer']);
        isError(await ask('PATCH', `/v2/users/${low.username}`, { api_roles: ['owner'] }), 403);
        assert.equal((await ask('PATCH', `/v2/users/${low.username}`, { api_roles: ['administrator'] })).status, 200);
        assert.deepEqual((await control('GET', `/v2/users/${low.username}`)).json.api_roles, ['administrator']);
    });

    it('the last enabled owner stays', async () => {
        isError(await control('DELETE', '/v2/users/owner'), 403);
        isError(await control('PATCH', '/v2/users/owner', { enabled: false }), 403);
        isError(await control('PATCH', '/v2/users/owner', { api_roles: ['administrator'] }), 403);
        const second = await user(['owner']);
        isError(await control('DELETE', '/v2/users/owner'), 403);
        assert.equal((await control('PATCH', `/v2/users/${second.username}`, { enabled: true })).status, 200);
        assert.equal((await control('PATCH', '/v2/users/owner', { enabled: false })).status, 200);
        isError(await control('DELETE', `/v2/users/${second.username}`), 403);
        assert.equal((await control('PATCH', '/v2/users/owner', { enabled: true })).status, 200);
        assert.equal((await control('DELETE', `/v2/users/${second.username}`)).status, 204);
        assert.equal((await control('GET', '/v2/users/owner')).json.enabled, true);
    });

    it('sees its own profile, whatever its roles; others need a role to read', async () => {
        const one = await user();
        await control('PATCH', `/v2/users/${one.username}`, { enabled: true });
        const key = await control('POST', '/v2/api_keys', { name: 'mine', api_key_role: 'personal', username: one.username });
        const ask = (path: string): Promise<Reply> => server.request('GET', path, { headers: { 'x-api-key': key.json.secret_key } });
        assert.equal((await ask(`/v2/users/${one.username}`)).json.id, one.id);
        isError(await ask('/v2/users/owner'), 403);
        isError(await ask('/v2/users/nobody'), 403);
        isError(await ask('/v2/users'), 403);
    });

    it('stands with its name at the jobs that it made', async () => {
        const one = await user(['corpus_administrator']);
        await control('PATCH', `/v2/users/${one.username}`, { enabled: true });
        const key = await control('POST', '/v2/api_keys', { name: 'mine', api_key_role: 'personal', username: one.username });
        await server.createCorpus('of-a-job');
        const headers = { 'x-api-key': key.json.secret_key };
        const made = await server.request('POST', '/v2/corpora/of-a-job/replace_filter_attributes', { headers, json: { filter_attributes: [] } });
        assert.equal(made.status, 200, made.text);
        const job = await server.request('GET', `/v2/jobs/${made.json.job_id}`, { headers });
        assert.equal(job.json.created_by_username, one.username);
    });

    describe('a one-time code', () => {
        const works = async (key: string): Promise<number> => (await server.request('GET', '/v2/corpora', { headers: { 'x-api-key': key } })).status;

        it('enables an invited user and gives it a personal key, once', async () => {
            const one = await user(['viewer']);
            const code = codes.get(one.username);
            const reply = await redeem(code);
            assert.equal(reply.status, 201, reply.text);
            assert.match(reply.headers['cache-control'] ?? '', /no-store/);
            assert.deepEqual([reply.json.api_key_role, reply.json.user_id, reply.json.owner_id], ['personal', one.id, one.id]);
            assert.equal(await works(reply.json.secret_key), 200);
            assert.equal((await control('GET', `/v2/users/${one.username}`)).json.enabled, true);
            isBadRequest(await redeem(code), 'one_time_code');
        });

        it('is taken once, also by many at the same time', async () => {
            const one = await user(['viewer']);
            const replies = await Promise.all(Array.from({ length: 12 }, () => redeem(codes.get(one.username))));
            assert.deepEqual(replies.map(({ status }) => status).sort(), [201, ...Array.from({ length: 11 }, () => 400)]);
        });

        it('of reset_password replaces the one before, and enables nobody', async () => {
            const one = await user();
            const reset = async (): Promise<string> => (await control('POST', `/v2/users/${one.username}/reset_password`)).json.one_time_code;
            const [first, second] = [await reset(), await reset()];
            for (const code of [codes.get(one.username), first]) isBadRequest(await redeem(code), 'one_time_code');
            isBadRequest(await redeem(second), 'one_time_code'); // the user is not enabled
            await control('PATCH', `/v2/users/${one.username}`, { enabled: true });
            const reply = await redeem(second);
            assert.equal(reply.status, 201, reply.text);
            assert.equal(await works(reply.json.secret_key), 200);
        });

        it('ends with its user, and when that is disabled', async () => {
            const [gone, off] = [await user(), await user()];
            assert.equal((await control('DELETE', `/v2/users/${gone.username}`)).status, 204);
            isBadRequest(await redeem(codes.get(gone.username)), 'one_time_code');
            await control('PATCH', `/v2/users/${off.username}`, { enabled: true });
            await control('PATCH', `/v2/users/${off.username}`, { enabled: false });
            isBadRequest(await redeem(codes.get(off.username)), 'one_time_code');
            assert.equal((await control('GET', `/v2/users/${off.username}`)).json.enabled, false);
        });

        it('is no API key, and no other text is one', async () => {
            const one = await user(['viewer']);
            assert.equal(await works(String(codes.get(one.username))), 401);
            const key = await control('POST', '/v2/api_keys', { name: 'k', api_roles: ['viewer'] });
            for (const code of [key.json.secret_key, 'x', '', 1, null, `${codes.get(one.username)}x`]) isBadRequest(await redeem(code), 'one_time_code');
            isBadRequest(await server.request('POST', '/v2/one_time_codes/redeem', { json: {} }), 'one_time_code');
        });

        it('that is wrong too often is 429 for its sender', async () => {
            await withServer({ args: ['--address-failures-per-minute-max', '5'] }, async (strict) => {
                const statuses: number[] = [];
                for (let i = 0; i < 20; i++) statuses.push((await strict.request('POST', '/v2/one_time_codes/redeem', { json: { one_time_code: 'x' } })).status);
                assert(statuses.includes(400) && statuses.includes(429), statuses.join());
            });
        });
    });
});
