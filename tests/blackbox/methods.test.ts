// SPDX-License-Identifier: Apache-2.0
// Every endpoint with every method: served, 405 with Allow, 204 to OPTIONS, 501 (RFC 9110 §9, §15.5.6, §15.6.2).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError, isOAuthError } from './check.js';
import { Connection, exchange } from './socket.js';
import { useServer } from './server.js';

// Typed in from the contract and RFC 9110; not from the product's own table.
const ENDPOINTS: Record<string, string[]> = {
    '/oauth2/token': ['POST'],
    '/oauth/token': ['POST'],
    '/oauth2/introspect': ['POST'],
    '/oauth2/revoke': ['POST'],
    '/oauth2/authorize': ['GET', 'HEAD'],
    '/.well-known/jwks.json': ['GET', 'HEAD'],
    '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
    '/.well-known/openid-configuration': ['GET', 'HEAD'],
    '/healthz': ['GET', 'HEAD'],
    '/readyz': ['GET', 'HEAD'],
    '/v2/app_clients': ['GET', 'HEAD', 'POST'],
    '/v2/app_clients/app_000000000000': ['GET', 'HEAD', 'PATCH', 'DELETE'],
    '/v2/api_keys': ['GET', 'HEAD', 'POST'],
    '/v2/api_keys/aky_000000000000': ['GET', 'HEAD', 'PATCH', 'DELETE'],
    '/v2/api_keys/aky_000000000000/regenerate': ['POST'],
    '/v2/users': ['GET', 'HEAD', 'POST'],
    '/v2/users/owner': ['GET', 'HEAD', 'PATCH', 'DELETE'],
    '/v2/users/owner/reset_password': ['POST'],
    '/v2/one_time_codes/redeem': ['POST'],
    '/v2/corpora': ['GET', 'HEAD', 'POST'],
    '/v2/corpora/some-key': ['GET', 'HEAD', 'PATCH', 'DELETE'],
    '/v2/corpora/some-key/replace_filter_attributes': ['POST'],
    '/v2/corpora/some-key/documents': ['GET', 'HEAD', 'POST'],
    '/v2/corpora/some-key/documents/some-id': ['GET', 'HEAD', 'PATCH', 'DELETE'],
    '/v2/corpora/some-key/documents/some-id/metadata': ['PUT'],
    '/v2/corpora/some-key/query': ['GET', 'HEAD', 'POST'],
    '/v2/corpora/some-key/reset': ['POST'],
    '/v2/corpora/some-key/compute_size': ['POST'],
    '/v2/corpora/some-key/upload_file': ['POST'],
    '/v2/query': ['POST'],
    '/v2/jobs': ['GET', 'HEAD'],
    '/v2/jobs/job_000000000000': ['GET', 'HEAD'],
};

const allowed = (value: string | undefined): string[] => (value ?? '').split(',').map((name) => name.trim()).sort();

describe('methods', () => {
    const server = useServer();

    for (const [path, methods] of Object.entries(ENDPOINTS)) {
        const allow = [...methods, 'OPTIONS'].sort();

        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'].filter((name) => !methods.includes(name))) {
            it(`${method} ${path}: 405 with Allow, whoever asks`, async () => {
                const reply = await server.request(method, path, { headers: { authorization: 'Bearer nonsense' } });
                assert.equal(reply.status, 405, reply.text);
                assert.deepEqual(allowed(reply.headers.allow), allow);
                if (method !== 'HEAD') assert.notEqual(reply.json, undefined, 'errors are JSON');
            });
        }

        for (const method of methods) {
            it(`${method} ${path}: served`, async () => {
                const reply = await server.request(method, path);
                assert(![404, 405, 500, 501].includes(reply.status), `${reply.status}`);
                if (method === 'HEAD') assert.equal(reply.text, '');
            });
        }

        it(`OPTIONS ${path}: 204 with Allow and no body`, async () => {
            const reply = await server.request('OPTIONS', path);
            assert.equal(reply.status, 204);
            assert.equal(reply.text, '');
            assert.deepEqual(allowed(reply.headers.allow), allow);
        });

        it(`a method that HTTP does not know on ${path}: 501`, async () => {
            for (const method of ['FOO', 'GETS', 'X']) {
                const { replies } = await exchange(server.port, [`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
                assert.equal(replies.length, 1);
                assert.equal(replies[0]?.status, 501, method);
            }
        });

        it(`a known method in lower case on ${path}: refused`, async () => {
            const method = (methods[0] ?? '').toLowerCase();
            const { replies } = await exchange(server.port, [`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
            assert([400, 405, 501].includes(replies[0]?.status ?? 0), `${replies[0]?.status}`);
        });
    }

    it('HEAD leaves the connection in step: GET after it is read right', async () => {
        const connection = await Connection.open(server.port);
        try {
            connection.methods = ['HEAD', 'GET', 'HEAD', 'GET'];
            const path = '/.well-known/jwks.json';
            for (const method of connection.methods) await connection.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
            const replies = [await connection.reply(), await connection.reply(), await connection.reply(), await connection.reply()];
            assert.deepEqual(replies.map((reply) => reply?.status), [200, 200, 200, 200]);
            assert.equal(replies[1]?.body, replies[3]?.body);
            assert('keys' in JSON.parse(replies[1]?.body ?? ''));
            const lengths = replies.map((reply) => reply?.headers.get('content-length')?.[0]);
            assert.equal(new Set(lengths.filter((length) => length !== undefined)).size, 1);
        } finally {
            connection.close();
        }
    });

    it('CONNECT opens no tunnel', async () => {
        for (const target of ['/oauth2/token', '127.0.0.1:80', 'example.com:443']) {
            const { replies } = await exchange(server.port, [`CONNECT ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
            assert([400, 404, 405, 501].includes(replies[0]?.status ?? 0), `${replies[0]?.status}`);
        }
    });

    it('TRACE repeats nothing', async () => {
        const reply = await server.request('TRACE', '/healthz', { headers: { 'x-marker': 'zq7marker' } });
        assert(!reply.text.includes('zq7marker'));
    });

    it('a method of 8 KiB: refused', async () => {
        const { replies } = await exchange(server.port, [`${'A'.repeat(8192)} / HTTP/1.1\r\nHost: a\r\n\r\n`]);
        assert([400, 414, 431, 501].includes(replies[0]?.status ?? 0), `${replies[0]?.status}`);
    });

    it('an override header overrides nothing', async () => {
        const reply = await server.request('POST', '/.well-known/jwks.json', { headers: { 'x-http-method-override': 'GET' } });
        assert.equal(reply.status, 405);
    });

    for (const path of ['/', '/nothing', '/v1/corpora', '/v2', '/v2/', '/oauth2', '/oauth2/token/', '/OAUTH2/TOKEN', '/v2/nothing', '/.well-known/', '/v2/corpora/a/b/c']) {
        it(`${path}: 404 in the path's shape, with every method`, async () => {
            for (const method of ['GET', 'POST', 'DELETE']) {
                const reply = await server.request(method, path);
                if (path.startsWith('/oauth')) isOAuthError(reply, 404, 'invalid_request');
                else isError(reply, 404);
            }
        });
    }
});
