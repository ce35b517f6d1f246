// SPDX-License-Identifier: Apache-2.0
// Every operation × every principal, against a table made from the contract (authorization.tsv).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { POSTERN, ROOT, run, useServer, type RequestOptions, type Server } from '../blackbox/server.js';

const [head = [], ...rows] = readFileSync(join(ROOT, 'tests', 'conformance', 'authorization.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));
const principals = head.slice(1);

/** A job on that corpus. */
async function jobOn(server: Server, corpus: string): Promise<string> {
    const reply = await server.control('POST', `/v2/corpora/${corpus}/replace_filter_attributes`, { json: { filter_attributes: [] } });
    assert.equal(reply.status, 200, reply.text);
    return reply.json.job_id;
}

/** Somebody else's key, without rights. */
async function keyOf(server: Server): Promise<string> {
    const reply = await server.control('POST', '/v2/api_keys', { json: { name: 'of another' } });
    assert.equal(reply.status, 201, reply.text);
    return reply.json.id;
}

let users = 0;
async function userOf(server: Server): Promise<string> {
    const username = `user-${users++}`;
    const reply = await server.control('POST', '/v2/users', { json: { email: `${username}@example.com`, username } });
    assert.equal(reply.status, 201, reply.text);
    return username;
}

/** A document in that corpus. */
async function documentIn(server: Server, corpus: string): Promise<string> {
    documents++;
    const json = { id: `doc-${documents}`, document_parts: [{ text: 'word' }] };
    const reply = await server.control('POST', `/v2/corpora/${corpus}/documents`, { json });
    assert.equal(reply.status, 201, reply.text);
    return json.id;
}
let documents = 0;

/** Bodies of the operations on documents, and their query. */
function documentBody(operation: string, key: string): unknown {
    if (operation === 'POST /v2/corpora/{corpus_key}/documents') return { id: 'made', document_parts: [{ text: 'word' }] };
    if (operation === 'POST /v2/corpora/{corpus_key}/query') return { query: 'word' };
    if (operation === 'POST /v2/query') return { query: 'word', search: { corpora: [{ corpus_key: key }] } };
    return operation.includes('{document_id}') && !/^(GET|DELETE)/.test(operation) ? { metadata: { a: 1 } } : undefined;
}

describe('authorization', () => {
    const server = useServer({ args: ['--unseal-per-minute-max', '100000'] });

    it('the table has a row for every route, and no other', async () => {
        const finished = await run(POSTERN, ['routes', '--json']);
        assert.equal(finished.code, 0, finished.stderr);
        const routes: { method: string; path: string }[] = JSON.parse(finished.stdout);
        assert.deepEqual(rows.map((row) => row[0]).sort(), routes.map(({ method, path }) => `${method} ${path}`).sort());
        for (const row of rows) assert.equal(row.length, head.length, `${row[0]} is whole`);
    });

    for (const [column, principal] of principals.entries()) {
        describe(principal, () => {
            let token: string | undefined;
            const key = `of-${principal.replace(':', '-')}`;

            before(async () => {
                if (principal === 'no_credential') return;
                await server.createCorpus(`${key}-role`);
                const isCorpusRole = principal.startsWith('corpus:');
                const role = principal.replace('corpus:', '');
                token = await server.tokenFor(isCorpusRole || role === 'no_role' ? [] : [role], {
                    corpus_roles: isCorpusRole ? [{ corpus_key: `${key}-role`, role }] : [],
                });
            });

            for (const [operation = '', ...cells] of rows) {
                it(`${operation}: ${cells[column]}`, async () => {
                    const [method = '', template = ''] = operation.split(' ');
                    const options: RequestOptions = token === undefined ? {} : { token };
                    let path = template;
                    if (template.includes('{app_client_id}'))
                        path = template.replace('{app_client_id}', (await server.createClient([])).id);
                    if (template.includes('{corpus_key}')) path = template.replace('{corpus_key}', `${key}-role`);
                    if (template.endsWith('/replace_filter_attributes')) options.json = { filter_attributes: [] };
                    if (template.includes('{job_id}'))
                        path = template.replace('{job_id}', principal === 'no_credential' ? 'job_any' : await jobOn(server, `${key}-role`));
                    if (principal === 'no_credential' && template.includes('{corpus_key}'))
                        path = path.replace(`${key}-role`, 'any');
                    if (template.includes('{api_key_id}')) path = template.replace('{api_key_id}', await keyOf(server));
                    if (template.includes('{username}')) path = template.replace('{username}', await userOf(server));
                    if (operation === 'POST /v2/one_time_codes/redeem') options.json = { one_time_code: 'none' };
                    if (operation === 'POST /v2/api_keys') options.json = { name: 'made' };
                    if (operation === 'POST /v2/users') options.json = { email: `made-by-${key}@example.com` };
                    if (operation === 'POST /v2/app_clients') options.json = { type: 'client_credentials', name: 'made' };
                    if (operation === 'POST /v2/corpora') options.json = { key: `${key}-made` };
                    if (method === 'PATCH') options.json = template.includes('{api_key_id}') ? { enabled: false } : { description: 'changed' };
                    const body = documentBody(operation, `${key}-role`);
                    if (body !== undefined) options.json = body;
                    if (template.includes('{document_id}'))
                        path = path.replace('{document_id}', principal === 'no_credential' ? 'any' : await documentIn(server, `${key}-role`));
                    if (operation === 'GET /v2/corpora/{corpus_key}/query') path += '?query=word';
                    if (template.startsWith('/oauth') && method === 'POST') options.form = { grant_type: 'client_credentials' };
                    const reply = await server.request(method, path, options);
                    assert.equal(`${reply.status}`, cells[column], reply.text);
                });
            }
        });
    }
});
