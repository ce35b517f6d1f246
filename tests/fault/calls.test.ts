// SPDX-License-Identifier: Apache-2.0
// System calls and memory that fail the running server, once each, in each kind of request: the n-th call of a name
// from the request's connection on, in the front and in the signer, for each n until the request needs fewer. Whatever
// is answered, the server goes on, and what it acknowledged is there. (The store's own calls fail one by one in
// tests/durability.)
import assert from 'node:assert/strict';
import { chmodSync, closeSync, copyFileSync, fchmodSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allPages } from '../blackbox/pages.js';
import { BUILD, eventually, HANG_MS, Server, temporaryDirectory, within, type AppClient, type Json, type Reply } from '../blackbox/server.js';

/** In the order of failing_calls.c. */
const CALLS = ['read', 'write', 'recv', 'send', 'accept', 'pread', 'pwrite', 'sync', 'truncate', 'open', 'lock', 'malloc'] as const;
const PROGRAMS = { posternd: 1, 'postern-signer': 2 } as const;
type Program = keyof typeof PROGRAMS;
const CALLS_MAX = 2000;

interface Kind {
    name: string;
    method: string;
    path: () => string;
    body?: () => string;
    type?: string;
    authorized?: boolean;
    header?: () => string;
    prepare?: () => Promise<void>;
    /** Called after a 2xx, with its JSON: what was acknowledged is there. */
    isThere?: (json: Json) => Promise<void>;
}

interface Outcome {
    status: number; // 0: the connection ended without an answer
    json: Json;
}

