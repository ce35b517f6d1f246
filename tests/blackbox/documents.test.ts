// SPDX-License-Identifier: Apache-2.0
// Documents of corpora and queries over them: what is kept, what is found, who sees it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { isBadRequest, isError, isNotFound } from './check.js';
import { allPages } from './pages.js';
import { useServer, withServer, type Json, type Reply, type RequestOptions } from './server.js';

const core = (id: string, ...texts: string[]): Json => ({ id, type: 'core', document_parts: texts.map((text) => ({ text })) });

describe('documents', () => {
    const server = useServer();
    let owner: string;
    let corpora = 0;
    const ask = (method: string, path: string, options: RequestOptions = {}): Promise<Reply> =>
        server.request(method, path, { token: owner, ...options });

    /** A corpus of this test's own, and its documents. */
    async function corpus(...documents: Json[]): Promise<string> {
        const key = `c${++corpora}`;
        await server.createCorpus(key);
        for (const json of documents) {
            const reply = await ask('POST', `/v2/corpora/${key}/documents`, { json });
            assert.equal(reply.status, 201, reply.text);
        }
        return key;
    }
    const query = async (key: string, text: string, search: Json = {}): Promise<Json[]> => {
        const reply = await ask('POST', `/v2/corpora/${key}/query`, { json: { query: text, search } });
        assert.equal(reply.status, 200, reply.text);
        return reply.json.search_results;
    };

    before(async () => {
        owner = await server.tokenFor(['owner']);
    });

    it('index: answers 201 with what is kept, and get gives it back with its parts', async () => {
        const key = await corpus();
        const json = {
            id: 'one',
            type: 'core',
            metadata: { author: 'Ada', year: 1843, tags: ['a', 'b'], nested: { x: 1.5 }, none: null },
            document_parts: [
                { text: 'First part.', metadata: { page: 1 }, context: 'chapter', custom_dimensions: { weight: 0.5 } },
                { text: 'Zweiter Teil: größer\nals "zuvor".', metadata: null },
            ],
        };
        const made = await ask('POST', `/v2/corpora/${key}/documents`, { json });
        assert.equal(made.status, 201, made.text);
        assert.equal(made.json.id, 'one');
        assert.deepEqual(made.json.metadata, json.metadata);
        assert.deepEqual(made.json.extraction_usage, { table_extraction_used: false });
        assert(made.json.storage_usage.bytes_used > 40 && made.json.storage_usage.metadata_bytes_used > 0);
        assert(!('parts' in made.json));
        const got = await ask('GET', `/v2/corpora/${key}/documents/one`);
        assert.equal(got.status, 200, got.text);
        assert.deepEqual(got.json, {
            id: 'one',
            metadata: json.metadata,
            parts: [
                { text: 'First part.', metadata: { page: 1 }, context: 'chapter', custom_dimensions: { weight: 0.5 } },
                { text: json.document_parts[1]?.text, metadata: {}, custom_dimensions: {} },
            ],
        });
    });

    it('index: a structured document is cut into sentences, or by length', async () => {
        const key = await corpus();
        const sections = [
            { id: 7, title: 'Head', text: 'One is here. Two is there!', metadata: { s: 1 }, sections: [{ text: 'Inner. ' }] },
            { text: 'Last one' },
        ];
        const plain = await ask('POST', `/v2/corpora/${key}/documents`, { json: { id: 'a', title: 'Book', sections } });
        assert.equal(plain.status, 201, plain.text);
        const { parts } = (await ask('GET', `/v2/corpora/${key}/documents/a`)).json;
        assert.deepEqual(
            parts.map((part: Json) => [part.text, part.metadata]),
            [
                ['Book', { is_title: true }],
                ['Head', { s: 1, section: 7, is_title: true }],
                ['One is here.', { s: 1, section: 7 }],
                ['Two is there!', { s: 1, section: 7 }],
                ['Inner.', {}],
                ['Last one', {}],
            ],
        );
        const chunking_strategy = { type: 'max_chars_chunking_strategy', max_chars_per_chunk: 100 };
        const text = Array.from({ length: 50 }, (_, i) => `word${i}`).join(' ');
        const json = { id: 'b', type: 'structured', sections: [{ text }], chunking_strategy };
        assert.equal((await ask('POST', `/v2/corpora/${key}/documents`, { json })).status, 201);
        const chunks: string[] = (await ask('GET', `/v2/corpora/${key}/documents/b`)).json.parts.map((part: Json) => part.text);
        assert(chunks.every((chunk) => chunk.length <= 100));
        assert.equal(chunks.join(' '), text);
    });

    it('index: an id that is taken is 409, also when many ask at once; deleting it frees it at once', async () => {
        const key = await corpus();
        const path = `/v2/corpora/${key}/documents`;
        const replies = await Promise.all(Array.from({ length: 6 }, (_, i) => ask('POST', path, { json: core('same', `text${i}`) })));
        assert.deepEqual(replies.map((reply) => reply.status).sort(), [201, 409, 409, 409, 409, 409]);
        isError(await ask('POST', path, { json: core('same', 'other') }), 409);
        assert.equal((await ask('DELETE', `${path}/same`)).status, 204);
        isNotFound(await ask('GET', `${path}/same`), 'same');
        isNotFound(await ask('DELETE', `${path}/same`), 'same');
        assert.equal((await ask('POST', path, { json: core('same', 'other') })).status, 201);
        assert.equal((await query(key, 'other')).length, 1);
        assert.deepEqual(await query(key, 'text0 text1 text2 text3 text4 text5'), []);
    });

    const bad: [string, Json, ...string[]][] = [
        ['no id', { document_parts: [{ text: 'a' }] }, 'id'],
        ['an empty id', core('', 'a'), 'id'],
        ['an id of 257 bytes', core('a'.repeat(257), 'a'), 'id'],
        ['an id with a control character', core('a\u0007', 'a'), 'id'],
        ['no parts', { id: 'a', type: 'core' }, 'document_parts'],
        ['an empty array of parts', core('a'), 'document_parts'],
        ['1001 parts', core('a', ...Array.from({ length: 1001 }, () => 'x')), 'document_parts'],
        ['a part without text', { id: 'a', document_parts: [{ metadata: {} }] }, 'document_parts'],
        ['an empty part', core('a', 'b', ''), 'document_parts[1]'],
        ['a part of 64 KiB and one byte', core('a', 'x'.repeat(65537)), 'document_parts[0]'],
        ['more than 512 KiB of text', core('a', ...Array.from({ length: 9 }, () => 'x'.repeat(60000))), 'document_parts[8]'],
        ['a part that is no object', { id: 'a', document_parts: ['a'] }, 'document_parts[0]'],
        ['metadata that is no object', { ...core('a', 'b'), metadata: [] }, 'metadata'],
        ['metadata of 33 KiB', { ...core('a', 'b'), metadata: { a: 'x'.repeat(33 * 1024) } }, 'metadata'],
        ['dimensions that are no numbers', { id: 'a', document_parts: [{ text: 'a', custom_dimensions: { a: 'b' } }] }, 'document_parts[0]'],
        ['an unknown member', { ...core('a', 'b'), corpus: 'c' }, 'corpus'],
        ['an unknown member of a part', { id: 'a', document_parts: [{ text: 'a', lang: 'en' }] }, 'document_parts[0]'],
        ['an unknown type', { ...core('a', 'b'), type: 'other' }, 'type'],
        ['tables', { ...core('a', 'b'), tables: [{ id: 't' }] }, 'tables'],
        ['no sections', { id: 'a', type: 'structured' }, 'sections'],
        ['sections without text', { id: 'a', sections: [{ text: ' ' }] }, 'sections'],
        ['chunks of 99 characters', { id: 'a', sections: [{ text: 'a' }], chunking_strategy: { type: 'max_chars_chunking_strategy', max_chars_per_chunk: 99 } }, 'chunking_strategy'],
        ['sections nested without end', { id: 'a', sections: [JSON.parse('{"text":"a","sections":['.repeat(7) + '{"text":"b"}' + ']}'.repeat(7))] }],
        ['an array', [core('a', 'b')]],
    ];
    for (const [name, json, ...fields] of bad) {
        it(`index: refuses ${name}: 400, and keeps nothing`, async () => {
            const key = await corpus();
            isBadRequest(await ask('POST', `/v2/corpora/${key}/documents`, { json }), ...fields);
            assert.deepEqual((await ask('GET', `/v2/corpora/${key}/documents`)).json.documents, []);
        });
    }

    it('index: takes 1,000 parts; refuses what is no JSON, and a body over 2 MiB', async () => {
        const key = await corpus();
        const path = `/v2/corpora/${key}/documents`;
        const parts = Array.from({ length: 1000 }, (_, i) => ({ text: `part ${i}`, metadata: { n: i, even: i % 2 === 0 } }));
        assert.equal((await ask('POST', path, { json: { id: 'many', document_parts: parts } })).status, 201);
        assert.equal((await ask('GET', `${path}/many`)).json.parts.length, 1000);
        isError(await ask('POST', path, { headers: { 'content-type': 'text/plain' }, body: '{}' }), 415);
        isError(await ask('POST', path, { json: core('a', 'x'.repeat(2 << 20)) }), 413);
        isNotFound(await ask('POST', '/v2/corpora/nowhere/documents', { json: core('a', 'b') }), 'nowhere');
    });

    it('list: newest first, all of them on pages that do not overlap', async () => {
        const ids = Array.from({ length: 23 }, (_, i) => `doc-${i}`);
        const key = await corpus(...ids.map((id) => ({ ...core(id, 'text'), metadata: { id } })));
        const path = `/v2/corpora/${key}/documents`;
        const pages = await allPages(ask, path, 'documents', 5);
        assert.deepEqual(pages.map((one) => one.length), [5, 5, 5, 5, 3]);
        assert.deepEqual(pages.flat(), ids.toReversed().map((id) => ({ id, metadata: { id } })));
        assert.equal((await ask('GET', path)).json.documents.length, 10);
        assert.equal((await ask('GET', `${path}?limit=1000`)).json.documents.length, 23);
        for (const limit of ['0', '1001', 'x', '-1', '1&limit=2']) isBadRequest(await ask('GET', `${path}?limit=${limit}`), 'limit');
        isBadRequest(await ask('GET', `${path}?page_key=AAAA`), 'page_key');
        isBadRequest(await ask('GET', `${path}?metadata_filter=doc.id%20%3D%20'a'`), 'metadata_filter');
        const { page_key } = (await ask('GET', `${path}?limit=5`)).json.metadata;
        isBadRequest(await ask('GET', `/v2/corpora/${await corpus()}/documents?page_key=${page_key}`), 'page_key');
    });

    it('list: a page of much metadata ends early, and the next one goes on', async () => {
        const key = await corpus(...Array.from({ length: 40 }, (_, i) => ({ ...core(`d${i}`, 'a'), metadata: { a: 'x'.repeat(32000) } })));
        const pages = await allPages(ask, `/v2/corpora/${key}/documents`, 'documents', 1000);
        assert(pages.length > 1);
        assert.equal(pages.flat().length, 40);
    });

    it('metadata: PATCH merges, null included; PUT replaces; parts keep theirs', async () => {
        const key = await corpus({ id: 'a', metadata: { keep: 1, change: 1 }, document_parts: [{ text: 'word', metadata: { p: 1 } }] });
        const path = `/v2/corpora/${key}/documents/a`;
        const merged = await ask('PATCH', path, { json: { metadata: { change: null, add: { deep: [] } } } });
        assert.equal(merged.status, 200, merged.text);
        assert.deepEqual(merged.json, { id: 'a', metadata: { keep: 1, change: null, add: { deep: [] } } });
        const replaced = await ask('PUT', `${path}/metadata`, { json: { metadata: { only: true } } });
        assert.equal(replaced.status, 200, replaced.text);
        assert.deepEqual(replaced.json, { id: 'a', metadata: { only: true } });
        const [hit] = await query(key, 'word');
        assert.deepEqual([hit.document_metadata, hit.part_metadata], [{ only: true }, { p: 1 }]);
        for (const [method, where] of [['PATCH', path], ['PUT', `${path}/metadata`]] as const) {
            for (const json of [{}, { metadata: 1 }, { metadata: {}, id: 'b' }]) isBadRequest(await ask(method, where, { json }));
        }
        isBadRequest(await ask('PUT', `${path}/metadata`, { json: { metadata: { a: 'x'.repeat(33000) } } }), 'metadata');
        assert.equal((await ask('PUT', `${path}/metadata`, { json: { metadata: { a: 'x'.repeat(20000) } } })).status, 200);
        isBadRequest(await ask('PATCH', path, { json: { metadata: { b: 'x'.repeat(20000) } } }), 'metadata');
        isNotFound(await ask('PATCH', `/v2/corpora/${key}/documents/none`, { json: { metadata: {} } }), 'none');
        isNotFound(await ask('PUT', `/v2/corpora/${key}/documents/none/metadata`, { json: { metadata: {} } }), 'none');
    });

    it('an id may hold what a path must escape', async () => {
        const id = 'a/b?c#d%41 ü@';
        const key = await corpus(core(id, 'odd'));
        const path = `/v2/corpora/${key}/documents/${encodeURIComponent(id)}`;
        assert.equal((await ask('GET', path)).json.id, id);
        assert.equal((await ask('DELETE', path)).status, 204);
        isNotFound(await ask('GET', path), id);
    });

    it('query: any word is enough, in any case; best first, with all that a result has', async () => {
        const key = await corpus(
            { id: 'r', metadata: { d: 1 }, document_parts: [{ text: 'Research about things.', metadata: { p: 2 } }] },
            core('d', 'The DATA of it.', 'Neither of them.'),
            core('x', 'Nothing.'),
        );
        const results = await query(key, 'research and data');
        assert.deepEqual(results.map((one) => one.document_id).sort(), ['d', 'r']);
        const hit = results.find((one) => one.document_id === 'r');
        assert(typeof hit.score === 'number' && hit.score > 0);
        delete hit.score;
        assert.deepEqual(hit, {
            result_type: 'text',
            text: 'Research about things.',
            part_metadata: { p: 2 },
            document_metadata: { d: 1 },
            document_id: 'r',
            corpus_key: key,
            request_corpora_index: 0,
        });
        const simple = await ask('GET', `/v2/corpora/${key}/query?query=rESEARCH&limit=5`);
        assert.equal(simple.status, 200, simple.text);
        assert.deepEqual(simple.json.search_results.map((one: Json) => one.document_id), ['r']);
        assert.deepEqual((await ask('GET', `/v2/corpora/${key}/query?query=zebra`)).json.search_results, []);
    });

    it('query: limit and offset walk through the ranking', async () => {
        const key = await corpus(core('a', ...Array.from({ length: 15 }, (_, i) => `apple${' pear'.repeat(i)} ${i}`)));
        const all = await query(key, 'apple', { limit: 100 });
        assert.equal(all.length, 15);
        assert.equal((await query(key, 'apple')).length, 10);
        for (let i = 1; i < all.length; i++) assert(all[i - 1].score >= all[i].score);
        const walked = [];
        for (let offset = 0; offset < 18; offset += 4) walked.push(...(await query(key, 'apple', { limit: 4, offset })));
        assert.deepEqual(walked, all);
        const simple = await ask('GET', `/v2/corpora/${key}/query?query=apple&limit=2&offset=3`);
        assert.deepEqual(simple.json.search_results, all.slice(3, 5));
    });

    it('query: nothing in a text is an operator', async () => {
        const key = await corpus(core('a', 'alpha beta'), core('b', 'gamma'));
        const other = await corpus(core('c', 'alpha delta'));
        for (const text of ['"a" OR * NEAR(', '"', '*', '(', 'NOT', 'corpus : 1', '1', 'text:', '{a b}: c', '^', '" OR "', "'; --", '\\', '%', '💥', '—'])
            assert.deepEqual(await query(key, text), [], text);
        for (const text of ['"alpha" OR * NEAR(', 'NOT alpha', 'alpha*', '-alpha', 'x" OR corpus:"1" OR "alpha', 'alpha — 💥'])
            assert.deepEqual((await query(key, text)).map((one) => one.document_id), ['a'], text);
        assert.deepEqual((await query(other, 'alpha OR gamma')).map((one) => one.document_id), ['c']);
        assert.deepEqual(await query(key, 'alph'), [], 'no prefix');
        assert.deepEqual((await query(key, `${'x '.repeat(2400)}alpha`)).length, 1);
    });

    it('query: several corpora at once, each with its own text if it likes', async () => {
        const keys = [await corpus(core('a', 'shared alpha')), await corpus(core('b', 'shared beta')), await corpus(core('c', 'shared'))];
        const many = async (text: string, corpora: Json[], more: Json = {}): Promise<Reply> =>
            ask('POST', '/v2/query', { json: { query: text, search: { corpora, ...more } } });
        const reply = await many('shared', [{ corpus_key: keys[1] }, { corpus_key: keys[0], lexical_interpolation: 0.5, semantics: 'query' }]);
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual(
            reply.json.search_results.map((one: Json) => [one.document_id, one.corpus_key, one.request_corpora_index]).sort(),
            [['a', keys[0], 1], ['b', keys[1], 0]],
        );
        const own = await many('beta', [{ corpus_key: keys[0], query: 'alpha' }, { corpus_key: keys[1] }]);
        assert.deepEqual(own.json.search_results.map((one: Json) => one.document_id).sort(), ['a', 'b']);
        assert.equal((await many('shared', keys.map((corpus_key) => ({ corpus_key })), { limit: 2, offset: 1 })).json.search_results.length, 2);
        isNotFound(await many('shared', [{ corpus_key: keys[0] }, { corpus_key: 'nowhere' }]), 'nowhere');
        isBadRequest(await many('shared', []), 'search');
        isBadRequest(await many('shared', Array.from({ length: 21 }, () => ({ corpus_key: keys[0] }))), 'search');
    });

    const refused: [string, Json, string][] = [
        ['no query', {}, 'query'],
        ['an empty query', { query: '' }, 'query'],
        ['a query of 5,001 characters', { query: 'ä'.repeat(5001) }, 'query'],
        ['limit 0', { query: 'a', search: { limit: 0 } }, 'search.limit'],
        ['limit 101', { query: 'a', search: { limit: 101 } }, 'search.limit'],
        ['offset -1', { query: 'a', search: { offset: -1 } }, 'search.offset'],
        ['offset 10,001', { query: 'a', search: { offset: 10001 } }, 'search.offset'],
        ['a metadata filter', { query: 'a', search: { metadata_filter: "part.a = 'b'" } }, 'search.metadata_filter'],
        ['interpolation over 1', { query: 'a', search: { lexical_interpolation: 1.5 } }, 'search.lexical_interpolation'],
        ['unknown semantics', { query: 'a', search: { semantics: 'x' } }, 'search.semantics'],
        ['dimensions that are no numbers', { query: 'a', search: { custom_dimensions: { a: 'b' } } }, 'search.custom_dimensions'],
        ['a reranker', { query: 'a', search: { reranker: { type: 'mmr', diversity_bias: 0.2 } } }, 'search.reranker.type'],
        ['context', { query: 'a', search: { context_configuration: { sentences_before: 2 } } }, 'search.context_configuration.sentences_before'],
        ['max_by', { query: 'a', search: { max_by: 'doc.id' } }, 'search.max_by'],
        ['corpora in a query of one', { query: 'a', search: { corpora: [] } }, 'search.corpora'],
        ['generation', { query: 'a', generation: {} }, 'generation'],
        ['enabled generation', { query: 'a', generation: { enabled: true } }, 'generation'],
        ['a stream', { query: 'a', stream_response: true }, 'stream_response'],
        ['rewriting', { query: 'a', intelligent_query_rewriting: true }, 'intelligent_query_rewriting'],
        ['an unknown member', { query: 'a', model: 'x' }, 'model'],
    ];
    for (const [name, json, field] of refused) {
        it(`query: refuses ${name}: 400 that names ${field}`, async () => {
            const key = await corpus();
            const body = isBadRequest(await ask('POST', `/v2/corpora/${key}/query`, { json }));
            assert(field in body.field_errors, JSON.stringify(body));
        });
    }

    it('query: takes what clients send to say that they do not want it', async () => {
        const key = await corpus(core('a', 'word'));
        const search = { metadata_filter: '', lexical_interpolation: 0.025, semantics: 'default', custom_dimensions: {}, reranker: { type: 'none' }, limit: 10 };
        const json = { query: 'word', search, generation: null, stream_response: false, save_history: true, intelligent_query_rewriting: false };
        for (const body of [json, { ...json, generation: { enabled: false } }, { query: 'word' }, { query: 'word', search: null }]) {
            const reply = await ask('POST', `/v2/corpora/${key}/query`, { json: body });
            assert.equal(reply.status, 200, reply.text);
            assert.equal(reply.json.search_results.length, 1);
        }
        const bodyOfMany = { query: 'word', search: { corpora: [{ corpus_key: key, metadata_filter: "a = 'b'" }] } };
        const body = isBadRequest(await ask('POST', '/v2/query', { json: bodyOfMany }));
        assert('search.corpora[0].metadata_filter' in body.field_errors);
        for (const parameters of ['', 'query=', 'query=a&limit=0', 'query=a&offset=x', 'query=a&intelligent_query_rewriting=true', 'query=a&save_history=1'])
            isBadRequest(await ask('GET', `/v2/corpora/${key}/query?${parameters}`));
    });

    it('reset and compute_size: all of one corpus, with a body or without', async () => {
        const key = await corpus(core('a', 'one', 'größe'), { ...core('b', 'three'), metadata: { a: 1 } });
        const other = await corpus(core('a', 'one'));
        const size = async (): Promise<Json> => {
            const reply = await ask('POST', `/v2/corpora/${key}/compute_size`, { headers: { 'content-type': 'application/json' } });
            assert.equal(reply.status, 200, reply.text);
            return reply.json;
        };
        assert.deepEqual(await size(), { used_docs: 2, used_parts: 3, used_characters: 13, used_metadata_characters: 2 + 7 + 3 * 2 });
        assert.equal((await ask('POST', `/v2/corpora/${key}/reset`, { headers: { 'content-type': 'application/json' } })).status, 204);
        assert.deepEqual(await size(), { used_docs: 0, used_parts: 0, used_characters: 0, used_metadata_characters: 0 });
        assert.deepEqual((await ask('GET', `/v2/corpora/${key}/documents`)).json.documents, []);
        assert.deepEqual(await query(key, 'one three'), []);
        isNotFound(await ask('DELETE', `/v2/corpora/${key}/documents/a`), 'a');
        assert.equal((await query(other, 'one')).length, 1);
        assert.equal((await ask('GET', `/v2/corpora/${key}`)).status, 200, 'the corpus stays');
        assert.equal((await ask('POST', `/v2/corpora/${key}/documents`, { json: core('a', 'one') })).status, 201);
    });

    it('a corpus that is made anew under an old key has no old documents', async () => {
        const key = await corpus(core('a', 'word'));
        assert.equal((await ask('DELETE', `/v2/corpora/${key}`)).status, 204);
        await server.createCorpus(key);
        assert.deepEqual((await ask('GET', `/v2/corpora/${key}/documents`)).json.documents, []);
        assert.deepEqual(await query(key, 'word'), []);
    });

    it('a disabled corpus takes no documents and no queries: 403 that says so', async () => {
        const key = await corpus(core('a', 'word'));
        assert.equal((await ask('PATCH', `/v2/corpora/${key}`, { json: { enabled: false } })).status, 200);
        const many = { query: 'word', search: { corpora: [{ corpus_key: key }] } };
        for (const reply of [
            await ask('POST', `/v2/corpora/${key}/documents`, { json: core('b', 'word') }),
            await ask('POST', `/v2/corpora/${key}/query`, { json: { query: 'word' } }),
            await ask('GET', `/v2/corpora/${key}/query?query=word`),
            await ask('POST', '/v2/query', { json: many }),
        ])
            assert.match(isError(reply, 403).messages[0], /disabled/);
        assert.equal((await ask('GET', `/v2/corpora/${key}/documents/a`)).status, 200);
    });

    it('roles on one corpus reach it and nothing else: 403 whether or not the other exists', async () => {
        const key = await corpus(core('a', 'word'));
        const other = await corpus(core('a', 'word'));
        const tokens: Record<string, string> = {};
        for (const role of ['viewer', 'editor']) tokens[role] = await server.tokenFor([], { corpus_roles: [{ corpus_key: key, role }] });
        const { viewer, editor } = tokens;
        assert(viewer !== undefined && editor !== undefined);
        assert.equal((await ask('POST', `/v2/corpora/${key}/documents`, { token: editor, json: core('b', 'word') })).status, 201);
        isError(await ask('POST', `/v2/corpora/${key}/documents`, { token: viewer, json: core('c', 'word') }), 403);
        isError(await ask('DELETE', `/v2/corpora/${key}/documents/a`, { token: viewer }), 403);
        isError(await ask('POST', `/v2/corpora/${key}/reset`, { token: editor }), 403);
        isError(await ask('POST', `/v2/corpora/${key}/compute_size`, { token: editor }), 403);
        for (const token of [viewer, editor]) {
            assert.equal((await ask('GET', `/v2/corpora/${key}/query?query=word`, { token })).json.search_results.length, 2);
            for (const where of [other, 'nowhere']) {
                isError(await ask('GET', `/v2/corpora/${where}/documents`, { token }), 403);
                isError(await ask('POST', `/v2/corpora/${where}/documents`, { token, json: core('z', 'word') }), 403);
                isError(await ask('GET', `/v2/corpora/${where}/query?query=word`, { token }), 403);
                const corpora = [{ corpus_key: key }, { corpus_key: where }];
                isError(await ask('POST', '/v2/query', { token, json: { query: 'word', search: { corpora } } }), 403);
            }
        }
    });

    it('upload_file: 415, after the corpus and the role were looked at', async () => {
        const key = await corpus();
        const options = { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--\r\n' };
        isError(await ask('POST', `/v2/corpora/${key}/upload_file`, options), 415);
        isError(await ask('POST', `/v2/corpora/${key}/upload_file`), 415);
        isNotFound(await ask('POST', '/v2/corpora/nowhere/upload_file', options), 'nowhere');
        isError(await ask('POST', `/v2/corpora/${key}/upload_file`, { ...options, token: await server.tokenFor(['viewer']) }), 403);
    });
});

describe('documents, over restarts', () => {
    it('what was answered is there after a kill, and what belongs to a deleted corpus is not', async () => {
        await withServer({}, async (server) => {
            await server.createCorpus('kept');
            const reply = await server.control('POST', '/v2/corpora/kept/documents', { json: core('a', 'word') });
            assert.equal(reply.status, 201, reply.text);
            await server.signal('SIGKILL');
            await server.start();
            assert.equal((await server.control('GET', '/v2/corpora/kept/query?query=word')).json.search_results.length, 1);

            // Deleted while documents are off: the next start that has them sweeps.
            await server.stop();
            await server.start({ args: ['--documents', 'off'] });
            assert.equal((await server.control('DELETE', '/v2/corpora/kept')).status, 204);
            await server.stop();
            await server.start({ args: [] });
            assert.match(server.stderr, /1 deleted corpora/);
            await server.stop();
            await server.start();
            assert.doesNotMatch(server.stderr, /deleted corpora/);
        });
    });

    it('switched off: 404 that says so, no file, and nothing lost', async () => {
        await withServer({ args: ['--documents', 'off'] }, async (server) => {
            assert(!existsSync(join(server.data, 'documents.db')));
            await server.createCorpus('c');
            const asked: [string, string, Json?][] = [
                ['POST', '/v2/corpora/c/documents', core('a', 'b')],
                ['GET', '/v2/corpora/c/documents'],
                ['GET', '/v2/corpora/c/documents/a'],
                ['PATCH', '/v2/corpora/c/documents/a', { metadata: {} }],
                ['PUT', '/v2/corpora/c/documents/a/metadata', { metadata: {} }],
                ['DELETE', '/v2/corpora/c/documents/a'],
                ['POST', '/v2/query', { query: 'a', search: { corpora: [{ corpus_key: 'c' }] } }],
                ['GET', '/v2/corpora/c/query?query=a'],
                ['POST', '/v2/corpora/c/query', { query: 'a' }],
                ['POST', '/v2/corpora/c/reset'],
                ['POST', '/v2/corpora/c/compute_size'],
                ['POST', '/v2/corpora/c/upload_file'],
            ];
            for (const [method, path, json] of asked) {
                const body = isError(await server.control(method, path, json === undefined ? {} : { json }), 404);
                assert.match(body.messages[0], /switched off/, `${method} ${path}`);
            }
            assert.equal((await server.control('DELETE', '/v2/corpora/c')).status, 204);
        });
    });
});
