// SPDX-License-Identifier: Apache-2.0
// The token endpoint: what it gives, what it refuses, and in which words (RFC 6749, RFC 9068, RFC 8707).
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { decodeJwt, isOAuthError, isToken } from './check.js';
import {
    API_ROLES, basic, useServer, withServer, type AppClient, type Json, type Reply, type RequestOptions,
} from './server.js';

const GRANT = { grant_type: 'client_credentials' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Every character as %XX: what the strictest client makes of RFC 6749 §2.3.1. */
function percentAll(text: string): string {
    return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

describe('token endpoint', () => {
    const server = useServer();
    let client: AppClient;
    let other: AppClient;
    let inBody: Record<string, string>;

    before(async () => {
        client = await server.createClient(['viewer', 'corpus_developer']);
        other = await server.createClient([]);
        inBody = { ...GRANT, client_id: client.client_id, client_secret: client.client_secret };
    });

    const ask = (options: RequestOptions, path = '/oauth2/token'): Promise<Reply> =>
        server.request('POST', path, options);

    describe('gives a token', () => {
        for (const path of ['/oauth2/token', '/oauth/token']) {
            it(`at ${path}`, async () => {
                isToken(await ask({ form: inBody }, path));
            });
        }

        it('that is a signed JWT of RFC 9068 with exactly the stated claims', async () => {
            const token = isToken(await ask({ form: inBody }));
            const { header, claims, signed, signature } = decodeJwt(token);
            const jwks = (await server.request('GET', '/.well-known/jwks.json')).json;
            const jwk = jwks.keys.find((key: Json) => key.kid === header.kid);
            assert(jwk !== undefined, 'kid is in the JWKS');

            assert.deepEqual(header, { alg: 'RS256', typ: 'at+jwt', kid: header.kid });
            // RFC 7638 §3.2: the required members in lexicographic order, no white space.
            const thumbprint = createHash('sha256')
                .update(`{"e":"${jwk.e}","kty":"RSA","n":"${jwk.n}"}`)
                .digest('base64url');
            assert.equal(header.kid, thumbprint);
            assert(verify('sha256', Buffer.from(signed), createPublicKey({ key: jwk, format: 'jwk' }), signature));

            assert.deepEqual(Object.keys(claims).sort(), [
                'account_id', 'aud', 'client_id', 'credential_id', 'exp', 'iat', 'iss', 'jti', 'rev', 'roles', 'sub',
            ]);
            assert.equal(claims.iss, server.url);
            assert.equal(claims.aud, `${server.url}/v2`);
            assert.equal(claims.sub, client.client_id);
            assert.equal(claims.client_id, client.client_id);
            assert.deepEqual([...claims.roles].sort(), ['corpus_developer', 'viewer']);
            assert.match(claims.account_id, /^acc_[0-9A-Za-z]{12}$/);
            assert.match(claims.credential_id, /^crd_[0-9A-Za-z]{12}$/);
            assert(typeof claims.jti === 'string' && claims.jti.length >= 16);
            assert(Number.isSafeInteger(claims.rev) && claims.rev > 0);
            assert(Number.isSafeInteger(claims.iat) && Number.isSafeInteger(claims.exp));
            assert.equal(claims.exp - claims.iat, 1800);
            assert(Math.abs(claims.iat - Date.now() / 1000) < 300, 'iat is about now');
        });

        it('with the roles of the client, an empty array for none', async () => {
            assert.deepEqual(decodeJwt(await server.token(other)).claims.roles, []);
        });

        it('below 4 KiB with every role there is', async () => {
            const token = await server.tokenFor(API_ROLES);
            assert.deepEqual([...decodeJwt(token).claims.roles].sort(), [...API_ROLES].sort());
            assert(token.length < 4096, `${token.length} characters`);
        });

        it('with a jti that never repeats', async () => {
            const seen = new Set<string>();
            for (let round = 0; round < 10; round++) {
                const tokens = await Promise.all(Array.from({ length: 10 }, () => server.token(client)));
                for (const token of tokens) seen.add(decodeJwt(token).claims.jti);
            }
            assert.equal(seen.size, 100);
        });

        it('to HTTP Basic', async () => {
            isToken(await ask({ form: GRANT, basic: [client.client_id, client.client_secret] }));
        });

        it('to HTTP Basic whose halves are form-encoded', async () => {
            isToken(await ask({ form: GRANT, basic: [percentAll(client.client_id), percentAll(client.client_secret)] }));
        });

        it('to HTTP Basic, whatever the case of the scheme and the spaces after it', async () => {
            const credentials = basic(client.client_id, client.client_secret).slice('Basic '.length);
            for (const scheme of ['basic ', 'BASIC ', 'Basic   '])
                isToken(await ask({ form: GRANT, headers: { authorization: scheme + credentials } }));
        });

        it('to HTTP Basic with the same client_id in the body: one method', async () => {
            isToken(await ask({
                form: { ...GRANT, client_id: client.client_id },
                basic: [client.client_id, client.client_secret],
            }));
        });

        it('to HTTP Basic with an empty client_secret in the body: empty is absent', async () => {
            isToken(await ask({
                form: { ...GRANT, client_secret: '' },
                basic: [client.client_id, client.client_secret],
            }));
        });

        it('to a form in any case, with a charset', async () => {
            for (const type of [
                'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8',
                'application/x-www-form-urlencoded;charset=UTF-8',
                'Application/x-www-form-urlencoded ; charset="utf-8"',
            ])
                isToken(await ask({ body: new URLSearchParams(inBody).toString(), headers: { 'content-type': type } }));
        });

        it('to a JSON body, with or without grant_type', async () => {
            isToken(await ask({ json: inBody }));
            isToken(await ask({ json: inBody }, '/oauth/token'));
            const { grant_type: _, ...without } = inBody;
            isToken(await ask({ json: without }));
            isToken(await ask({ json: inBody, headers: { 'content-type': 'application/json; charset=utf-8' } }));
            isToken(await ask({ json: {}, basic: [client.client_id, client.client_secret] }));
        });

        it('whatever unknown parameters and headers say', async () => {
            isToken(await ask({ form: { ...inBody, redirect_uri: 'null', foo: 'bar' } }));
            isToken(await ask({ form: inBody, headers: { 'x-api-key': 'zut_whatever', 'customer-id': '123' } }));
            isToken(await ask({ form: inBody }, '/oauth2/token?tenant=a'));
        });

        it('when the scope is empty: empty is absent', async () => {
            isToken(await ask({ form: { ...inBody, scope: '' } }));
            isToken(await ask({ json: { ...inBody, scope: '' } }));
        });

        it('when resource or audience is the built-in API', async () => {
            for (const name of ['resource', 'audience']) {
                const token = isToken(await ask({ form: { ...inBody, [name]: `${server.url}/v2` } }));
                assert.equal(decodeJwt(token).claims.aud, `${server.url}/v2`);
            }
        });

        it('and repeats no header of the request', async () => {
            const reply = await ask({ form: inBody });
            for (const name of ['cache-control', 'content-type', 'content-length', 'pragma', 'date'])
                assert.equal(reply.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length, 1, name);
        });
    });

    describe('refuses with 401 invalid_client', () => {
        const unknownId = 'a'.repeat(26);
        const cases: [string, () => RequestOptions][] = [
            ['no credentials', () => ({ form: GRANT })],
            ['client_id alone', () => ({ form: { ...GRANT, client_id: client.client_id } })],
            ['an empty secret', () => ({ form: { ...inBody, client_secret: '' } })],
            ['a secret alone', () => ({ form: { ...GRANT, client_secret: client.client_secret } })],
            ['an unknown client', () => ({ form: { ...inBody, client_id: unknownId } })],
            ['a wrong secret', () => ({ form: { ...inBody, client_secret: 'wrong' } })],
            ['the secret of another client', () => ({ form: { ...inBody, client_secret: other.client_secret } })],
            ['a secret cut short', () => ({ form: { ...inBody, client_secret: client.client_secret.slice(0, -1) } })],
            ['a secret with one more character', () => ({ form: { ...inBody, client_secret: `${client.client_secret}a` } })],
            ['a secret in upper case', () => ({ form: { ...inBody, client_secret: client.client_secret.toUpperCase() } })],
            ['a secret with a space before it', () => ({ form: { ...inBody, client_secret: ` ${client.client_secret}` } })],
            ['the management id for a client_id', () => ({ form: { ...inBody, client_id: client.id } })],
            ['an id in upper case', () => ({ form: { ...inBody, client_id: client.client_id.toUpperCase() } })],
            ['Basic of an unknown client', () => ({ form: GRANT, basic: [unknownId, client.client_secret] })],
            ['Basic with a wrong secret', () => ({ form: GRANT, basic: [client.client_id, 'wrong'] })],
            ['Basic with an empty secret', () => ({ form: GRANT, basic: [client.client_id, ''] })],
            ['Basic with an empty user', () => ({ form: GRANT, basic: ['', client.client_secret] })],
            ['Basic without a colon', () => ({ form: GRANT, headers: { authorization: `Basic ${Buffer.from('abc').toString('base64')}` } })],
            ['Basic with bad base64', () => ({ form: GRANT, headers: { authorization: 'Basic !!!!' } })],
            ['Basic with nothing after it', () => ({ form: GRANT, headers: { authorization: 'Basic' } })],
            ['Basic with a broken percent escape', () => ({ form: GRANT, basic: [client.client_id, 'foo%Qbar'] })],
            ['Basic with %00 in the id', () => ({ form: GRANT, basic: [`${client.client_id}%00`, client.client_secret] })],
            ['Basic with %00 in the secret', () => ({ form: GRANT, basic: [client.client_id, `${client.client_secret}%00xyz`] })],
            ['Basic with a raw NUL', () => ({ form: GRANT, basic: [client.client_id, `${client.client_secret}\0xyz`] })],
            ['Basic with bad UTF-8', () => ({ form: GRANT, basic: [client.client_id, '%FF%FE'] })],
            ['Basic with overlong UTF-8', () => ({ form: GRANT, basic: [client.client_id, '%C0%80'] })],
            ['an unknown scheme', () => ({ form: GRANT, headers: { authorization: 'Negotiate abc' } })],
            ['Bearer', () => ({ form: GRANT, headers: { authorization: 'Bearer abc' } })],
            ['a wrong secret in JSON', () => ({ json: { ...inBody, client_secret: 'wrong' } })],
        ];
        for (const [name, options] of cases) {
            it(name, async () => {
                isOAuthError(await ask(options()), 401, 'invalid_client');
            });
        }

        it('in the same words whatever the cause', async () => {
            const bodies = new Set<string>();
            for (const form of [
                { ...inBody, client_id: unknownId },
                { ...inBody, client_secret: 'wrong' },
                { ...inBody, client_secret: other.client_secret },
            ])
                bodies.add((await ask({ form })).text);
            assert.equal(bodies.size, 1);
        });

        it('before it says anything about grant type, scope or resource', async () => {
            const wrong = { ...inBody, client_secret: other.client_secret };
            isOAuthError(await ask({ form: { ...wrong, grant_type: 'password' } }), 401, 'invalid_client');
            isOAuthError(await ask({ form: { ...wrong, scope: 'owner' } }), 401, 'invalid_client');
            isOAuthError(await ask({ form: { ...wrong, resource: 'https://nowhere.example' } }), 401, 'invalid_client');
        });

        it('once the client is deleted', async () => {
            const gone = await server.createClient([]);
            await server.token(gone);
            assert.equal((await server.control('DELETE', `/v2/app_clients/${gone.id}`)).status, 204);
            const reply = await ask({ form: { ...GRANT, client_id: gone.client_id, client_secret: gone.client_secret } });
            isOAuthError(reply, 401, 'invalid_client');
        });
    });

    describe('refuses with 400 invalid_request', () => {
        const encoded = (extra: string): string => `${new URLSearchParams(inBody).toString()}&${extra}`;
        const cases: [string, () => RequestOptions, string?][] = [
            ['Basic together with the same body secret', () => ({ form: inBody, basic: [client.client_id, client.client_secret] })],
            ['Basic together with another body secret', () => ({ form: { ...inBody, client_secret: 'x' }, basic: [client.client_id, client.client_secret] })],
            ['Basic together with another client_id', () => ({ form: { ...GRANT, client_id: other.client_id }, basic: [client.client_id, client.client_secret] })],
            ['a form without grant_type', () => ({ form: { client_id: client.client_id, client_secret: client.client_secret } })],
            ['a form with an empty grant_type', () => ({ form: { ...inBody, grant_type: '' } })],
            ['JSON with an empty grant_type', () => ({ json: { ...inBody, grant_type: '' } })],
            ['grant_type twice', () => ({ body: encoded('grant_type=client_credentials'), headers: FORM })],
            ['client_id twice', () => ({ body: encoded(`client_id=${client.client_id}`), headers: FORM })],
            ['client_secret twice', () => ({ body: encoded(`client_secret=${client.client_secret}`), headers: FORM })],
            ['scope twice', () => ({ body: encoded('scope=a&scope=a'), headers: FORM })],
            ['%00 in the id', () => ({ body: encoded('x=1').replace('client_id=', 'client_id=%00'), headers: FORM })],
            ['%00 in the secret', () => ({ body: `${new URLSearchParams(inBody).toString()}%00xyz`, headers: FORM })],
            ['a raw NUL', () => ({ body: `${new URLSearchParams(inBody).toString()}\0`, headers: FORM })],
            ['a lone percent sign', () => ({ body: encoded('x=%'), headers: FORM })],
            ['a broken percent escape', () => ({ body: encoded('x=%GG'), headers: FORM })],
            ['bad UTF-8', () => ({ body: encoded('x=%FF'), headers: FORM })],
            ['raw bytes that are not UTF-8', () => ({ body: Buffer.concat([Buffer.from(encoded('x=')), Buffer.from([0xc3, 0x28])]), headers: FORM })],
            ['overlong UTF-8', () => ({ body: encoded('x=%C0%AF'), headers: FORM })],
            ['a lone surrogate', () => ({ body: encoded('x=%ED%A0%80'), headers: FORM })],
            ['no content type', () => ({ body: new URLSearchParams(inBody).toString() })],
            ['text/plain', () => ({ body: new URLSearchParams(inBody).toString(), headers: { 'content-type': 'text/plain' } })],
            ['multipart/form-data', () => ({ body: new URLSearchParams(inBody).toString(), headers: { 'content-type': 'multipart/form-data; boundary=x' } })],
            ['a content type that only begins like a form', () => ({ body: new URLSearchParams(inBody).toString(), headers: { 'content-type': 'application/x-www-form-urlencodedx' } })],
            ['an empty body', () => ({ body: '', headers: FORM, basic: [client.client_id, client.client_secret] })],
            ['JSON that is cut off', () => ({ body: '{"grant_type":"client_credentials"', headers: { 'content-type': 'application/json' } })],
            ['JSON that is an array', () => ({ json: [inBody] })],
            ['JSON with a number', () => ({ json: { ...inBody, client_secret: 5 } })],
            ['JSON with an object', () => ({ json: { ...inBody, client_id: { a: 1 } } })],
            ['JSON with a member twice', () => ({ body: JSON.stringify(inBody).replace('{', `{"client_id":"${client.client_id}",`), headers: { 'content-type': 'application/json' } })],
            ['JSON with an escaped NUL', () => ({ body: JSON.stringify({ ...inBody, client_secret: `${client.client_secret}\0` }), headers: { 'content-type': 'application/json' } })],
            ['JSON nested 10,000 deep', () => ({ body: `${'[' .repeat(10_000)}${']'.repeat(10_000)}`, headers: { 'content-type': 'application/json' } })],
            ['a form sent as JSON', () => ({ body: new URLSearchParams(inBody).toString(), headers: { 'content-type': 'application/json' } })],
            ['client_secret in the query', () => ({ form: GRANT }), '/oauth2/token?client_secret=abc'],
            ['client_secret in the query beside a good body', () => ({ form: inBody }), '/oauth2/token?client_secret=abc'],
            ['client_assertion in the query', () => ({ form: inBody }), '/oauth2/token?client_assertion=abc'],
            ['an encoded client_secret in the query', () => ({ form: inBody }), '/oauth2/token?client%5Fsecret=abc'],
        ];
        for (const [name, options, path] of cases) {
            it(name, async () => {
                isOAuthError(await ask(options(), path), 400, 'invalid_request');
            });
        }
    });

    // Faults in the order in which they are looked for. Whoever makes two of them hears of the first.
    describe('looks, in this order, for', () => {
        interface Ask { method: string; path: string; type: string; basic: boolean; form: Record<string, string> }
        const faults: [string, (ask: Ask) => void, number, string?][] = [
            ['another method', (ask) => (ask.method = 'PUT'), 405],
            ['a body over the limit', (ask) => (ask.form['pad'] = 'a'.repeat(70_000)), 413],
            ['credentials in the query', (ask) => (ask.path += '?client_secret=abc'), 400, 'invalid_request'],
            ['another content type', (ask) => (ask.type = 'text/plain'), 400, 'invalid_request'],
            ['two methods of authentication', (ask) => (ask.basic = true), 400, 'invalid_request'],
            ['a wrong secret', (ask) => (ask.form['client_secret'] = other.client_secret), 401, 'invalid_client'],
            ['an unknown grant type', (ask) => (ask.form['grant_type'] = 'password'), 400, 'unsupported_grant_type'],
            ['an unknown resource', (ask) => (ask.form['resource'] = 'https://nowhere.example'), 400, 'invalid_target'],
            ['a scope that is not held', (ask) => (ask.form['scope'] = 'owner'), 400, 'invalid_scope'],
        ];
        const withFaults = (...which: ((ask: Ask) => void)[]): Promise<Reply> => {
            const one: Ask = { method: 'POST', path: '/oauth2/token', type: 'application/x-www-form-urlencoded', basic: false, form: { ...inBody } };
            for (const make of which) make(one);
            return server.request(one.method, one.path, {
                body: new URLSearchParams(one.form).toString(),
                headers: { 'content-type': one.type },
                ...(one.basic ? { basic: [client.client_id, client.client_secret] } : {}),
            });
        };

        for (const [at, [name, make, status, code]] of faults.entries()) {
            it(name, async () => {
                const alone = await withFaults(make);
                assert.equal(alone.status, status);
                if (code !== undefined) isOAuthError(alone, status, code);
                for (const [later, makeLater] of faults.slice(at + 1)) {
                    const both = await withFaults(make, makeLater);
                    assert.equal(both.status, status, `beside ${later}`);
                    assert.deepEqual([both.json?.error, both.json?.error_description], [alone.json?.error, alone.json?.error_description], `beside ${later}`);
                }
            });
        }
    });

    describe('refuses', () => {
        for (const grant of [
            'password', 'authorization_code', 'refresh_token', 'Client_Credentials', 'client_credentials ',
            ' client_credentials', 'client_credentials\u200b', 'CLIENT_CREDENTIALS',
        ]) {
            it(`grant_type ${JSON.stringify(grant)}: 400 unsupported_grant_type`, async () => {
                isOAuthError(await ask({ form: { ...inBody, grant_type: grant } }), 400, 'unsupported_grant_type');
                isOAuthError(await ask({ json: { ...inBody, grant_type: grant } }), 400, 'unsupported_grant_type');
            });
        }

        for (const scope of ['owner', 'administrator', 'openid', 'viewer owner', 'VIEWER', 'a"b', 'a\\b', '\u00e9']) {
            it(`scope ${JSON.stringify(scope)}, which the client does not hold: 400 invalid_scope`, async () => {
                isOAuthError(await ask({ form: { ...inBody, scope } }), 400, 'invalid_scope');
            });
        }

        for (const target of ['https://api.example.com', 'v2', 'https://api.example.com/v2#fragment', ' ']) {
            it(`resource and audience ${JSON.stringify(target)}: 400 invalid_target`, async () => {
                isOAuthError(await ask({ form: { ...inBody, resource: target } }), 400, 'invalid_target');
                isOAuthError(await ask({ form: { ...inBody, audience: target } }), 400, 'invalid_target');
            });
        }

        it('one unknown resource beside the known one: 400 invalid_target', async () => {
            const form: [string, string][] = [
                ...Object.entries(inBody),
                ['resource', `${server.url}/v2`],
                ['resource', 'https://api.example.com'],
            ];
            isOAuthError(await ask({ form }), 400, 'invalid_target');
        });

        it('a secret of 1 MiB: 413, before anything looks at it', async () => {
            const reply = await ask({ form: { ...inBody, client_secret: 'a'.repeat(1 << 20) } }).catch((error: Error) => error);
            // Closing while the client still sends may reset the connection before it has read the answer.
            if (!(reply instanceof Error)) assert.equal(reply.status, 413);
            isToken(await ask({ form: inBody }));
        });

        it('and never repeats what it was sent', async () => {
            const marker = 'zq7marker';
            for (const form of [
                { ...inBody, grant_type: marker },
                { ...inBody, scope: marker },
                { ...inBody, resource: `https://${marker}.example` },
                { ...inBody, client_id: marker },
                { ...inBody, client_secret: marker },
            ]) {
                const reply = await ask({ form });
                assert(reply.status >= 400);
                assert(!reply.text.includes(marker), reply.text);
            }
        });

        it('and opens itself to no foreign web page', async () => {
            const reply = await ask({ form: inBody, headers: { origin: 'https://evil.example' } });
            assert.equal(reply.headers['access-control-allow-origin'], undefined);
            const preflight = await server.request('OPTIONS', '/oauth2/token', {
                headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
            });
            assert.equal(preflight.headers['access-control-allow-origin'], undefined);
        });
    });
});

describe('token life', () => {
    it('is what --token-ttl-seconds says', async () => {
        await withServer({ args: ['--token-ttl-seconds', '90'] }, async (server) => {
            const client = await server.createClient([]);
            const reply = await server.request('POST', '/oauth2/token', {
                form: { ...GRANT, client_id: client.client_id, client_secret: client.client_secret },
            });
            const { claims } = decodeJwt(isToken(reply, 90));
            assert.equal(claims.exp - claims.iat, 90);
        });
    });

    it('is the client\'s own where it has one, and the account\'s at most; a change acts at once', async () => {
        await withServer({}, async (server) => {
            const life = async (client: AppClient): Promise<number> => {
                const reply = await server.request('POST', '/oauth2/token', {
                    form: GRANT, basic: [client.client_id, client.client_secret],
                });
                const claims = decodeJwt(reply.json.access_token).claims;
                assert.equal(claims.exp - claims.iat, reply.json.expires_in);
                return reply.json.expires_in;
            };
            const long = await server.createClient(['viewer'], { token_ttl_seconds: 7200 });
            const plain = await server.createClient(['viewer']);
            assert.equal((await server.control('GET', `/v2/app_clients/${long.id}`)).json.token_ttl_seconds, 7200);
            assert.equal((await server.control('GET', `/v2/app_clients/${plain.id}`)).json.token_ttl_seconds, undefined);
            assert.deepEqual([await life(long), await life(plain)], [7200, 1800]);

            const capped = await server.cli(['account', 'update', '--token-ttl', '600', '--json']);
            assert.equal(capped.code, 0, capped.stderr);
            assert.equal(JSON.parse(capped.stdout).token_ttl_seconds, 600);
            assert.deepEqual([await life(long), await life(plain)], [600, 600]);
            await server.cli(['app-client', 'update', long.id, '--token-ttl', '60']);
            assert.deepEqual([await life(long), await life(plain)], [60, 600]);
            await server.cli(['account', 'update', '--token-ttl', '0']);
            await server.cli(['app-client', 'update', long.id, '--token-ttl', '0']);
            assert.deepEqual([await life(long), await life(plain)], [1800, 1800]);
        });
    });

    it('is what POSTERN_TOKEN_TTL_SECONDS says, unless the flag says otherwise', async () => {
        const env = { POSTERN_TOKEN_TTL_SECONDS: '120' };
        for (const [args, expected] of [[[], 120], [['--token-ttl-seconds', '60'], 60]] as [string[], number][]) {
            await withServer({ env, args }, async (server) => {
                const client = await server.createClient([]);
                const { claims } = decodeJwt(await server.token(client));
                assert.equal(claims.exp - claims.iat, expected);
            });
        }
    });
});
