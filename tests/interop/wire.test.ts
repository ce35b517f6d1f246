// SPDX-License-Identifier: Apache-2.0
// What the published clients of the contract put on the wire, request by request, as it was recorded: headers in their
// order and case, bodies with what they leave out, and the loops that they read lists with. Each test names its client.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isBadRequest, isError, isNotFound, isOAuthError, isToken, isUnauthorized } from '../blackbox/check.js';
import { useServer, type AppClient, type Json, type Reply } from '../blackbox/server.js';

type Headers = Record<string, string>;
type Send = (method: string, path: string, json?: unknown, more?: Headers) => Promise<Reply>;

// Python's requests, on a session whose headers go with every request, bodies or not.
const SUITE: Headers = {
    'User-Agent': 'python-requests/2.32.5', 'Accept-Encoding': 'gzip, deflate', Accept: 'application/json',
    Connection: 'keep-alive', 'Content-Type': 'application/json',
};
const PYTHON: Headers = {
    Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', Connection: 'keep-alive', 'User-Agent': 'vectara/0.4.3',
    'X-Fern-Language': 'Python', 'X-Fern-SDK-Name': 'vectara', 'X-Fern-SDK-Version': '0.4.3',
};
const TYPESCRIPT: Headers = {
    'X-Fern-Language': 'JavaScript', 'X-Fern-SDK-Name': 'vectara', 'X-Fern-SDK-Version': '0.1.8', 'User-Agent': 'vectara/0.1.8',
    'X-Fern-Runtime': 'node', 'X-Fern-Runtime-Version': 'v20.19.0', accept: '*/*', 'accept-encoding': 'gzip, deflate, br', connection: 'close',
};
const FORM = 'application/x-www-form-urlencoded';