/** One request on a connection of its own; an end without an answer is an outcome, a hang is none. */
function ask(port: number, head: string, body: string): Promise<Outcome> {
    return within(
        'an answer, or the end of the connection',
        new Promise((resolve) => {
            let text = '';
            const socket = connect(port, '127.0.0.1', () => socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`));
            socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
            socket.on('error', () => undefined);
            socket.on('close', () => {
                const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
                let json: Json;
                try {
                    json = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
                } catch {
                    json = undefined;
                }
                resolve({ status, json });
            });
        }),
        HANG_MS,
    );
}

describe('calls that fail', () => {
    const folder = temporaryDirectory();
    const library = join(folder, 'failing-calls.so');
    const order = openSync(join(folder, 'order'), 'w+', 0o666);
    let server: Server;
    let owner: AppClient;
    let token = '';
    let number = 0;
    const counts = { requests: 0, failed: 0, refused: 0, unanswered: 0 };
    const acknowledged = { app_clients: new Map<string, string>(), corpora: new Set<string>(), api_keys: new Set<string>(), documents: new Set<string>() };

    /** A lane or the database may have to be opened anew first: until then 503. */
    const get = (path: string): Promise<Reply> =>
        eventually(`an answer to ${path}`, async () => {
            const reply = await server.request('GET', path, { token });
            return reply.status < 500 ? reply : undefined;
        });
    const fired = new Map<string, number>();
    const newName = (): string => `made-${++number}`;

    const kinds: Kind[] = [
        { name: 'token', method: 'POST', path: () => '/oauth2/token', type: 'application/x-www-form-urlencoded',
          body: () => `grant_type=client_credentials&client_id=${owner.client_id}&client_secret=${owner.client_secret}` },
        { name: 'token, wrong secret', method: 'POST', path: () => '/oauth2/token', type: 'application/x-www-form-urlencoded',
          body: () => `grant_type=client_credentials&client_id=${owner.client_id}&client_secret=junk` },
        { name: 'JWK set', method: 'GET', path: () => '/.well-known/jwks.json' },
        { name: 'readiness', method: 'GET', path: () => '/readyz' },
        { name: 'list corpora', method: 'GET', path: () => '/v2/corpora', authorized: true },
        { name: 'create a corpus', method: 'POST', path: () => '/v2/corpora', authorized: true, type: 'application/json',
          body: () => JSON.stringify({ key: newName() }),
          isThere: async (json) => {
              acknowledged.corpora.add(json.key);
              assert.equal((await get(`/v2/corpora/${json.key as string}`)).status, 200);
          } },
        { name: 'create a client', method: 'POST', path: () => '/v2/app_clients', authorized: true, type: 'application/json',
          body: () => JSON.stringify({ type: 'client_credentials', name: newName(), api_roles: ['viewer'] }),
          isThere: async (json) => {
              acknowledged.app_clients.set(json.id, '');
              assert.equal((await get(`/v2/app_clients/${json.id as string}`)).status, 200);
          } },
        { name: 'read a client and its secret', method: 'GET', path: () => `/v2/app_clients/${owner.id}`, authorized: true },
        { name: 'update a client', method: 'PATCH', path: () => `/v2/app_clients/${[...acknowledged.app_clients.keys()][0] as string}`, authorized: true,
          type: 'application/json', body: () => JSON.stringify({ description: newName() }),
          isThere: async (json) => {
              acknowledged.app_clients.set(json.id, json.description);
              assert.equal((await get(`/v2/app_clients/${json.id as string}`)).json.description, json.description);
          } },
        { name: 'delete a client', method: 'DELETE', path: () => `/v2/app_clients/${doomed}`, authorized: true,
          prepare: async () => {
              doomed = await eventually('a client to delete', async () => {
                  const reply = await server.request('POST', '/v2/app_clients', { token, json: { type: 'client_credentials', name: newName(), api_roles: ['viewer'] } });
                  return reply.status === 201 ? (reply.json.id as string) : undefined;
              });
          } },
        { name: 'update a corpus', method: 'PATCH', path: () => `/v2/corpora/${[...acknowledged.corpora][0] as string}`, authorized: true, type: 'application/json',
          body: () => JSON.stringify({ name: newName() }),
          isThere: async (json) => assert.equal((await get(`/v2/corpora/${json.key as string}`)).json.name, json.name) },
        { name: 'replace filter attributes', method: 'POST', path: () => `/v2/corpora/${[...acknowledged.corpora][0] as string}/replace_filter_attributes`,
          authorized: true, type: 'application/json', body: () => '{"filter_attributes":[]}',
          isThere: async (json) => assert.equal((await get(`/v2/jobs/${json.job_id as string}`)).status, 200) },
        { name: 'introspect', method: 'POST', path: () => '/oauth2/introspect', type: 'application/x-www-form-urlencoded',
          body: () => `token=${token}&client_id=${owner.client_id}&client_secret=${owner.client_secret}`,
          isThere: async (json) => assert.equal(json.active, true) },
        { name: 'revoke', method: 'POST', path: () => '/oauth2/revoke', type: 'application/x-www-form-urlencoded',
          body: () => `token=${spare}&client_id=${owner.client_id}&client_secret=${owner.client_secret}`,
          prepare: async () => {
              spare = await eventually('a token to revoke', () => server.token(owner).catch(() => undefined));
          },
          isThere: async () => assert.equal((await eventually('an answer', async () => {
              const reply = await server.request('GET', '/v2/corpora', { token: spare });
              return reply.status < 500 ? reply : undefined;
          })).status, 401) },
        { name: 'create an API key', method: 'POST', path: () => '/v2/api_keys', authorized: true, type: 'application/json',
          body: () => JSON.stringify({ name: newName(), api_key_role: 'serving', corpus_keys: ['whole'] }),
          isThere: async (json) => {
              acknowledged.api_keys.add(json.id);
              assert.equal((await get(`/v2/api_keys/${json.id as string}`)).status, 200);
          } },
        { name: 'a request with an API key', method: 'GET', path: () => '/v2/corpora/whole', header: () => `x-api-key: ${key}\r\n`,
          prepare: forgetTheKey, isThere: async (json) => assert.equal(json.key, 'whole') },
        { name: 'a request with a wrong API key', method: 'GET', path: () => '/v2/corpora/whole', header: () => `x-api-key: ${key.slice(0, -1)}\r\n`,
          isThere: async () => assert.fail('a wrong key opened something') },
        { name: 'update a user', method: 'PATCH', path: () => '/v2/users/ada', authorized: true, type: 'application/json',
          body: () => JSON.stringify({ description: newName() }),
          isThere: async (json) => assert.equal((await get('/v2/users/ada')).json.description, json.description) },
        { name: 'create a document', method: 'POST', path: () => '/v2/corpora/whole/documents', authorized: true, type: 'application/json',
          body: () => JSON.stringify({ id: newName(), document_parts: [{ text: 'Some words.' }] }),
          isThere: async (json) => {
              acknowledged.documents.add(json.id);
              assert.equal((await get(`/v2/corpora/whole/documents/${json.id as string}`)).status, 200);
          } },
        { name: 'query', method: 'GET', path: () => '/v2/corpora/whole/query?query=first', authorized: true,
          isThere: async (json) => assert.deepEqual(json.search_results.map((one: Json) => one.document_id), ['first']) },
    ];
    let doomed = '';
    let spare = '';
    let key = '';

    /** A key's state is kept until it changes: so it is read and checked anew. */
    async function forgetTheKey(): Promise<void> {
        const found = (await get('/v2/api_keys?corpus_key=whole&api_key_role=serving_and_indexing')).json.api_keys[0];
        for (const enabled of [false, true]) {
            await eventually('the key to change', async () => {
                const reply = await server.request('PATCH', `/v2/api_keys/${found.id as string}`, { token, json: { enabled } });
                return reply.status === 200 ? true : undefined;
            });
        }
    }

    before(async () => {
        copyFileSync(join(BUILD, 'tests', 'fault', 'failing-calls.so'), library);
        chmodSync(folder, 0o755);
        chmodSync(library, 0o755);
        fchmodSync(order, 0o666);
        give('posternd', 'read', 0);
        server = new Server({ env: { LD_PRELOAD: library, FAILING_CALLS: join(folder, 'order') }, args: ['--unseal-per-minute-max', '100000', '--address-failures-per-minute-max', '1000000', '--client-failures-per-minute-max', '1000000', '--events', 'off'] });
        await server.start();
        owner = await server.createClient(['owner']);
        token = await server.token(owner);
        await server.createCorpus('whole');
        const made = await Promise.all([
            server.control('POST', '/v2/users', { json: { email: 'ada@example.com', username: 'ada' } }),
            server.control('POST', '/v2/corpora/whole/documents', { json: { id: 'first', document_parts: [{ text: 'the first' }] } }),
            server.control('POST', '/v2/api_keys', { json: { name: 'whole', api_key_role: 'serving_and_indexing', corpus_keys: ['whole'] } }),
        ]);
        for (const reply of made) assert.equal(reply.status, 201, reply.text);
        key = made[2].json.secret_key;
    });
    after(async () => {
        await server.dispose();
        closeSync(order);
        rmSync(folder, { recursive: true, force: true });
    });

    /** Orders the n-th call to fail; 0: none. The name goes last: it is what arms. */
    function give(program: Program, call: (typeof CALLS)[number], n: number): void {
        const bytes = Buffer.alloc(24);
        writeSync(order, bytes.subarray(4, 8), 0, 4, 4);
        bytes.writeInt32LE(PROGRAMS[program], 0);
        bytes.writeBigInt64LE(BigInt(n), 8);
        writeSync(order, bytes.subarray(0, 4), 0, 4, 0);
        writeSync(order, bytes.subarray(8), 0, 16, 8);
        bytes.writeInt32LE(n === 0 ? 0 : CALLS.indexOf(call) + 1, 4);
        writeSync(order, bytes.subarray(4, 8), 0, 4, 4);
    }

    /** Takes the order back. Was it carried out? */
    function takeBack(): boolean {
        const bytes = Buffer.alloc(24);
        writeSync(order, bytes, 4, 4, 4);
        readSync(order, bytes, 0, 24, 0);
        return bytes.readInt32LE(16) !== 0;
    }

    /** One request in which a call fails. False: it needs fewer of them. */
    async function attempt(kind: Kind, program: Program, call: (typeof CALLS)[number], n: number): Promise<boolean> {
        await kind.prepare?.();
        const head = `${kind.method} ${kind.path()} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` + (kind.type === undefined ? '' : `Content-Type: ${kind.type}\r\n`) +
            (kind.authorized === true ? `Authorization: Bearer ${token}\r\n` : '') + (kind.header?.() ?? '');
        const body = kind.body?.() ?? '';
        give(program, call, n);
        // The signer waits in a call that began before the order: the first request ends that one.
        if (program === 'postern-signer') await server.request('GET', '/readyz');
        const outcome = await ask(server.port, head, body);
        const hasFailed = takeBack();
        counts.requests++;
        await eventually('the server to serve', async () => ((await server.request('GET', '/readyz')).status === 200 ? true : undefined));
        if (outcome.status === 0) counts.unanswered++;
        else if (outcome.status >= 400) counts.refused++;
        if (outcome.status >= 200 && outcome.status < 300) {
            await kind.isThere?.(outcome.json);
            if (kind.method === 'DELETE') assert.equal((await get(`/v2/app_clients/${doomed}`)).status, 404);
        } else if (kind.method === 'DELETE') {
            const still = (await get(`/v2/app_clients/${doomed}`)).status;
            assert(still === 200 || still === 404);
        }
        assert(outcome.status === 0 || outcome.status === 503 || outcome.status < 501, String(outcome.status));
        if (hasFailed) counts.failed++;
        const failed = program === 'posternd' ? call : `signer's ${call}`;
        if (hasFailed) fired.set(failed, (fired.get(failed) ?? 0) + 1);
        return hasFailed;
    }

    for (const kind of kinds) {
        for (const program of ['posternd', 'postern-signer'] as const) {
            it(`${program}: ${kind.name}`, async () => {
                const front = server.child('posternd');
                const seen = server.stderr.length;
                for (const call of CALLS) {
                    for (let n = 1; n < CALLS_MAX; n++) {
                        try {
                            if (!(await attempt(kind, program, call, n))) break;
                        } catch (error) {
                            throw new Error(`${call} ${n}: ${String(error)}\n${server.stderr.slice(-3000)}`, { cause: error });
                        }
                    }
                }
                assert.equal(server.child('posternd'), front, `the front did not end\n${server.stderr}`);
                assert.doesNotMatch(server.stderr.slice(seen), /ended \(signal/, 'the signer may give up, and is replaced; it does not crash');
            });
        }
    }

    it('and everything that was acknowledged is there after a restart', async (t) => {
        await server.stop();
        await server.start();
        token = await server.token(owner);
        const ask = (method: string, path: string): Promise<Reply> => server.request(method, path, { token });
        const clients = new Map((await allPages(ask, '/v2/app_clients', 'app_clients')).flat().map((client: Json) => [client.id, client]));
        for (const [id, description] of acknowledged.app_clients) {
            assert(clients.has(id), id);
            if (description !== '') assert.equal(clients.get(id).description, description);
        }
        const corpora = new Set((await allPages(ask, '/v2/corpora', 'corpora')).flat().map((corpus: Json) => corpus.key));
        for (const one of acknowledged.corpora) assert(corpora.has(one), one);
        const keys = new Set((await allPages(ask, '/v2/api_keys', 'api_keys')).flat().map(({ id }: Json) => id));
        for (const id of acknowledged.api_keys) assert(keys.has(id), id);
        const documents = new Set((await allPages(ask, '/v2/corpora/whole/documents', 'documents')).flat().map(({ id }: Json) => id));
        for (const id of acknowledged.documents) assert(documents.has(id), id);
        t.diagnostic(`requests ${counts.requests}, calls failed ${counts.failed}, refused ${counts.refused}, unanswered ${counts.unanswered}, crashes 0, lost 0; ${[...fired].map(([call, n]) => `${call} ${n}`).join(', ')}`);
        assert(counts.failed > 100);
    });
});
