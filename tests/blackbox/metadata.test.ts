// SPDX-License-Identifier: Apache-2.0
// What verifiers and clients find by themselves: metadata (RFC 8414) and keys (RFC 7517), with caching and CORS.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { decodeJwt } from './check.js';
import { useServer, withServer, type Json } from './server.js';

const JWKS = '/.well-known/jwks.json';
const METADATA = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

describe('metadata', () => {
    const server = useServer();

    it('says what is there and nothing else', async () => {
        const reply = await server.request('GET', METADATA);
        assert.equal(reply.status, 200);
        const {
            id_token_signing_alg_values_supported: algs, token_endpoint_auth_methods_supported: methods,
            introspection_endpoint_auth_methods_supported: introspection, revocation_endpoint_auth_methods_supported: revocation, ...rest
        } = reply.json;
        assert.deepEqual(rest, {
            issuer: server.url,
            token_endpoint: `${server.url}/oauth2/token`,
            introspection_endpoint: `${server.url}/oauth2/introspect`,
            revocation_endpoint: `${server.url}/oauth2/revoke`,
            jwks_uri: `${server.url}${JWKS}`,
            grant_types_supported: ['client_credentials'],
            response_types_supported: [],
            subject_types_supported: ['public'],
        });
        for (const list of [methods, introspection, revocation]) assert.deepEqual([...list].sort(), ['client_secret_basic', 'client_secret_post']);
        assert(Array.isArray(algs) && algs.includes('RS256') && !algs.includes('none'));
    });

    it('names an authorization endpoint when configured, which refuses everybody', async () => {
        await withServer({ args: ['--metadata-authorization-endpoint', 'true', '--token-alg', 'ES256'] }, async (other) => {
            const metadata = (await other.request('GET', METADATA)).json;
            assert.equal(metadata.authorization_endpoint, `${other.url}/oauth2/authorize`);
            assert.deepEqual(metadata.response_types_supported, []);
            assert.deepEqual(metadata.id_token_signing_alg_values_supported, ['RS256', 'ES256'], "RS256 and the keys' own");
            const { client_id } = await other.createClient(['owner']);
            for (const query of ['', `?response_type=code&client_id=${client_id}&redirect_uri=https://evil.example/`]) {
                const reply = await other.request('GET', `/oauth2/authorize${query}`);
                assert.equal(reply.status, 400);
                assert.equal(reply.json.error, 'unsupported_response_type');
                assert.equal(reply.headers.location, undefined, 'nobody is sent anywhere (RFC 6749 section 4.1.2.1)');
            }
        });
    });

    it('has an issuer without a slash at its end, query or fragment', async () => {
        const { issuer } = (await server.request('GET', METADATA)).json;
        assert.match(issuer, /^https?:\/\/[^/?#]+$/);
    });

    it('is the same bytes at the OpenID location', async () => {
        const [one, two] = [await server.request('GET', METADATA), await server.request('GET', OPENID)];
        assert.equal(one.text, two.text);
        assert.equal(one.headers.etag, two.headers.etag);
    });

    it('comes from configuration, whatever Host and forwarding headers say', async () => {
        const plain = await server.request('GET', METADATA);
        for (const headers of [
            { host: 'evil.example' },
            { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
            { forwarded: 'host=evil.example;proto=https' },
        ])
            assert.equal((await server.request('GET', METADATA, { headers })).text, plain.text);
    });

    it('names the public URL when one is configured, as do the tokens', async () => {
        await withServer({ args: ['--public-url', 'https://auth.example.com'] }, async (configured) => {
            const metadata = (await configured.request('GET', METADATA)).json;
            assert.equal(metadata.issuer, 'https://auth.example.com');
            assert.equal(metadata.token_endpoint, 'https://auth.example.com/oauth2/token');
            assert.equal(metadata.jwks_uri, `https://auth.example.com${JWKS}`);
            const token = await configured.tokenFor(['viewer']);
            const { claims } = decodeJwt(token);
            assert.equal(claims.iss, 'https://auth.example.com');
            assert.equal(claims.aud, 'https://auth.example.com/v2');
            assert.equal((await configured.request('GET', '/v2/corpora', { token })).status, 200);
        });
    });
});

describe('keys', () => {
    const server = useServer();
    let jwks: Json;

    before(async () => {
        jwks = (await server.request('GET', JWKS)).json;
    });

    it('are public, each with kid, use and alg', () => {
        assert.deepEqual(Object.keys(jwks), ['keys']);
        assert(jwks.keys.length >= 1);
        for (const key of jwks.keys) {
            assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
            assert.deepEqual({ kty: key.kty, alg: key.alg, use: key.use }, { kty: 'RSA', alg: 'RS256', use: 'sig' });
            assert(Buffer.from(key.n, 'base64url').length >= 256, 'at least 2048 bits');
            assert.notEqual(Buffer.from(key.n, 'base64url')[0], 0, 'no leading zero octet (RFC 7518 §2)');
            assert.equal(key.e, 'AQAB');
            const thumbprint = createHash('sha256').update(`{"e":"${key.e}","kty":"RSA","n":"${key.n}"}`).digest('base64url');
            assert.equal(key.kid, thumbprint);
        }
        assert.equal(new Set(jwks.keys.map((key: Json) => key.kid)).size, jwks.keys.length);
    });

    it('differ from server to server', async () => {
        await withServer({}, async (other) => {
            const theirs = (await other.request('GET', JWKS)).json;
            assert.notEqual(theirs.keys[0].kid, jwks.keys[0].kid);
        });
    });

    // Public members of each kind, by RFC 7518 §6 and RFC 8037 §2; private ones would be d, p, q, k and so on.
    for (const [alg, expected, members] of [
        ['RS256', { kty: 'RSA' }, ['alg', 'e', 'kid', 'kty', 'n', 'use']],
        ['PS256', { kty: 'RSA' }, ['alg', 'e', 'kid', 'kty', 'n', 'use']],
        ['ES256', { kty: 'EC', crv: 'P-256' }, ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
        ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }, ['alg', 'crv', 'kid', 'kty', 'use', 'x']],
    ] as [string, Record<string, string>, string[]][]) {
        it(`are of the kind that --token-alg ${alg} asks for`, async () => {
            await withServer({ args: ['--token-alg', alg] }, async (other) => {
                const [key, ...more] = (await other.request('GET', JWKS)).json.keys;
                assert.equal(more.length, 0);
                assert.deepEqual(Object.keys(key).sort(), members);
                assert.equal(key.alg, alg);
                for (const [name, value] of Object.entries(expected)) assert.equal(key[name], value);
                for (const coordinate of ['x', 'y'].filter((name) => name in key))
                    assert.equal(Buffer.from(key[coordinate], 'base64url').length, 32);
                const { header } = decodeJwt(await other.tokenFor(['viewer']));
                assert.deepEqual(header, { alg, typ: 'at+jwt', kid: key.kid });
            });
        });
    }
});

describe('public documents', () => {
    const server = useServer();

    for (const path of [JWKS, METADATA, OPENID]) {
        describe(path, () => {
            it('is JSON that may be cached for five minutes, with a strong ETag', async () => {
                const reply = await server.request('GET', path);
                assert.equal(reply.status, 200);
                assert.equal(reply.headers['content-type'], 'application/json');
                assert.equal(reply.headers['cache-control'], 'public, max-age=300');
                assert.match(reply.headers.etag ?? '', /^"[\x21\x23-\x7e]+"$/);
                assert.equal(reply.headers['set-cookie'], undefined);
            });

            it('is open to every origin', async () => {
                assert.equal((await server.request('GET', path)).headers['access-control-allow-origin'], '*');
                const reply = await server.request('GET', path, { headers: { origin: 'https://app.example' } });
                assert.equal(reply.headers['access-control-allow-origin'], '*');
                assert.equal(reply.headers['access-control-allow-credentials'], undefined);
            });

            it('answers HEAD with the same headers and no body', async () => {
                const [get, head] = [await server.request('GET', path), await server.request('HEAD', path)];
                assert.equal(head.status, 200);
                assert.equal(head.text, '');
                for (const name of ['content-type', 'content-length', 'etag', 'cache-control', 'access-control-allow-origin'])
                    assert.equal(head.headers[name], get.headers[name], name);
            });

            it('answers 304 without a body to its ETag', async () => {
                const etag = (await server.request('GET', path)).headers.etag ?? '';
                for (const value of [etag, `W/${etag}`, `"other", ${etag}`, `${etag},"other"`, '*']) {
                    for (const method of ['GET', 'HEAD']) {
                        const reply = await server.request(method, path, { headers: { 'if-none-match': value } });
                        assert.equal(reply.status, 304, value);
                        assert.equal(reply.text, '');
                        assert.equal(reply.headers.etag, etag);
                        assert.equal(reply.headers['cache-control'], 'public, max-age=300');
                        assert.equal(reply.headers['access-control-allow-origin'], '*');
                        assert.notEqual(reply.headers.date, undefined);
                    }
                }
            });

            it('answers 200 to another ETag', async () => {
                const etag = (await server.request('GET', path)).headers.etag ?? '';
                for (const value of ['"other"', etag.slice(1, -1), etag.toUpperCase() === etag ? '"x"' : etag.toUpperCase(), ''])
                    assert.equal((await server.request('GET', path, { headers: { 'if-none-match': value } })).status, 200, value);
            });

            it('has no copy with a slash at its end and answers no redirect', async () => {
                assert.equal((await server.request('GET', `${path}/`)).status, 404);
            });
        });
    }

    it('and only they are open to every origin', async () => {
        const token = await server.tokenFor(['owner']);
        for (const [method, path] of [['GET', '/v2/corpora'], ['GET', '/v2/app_clients'], ['POST', '/oauth2/token']] as const) {
            const reply = await server.request(method, path, { token, headers: { origin: 'https://app.example' } });
            assert.equal(reply.headers['access-control-allow-origin'], undefined, path);
        }
    });
});

describe('health', () => {
    const server = useServer();

    for (const path of ['/healthz', '/readyz']) {
        it(`${path} answers 200 to anyone`, async () => {
            for (const method of ['GET', 'HEAD']) {
                const reply = await server.request(method, path);
                assert.equal(reply.status, 200, reply.text);
            }
        });
    }

    it('every reply has a Date and no version of the server', async () => {
        for (const path of ['/healthz', JWKS, '/nothing', '/v2/corpora']) {
            const reply = await server.request('GET', path);
            assert.notEqual(reply.headers.date, undefined);
            assert.doesNotMatch(String(reply.headers['server'] ?? ''), /[0-9]/);
        }
    });
});
