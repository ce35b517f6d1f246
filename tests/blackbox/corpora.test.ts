// SPDX-License-Identifier: Apache-2.0
// Corpora by the management API: shapes, keys, paging, and who sees and changes what.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isBadRequest, isError, isNotFound, isUnauthorized } from './check.js';
import { allPages, page } from './pages.js';
import { API_ROLES, CORPUS_ROLES, useServer, type Reply, type RequestOptions } from './server.js';

describe('corpora', () => {
    const server = useServer();
    let owner: string;
    const ask = (method: string, path: string, options: RequestOptions = {}): Promise<Reply> =>
        server.request(method, path, { token: owner, ...options });
    const create = (json: unknown): Promise<Reply> => ask('POST', '/v2/corpora', { json });

    before(async () => {
        owner = await server.tokenFor(['owner']);
    });

    it('takes Request-Timeout, and says what is none', async () => {
        for (const headers of [{ 'Request-Timeout': '30' }, { 'Request-Timeout-Millis': '30000' }, { 'Request-Timeout': '30', 'Request-Timeout-Millis': '1000' }])
            assert.equal((await ask('GET', '/v2/corpora', { headers })).status, 200);
        for (const value of ['0', '-1', '1.5', 'soon']) {
            const body = isError(await ask('GET', '/v2/corpora', { headers: { 'Request-Timeout': value } }), 400);
            assert.match(body.messages.join(), /request-timeout must be a whole number from 1/);
        }
        isUnauthorized(await server.request('GET', '/v2/corpora', { headers: { 'Request-Timeout': 'soon' } }), 'nothing');
    });

    it('create: answers 201 with the defaults of the contract', async () => {
        const reply = await create({ key: 'plain' });
        assert.equal(reply.status, 201, reply.text);
        const made = reply.json;
        assert.match(made.id, /^crp_[0-9]+$/);
        assert(BigInt(made.id.slice(4)) < 2n ** 63n);
        assert.equal(made.key, 'plain');
        assert.equal(made.name, 'plain');
        assert.equal(made.enabled, true);
        assert.equal(made.save_history, false);
        assert.equal(made.queries_are_answers, false);
        assert.equal(made.documents_are_questions, false);
        assert.equal(made.encoder_name, 'boomerang-2023-q3');
        assert.deepEqual(made.filter_attributes, []);
        assert.deepEqual(made.custom_dimensions, []);
        assert.match(made.created_at, /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$/);
        assert(!('account_id' in made));
        assert.deepEqual((await ask('GET', '/v2/corpora/plain')).json, made);
    });

    it('create: gives everything back as it was sent', async () => {
        const sent = {
            key: 'full_1-a=',
            name: 'Vollständig',
            description: 'Zeile\nZeile',
            save_history: true,
            queries_are_answers: true,
            documents_are_questions: true,
            encoder_name: 'boomerang-2023-q3',
            filter_attributes: [
                { name: 'category', level: 'part', type: 'text', description: 'what it is about', indexed: true },
                { name: 'priority', level: 'document', type: 'integer', description: '', indexed: false },
                { name: 'tags', level: 'document', type: 'list[text]', description: 'many', indexed: true },
                { name: 'price', level: 'part', type: 'real_number', description: 'in EUR', indexed: true },
                { name: 'public', level: 'part', type: 'boolean', description: 'b', indexed: true },
            ],
            custom_dimensions: [{ name: 'votes', description: 'up', indexing_default: 0.5, querying_default: 2 }],
        };
        const reply = await create(sent);
        assert.equal(reply.status, 201, reply.text);
        for (const answer of [reply.json, (await ask('GET', '/v2/corpora/full_1-a=')).json, (await ask('GET', '/v2/corpora/full_1-a%3D')).json]) {
            for (const [name, value] of Object.entries(sent)) {
                if (name === 'filter_attributes') {
                    // An empty description may be left out.
                    const got = answer.filter_attributes.map((one: object) => ({ description: '', ...one }));
                    assert.deepEqual(got, value);
                } else {
                    assert.deepEqual(answer[name], value, name);
                }
            }
        }
    });

    it('create: takes every key that the pattern allows', async () => {
        for (const key of ['a', 'A', '0', '_', '=', '-', 'a'.repeat(50), 'Az09_=-']) {
            const reply = await create({ key });
            assert.equal(reply.status, 201, `${key}: ${reply.text}`);
            assert.equal(reply.json.key, key);
        }
    });

    for (const key of ['', 'a'.repeat(51), 'a'.repeat(300), 'invalid!@#$%^&*()', 'a b', ' a', 'a ', 'a.b', 'a/b', '../a', 'ä', 'a\n', 5, ['a']]) {
        it(`create: refuses the key ${JSON.stringify(key).slice(0, 20)}: 400`, async () => {
            isBadRequest(await create({ key }), 'key');
        });
    }

    const bad: [string, unknown, ...string[]][] = [
        ['no key', { name: 'a' }, 'key'],
        ['a null key', { key: null }, 'key'],
        ['a corpus_key', { corpus_key: 'a' }, 'key', 'corpus_key'],
        ['an unknown member', { key: 'bad', tenant: 1 }, 'tenant'],
        ['an id', { key: 'bad', id: 'crp_1' }, 'id'],
        ['a boolean as text', { key: 'bad', save_history: 'true' }, 'save_history'],
        ['a name with a control character', { key: 'bad', name: 'a\u0007' }, 'name'],
        ['a filter attribute without a name', { key: 'bad', filter_attributes: [{ level: 'part', type: 'text' }] }, 'filter_attributes'],
        ['a filter attribute without a level', { key: 'bad', filter_attributes: [{ name: 'a', type: 'text' }] }, 'filter_attributes'],
        ['a filter attribute of an unknown type', { key: 'bad', filter_attributes: [{ name: 'a', level: 'part', type: 'date' }] }, 'filter_attributes'],
        ['a filter attribute of an unknown level', { key: 'bad', filter_attributes: [{ name: 'a', level: 'section', type: 'text' }] }, 'filter_attributes'],
        ['a custom dimension without a name', { key: 'bad', custom_dimensions: [{ indexing_default: 1 }] }, 'custom_dimensions'],
        ['filter attributes that are no array', { key: 'bad', filter_attributes: {} }, 'filter_attributes'],
        ['an array', [{ key: 'bad' }]],
    ];
    for (const [name, json, ...fields] of bad) {
        it(`create: refuses ${name}: 400`, async () => {
            isBadRequest(await create(json), ...fields);
            isNotFound(await ask('GET', '/v2/corpora/bad'), 'bad');
        });
    }

    it('create: refuses a key that is taken: 409; also when many ask at once', async () => {
        const replies = await Promise.all(Array.from({ length: 8 }, () => create({ key: 'wanted' })));
        assert.deepEqual(replies.map((reply) => reply.status).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
        isError(await create({ key: 'wanted', name: 'other' }), 409);
        assert.equal((await create({ key: 'Wanted' })).status, 201, 'keys are case-sensitive');
    });

    it('get: answers 404 with the key for what is not there', async () => {
        isNotFound(await ask('GET', '/v2/corpora/not-there'), 'not-there');
        isNotFound(await ask('GET', '/v2/corpora/a@b'), 'a@b');
        isNotFound(await ask('GET', '/v2/corpora/a%2Fb'), 'a/b');
    });

    it('get: knows a corpus by its key, not by its id', async () => {
        const made = (await create({ key: 'by-key' })).json;
        isNotFound(await ask('GET', `/v2/corpora/${made.id}`), made.id);
    });

    it('delete: answers 204, and the key is free again for a corpus of its own', async () => {
        const first = (await create({ key: 'again' })).json;
        const reply = await ask('DELETE', '/v2/corpora/again');
        assert.equal(reply.status, 204);
        assert.equal(reply.text, '');
        isNotFound(await ask('GET', '/v2/corpora/again'), 'again');
        isNotFound(await ask('DELETE', '/v2/corpora/again'), 'again');
        const second = (await create({ key: 'again' })).json;
        assert.notEqual(second.id, first.id);
    });
});

describe('corpora in lists', () => {
    const server = useServer();
    let owner: string;
    const keys: string[] = []; // newest first
    const ask = (method: string, path: string): Promise<Reply> => server.request(method, path, { token: owner });

    before(async () => {
        owner = await server.tokenFor(['owner']);
        for (let i = 0; i < 23; i++) {
            const isOdd = i % 2 === 1;
            await server.createCorpus(`c${i}`, { name: isOdd ? `odd ${i}` : `even ${i}`, ...(i === 4 ? { description: 'odd one out' } : {}) });
            keys.unshift(`c${i}`);
        }
    });

    it('stand newest first, ten by default', async () => {
        const { items, next } = await page(ask, '/v2/corpora', 'corpora');
        assert.deepEqual(items.map((corpus) => corpus.key), keys.slice(0, 10));
        assert(next !== undefined);
    });

    for (const limit of [1, 10, 22, 23, 100]) {
        it(`come in pages of ${limit}, each once`, async () => {
            const pages = await allPages(ask, '/v2/corpora', 'corpora', limit);
            assert.deepEqual(pages.flat().map((corpus) => corpus.key), keys);
        });
    }

    it('are filtered by a regular expression on name or description', async () => {
        const expected = keys.filter((key) => Number(key.slice(1)) % 2 === 1 || key === 'c4');
        const pages = await allPages(ask, `/v2/corpora?filter=${encodeURIComponent('^odd')}`, 'corpora', 5);
        assert.deepEqual(pages.flat().map((corpus) => corpus.key), expected);
    });

    it('refuse bad parameters: 400', async () => {
        for (const limit of ['0', '101', '-1', 'x']) isBadRequest(await ask('GET', `/v2/corpora?limit=${limit}`), 'limit');
        isBadRequest(await ask('GET', '/v2/corpora?filter=('), 'filter');
        isBadRequest(await ask('GET', '/v2/corpora?page_key=x'), 'page_key');
    });

    it('show a caller without account-wide rights its own corpora, page by page, and nothing else', async () => {
        const mine = ['c2', 'c7', 'c8', 'c19'];
        const token = await server.tokenFor([], {
            corpus_roles: mine.map((corpus_key, i) => ({ corpus_key, role: CORPUS_ROLES[i] })),
        });
        const asMe = (method: string, path: string): Promise<Reply> => server.request(method, path, { token });
        for (const limit of [1, 2, 3, 100]) {
            const pages = await allPages(asMe, '/v2/corpora', 'corpora', limit);
            assert.deepEqual(pages.flat().map((corpus) => corpus.key), keys.filter((key) => mine.includes(key)));
        }
        const odd = await allPages(asMe, `/v2/corpora?filter=${encodeURIComponent('^odd')}`, 'corpora', 1);
        assert.deepEqual(odd.flat().map((corpus) => corpus.key), ['c19', 'c7']);
    });
});

// Typed in from the contract: the API roles that may, account-wide.
const READERS = ['corpus_viewer', 'corpus_developer', 'corpus_administrator', 'viewer', 'administrator', 'owner'];
const MAKERS = ['corpus_administrator', 'administrator', 'owner'];

describe('corpora and who may', () => {
    const server = useServer();

    before(async () => {
        await server.createCorpus('shared');
        await server.createCorpus('other');
    });

    for (const role of [...API_ROLES, undefined]) {
        const reads = role !== undefined && READERS.includes(role);
        const makes = role !== undefined && MAKERS.includes(role);
        it(`${role ?? 'no role'}: ${makes ? 'reads, creates and deletes' : reads ? 'reads' : 'lists nothing, 403 otherwise'}`, async () => {
            const name = role ?? 'none';
            const token = await server.tokenFor(role === undefined ? [] : [role]);
            const ask = (method: string, path: string, json?: unknown): Promise<Reply> =>
                server.request(method, path, { token, ...(json === undefined ? {} : { json }) });

            const listed = await allPages(ask, '/v2/corpora', 'corpora');
            const listedKeys = listed.flat().map((corpus) => corpus.key);
            if (reads) assert(listedKeys.includes('shared') && listedKeys.includes('other'));
            else assert.deepEqual(listedKeys, []);

            const got = await ask('GET', '/v2/corpora/shared');
            if (reads) assert.equal(got.status, 200, got.text);
            else isError(got, 403);

            // Without account-wide reading, what is not there looks like what may not be read.
            const missing = await ask('GET', '/v2/corpora/not-there');
            if (reads) isNotFound(missing, 'not-there');
            else {
                const { request_id: _, ...a } = isError(missing, 403);
                const { request_id: __, ...b } = got.json;
                assert.deepEqual(a, b);
            }

            const created = await ask('POST', '/v2/corpora', { key: `made-by-${name}` });
            if (makes) assert.equal(created.status, 201, created.text);
            else isError(created, 403);

            await server.createCorpus(`victim-of-${name}`);
            const deleted = await ask('DELETE', `/v2/corpora/victim-of-${name}`);
            if (makes) assert.equal(deleted.status, 204, deleted.text);
            else isError(deleted, 403);
            const missingDelete = await ask('DELETE', '/v2/corpora/not-there');
            if (makes) isNotFound(missingDelete, 'not-there');
            else if (!reads) isError(missingDelete, 403);
            const still = await server.control('GET', `/v2/corpora/victim-of-${name}`);
            assert.equal(still.status, makes ? 404 : 200);
        });
    }

    for (const role of CORPUS_ROLES) {
        it(`corpus role ${role}: reads that corpus${role === 'owner' ? ' and deletes it' : ''}, no other, creates none`, async () => {
            const key = `granted-${role}`;
            await server.createCorpus(key);
            const token = await server.tokenFor([], { corpus_roles: [{ corpus_key: key, role }] });
            const ask = (method: string, path: string, json?: unknown): Promise<Reply> =>
                server.request(method, path, { token, ...(json === undefined ? {} : { json }) });
            assert.equal((await ask('GET', `/v2/corpora/${key}`)).status, 200);
            assert.equal((await ask('HEAD', `/v2/corpora/${key}`)).status, 200);
            isError(await ask('GET', '/v2/corpora/other'), 403);
            isError(await ask('GET', '/v2/corpora/not-there'), 403);
            isError(await ask('DELETE', '/v2/corpora/other'), 403);
            isError(await ask('DELETE', '/v2/corpora/not-there'), 403);
            isError(await ask('POST', '/v2/corpora', { key: 'more' }), 403);
            assert.deepEqual((await allPages(ask, '/v2/corpora', 'corpora')).flat().map((corpus) => corpus.key), [key]);
            const deleted = await ask('DELETE', `/v2/corpora/${key}`);
            if (role === 'owner') assert.equal(deleted.status, 204, deleted.text);
            else isError(deleted, 403);
        });
    }

    it('a role on a corpus ends with it: a later corpus of the same key is another', async () => {
        await server.createCorpus('reborn');
        const token = await server.tokenFor([], { corpus_roles: [{ corpus_key: 'reborn', role: 'owner' }] });
        assert.equal((await server.request('GET', '/v2/corpora/reborn', { token })).status, 200);
        assert.equal((await server.control('DELETE', '/v2/corpora/reborn')).status, 204);
        isError(await server.request('GET', '/v2/corpora/reborn', { token }), 403);
        await server.createCorpus('reborn');
        isError(await server.request('GET', '/v2/corpora/reborn', { token }), 403);
        isError(await server.request('DELETE', '/v2/corpora/reborn', { token }), 403);
        assert.deepEqual((await server.request('GET', '/v2/corpora', { token })).json.corpora, []);
    });

    it('401 before 403 before 404 before 400', async () => {
        const viewer = await server.tokenFor(['viewer']);
        const owner = await server.tokenFor(['owner']);
        isUnauthorized(await server.request('POST', '/v2/corpora', { json: { nonsense: 1 } }), 'nothing');
        isUnauthorized(await server.request('GET', '/v2/corpora/not-there'), 'nothing');
        isUnauthorized(await server.request('GET', '/v2/corpora?limit=0'), 'nothing');
        isError(await server.request('POST', '/v2/corpora', { token: viewer, json: { nonsense: 1 } }), 403);
        isBadRequest(await server.request('POST', '/v2/corpora', { token: owner, json: { nonsense: 1 } }), 'nonsense', 'key');
    });
});

describe('corpora that change', () => {
    const server = useServer();
    let owner: string;
    const ask = (method: string, path: string, options: RequestOptions = {}): Promise<Reply> =>
        server.request(method, path, { token: owner, ...options });
    const ATTRIBUTES = [
        { name: 'category', level: 'part', type: 'text', description: 'what it is about', indexed: true },
        { name: 'year', level: 'document', type: 'integer', indexed: false },
    ];

    before(async () => {
        owner = await server.tokenFor(['owner']);
    });

    it('update: changes what is given and leaves the rest', async () => {
        const made = (await ask('POST', '/v2/corpora', { json: { key: 'changing', description: 'before', filter_attributes: ATTRIBUTES } })).json;
        const reply = await ask('PATCH', '/v2/corpora/changing', { json: { enabled: false, name: 'A name', save_history: true } });
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual(reply.json, { ...made, enabled: false, name: 'A name', save_history: true });
        assert.deepEqual((await ask('GET', '/v2/corpora/changing')).json, reply.json);
        assert.equal((await ask('PATCH', '/v2/corpora/changing', { json: { enabled: true, name: null, description: '' } })).json.name, 'A name');
        const after = (await ask('GET', '/v2/corpora/changing')).json;
        assert.equal(after.enabled, true);
        assert.equal(after.description ?? '', '');
        assert.deepEqual((await ask('PATCH', '/v2/corpora/changing', { json: {} })).json, after);
    });

    it('update: refuses what cannot be changed, and changes nothing then', async () => {
        await server.createCorpus('fixed');
        const before_ = (await ask('GET', '/v2/corpora/fixed')).json;
        for (const [field, value] of [
            ['key', 'other'], ['id', 'crp_1'], ['queries_are_answers', true], ['filter_attributes', []], ['created_at', '2025-01-01T00:00:00Z'],
            ['enabled', 'yes'], ['name', ''], ['name', 'a'.repeat(256)], ['save_history', 1], ['nonsense', 1],
        ] as const)
            isBadRequest(await ask('PATCH', '/v2/corpora/fixed', { json: { description: 'changed', [field]: value } }), field);
        assert.deepEqual((await ask('GET', '/v2/corpora/fixed')).json, before_);
        isNotFound(await ask('PATCH', '/v2/corpora/not-there', { json: { name: 'x' } }), 'not-there');
    });

    it('update: many at once lose none', async () => {
        await server.createCorpus('busy');
        const replies = await Promise.all([
            ...Array.from({ length: 10 }, (_, i) => ask('PATCH', '/v2/corpora/busy', { json: { name: `name ${i}` } })),
            ...Array.from({ length: 10 }, (_, i) => ask('PATCH', '/v2/corpora/busy', { json: { description: `description ${i}` } })),
        ]);
        // Who lost too often against others is told so, and has changed nothing.
        const good = replies.filter((reply) => reply.status === 200);
        for (const reply of replies) assert([200, 409].includes(reply.status), reply.text);
        assert(good.length > 0);
        const now = (await ask('GET', '/v2/corpora/busy')).json;
        assert(good.some((reply) => reply.json.name === now.name) && good.some((reply) => reply.json.description === now.description));
    });

    it('replace filter attributes: in force at once, exactly as sent, with a completed job', async () => {
        await server.createCorpus('filtered');
        const started = new Date(Date.now() - 2000).toISOString();
        const reply = await ask('POST', '/v2/corpora/filtered/replace_filter_attributes', { json: { filter_attributes: ATTRIBUTES } });
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual(Object.keys(reply.json), ['job_id']);
        assert.match(reply.json.job_id, /^job_/);
        assert.deepEqual((await ask('GET', '/v2/corpora/filtered')).json.filter_attributes, ATTRIBUTES);
        const job = (await ask('GET', `/v2/jobs/${reply.json.job_id}`)).json;
        const { created_at, started_at, completed_at, created_by_username, ...rest } = job;
        assert.deepEqual(rest, { id: reply.json.job_id, type: 'replace_filter_attributes', corpus_keys: ['filtered'], state: 'completed' });
        for (const time of [created_at, started_at, completed_at]) assert(time >= started.slice(0, 19));
        assert.match(created_by_username, /^app_/);
        assert.deepEqual((await ask('POST', '/v2/corpora/filtered/replace_filter_attributes', { json: { filter_attributes: [] } })).status, 200);
        assert.deepEqual((await ask('GET', '/v2/corpora/filtered')).json.filter_attributes, []);
    });

    it('replace filter attributes: refuses bad ones, and makes no job then', async () => {
        await server.createCorpus('strict');
        const path = '/v2/corpora/strict/replace_filter_attributes';
        for (const json of [
            {}, { filter_attributes: null }, { filter_attributes: {} }, { filter_attributes: [{ name: 'a' }] },
            { filter_attributes: [{ name: 'a', level: 'page', type: 'text' }] }, { filter_attributes: [ATTRIBUTES[0], ATTRIBUTES[0]] },
            { filter_attributes: [], nonsense: 1 },
        ])
            assert.equal((await ask('POST', path, { json })).status, 400, JSON.stringify(json));
        isNotFound(await ask('POST', '/v2/corpora/not-there/replace_filter_attributes', { json: { filter_attributes: [] } }), 'not-there');
        assert.deepEqual((await allPages(ask, '/v2/jobs?corpus_key=strict', 'jobs')).flat(), []);
    });

    it('jobs: newest first, by corpus, state and time, page by page; only what the caller may read', async () => {
        for (const key of ['one', 'two']) await server.createCorpus(key);
        const made: string[] = [];
        for (let i = 0; i < 12; i++) {
            const key = i % 3 === 0 ? 'two' : 'one';
            made.unshift((await ask('POST', `/v2/corpora/${key}/replace_filter_attributes`, { json: { filter_attributes: [] } })).json.job_id);
        }
        const both = '/v2/jobs?corpus_key=one&corpus_key=two';
        for (const limit of [1, 5, 12, 100])
            assert.deepEqual((await allPages(ask, both, 'jobs', limit)).flat().map((job) => job.id), made);
        assert.equal((await allPages(ask, '/v2/jobs?corpus_key=two', 'jobs')).flat().length, 4);
        assert.equal((await allPages(ask, `${both}&state=completed`, 'jobs')).flat().length, 12);
        assert.equal((await allPages(ask, `${both}&state=queued&state=failed`, 'jobs')).flat().length, 0);
        assert.equal((await allPages(ask, `${both}&after=2001-01-01T00:00:00Z`, 'jobs')).flat().length, 12);
        assert.equal((await allPages(ask, `${both}&after=2999-01-01T00:00:00%2B02:00`, 'jobs')).flat().length, 0);
        assert.deepEqual((await ask('GET', '/v2/jobs?corpus_key=not-there')).json.jobs, []);
        for (const [name, value] of [['state', 'done'], ['after', 'yesterday'], ['limit', '0']] as const)
            isBadRequest(await ask('GET', `/v2/jobs?${name}=${value}`), name);
        const token = await server.tokenFor([], { corpus_roles: [{ corpus_key: 'two', role: 'viewer' }] });
        const theirs = (await allPages((method, path) => server.request(method, path, { token }), '/v2/jobs', 'jobs')).flat();
        assert.deepEqual(theirs.map((job) => job.corpus_keys), Array(4).fill(['two']));
        isError(await server.request('GET', `/v2/jobs/${made.find((id) => !theirs.some((job) => job.id === id)) as string}`, { token }), 403);
        isError(await server.request('GET', '/v2/jobs/job_nope', { token }), 403);
        isNotFound(await ask('GET', '/v2/jobs/job_nope'), 'job_nope');
    });
});
