// SPDX-License-Identifier: Apache-2.0
// Several accounts on one server: what one has, the other does not know of; and an account that is disabled.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isError, isNotFound, isOAuthError, isUnauthorized } from './check.js';
import { useServer, type AppClient, type Json, type Reply } from './server.js';

describe('accounts', () => {
    const server = useServer({ args: ['--unseal-per-minute-max', '100000'] });
    let other: string;
    const inOther = (method: string, path: string, json?: unknown): Promise<Reply> =>
        server.control(method, path, { headers: { 'postern-account': other }, ...(json === undefined ? {} : { json }) });
    const client = async (roles: string[]): Promise<AppClient> => {
        const reply = await inOther('POST', '/v2/app_clients', { type: 'client_credentials', name: 'theirs', api_roles: roles });
        assert.equal(reply.status, 201, reply.text);
        server.confidential.push(reply.json.client_secret);
        return reply.json;
    };

    before(async () => {
        const made = JSON.parse((await server.cli(['account', 'create', '--name', 'Second', '--json'])).stdout);
        other = made.id;
        assert.equal(made.enabled, true);
    });

    it('are listed, and begin with an enabled owner', async () => {
        const listed: Json[] = JSON.parse((await server.cli(['account', 'list', '--json'])).stdout);
        assert.deepEqual(listed.map(({ name }) => name), ['default', 'Second']);
        assert.match((await server.cli(['account', 'list'])).stdout, /^ID +ENABLED +NAME\nacc_\w+ +yes +default\nacc_\w+ +yes +Second\n$/);
        const owner = (await inOther('GET', '/v2/users/owner')).json;
        assert.equal(owner.enabled, true);
        assert.notEqual(owner.id, (await server.control('GET', '/v2/users/owner')).json.id);
        assert.match((await server.cli(['--account', other, 'user', 'show', 'owner'])).stdout, new RegExp(owner.id));
    });

    it('one that does not exist is told', async () => {
        const finished = await server.cli(['user', 'list', '--account', 'acc_000000000000']);
        assert.equal(finished.code, 1);
        assert.match(finished.stderr, /no such account/);
    });

    it('see nothing of each other: an id of another answers like one that does not exist', async () => {
        const mine = await server.tokenFor(['owner']);
        const theirs = await client(['owner']);
        const key = (await inOther('POST', '/v2/api_keys', { name: 'theirs', api_roles: ['owner'] })).json;
        assert.equal((await inOther('POST', '/v2/users', { email: 'ada@example.com', username: 'ada' })).status, 201);
        assert.equal((await inOther('POST', '/v2/corpora', { key: 'theirs' })).status, 201);
        const job = (await inOther('POST', '/v2/corpora/theirs/replace_filter_attributes', { filter_attributes: [] })).json.job_id;
        const ask = (method: string, path: string, json?: unknown): Promise<Reply> =>
            server.request(method, path, json === undefined ? { token: mine } : { token: mine, json });
        const shape = (reply: Reply, id: string): string => JSON.stringify({ ...reply.json, request_id: '' }).replaceAll(id, 'ID');
        const cases: [string, (id: string) => string, string, string, unknown?][] = [
            ['GET', (id) => `/v2/app_clients/${id}`, theirs.id, 'app_000000000000'],
            ['PATCH', (id) => `/v2/app_clients/${id}`, theirs.id, 'app_000000000000', { description: 'x' }],
            ['DELETE', (id) => `/v2/app_clients/${id}`, theirs.id, 'app_000000000000'],
            ['GET', (id) => `/v2/api_keys/${id}`, key.id, 'aky_000000000000'],
            ['PATCH', (id) => `/v2/api_keys/${id}`, key.id, 'aky_000000000000', { enabled: false }],
            ['POST', (id) => `/v2/api_keys/${id}/regenerate`, key.id, 'aky_000000000000'],
            ['DELETE', (id) => `/v2/api_keys/${id}`, key.id, 'aky_000000000000'],
            ['GET', (id) => `/v2/users/${id}`, 'ada', 'nobody'],
            ['PATCH', (id) => `/v2/users/${id}`, 'ada', 'nobody', { enabled: true }],
            ['DELETE', (id) => `/v2/users/${id}`, 'ada', 'nobody'],
            ['GET', (id) => `/v2/corpora/${id}`, 'theirs', 'no-such'],
            ['PATCH', (id) => `/v2/corpora/${id}`, 'theirs', 'no-such', { description: 'x' }],
            ['DELETE', (id) => `/v2/corpora/${id}`, 'theirs', 'no-such'],
            ['POST', (id) => `/v2/corpora/${id}/replace_filter_attributes`, 'theirs', 'no-such', { filter_attributes: [] }],
            ['GET', (id) => `/v2/jobs/${id}`, job, 'job_000000000000'],
        ];
        for (const [method, path, there, absent, json] of cases) {
            const [one, none] = [await ask(method, path(there), json), await ask(method, path(absent), json)];
            isNotFound(one, there);
            assert.equal(shape(one, there), shape(none, absent), path(there));
        }
        for (const [path, plural] of [['app_clients', 'app_clients'], ['api_keys', 'api_keys'], ['users', 'users'], ['corpora', 'corpora'], ['jobs', 'jobs']] as const) {
            const reply = await ask('GET', `/v2/${path}?limit=100`);
            assert.equal(reply.status, 200, reply.text);
            assert(!JSON.stringify(reply.json[plural]).includes('theirs'), path);
            assert(!reply.json[plural].some((one: Json) => one.username === 'ada'), path);
        }
        // Nothing of it can be granted, taken or named either.
        isError(await ask('POST', '/v2/app_clients', { type: 'client_credentials', name: 'x', corpus_roles: [{ corpus_key: 'theirs', role: 'viewer' }] }), 400);
        assert.equal((await ask('POST', '/v2/corpora', { key: 'theirs' })).status, 201, 'a key is free in each account');
        assert.equal((await ask('POST', '/v2/users', { email: 'ada@example.com', username: 'ada' })).status, 201);
        isError(await ask('POST', '/v2/api_keys', { name: 'x', api_key_role: 'personal', username: 'ada' }), 403);
        // And theirs is as it was.
        assert.equal((await server.request('GET', '/v2/corpora', { headers: { 'x-api-key': key.secret_key } })).status, 200);
        assert.equal((await server.request('GET', '/v2/corpora/theirs', { token: await server.token(theirs) })).status, 200);
    });

    it('a page_key of one is none in the other', async () => {
        for (let i = 0; i < 2; i++) {
            await server.createClient([]);
            await client([]);
        }
        const page = await inOther('GET', '/v2/app_clients?limit=1');
        const key: string = page.json.metadata.page_key;
        isError(await server.control('GET', `/v2/app_clients?limit=1&page_key=${key}`), 400);
    });

    it('another account’s token and key are not introspected', async () => {
        const asking = await server.createClient(['owner']);
        const theirs = await client(['owner']);
        const key = (await inOther('POST', '/v2/api_keys', { name: 'theirs' })).json.secret_key;
        for (const token of [await server.token(theirs), key]) {
            const reply = await server.request('POST', '/oauth2/introspect', { form: { client_id: asking.client_id, client_secret: asking.client_secret, token } });
            assert.equal(reply.text, '{"active":false}');
        }
    });

    it('disabled: no token, no key, from the moment of the answer; tokens from before stay refused', async () => {
        const theirs = await client(['viewer']);
        const token = await server.token(theirs);
        const key = (await inOther('POST', '/v2/api_keys', { name: 'theirs', api_roles: ['viewer'] })).json.secret_key;
        const personal = (await inOther('POST', '/v2/api_keys', { name: 'o', api_key_role: 'personal', username: 'owner' })).json.secret_key;
        const ask = (options: Json): Promise<Reply> => server.request('GET', '/v2/corpora', options);
        for (const options of [{ token }, { token: key }, { token: personal }]) assert.equal((await ask(options)).status, 200);
        const form = { grant_type: 'client_credentials', client_id: theirs.client_id, client_secret: theirs.client_secret };
        assert.match((await server.cli(['account', 'disable', other])).stdout, /^enabled +no$/m);
        for (const options of [{ token }, { token: key }, { token: personal }]) isUnauthorized(await ask(options), 'credential');
        isOAuthError(await server.request('POST', '/oauth2/token', { form }), 401, 'invalid_client');
        isOAuthError(await server.request('POST', '/oauth2/introspect', { form: { ...form, token } }), 401, 'invalid_client');
        assert.equal((await server.request('GET', '/v2/corpora', { token: await server.tokenFor([]) })).status, 200, 'others go on');
        assert.match((await server.cli(['account', 'enable', other])).stdout, /^enabled +yes$/m);
        isUnauthorized(await ask({ token }), 'credential');
        for (const options of [{ token: key }, { token: personal }, { token: await server.token(theirs) }]) assert.equal((await ask(options)).status, 200);
    });

    it('the command line wants the account named', async () => {
        for (const args of [['account', 'disable'], ['account', 'disable', 'Second'], ['--account', other, 'account', 'disable', other]])
            assert.equal((await server.cli(args)).code, 2, args.join(' '));
    });
});
