// SPDX-License-Identifier: Apache-2.0
// Every operation on one object × every role × whose object it is, against a table made from the contract
// (ownership.tsv).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { API_ROLES, POSTERN, ROOT, run, useServer, type Json, type Reply, type RequestOptions } from '../blackbox/server.js';

const [, ...rows] = readFileSync(join(ROOT, 'tests', 'conformance', 'ownership.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));

const GROUPS: Record<string, string[]> = {
    readers: ['corpus_viewer', 'corpus_developer', 'corpus_administrator', 'viewer', 'administrator', 'owner'],
    writers: ['corpus_developer', 'corpus_administrator', 'administrator', 'owner'],
    managers: ['corpus_administrator', 'administrator', 'owner'],
    admins: ['administrator', 'owner'],
};

function expected(all: string, exceptions: string, role: string): number {
    for (const exception of exceptions.split(' ').filter((one) => one !== '')) {
        const [who = '', code = ''] = exception.split('=');
        if (who === role || GROUPS[who]?.includes(role)) return Number(code);
    }
    return Number(all);
}

/** Who asks: what its requests carry, and what is its own. */
interface Caller {
    options: RequestOptions;
    app_client?: string;
    user?: string;
}

describe('ownership', () => {
    const server = useServer({ args: ['--unseal-per-minute-max', '100000'] });
    let other: string;
    let made = 0;

    async function must(method: string, path: string, json?: unknown, account?: string): Promise<Json> {
        const headers = account === undefined ? {} : { 'postern-account': account };
        const reply = await server.control(method, path, json === undefined ? { headers } : { headers, json });
        assert(reply.status < 300, `${method} ${path}: ${reply.text}`);
        return reply.json;
    }
    const roles = (role: string): string[] => (role === 'no_role' ? [] : [role]);

    async function user(api_roles: string[], account?: string): Promise<string> {
        const username = `user-${made++}`;
        await must('POST', '/v2/users', { email: `${username}@example.com`, username, api_roles }, account);
        await must('PATCH', `/v2/users/${username}`, { enabled: true }, account);
        return username;
    }

    /** Makes an object; answers what a path calls it. */
    const makers: Record<string, (api_roles: string[], account?: string) => Promise<string>> = {
        app_client: async (api_roles, account) =>
            (await must('POST', '/v2/app_clients', { type: 'client_credentials', name: 'target', api_roles }, account)).id,
        api_key: async (api_roles, account) => (await must('POST', '/v2/api_keys', { name: 'target', api_roles }, account)).id,
        personal_key: async (api_roles) =>
            (await must('POST', '/v2/api_keys', { name: 'target', api_key_role: 'personal', username: await user(api_roles) })).id,
        user,
        corpus: async (_, account) => (await must('POST', '/v2/corpora', { key: `corpus-${made++}` }, account)).key,
        document: async (_, account) => {
            const { key } = await must('POST', '/v2/corpora', { key: `corpus-${made++}` }, account);
            await must('POST', `/v2/corpora/${key}/documents`, { id: 'one', document_parts: [{ text: 'word' }] }, account);
            return key;
        },
        job: async (_, account) => {
            const { key } = await must('POST', '/v2/corpora', { key: `corpus-${made++}` }, account);
            return (await must('POST', `/v2/corpora/${key}/replace_filter_attributes`, { filter_attributes: [] }, account)).job_id;
        },
    };
    const collections: Record<string, string> = { app_client: 'app_clients', api_key: 'api_keys', user: 'users', corpus: 'corpora' };

    async function caller(kind: string, role: string): Promise<Caller> {
        if (kind === 'client') {
            const client = await server.createClient(roles(role));
            return { options: { token: await server.token(client) }, app_client: client.id };
        }
        const username = await user(roles(role));
        const key = await must('POST', '/v2/api_keys', { name: 'mine', api_key_role: 'personal', username });
        return { options: { headers: { 'x-api-key': key.secret_key } }, user: username };
    }

    async function target(what: string, whose: string, asking: Caller): Promise<string> {
        const maker = makers[what];
        assert(maker !== undefined, what);
        if (whose === 'own' && what === 'api_key') {
            const reply = await server.request('POST', '/v2/api_keys', { ...asking.options, json: { name: 'own' } });
            assert.equal(reply.status, 201, reply.text);
            return reply.json.id;
        }
        if (whose === 'own') return String(asking[what as 'app_client' | 'user']);
        if (whose === 'account') return maker([], other);
        const id = await maker(whose === 'higher' ? ['owner'] : []);
        if (whose === 'deleted' && what === 'document') await must('DELETE', `/v2/corpora/${id}/documents/one`);
        else if (whose === 'deleted') await must('DELETE', `/v2/${collections[what]}/${id}`);
        return id;
    }

    function body(operation: string): Json | undefined {
        if (operation.startsWith('PATCH /v2/api_keys')) return { enabled: false };
        if (operation.startsWith('PATCH') && operation.includes('{document}')) return { metadata: { a: 1 } };
        if (operation.startsWith('PATCH')) return { description: 'changed' };
        if (operation.endsWith('/documents') && operation.startsWith('POST')) return { id: 'new', document_parts: [{ text: 'word' }] };
        if (operation === 'POST /v2/corpora/{corpus}/query') return { query: 'word' };
        if (operation.endsWith('/metadata')) return { metadata: {} };
        return operation.endsWith('/replace_filter_attributes') ? { filter_attributes: [] } : undefined;
    }

    async function ask(operation: string, whose: string, asking: Caller): Promise<Reply> {
        const [method = '', template = ''] = operation.split(' ');
        const named = /\{(\w+)\}/.exec(template)?.[1] ?? '';
        const id = encodeURIComponent(await target(template.includes('{document}') ? 'document' : named, whose, asking));
        const query = operation === 'GET /v2/corpora/{corpus}/query' ? '?query=word' : '';
        const path = template.replace(`{${named}}`, id).replace('{document}', 'one') + query;
        const json = body(operation);
        return server.request(method, path, json === undefined ? asking.options : { ...asking.options, json });
    }

    before(async () => {
        const account = await run(POSTERN, ['--data', server.data, 'account', 'create', '--name', 'other', '--json']);
        assert.equal(account.code, 0, account.stderr);
        other = JSON.parse(account.stdout).id;
    });

    it('the table has every operation on one object', async () => {
        const routes: { method: string; path: string; permission: string }[] = JSON.parse((await run(POSTERN, ['routes', '--json'])).stdout);
        const names: Record<string, string> = { app_client_id: 'app_client', api_key_id: 'api_key', username: 'user', corpus_key: 'corpus', document_id: 'document', job_id: 'job' };
        const wanted = routes
            .filter(({ path }) => path.startsWith('/v2/') && path.includes('{'))
            .map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, (_, name: string) => `{${names[name] ?? name}}`)}`);
        const operations = new Set(rows.map((row) => row[0]));
        assert.deepEqual(wanted.filter((one) => !operations.has(one)), []);
    });

    for (const role of ['no_role', ...API_ROLES]) {
        it(`${role}: every cell`, async (t) => {
            const wrong: string[] = [];
            let cells = 0;
            for (const [operation = '', whose = '', kinds = '', all = '', exceptions = ''] of rows) {
                for (const kind of kinds === 'both' ? ['client', 'personal'] : [kinds]) {
                    const reply = await ask(operation, whose, await caller(kind, role));
                    const code = expected(all, exceptions, role);
                    cells++;
                    if (reply.status !== code) wrong.push(`${operation} ${whose} by ${kind}: ${reply.status}, not ${code}: ${reply.text}`);
                }
            }
            t.diagnostic(`${cells} cells, ${wrong.length} wrong`);
            assert.deepEqual(wrong, []);
        });
    }
});
