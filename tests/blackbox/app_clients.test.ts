// SPDX-License-Identifier: Apache-2.0
// Application clients by the management API: the contract's shapes, paging, roles, and what may be granted.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isBadRequest, isError, isNotFound, isUnauthorized } from './check.js';
import { allPages, page } from './pages.js';
import { API_ROLES, useServer, withServer, type AppClient, type Json, type Reply, type RequestOptions } from './server.js';

const CREATE = { type: 'client_credentials', name: 'nightly export' };
// These tests read more secrets back than the default lets anyone in a minute.
const MANY_READS = ['--unseal-per-minute-max', '100000'];
const MISSING = 'app_000000000000';
const CLIENT_MEMBERS = [
    'agent_roles', 'api_policy', 'api_roles', 'client_id', 'client_secret', 'corpus_roles', 'description', 'enabled', 'id', 'name',
];

describe('app clients', () => {
    const server = useServer({ args: MANY_READS });
    let owner: string;
    const ask = (method: string, path: string, options: RequestOptions = {}): Promise<Reply> =>
        server.request(method, path, { token: owner, ...options });
    const create = (json: unknown): Promise<Reply> => ask('POST', '/v2/app_clients', { json });

    before(async () => {
        owner = await server.tokenFor(['owner']);
    });

    describe('create', () => {
        it('answers 201 with the client and its secret', async () => {
            await server.createCorpus('created-with');
            const wanted = {
                ...CREATE,
                description: 'moves invoices',
                api_roles: ['viewer', 'corpus_developer'],
                corpus_roles: [{ corpus_key: 'created-with', role: 'editor' }],
                agent_roles: [{ agent_key: 'helper', role: 'agent_user' }],
            };
            const reply = await create(wanted);
            assert.equal(reply.status, 201, reply.text);
            assert.equal(reply.headers['content-type'], 'application/json');
            assert.match(reply.headers['cache-control'] ?? '', /no-store/);
            const made = reply.json;
            assert.match(made.id, /^app_[0-9A-Za-z]{12}$/);
            assert.match(made.client_id, /^[0-9a-z]{26}$/);
            assert.match(made.client_secret, /^pst_cs_[0-9A-Za-z]{61}$/);
            assert.equal(made.name, wanted.name);
            assert.equal(made.description, wanted.description);
            assert.deepEqual([...made.api_roles].sort(), [...wanted.api_roles].sort());
            assert.deepEqual(made.corpus_roles, wanted.corpus_roles);
            assert.deepEqual(made.agent_roles, wanted.agent_roles);
            for (const name of ['id', 'name', 'client_id', 'client_secret']) assert(name in made);
            assert(!('hash' in made) && !('sealed' in made) && !('record_mac' in made));
        });

        it('with an Idempotency-Key happens once, however often it is asked for, and then gives the same', async () => {
            const name = 'made once';
            const once = (body: Json, key: string): Promise<Reply> => ask('POST', '/v2/app_clients', { json: body, headers: { 'idempotency-key': key } });
            const replies = await Promise.all(Array.from({ length: 10 }, () => once({ ...CREATE, name }, 'a key')));
            for (const reply of replies) {
                assert.equal(reply.status, 201, reply.text);
                assert.deepEqual([reply.json.id, reply.json.client_id, reply.json.client_secret], [replies[0]?.json.id, replies[0]?.json.client_id, replies[0]?.json.client_secret]);
            }
            assert.equal((await ask('GET', '/v2/app_clients?limit=100')).json.app_clients.filter((client: Json) => client.name === name).length, 1);
            isError(await once({ ...CREATE, name: 'another' }, 'a key'), 409);
            assert.notEqual((await once({ ...CREATE, name }, 'another key')).json.id, replies[0]?.json.id);
        });

        it('gives ids and secrets that never repeat', async () => {
            const made = await Promise.all(Array.from({ length: 20 }, () => create(CREATE)));
            for (const member of ['id', 'client_id', 'client_secret'])
                assert.equal(new Set(made.map((reply) => reply.json[member])).size, 20, member);
        });

        it('takes no roles, empty roles and null as no roles', async () => {
            for (const extra of [{}, { api_roles: [], corpus_roles: [], agent_roles: [] }, { api_roles: null, description: null }]) {
                const reply = await create({ ...CREATE, ...extra });
                assert.equal(reply.status, 201, reply.text);
                assert.deepEqual(reply.json.api_roles, []);
            }
        });

        it('takes the same name again', async () => {
            assert.equal((await create(CREATE)).status, 201);
            assert.equal((await create(CREATE)).status, 201);
        });

        it('takes names in any language, and gives them back as they were', async () => {
            for (const name of ['Bücher', '請求書', 'счёт № 5', 'e\u0301', 'a'.repeat(255), '🗝️'.slice(0, 2), '"\\/<script>']) {
                const reply = await create({ ...CREATE, name });
                assert.equal(reply.status, 201, `${name}: ${reply.text}`);
                assert.equal(reply.json.name, name);
            }
        });

        it('takes all 13 API roles', async () => {
            const reply = await create({ ...CREATE, api_roles: API_ROLES });
            assert.equal(reply.status, 201, reply.text);
            assert.deepEqual([...reply.json.api_roles].sort(), [...API_ROLES].sort());
        });

        const bad: [string, unknown, ...string[]][] = [
            ['no type', { name: 'a' }, 'type'],
            ['another type', { ...CREATE, type: 'authorization_code' }, 'type'],
            ['a type that is no string', { ...CREATE, type: 5 }, 'type'],
            ['no name', { type: 'client_credentials' }, 'name'],
            ['an empty name', { ...CREATE, name: '' }, 'name'],
            ['a null name', { ...CREATE, name: null }, 'name'],
            ['a name that is no string', { ...CREATE, name: ['a'] }, 'name'],
            ['a name over its length', { ...CREATE, name: 'a'.repeat(256) }, 'name'],
            ['a name over its length in bytes', { ...CREATE, name: 'é'.repeat(128) }, 'name'],
            ['a name with a line end', { ...CREATE, name: 'a\nb' }, 'name'],
            ['a name with an escape character', { ...CREATE, name: 'a\u001b[31mb' }, 'name'],
            ['a name with a direction override', { ...CREATE, name: 'a\u202eb' }, 'name'],
            ['a name with an invisible character', { ...CREATE, name: 'a\u200bb' }, 'name'],
            ['a description that is no string', { ...CREATE, description: {} }, 'description'],
            ['a description over its length', { ...CREATE, description: 'a'.repeat(1001) }, 'description'],
            ['a description with a NUL', { ...CREATE, description: 'a\u0000b' }],
            ['api_roles that are no array', { ...CREATE, api_roles: 'owner' }, 'api_roles'],
            ['an unknown API role', { ...CREATE, api_roles: ['viewer', 'root'] }, 'api_roles'],
            ['an API role in capitals', { ...CREATE, api_roles: ['Viewer'] }, 'api_roles'],
            ['an API role that is no string', { ...CREATE, api_roles: [1] }, 'api_roles'],
            ['corpus_roles that are no array', { ...CREATE, corpus_roles: {} }, 'corpus_roles'],
            ['a corpus role without a key', { ...CREATE, corpus_roles: [{ role: 'viewer' }] }, 'corpus_roles'],
            ['a corpus role with an unknown role', { ...CREATE, corpus_roles: [{ corpus_key: 'a', role: 'root' }] }, 'corpus_roles'],
            ['a corpus role with one member too many', { ...CREATE, corpus_roles: [{ corpus_key: 'a', role: 'viewer', x: 1 }] }, 'corpus_roles'],
            ['a role on a corpus that is not there', { ...CREATE, corpus_roles: [{ corpus_key: 'not-there', role: 'viewer' }] }, 'corpus_roles'],
            ['an agent role with an unknown role', { ...CREATE, agent_roles: [{ agent_key: 'a', role: 'viewer' }] }, 'agent_roles'],
            ['a member of another account', { ...CREATE, account_id: 'acc_000000000000' }, 'account_id'],
            ['an unknown member', { ...CREATE, tenant_id: 'x' }, 'tenant_id'],
            ['an id of its own choice', { ...CREATE, id: MISSING }, 'id'],
            ['a secret of its own choice', { ...CREATE, client_secret: 'hunter2' }, 'client_secret'],
            ['several faults at once', { type: 'x', name: '', api_roles: ['root'], more: 1 }, 'type', 'name', 'api_roles', 'more'],
            ['an array', [CREATE]],
            ['a string', 'client_credentials'],
            ['null', null],
        ];
        for (const [name, json, ...fields] of bad) {
            it(`refuses ${name}: 400`, async () => {
                isBadRequest(await create(json), ...fields);
            });
        }

        for (const [name, body] of [
            ['an empty body', ''],
            ['cut off JSON', '{"type":"client_credentials","name":"a"'],
            ['JSON with something after it', '{"type":"client_credentials","name":"a"} x'],
            ['a member twice', '{"type":"client_credentials","name":"a","name":"b"}'],
            ['a member twice, once escaped', '{"type":"client_credentials","name":"a","\\u006eame":"b"}'],
            ['a byte order mark', '\ufeff{"type":"client_credentials","name":"a"}'],
            ['a comment', '{"type":"client_credentials","name":"a"/**/}'],
            ['a lone surrogate', '{"type":"client_credentials","name":"\\ud800"}'],
            ['JSON nested 20,000 deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
        ] as const) {
            it(`refuses ${name}: 400`, async () => {
                isBadRequest(await ask('POST', '/v2/app_clients', { body, headers: { 'content-type': 'application/json' } }));
            });
        }

        it('refuses bytes that are not UTF-8: 400', async () => {
            const body = Buffer.concat([Buffer.from('{"type":"client_credentials","name":"'), Buffer.from([0xff]), Buffer.from('"}')]);
            isBadRequest(await ask('POST', '/v2/app_clients', { body, headers: { 'content-type': 'application/json' } }));
        });

        it('refuses another content type: 415', async () => {
            for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
                isError(await ask('POST', '/v2/app_clients', { body: JSON.stringify(CREATE), headers: { 'content-type': type } }), 415);
        });

        it('made nothing of what it refused', async () => {
            const all = (await allPages(ask, '/v2/app_clients', 'app_clients')).flat();
            assert(all.every((client) => client.name !== '' && client.name !== 'a' && client.name !== 'b'));
        });
    });

    describe('get', () => {
        it('answers the client, with its secret within the time that it may be read back', async () => {
            const made = (await create({ ...CREATE, description: 'd' })).json;
            const reply = await ask('GET', `/v2/app_clients/${made.id}`);
            assert.equal(reply.status, 200, reply.text);
            assert.deepEqual(reply.json, made);
            assert(Object.keys(reply.json).every((name) => CLIENT_MEMBERS.includes(name) || name.endsWith('_at')), reply.text);
            assert.match(reply.headers['cache-control'] ?? '', /no-store/);
        });

        it('answers HEAD without a body', async () => {
            const made = (await create(CREATE)).json;
            const reply = await ask('HEAD', `/v2/app_clients/${made.id}`);
            assert.equal(reply.status, 200);
            assert.equal(reply.text, '');
        });

        it('takes a percent-encoded id, an empty JSON body, and headers that it does not know', async () => {
            const made = (await create(CREATE)).json;
            const encoded = `%61${made.id.slice(1)}`;
            const reply = await ask('GET', `/v2/app_clients/${encoded}?unknown=1`, {
                headers: {
                    'content-type': 'application/json', 'content-length': '0', 'customer-id': '7',
                    'request-timeout': '10', 'request-timeout-millis': '10000', 'x-fern-language': 'Python',
                },
            });
            assert.equal(reply.status, 200, reply.text);
            assert.equal(reply.json.id, made.id);
        });

        it('answers 404 with the id for what is not there', async () => {
            isNotFound(await ask('GET', `/v2/app_clients/${MISSING}`), MISSING);
            isNotFound(await ask('GET', '/v2/app_clients/a@b'), 'a@b');
            isNotFound(await ask('GET', '/v2/app_clients/a%2Fb'), 'a/b');
            isNotFound(await ask('GET', '/v2/app_clients/%2e%2e'), '..');
            isNotFound(await ask('GET', `/v2/app_clients/${'x'.repeat(300)}`), 'x'.repeat(300));
        });

        it('does not find a client by its client_id or in another case', async () => {
            const made = (await create(CREATE)).json;
            isNotFound(await ask('GET', `/v2/app_clients/${made.client_id}`), made.client_id);
            isError(await ask('GET', `/v2/app_clients/${made.id.toUpperCase()}`), 404);
        });

        it('refuses a path that does not decode: 400 or 404', async () => {
            for (const id of ['%00', '%', '%zz', '%ff', 'a%00b']) {
                const reply = await ask('GET', `/v2/app_clients/${id}`);
                isError(reply, reply.status === 404 ? 404 : 400);
            }
        });

        it('knows no path with a slash at its end or an empty segment: 404', async () => {
            const made = (await create(CREATE)).json;
            for (const path of ['/v2/app_clients/', `/v2/app_clients/${made.id}/`, `/v2//app_clients/${made.id}`, `//v2/app_clients`])
                isError(await ask('GET', path), 404);
        });
    });

    describe('update', () => {
        const patch = (id: string, json: unknown): Promise<Reply> => ask('PATCH', `/v2/app_clients/${id}`, { json });

        it('replaces given arrays and leaves the rest', async () => {
            const made = (await create({ ...CREATE, description: 'before', api_roles: ['viewer', 'agent_user'] })).json;
            const reply = await patch(made.id, { api_roles: ['corpus_viewer'] });
            assert.equal(reply.status, 200, reply.text);
            assert.deepEqual(reply.json.api_roles, ['corpus_viewer']);
            assert.equal(reply.json.description, 'before');
            assert.equal(reply.json.name, made.name);
            assert.equal(reply.json.client_id, made.client_id);
            const { client_secret: _, ...expected } = { ...made, api_roles: ['corpus_viewer'] };
            const { client_secret: secret, ...got } = (await ask('GET', `/v2/app_clients/${made.id}`)).json;
            assert.equal(secret, made.client_secret);
            delete expected.updated_at;
            delete got.updated_at;
            assert.deepEqual(got, expected);
        });

        it('sets the description, also to nothing', async () => {
            const made = (await create({ ...CREATE, description: 'before' })).json;
            assert.equal((await patch(made.id, { description: 'line\nline' })).json.description, 'line\nline');
            assert.equal((await patch(made.id, { description: '' })).json.description ?? '', '');
            assert.equal((await ask('GET', `/v2/app_clients/${made.id}`)).json.description ?? '', '');
        });

        it('takes null for unchanged and [] for none', async () => {
            const made = (await create({ ...CREATE, description: 'd', api_roles: ['viewer'] })).json;
            assert.deepEqual((await patch(made.id, { api_roles: null, description: null })).json.api_roles, ['viewer']);
            assert.deepEqual((await patch(made.id, {})).json.api_roles, ['viewer']);
            assert.deepEqual((await patch(made.id, { api_roles: [] })).json.api_roles, []);
            assert.equal((await ask('GET', `/v2/app_clients/${made.id}`)).json.description, 'd');
        });

        it('refuses what cannot be changed, and changes nothing then: 400', async () => {
            const made = (await create({ ...CREATE, api_roles: ['viewer'] })).json;
            isBadRequest(await patch(made.id, { name: 'other' }), 'name');
            isBadRequest(await patch(made.id, { type: 'client_credentials' }), 'type');
            isBadRequest(await patch(made.id, { client_id: 'other' }), 'client_id');
            isBadRequest(await patch(made.id, { client_secret: 'other' }), 'client_secret');
            isBadRequest(await patch(made.id, { api_roles: [], unknown: 1 }), 'unknown');
            isBadRequest(await patch(made.id, { api_roles: ['root'] }), 'api_roles');
            isBadRequest(await patch(made.id, []));
            const now = (await ask('GET', `/v2/app_clients/${made.id}`)).json;
            assert.deepEqual(now, made);
        });

        it('answers 404 for what is not there, before it looks at the body', async () => {
            isNotFound(await patch(MISSING, { description: 'd' }), MISSING);
            isNotFound(await patch(MISSING, { unknown: 1 }), MISSING);
        });

        it('one after the other loses none', async () => {
            const made = (await create(CREATE)).json;
            const replies = await Promise.all(
                API_ROLES.map((role) => patch(made.id, { description: role })),
            );
            assert(replies.every((reply) => reply.status === 200 || reply.status === 409), replies.map((r) => r.text).join());
            const now = (await ask('GET', `/v2/app_clients/${made.id}`)).json;
            const last = replies.filter((reply) => reply.status === 200).map((reply) => reply.json.description);
            assert(last.includes(now.description));
        });
    });

    describe('delete', () => {
        it('answers 204 without a body, and the client is gone', async () => {
            const made = (await create(CREATE)).json;
            const reply = await ask('DELETE', `/v2/app_clients/${made.id}`);
            assert.equal(reply.status, 204);
            assert.equal(reply.text, '');
            assert.equal(reply.headers['content-length'], undefined);
            isNotFound(await ask('GET', `/v2/app_clients/${made.id}`), made.id);
            isNotFound(await ask('DELETE', `/v2/app_clients/${made.id}`), made.id);
            isNotFound(await ask('PATCH', `/v2/app_clients/${made.id}`, { json: {} }), made.id);
            const all = (await allPages(ask, '/v2/app_clients', 'app_clients')).flat();
            assert(all.every((client) => client.id !== made.id));
        });

        it('happens once when asked for many times at once', async () => {
            const made = (await create(CREATE)).json;
            const replies = await Promise.all(Array.from({ length: 8 }, () => ask('DELETE', `/v2/app_clients/${made.id}`)));
            const statuses = replies.map((reply) => reply.status).sort();
            assert.deepEqual(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
        });
    });
});

describe('app clients in lists', () => {
    const server = useServer({ args: MANY_READS });
    let owner: string;
    let names: string[]; // newest first
    const ask = (method: string, path: string): Promise<Reply> => server.request(method, path, { token: owner });

    before(async () => {
        owner = await server.tokenFor(['owner'], { name: 'the lister' });
        names = ['the lister'];
        for (let i = 0; i < 24; i++) {
            const name = `${i % 2 === 0 ? 'even' : 'odd'} ${i}`;
            await server.createClient(i === 3 ? ['viewer'] : [], { name });
            names.unshift(name);
        }
    });

    it('stand newest first, ten by default, never with a secret', async () => {
        const { items, next } = await page(ask, '/v2/app_clients', 'app_clients');
        assert.deepEqual(items.map((client) => client.name), names.slice(0, 10));
        assert(next !== undefined);
        for (const client of items) {
            assert(!('client_secret' in client), 'no secret in lists');
            for (const member of ['id', 'name', 'client_id', 'api_roles']) assert(member in client, member);
        }
    });

    for (const limit of [1, 7, 10, 24, 25, 26, 100]) {
        it(`come in pages of ${limit}, each once, no page_key at the end`, async () => {
            const pages = await allPages(ask, '/v2/app_clients', 'app_clients', limit);
            assert.deepEqual(pages.flat().map((client) => client.name), names);
            assert.deepEqual(pages.map((items) => items.length).slice(0, -1), Array(Math.ceil(25 / limit) - 1).fill(limit));
            assert(pages.flat().every((client) => !('client_secret' in client)));
        });
    }

    it('do not shift when a client is made between two pages', async () => {
        const first = await page(ask, '/v2/app_clients?limit=5', 'app_clients');
        const late = await server.createClient([], { name: 'late' });
        const second = await page(ask, `/v2/app_clients?limit=5&page_key=${encodeURIComponent(first.next ?? '')}`, 'app_clients');
        assert.equal((await server.control('DELETE', `/v2/app_clients/${late.id}`)).status, 204);
        assert.deepEqual([...first.items, ...second.items].map((client) => client.name), names.slice(0, 10));
    });

    it('are filtered by a regular expression on the name, also over pages', async () => {
        for (const [filter, test] of [
            ['^odd', /^odd/], ['[05]$', /[05]$/], ['even (2|4)$', /even (2|4)$/], ['ven', /ven/], ['EVEN', /EVEN/],
        ] as [string, RegExp][]) {
            const expected = names.filter((name) => test.test(name));
            const pages = await allPages(ask, `/v2/app_clients?filter=${encodeURIComponent(filter)}`, 'app_clients', 3);
            assert.deepEqual(pages.flat().map((client) => client.name), expected, filter);
        }
    });

    it('are an empty list without page_key when nothing matches', async () => {
        assert.deepEqual(await page(ask, '/v2/app_clients?filter=nothing-is-called-so', 'app_clients'), { items: [], next: undefined });
    });

    for (const limit of ['0', '101', '-1', '1000000000', '99999999999999999999', 'abc', '1.0', '1e1', '+5', '%205']) {
        it(`refuse limit=${limit}: 400`, async () => {
            isBadRequest(await ask('GET', `/v2/app_clients?limit=${limit}`), 'limit');
        });
    }

    it('refuse limit twice: 400', async () => {
        isBadRequest(await ask('GET', '/v2/app_clients?limit=5&limit=5'), 'limit');
    });

    for (const filter of ['(', '[', '*', 'a{2,1}', '(?<x', '\\', 'a'.repeat(129)]) {
        it(`refuse the expression ${filter.slice(0, 10)}: 400`, async () => {
            isBadRequest(await ask('GET', `/v2/app_clients?filter=${encodeURIComponent(filter)}`), 'filter');
        });
    }

    it('end an expression that would run for ever', async () => {
        await server.createClient([], { name: `${'a'.repeat(200)}!` });
        const reply = await ask('GET', `/v2/app_clients?filter=${encodeURIComponent('^(a|aa|a?)+$')}`);
        assert([200, 400].includes(reply.status), reply.text);
    });

    it('refuse a page_key that is made up, changed, of another list or of another filter: 400', async () => {
        await server.createCorpus('page-a');
        await server.createCorpus('page-b');
        const { next } = await page(ask, '/v2/app_clients?limit=1', 'app_clients');
        const corpora = await page(ask, '/v2/corpora?limit=1', 'corpora');
        assert(next !== undefined && corpora.next !== undefined);
        const changed = (next.startsWith('A') ? 'B' : 'A') + next.slice(1);
        const made = Buffer.from('{"offset":1}').toString('base64');
        for (const key of [changed, next.slice(0, -1), `${next}A`, corpora.next, made, 'x'])
            isBadRequest(await ask('GET', `/v2/app_clients?page_key=${encodeURIComponent(key)}`), 'page_key');
        isBadRequest(await ask('GET', `/v2/app_clients?filter=odd&page_key=${encodeURIComponent(next)}`), 'page_key');
    });
});

describe('app clients and who may manage them', () => {
    const server = useServer({ args: MANY_READS });
    let target: AppClient;

    before(async () => {
        target = await server.createClient([], { name: 'target' });
    });

    // The contract: administrator and owner, nobody else.
    for (const role of [...API_ROLES, undefined]) {
        const isAllowed = role === 'administrator' || role === 'owner';
        it(`${role ?? 'no role'}: ${isAllowed ? 'may' : 'may not, 403'}`, async () => {
            const token = await server.tokenFor(role === undefined ? [] : [role]);
            const made = await server.createClient([]);
            const calls: [string, string, unknown, number][] = [
                ['POST', '/v2/app_clients', CREATE, 201],
                ['GET', '/v2/app_clients', undefined, 200],
                ['GET', `/v2/app_clients/${target.id}`, undefined, 200],
                ['HEAD', `/v2/app_clients/${target.id}`, undefined, 200],
                ['PATCH', `/v2/app_clients/${target.id}`, { description: 'd' }, 200],
                ['DELETE', `/v2/app_clients/${made.id}`, undefined, 204],
            ];
            for (const [method, path, json, status] of calls) {
                const reply = await server.request(method, path, { token, ...(json === undefined ? {} : { json }) });
                if (isAllowed) assert.equal(reply.status, status, `${method} ${path}: ${reply.text}`);
                else if (method === 'HEAD') assert.equal(reply.status, 403);
                else isError(reply, 403);
            }
            const still = await server.control('GET', `/v2/app_clients/${made.id}`);
            assert.equal(still.status, isAllowed ? 404 : 200);
        });
    }

    it('without a role, 403 comes before 404 and 400; without a token, 401 before all', async () => {
        const token = await server.tokenFor(['viewer']);
        isError(await server.request('GET', `/v2/app_clients/${MISSING}`, { token }), 403);
        isError(await server.request('DELETE', `/v2/app_clients/${MISSING}`, { token }), 403);
        isError(await server.request('POST', '/v2/app_clients', { token, json: { nonsense: 1 } }), 403);
        isError(await server.request('GET', '/v2/app_clients?limit=0', { token }), 403);
        isUnauthorized(await server.request('GET', `/v2/app_clients/${MISSING}`), 'nothing');
        isUnauthorized(await server.request('POST', '/v2/app_clients', { json: { nonsense: 1 } }), 'nothing');
    });

    it('a corpus role, even owner, is no right to manage clients', async () => {
        await server.createCorpus('mine');
        const token = await server.tokenFor([], { corpus_roles: [{ corpus_key: 'mine', role: 'owner' }] });
        isError(await server.request('GET', '/v2/app_clients', { token }), 403);
    });
});

describe('app clients and what may be granted', () => {
    const server = useServer({ args: MANY_READS });
    let administrator: AppClient;
    let token: string;
    let ownerClient: AppClient;
    const ask = (method: string, path: string, json?: unknown): Promise<Reply> =>
        server.request(method, path, { token, ...(json === undefined ? {} : { json }) });

    before(async () => {
        administrator = await server.createClient(['administrator']);
        token = await server.token(administrator);
        ownerClient = await server.createClient(['owner']);
    });

    // An administrator holds everything but ownership and billing.
    for (const role of API_ROLES) {
        const isAllowed = role !== 'owner' && role !== 'billing_administrator';
        it(`an administrator ${isAllowed ? 'may' : 'may not'} grant ${role}`, async () => {
            const created = await ask('POST', '/v2/app_clients', { ...CREATE, api_roles: [role] });
            const target = await server.createClient([]);
            const updated = await ask('PATCH', `/v2/app_clients/${target.id}`, { api_roles: [role] });
            if (isAllowed) {
                assert.equal(created.status, 201, created.text);
                assert.equal(updated.status, 200, updated.text);
            } else {
                isError(created, 403);
                isError(updated, 403);
                assert.deepEqual((await server.control('GET', `/v2/app_clients/${target.id}`)).json.api_roles, []);
            }
        });
    }

    it('an administrator cannot make itself an owner', async () => {
        isError(await ask('PATCH', `/v2/app_clients/${administrator.id}`, { api_roles: ['owner'] }), 403);
    });

    it("an administrator neither changes, deletes nor reads the secret of an owner's client", async () => {
        isError(await ask('PATCH', `/v2/app_clients/${ownerClient.id}`, { description: 'mine now' }), 403);
        isError(await ask('PATCH', `/v2/app_clients/${ownerClient.id}`, { api_roles: [] }), 403);
        isError(await ask('DELETE', `/v2/app_clients/${ownerClient.id}`), 403);
        const got = await ask('GET', `/v2/app_clients/${ownerClient.id}`);
        assert([200, 403].includes(got.status), got.text);
        assert(!got.text.includes(ownerClient.client_secret));
        const kept = (await server.control('GET', `/v2/app_clients/${ownerClient.id}`)).json;
        assert.deepEqual(kept.api_roles, ['owner']);
        assert.equal(kept.description, ownerClient.description);
    });

    it('an administrator may grant roles on corpora', async () => {
        await server.createCorpus('handed-on');
        const reply = await ask('POST', '/v2/app_clients', { ...CREATE, corpus_roles: [{ corpus_key: 'handed-on', role: 'owner' }] });
        assert.equal(reply.status, 201, reply.text);
    });

    it('an owner may grant every role', async () => {
        const owner = await server.token(ownerClient);
        for (const role of API_ROLES) {
            const reply = await server.request('POST', '/v2/app_clients', { token: owner, json: { ...CREATE, api_roles: [role] } });
            assert.equal(reply.status, 201, reply.text);
        }
    });
});

describe('reading a secret back', () => {
    it('is refused from the start with --secret-readback never', async () => {
        await withServer({ args: ['--secret-readback', 'never'] }, async (server) => {
            const made = await server.createClient([]);
            assert.match(made.client_secret, /^pst_cs_/);
            const got = await server.control('GET', `/v2/app_clients/${made.id}`);
            assert.equal(got.status, 200, got.text);
            assert(!('client_secret' in got.json));
            await server.token(made);
        });
    });

    it('is limited per minute: then 429 with Retry-After, never a client without its secret', async () => {
        await withServer({ args: ['--unseal-per-minute-max', '3'] }, async (server) => {
            const made = await server.createClient([]);
            const replies: Reply[] = [];
            for (let i = 0; i < 10; i++) replies.push(await server.control('GET', `/v2/app_clients/${made.id}`));
            assert.equal(replies[0]?.status, 200);
            assert.equal(replies.at(-1)?.status, 429);
            for (const reply of replies) {
                if (reply.status === 200) assert.equal(reply.json.client_secret, made.client_secret);
                else assert.match(isError(reply, 429) && (reply.headers['retry-after'] ?? ''), /^[0-9]+$/);
            }
            await server.token(made);
            assert.equal((await server.control('GET', '/v2/app_clients')).status, 200);
        });
    });

    it('gives secrets with the base that --secret-base says', async () => {
        await withServer({ args: ['--secret-base', 'acme_live'] }, async (server) => {
            const made = await server.createClient([]);
            assert.match(made.client_secret, /^acme_live_cs_[0-9A-Za-z]{61}$/);
            await server.token(made);
        });
    });
});