describe('requests of published clients', () => {
    const server = useServer({ args: ['--unseal-per-minute-max', '100000'] });
    let client: AppClient;
    let jwt = '';
    let personal = '';
    let number = 0;
    const unique = (prefix: string): string => `${prefix}_${(++number).toString(16).padStart(8, '0')}`;

    /** GET without a length, the others with one, 0 where there is no body. */
    const suite = (key: string): Send => (method, path, json, more = {}) => {
        const headers: Headers = { ...SUITE, 'x-api-key': key, ...more };
        if (json === undefined && method !== 'GET') headers['Content-Length'] = '0';
        return server.request(method, path, json === undefined ? { headers } : { headers, json });
    };
    const sdk = (base: Headers, credential: Headers): Send => (method, path, json, more = {}) => {
        const headers: Headers = { ...base, ...credential, ...more };
        if (json === undefined) return server.request(method, path, { headers });
        return server.request(method, path, { headers: { ...headers, 'Content-Type': 'application/json' }, json });
    };
    const http: Send = (...request) => suite(personal)(...request);
    const python: Send = (...request) => sdk(PYTHON, { Authorization: `Bearer ${jwt}` })(...request);
    const typescript: Send = (...request) => sdk(TYPESCRIPT, { Authorization: `Bearer ${jwt}` })(...request);
    const withKey = (key: string): Send => sdk(PYTHON, { 'x-api-key': key });

    async function ok(promise: Promise<Reply>, status = 200): Promise<Json> {
        const reply = await promise;
        assert.equal(reply.status, status, reply.text);
        if (status === 204) assert.equal(reply.text, '');
        return reply.json;
    }
    async function keyOf(body: Json): Promise<Json> {
        const made = await ok(http('POST', '/v2/api_keys', body), 201);
        server.confidential.push(made.secret_key);
        return made;
    }
    const corpus = async (prefix = 'wire'): Promise<string> => {
        const key = unique(prefix);
        await ok(http('POST', '/v2/corpora', { key, name: key, description: '' }), 201);
        return key;
    };

    before(async () => {
        client = await server.createClient(['owner']);
        jwt = await server.token(client);
        const user = { email: 'suite@example.com', api_roles: ['owner'] };
        await ok(server.control('POST', '/v2/users', { json: user }), 201);
        await ok(server.control('PATCH', '/v2/users/suite@example.com', { json: { enabled: true } }));
        const made = await ok(server.control('POST', '/v2/api_keys', { json: { name: 'suite', api_key_role: 'personal', username: 'suite@example.com' } }), 201);
        personal = made.secret_key;
        server.confidential.push(personal);
    });

    describe('for a token', () => {
        const form = (path: string, members: Record<string, string>, headers: Headers): Promise<Reply> =>
            server.request('POST', path, { form: members, headers });
        const inBody = (): Record<string, string> => ({ client_id: client.client_id, client_secret: client.client_secret });
        const grant = { grant_type: 'client_credentials' };
        const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
        async function works(reply: Reply): Promise<void> {
            const token = isToken(reply);
            server.confidential.push(token);
            assert.equal(reply.headers['content-encoding'], undefined);
            await ok(sdk(PYTHON, { Authorization: `Bearer ${token}` })('GET', '/v2/corpora'));
        }

        it('Python SDK, sync: a form', async () => {
            await works(await form('/oauth2/token', { ...inBody(), ...grant }, { ...PYTHON, 'Content-Type': FORM }));
        });
        it('Python SDK, async: JSON without a grant_type', async () => {
            await works(await server.request('POST', '/oauth2/token', { json: inBody(), headers: { ...PYTHON, 'Content-Type': 'application/json' } }));
        });
        it('Python SDK, raw: JSON at /oauth/token', async () => {
            await works(await server.request('POST', '/oauth/token', { json: { ...inBody(), ...grant }, headers: { ...PYTHON, 'content-type': 'application/json' } }));
        });
        it('TypeScript SDK: a form, with the API key that is also configured', async () => {
            for (const key of [personal, 'zut_abc'])
                await works(await form('/oauth2/token', { ...inBody(), ...grant }, { ...TYPESCRIPT, 'x-api-key': key, 'Content-Type': FORM }));
        });
        it('documentation, PHP and Postman: a form with scope= and customer-id', async () => {
            await works(await form('/oauth2/token', { ...grant, ...inBody(), scope: '' }, { 'Content-type': FORM, 'customer-id': '123456789' }));
        });
        it('documentation, C#: Basic, with client_id in the form', async () => {
            const { client_id, client_secret } = client;
            await works(await form('/oauth2/token', { ...grant, client_id }, { Authorization: basic(client_id, client_secret), 'Content-Type': FORM }));
        });
        it('documentation, Java: Basic, with client_id and redirect_uri=null in the form', async () => {
            const { client_id, client_secret } = client;
            const headers = { Authorization: basic(client_id, client_secret), 'Content-Type': `${FORM}; charset=UTF-8`, 'User-Agent': 'Java/17.0.9', Accept: '*/*' };
            await works(await form('/oauth2/token', { ...grant, client_id, redirect_uri: 'null' }, headers));
        });
        it('Java SDK, and Python with authlib: Basic and nothing but the grant', async () => {
            const headers = { Authorization: basic(client.client_id, client.client_secret), 'Content-Type': `${FORM};charset=UTF-8`, Accept: 'application/json' };
            await works(await form('/oauth2/token', grant, headers));
        });
        it('each of them with a wrong secret: 401 with an error to show', async () => {
            const wrong = { client_id: client.client_id, client_secret: 'wrong' };
            isOAuthError(await form('/oauth2/token', { ...wrong, ...grant }, { ...PYTHON, 'Content-Type': FORM }), 401, 'invalid_client');
            isOAuthError(await server.request('POST', '/oauth2/token', { json: wrong, headers: PYTHON }), 401, 'invalid_client');
            isOAuthError(await server.request('POST', '/oauth/token', { json: { ...wrong, ...grant }, headers: PYTHON }), 401, 'invalid_client');
            isOAuthError(await form('/oauth2/token', { ...wrong, ...grant }, { ...TYPESCRIPT, 'x-api-key': personal }), 401, 'invalid_client');
            isOAuthError(await form('/oauth2/token', grant, { Authorization: basic(client.client_id, 'wrong') }), 401, 'invalid_client');
        });
    });

    describe('credentials and headers', () => {
        it('TypeScript SDK with a key and OAuth: both are sent, and the token decides', async () => {
            const both = sdk(TYPESCRIPT, { Authorization: `Bearer ${jwt}`, 'x-api-key': personal });
            await ok(both('GET', '/v2/app_clients'));
            const weak = await server.tokenFor([]);
            isError(await sdk(TYPESCRIPT, { Authorization: `Bearer ${weak}`, 'x-api-key': personal })('GET', '/v2/app_clients'), 403);
            isUnauthorized(await sdk(TYPESCRIPT, { Authorization: 'Bearer gone', 'x-api-key': personal })('GET', '/v2/app_clients'), 'credential');
        });
        it('TypeScript SDK with a key from the environment: sends no credential, 401', async () => {
            isUnauthorized(await sdk(TYPESCRIPT, {})('GET', '/v2/corpora'), 'nothing');
        });
        it('Postman and agent guides: an API key as Bearer', async () => {
            await ok(sdk({ 'User-Agent': 'PostmanRuntime/7.43.0', Accept: '*/*' }, { Authorization: `Bearer ${personal}` })('GET', '/v2/corpora'));
        });
        it('Console’s generated code: customer-id is taken and ignored', async () => {
            const key = unique('console');
            const headers = { 'customer-id': '1526022105', 'Customer-ID': 'x' };
            await ok(server.request('POST', '/v2/corpora', { json: { key, name: key }, headers: { ...headers, Accept: 'application/json', 'x-api-key': personal } }), 201);
            await ok(http('GET', `/v2/corpora/${key}`, undefined, { 'customer-id': 'no number' }));
        });
        it('Python SDK with Request-Timeout and Request-Timeout-Millis', async () => {
            const given: Headers[] = [{ 'Request-Timeout': '30' }, { 'Request-Timeout-Millis': '30000' }, { 'Request-Timeout': '60', 'Request-Timeout-Millis': '1' }];
            for (const more of given) await ok(python('GET', '/v2/corpora', undefined, more));
        });
        it('HTTP suite: an invalid key is 401, in JSON', async () => {
            isUnauthorized(await suite('invalid_key_12345')('GET', '/v2/corpora?limit=1'), 'credential');
            isUnauthorized(await suite('')('GET', '/v2/corpora?limit=1'), 'credential'); // configured with none: the header is empty
        });
        it('HTTP suite: header names in any case', async () => {
            for (const name of ['x-api-key', 'X-API-Key', 'X-Api-Key', 'X-API-KEY'])
                await ok(server.request('GET', '/v2/corpora?limit=1', { headers: { ...SUITE, [name]: personal } }));
        });
    });

    describe('lists', () => {
        const LOOPS: [string, (key: unknown) => boolean, Send][] = [
            ['TypeScript SDK 0.1.8, which goes on while the key is != null', (key) => key != null, typescript],
            ['TypeScript SDK 0.2.0', (key) => key != null && !(typeof key === 'string' && key === ''), typescript],
            ['Python SDK', (key) => key !== undefined && key !== null && key !== '', python],
        ];
        for (const [name, hasNext, send] of LOOPS) {
            it(`${name}: reads each list to its end, once`, async () => {
                const crowd = await corpus('crowd');
                for (let i = 0; i < 5; i++) {
                    await ok(send('POST', '/v2/app_clients', { name: 'test-client', type: 'client_credentials' }), 201);
                    await keyOf({ name: 'listed', api_key_role: 'serving', corpus_keys: [crowd] });
                    await ok(send('POST', '/v2/users', { email: `${unique('listed')}@example.com` }), 201);
                    await corpus();
                    await ok(send('POST', `/v2/corpora/${crowd}/documents`, { id: `doc-${i}`, document_parts: [{ text: 'x' }] }), 201);
                }
                const lists: [string, string][] = [
                    ['/v2/app_clients', 'app_clients'], ['/v2/api_keys', 'api_keys'], ['/v2/users', 'users'], ['/v2/corpora', 'corpora'],
                    [`/v2/corpora/${crowd}/documents`, 'documents'], [`/v2/api_keys?corpus_key=${crowd}`, 'api_keys'],
                ];
                for (const [path, plural] of lists) {
                    const all = (await ok(send('GET', `${path}${path.includes('?') ? '&' : '?'}limit=100`)))[plural].map(({ id }: Json) => id);
                    assert(all.length >= 5);
                    const found: string[] = [];
                    let key: unknown;
                    let pages = 0;
                    do {
                        const query = new URLSearchParams({ limit: '3', ...(typeof key === 'string' ? { page_key: key } : {}) });
                        const page = await ok(send('GET', `${path}${path.includes('?') ? '&' : '?'}${query.toString()}`));
                        found.push(...page[plural].map(({ id }: Json) => id));
                        key = page.metadata?.page_key;
                        assert(++pages < 100, 'it ends');
                    } while (hasNext(key));
                    assert.deepEqual(found, all, path);
                }
            });
        }
        it('Python SDK: array parameters are repeated', async () => {
            const ids = [];
            for (let i = 0; i < 3; i++) ids.push((await ok(python('GET', `/v2/corpora/${await corpus()}`))).id);
            const listed = await ok(python('GET', `/v2/corpora?limit=10&corpus_id=${ids[0]}&corpus_id=${ids[2]}`));
            assert.deepEqual(listed.corpora.map(({ id }: Json) => id), [ids[2], ids[0]]);
        });
        it('Python SDK: filter is a regular expression, encoded by httpx', async () => {
            const key = await corpus('filtered');
            const listed = await ok(python('GET', `/v2/corpora?filter=%5E${key}%24`));
            assert.deepEqual(listed.corpora.map((one: Json) => one.key), [key]);
        });
    });

    describe('app clients', () => {
        it('HTTP suite: create without roles, in the default list, get, update, delete, 404', async () => {
            const name = unique('test_client');
            const made = await ok(http('POST', '/v2/app_clients', { name, type: 'client_credentials' }), 201);
            for (const member of ['id', 'client_id', 'client_secret']) assert.equal(typeof made[member], 'string', member);
            server.confidential.push(made.client_secret);
            await ok(http('GET', '/v2/app_clients?limit=1'));
            const listed = await ok(http('GET', '/v2/app_clients'));
            assert(listed.app_clients.length <= 10 && listed.app_clients.some(({ id }: Json) => id === made.id));
            const path = `/v2/app_clients/${made.id}`;
            assert.equal((await ok(http('GET', path))).name, name);
            await ok(http('PATCH', path, { description: 'Updated' }));
            assert.equal((await ok(http('GET', path))).description, 'Updated');
            await ok(http('DELETE', path), 204);
            isNotFound(await http('GET', path), made.id);
        });
        it('Python and TypeScript SDKs: get has the secret of create; given arrays replace, others stay', async () => {
            for (const send of [python, typescript]) {
                const body = { name: 'test-client', description: 'first', api_roles: ['corpus_viewer', 'agent_viewer'], type: 'client_credentials' };
                const made = await ok(send('POST', '/v2/app_clients', body), 201);
                server.confidential.push(made.client_secret);
                const path = `/v2/app_clients/${made.id}`;
                assert.equal((await ok(send('GET', path))).client_secret, made.client_secret);
                const changed = await ok(send('PATCH', path, { api_roles: ['administrator'] }));
                assert.deepEqual([changed.description, changed.api_roles], ['first', ['administrator']]);
                await ok(send('DELETE', path), 204);
            }
        });
        it('Python SDK: a name twice is no conflict', async () => {
            const ids = [];
            for (let i = 0; i < 2; i++) ids.push((await ok(python('POST', '/v2/app_clients', { name: 'same', type: 'client_credentials' }), 201)).id);
            assert.notEqual(ids[0], ids[1]);
        });
    });

    describe('API keys', () => {
        it('HTTP suite: made by its older form, it stands in the default list at once, and is gone after delete', async () => {
            const key = await corpus('auth_keys');
            for (let i = 0; i < 11; i++) await keyOf({ name: 'older', api_key_role: 'serving', corpus_keys: [key] });
            for (const api_key_role of ['serving', 'serving_and_indexing']) {
                const made = await keyOf({ name: unique('test_key'), api_key_role, corpus_keys: [key] });
                assert.equal(made.api_key_role, api_key_role);
                assert.equal(made.enabled, true);
                assert(typeof made.secret_key === 'string' && !('corpus_keys' in made));
                const listed = await ok(http('GET', '/v2/api_keys'));
                assert(listed.api_keys.length <= 10 && listed.api_keys.some(({ id }: Json) => id === made.id));
                await ok(http('DELETE', `/v2/api_keys/${made.id}`), 204);
                isNotFound(await http('GET', `/v2/api_keys/${made.id}`), made.id);
            }
        });
        it('HTTP suite: enabled false and true are seen at once, in the list, by get and by who uses it', async () => {
            const key = await corpus('auth_toggle');
            const made = await keyOf({ name: unique('toggle'), api_key_role: 'serving', corpus_keys: [key] });
            for (const enabled of [false, true]) {
                await ok(http('PATCH', `/v2/api_keys/${made.id}`, { enabled }));
                const listed = (await ok(http('GET', '/v2/api_keys'))).api_keys.find(({ id }: Json) => id === made.id);
                assert.equal(listed?.enabled, enabled);
                assert.equal((await ok(http('GET', `/v2/api_keys/${made.id}`))).enabled, enabled);
                assert.equal((await suite(made.secret_key)('GET', '/v2/corpora?limit=1')).status, enabled ? 200 : 401);
            }
        });
        it('HTTP suite: a deleted key is 401', async () => {
            const key = await corpus('auth_revoke');
            const made = await keyOf({ name: unique('revoke_test'), api_key_role: 'serving', corpus_keys: [key] });
            const scoped = suite(made.secret_key);
            assert.deepEqual((await ok(scoped('GET', '/v2/corpora?limit=1'))).corpora.map((one: Json) => one.key), [key]);
            await ok(http('DELETE', `/v2/api_keys/${made.id}`), 204);
            isUnauthorized(await scoped('GET', '/v2/corpora?limit=1'), 'credential');
        });
        it('Python and TypeScript SDKs: the newer form, with roles; get has the key of create', async () => {
            const key = await corpus();
            for (const send of [python, typescript]) {
                const made = await ok(send('POST', '/v2/api_keys', { name: 'new form', api_roles: ['viewer'], corpus_roles: [{ corpus_key: key, role: 'editor' }] }), 201);
                assert(!('api_key_role' in made));
                assert.deepEqual(made.corpus_roles, [{ corpus_key: key, role: 'editor' }]);
                server.confidential.push(made.secret_key);
                assert.equal((await ok(send('GET', `/v2/api_keys/${made.id}`))).secret_key, made.secret_key);
                assert.equal((await ok(send('PATCH', `/v2/api_keys/${made.id}`, { enabled: false }))).enabled, false);
                await ok(send('DELETE', `/v2/api_keys/${made.id}`), 204);
            }
        });
        it('Python SDK with a personal key: makes another one, and null stands for what it leaves out', async () => {
            const made = await ok(withKey(personal)('POST', '/v2/api_keys', { name: 'second', api_key_role: 'personal', corpus_keys: null }), 201);
            server.confidential.push(made.secret_key);
            assert.equal(made.api_key_role, 'personal');
            await ok(withKey(made.secret_key)('GET', '/v2/app_clients'));
        });
    });

    describe('users', () => {
        it('HTTP suite: with a personal key, create echoes, get, update, toggle, 404 after delete; @ stands raw in the path', async () => {
            const email = `${unique('test')}@example.com`;
            const made = await ok(http('POST', '/v2/users', { email, description: 'Test user' }), 201);
            assert.deepEqual([made.email, made.username, made.description], [email, email, 'Test user']);
            assert.match(made.id, /^usr_/);
            assert((await ok(http('GET', '/v2/users'))).users.some(({ username }: Json) => username === email));
            const path = `/v2/users/${email}`;
            assert.equal((await ok(http('GET', path))).email, email);
            await ok(http('PATCH', path, { description: 'Updated' }));
            assert.equal((await ok(http('GET', path))).description, 'Updated');
            for (const enabled of [false, true]) {
                await ok(http('PATCH', path, { enabled }));
                assert.equal((await ok(http('GET', path))).enabled, enabled);
            }
            await ok(http('DELETE', path), 204);
            isNotFound(await http('GET', path), email);
        });
        it('HTTP suite: a username that another user has is refused', async () => {
            const email = `${unique('twice')}@example.com`;
            await ok(http('POST', '/v2/users', { email }), 201);
            isError(await http('POST', '/v2/users', { email }), 409);
        });
        it('TypeScript SDK: @ is encoded in the path, and a new user is not enabled', async () => {
            const email = `${unique('ts')}@example.com`;
            const made = await ok(typescript('POST', '/v2/users', { email, username: email, description: 'd', api_roles: ['viewer'] }), 201);
            assert.equal(made.enabled, false);
            const path = `/v2/users/${encodeURIComponent(email)}`;
            assert.deepEqual((await ok(typescript('GET', path))).api_roles, ['viewer']);
            assert.deepEqual((await ok(typescript('PATCH', path, { api_roles: ['administrator'] }))).api_roles, ['administrator']);
            await ok(typescript('DELETE', path), 204);
            isNotFound(await typescript('GET', path), email);
        });
        it('Python SDK: @ stands raw in the path', async () => {
            const email = `${unique('py')}@example.com`;
            await ok(python('POST', '/v2/users', { email, api_roles: ['corpus_developer'] }), 201);
            assert.equal((await ok(python('GET', `/v2/users/${email}`))).email, email);
            await ok(python('DELETE', `/v2/users/${email}`), 204);
        });
    });

    describe('corpora', () => {
        const ATTRIBUTES = [
            { name: 'category', level: 'part', type: 'text', indexed: true, description: 'which' },
            { name: 'priority', level: 'part', type: 'integer', indexed: true, description: '' },
            { name: 'is_public', level: 'part', type: 'boolean', indexed: false },
        ];

        it('HTTP suite: create, list, get, update, disable, delete, 404', async () => {
            const key = unique('crud');
            const made = await ok(http('POST', '/v2/corpora', { key, name: 'Crud Test', description: 'Test corpus' }), 201);
            assert.deepEqual([made.key, made.name, made.description, made.enabled], [key, 'Crud Test', 'Test corpus', true]);
            assert.match(made.id, /^crp_[0-9]+$/);
            assert((await ok(http('GET', '/v2/corpora?limit=100'))).corpora.some((one: Json) => one.key === key));
            const path = `/v2/corpora/${key}`;
            await ok(http('PATCH', path, { name: 'Renamed', description: 'Changed' }));
            for (const enabled of [false, true]) {
                await ok(http('PATCH', path, { enabled }));
                const got = await ok(http('GET', path));
                assert.deepEqual([got.name, got.description, got.enabled], ['Renamed', 'Changed', enabled]);
            }
            await ok(http('DELETE', path), 204);
            isNotFound(await http('GET', path), key);
        });
        it('HTTP suite: keys that must be refused', async () => {
            isBadRequest(await http('POST', '/v2/corpora', { key: 'invalid!@#$%^&*()', name: 'Invalid Key Test', description: '' }), 'key');
            isBadRequest(await http('POST', '/v2/corpora', { key: 'a'.repeat(300), name: 'Long Key Test', description: '' }), 'key');
            const key = await corpus('twice');
            isError(await http('POST', '/v2/corpora', { key, name: key, description: '' }), 409);
            isNotFound(await http('GET', '/v2/corpora/nonexistent_corpus_12345'), 'nonexistent_corpus_12345');
        });
        it('Python SDK: a conflict is asked for again, and stays one', async () => {
            const key = await corpus('again');
            for (let i = 0; i < 3; i++) isError(await python('POST', '/v2/corpora', { key, name: 'other' }), 409);
            assert.equal((await ok(python('GET', `/v2/corpora/${key}`))).name, key);
        });
        it('Python and TypeScript SDKs: filter attributes come back as they were sent, and are replaced', async () => {
            for (const send of [python, typescript]) {
                const key = unique('attributes');
                const made = await ok(send('POST', '/v2/corpora', { key, name: key, filter_attributes: ATTRIBUTES.slice(0, 2), custom_dimensions: [], save_history: false }), 201);
                assert.deepEqual(made.filter_attributes, ATTRIBUTES.slice(0, 2));
                const { job_id } = await ok(send('POST', `/v2/corpora/${key}/replace_filter_attributes`, { filter_attributes: ATTRIBUTES.slice(1) }));
                const job = await ok(send('GET', `/v2/jobs/${job_id}`));
                assert.deepEqual([job.type, job.state], ['replace_filter_attributes', 'completed']);
                assert.deepEqual((await ok(send('GET', `/v2/corpora/${key}`))).filter_attributes.map(({ name }: Json) => name), ['priority', 'is_public']);
            }
        });
        it('HTTP suite: compute_size, then reset, both POST with a content type and no body', async () => {
            const key = await corpus('corpus_lifecycle');
            for (let i = 0; i < 3; i++) await ok(http('POST', `/v2/corpora/${key}/documents`, { id: `doc_${i}`, type: 'core', document_parts: [{ text: `Document ${i}`, metadata: {} }] }), 201);
            const size = await ok(http('POST', `/v2/corpora/${key}/compute_size`));
            assert.deepEqual([size.used_docs, size.used_parts], [3, 3]);
            assert.equal((await ok(http('GET', `/v2/corpora/${key}/documents?limit=100`))).documents.length, 3);
            await ok(http('POST', `/v2/corpora/${key}/reset`), 204);
            assert.deepEqual((await ok(http('GET', `/v2/corpora/${key}/documents?limit=100`))).documents, []);
            for (let i = 0; i < 3; i++) isNotFound(await http('DELETE', `/v2/corpora/${key}/documents/doc_${i}`), `doc_${i}`);
        });
        it('TypeScript SDK: reset and compute_size without body and content type', async () => {
            const key = await corpus();
            assert.equal((await ok(typescript('POST', `/v2/corpora/${key}/compute_size`))).used_docs, 0);
            await ok(typescript('POST', `/v2/corpora/${key}/reset`), 204);
        });
    });

    describe('documents and queries', () => {
        const part = (text: string, metadata?: Json): Json => (metadata === undefined ? { text } : { text, metadata });
        const search = (corpus_key: string, limit = 10): Json => ({ corpora: [{ corpus_key }], limit, offset: 0 });

        it('HTTP suite: indexes, lists, gets and queries with its personal key', async () => {
            const key = await corpus('auth');
            const path = `/v2/corpora/${key}/documents`;
            const made = await ok(http('POST', path, { id: 'auth_test_doc', type: 'core', document_parts: [part('A test of what is there.', { source: 'test', n: 1 })] }), 201);
            assert.equal(made.id, 'auth_test_doc');
            const found = await ok(http('POST', '/v2/query', { query: 'test query', search: search(key, 1) }));
            assert.deepEqual(found.search_results.map((one: Json) => one.document_id), ['auth_test_doc']);
            await ok(http('POST', path, { id: 'auth_permission_test', type: 'core', document_parts: [part('Testing IndexService permission', {})] }), 201);
            assert.deepEqual((await ok(http('GET', `${path}?limit=100`))).documents.map(({ id }: Json) => id).sort(), ['auth_permission_test', 'auth_test_doc']);
            const got = await ok(http('GET', `${path}/auth_test_doc`));
            assert.deepEqual(got.parts[0].metadata, { source: 'test', n: 1 });
            isError(await http('POST', path, { id: 'auth_test_doc', type: 'core', document_parts: [part('Again', {})] }), 409);
            await ok(http('DELETE', `${path}/auth_test_doc`), 204);
            isNotFound(await http('GET', `${path}/auth_test_doc`), 'auth_test_doc');
        });
        it('HTTP suite: "research and data" finds what has one of the words', async () => {
            const key = await corpus('corpus_filter');
            const texts = { a: 'Research on machines.', b: 'The data are public.', c: 'Sports news of today.' };
            for (const [id, text] of Object.entries(texts))
                await ok(http('POST', `/v2/corpora/${key}/documents`, { id, type: 'core', document_parts: [part(text, { category: id })] }), 201);
            const { search_results } = await ok(http('POST', '/v2/query', { query: 'research and data', search: search(key) }));
            assert.deepEqual(search_results.map((one: Json) => one.document_id).sort(), ['a', 'b']);
            for (const one of search_results) {
                assert.equal(one.text, texts[one.document_id as 'a' | 'b']);
                assert.deepEqual([one.corpus_key, one.request_corpora_index, one.part_metadata], [key, 0, { category: one.document_id }]);
            }
        });
        it('HTTP suite and Python SDK: a metadata filter is 400 that names it', async () => {
            const key = await corpus('corpus_filter');
            for (const metadata_filter of ["part.category = 'tech'", 'part.priority >= 3', 'part.is_public = true']) {
                const many = { query: 'research and data', search: { corpora: [{ corpus_key: key, metadata_filter }], limit: 10 } };
                isBadRequest(await http('POST', '/v2/query', many), 'search.corpora');
                const one = { query: 'research and data', search: { metadata_filter, limit: 10 }, stream_response: false };
                isBadRequest(await python('POST', `/v2/corpora/${key}/query`, one), 'search.metadata_filter');
            }
            await ok(python('POST', `/v2/corpora/${key}/query`, { query: 'x', search: { metadata_filter: '', limit: 10 }, stream_response: false }));
        });
        it('Python SDK: documents have no type, and metadata: null where there is none', async () => {
            const key = await corpus();
            const path = `/v2/corpora/${key}/documents`;
            await ok(python('POST', path, { id: 'core', metadata: null, document_parts: [{ text: 'Of parts.', metadata: null, context: null, custom_dimensions: null }] }), 201);
            await ok(python('POST', path, { id: 'structured', metadata: { year: 2024 }, sections: [{ title: 'Head', text: 'Of sections.', metadata: null }] }), 201);
            assert.equal((await ok(python('GET', `${path}/core`))).parts.length, 1);
            assert.deepEqual((await ok(python('GET', `${path}/structured`))).metadata, { year: 2024 });
            for (let i = 0; i < 3; i++) isError(await python('POST', path, { id: 'core', document_parts: [part('Other')] }), 409);
            await ok(python('PATCH', `${path}/core`, { metadata: { a: 1 } }));
            assert.deepEqual((await ok(python('PUT', `${path}/core/metadata`, { metadata: { b: 2 } }))).metadata, { b: 2 });
        });
        it('Python SDK: queries by GET, and by POST with an explicit stream_response: false', async () => {
            const key = await corpus();
            await ok(python('POST', `/v2/corpora/${key}/documents`, { id: 'one', document_parts: [part('Some words to find.')] }), 201);
            for (const limit of [1, 5]) {
                const found = await ok(python('GET', `/v2/corpora/${key}/query?query=words+to%20find&limit=${limit}`));
                assert.equal(found.search_results[0].text, 'Some words to find.');
            }
            const found = await ok(python('POST', `/v2/corpora/${key}/query`, { query: 'WORDS', search: { limit: 10 }, stream_response: false }));
            assert.equal(found.search_results.length, 1);
            const none = await ok(python('GET', `/v2/corpora/${key}/query?query=absent&limit=1`));
            assert.deepEqual(none.search_results, []);
        });
        it('Python SDK with scoped keys: serving queries, serving_and_indexing also indexes, neither reaches another corpus', async () => {
            const [key, other] = [await corpus(), await corpus()];
            const reads = withKey((await keyOf({ name: 'r', api_key_role: 'serving', corpus_keys: [key] })).secret_key);
            const writes = withKey((await keyOf({ name: 'w', api_key_role: 'serving_and_indexing', corpus_keys: [key] })).secret_key);
            const body = { id: 'scoped', document_parts: [part('Scoped words.')] };
            isError(await reads('POST', `/v2/corpora/${key}/documents`, body), 403);
            await ok(writes('POST', `/v2/corpora/${key}/documents`, body), 201);
            assert.equal((await ok(reads('GET', `/v2/corpora/${key}/query?query=scoped&limit=1`))).search_results.length, 1);
            for (const where of [other, 'no_such_corpus']) {
                isError(await writes('POST', `/v2/corpora/${where}/documents`, body), 403);
                isError(await reads('GET', `/v2/corpora/${where}/query?query=scoped&limit=1`), 403);
                isError(await reads('POST', '/v2/query', { query: 'scoped', search: search(where) }), 403);
            }
            isError(await writes('POST', '/v2/corpora', { key: unique('scoped') }), 403);
            isError(await writes('GET', '/v2/app_clients'), 403);
        });
        it('TypeScript SDK: indexes with its type, and reads the list by page', async () => {
            const key = await corpus();
            for (const id of ['a', 'b', 'c', 'd'])
                await ok(typescript('POST', `/v2/corpora/${key}/documents`, { type: 'core', id, document_parts: [part(`Text ${id}`)] }), 201);
            const first = await ok(typescript('GET', `/v2/corpora/${key}/documents?limit=3`));
            const second = await ok(typescript('GET', `/v2/corpora/${key}/documents?limit=3&page_key=${encodeURIComponent(first.metadata.page_key)}`));
            assert.deepEqual([...first.documents, ...second.documents].map(({ id }: Json) => id).sort(), ['a', 'b', 'c', 'd']);
            assert.equal(second.metadata?.page_key ?? undefined, undefined);
        });
    });
});
