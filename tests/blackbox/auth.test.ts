// SPDX-License-Identifier: Apache-2.0
// Who a request comes from (401), what it may do (403), and how soon a change of either counts: at once.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt, encodePart, isError, isUnauthorized } from './check.js';
import { exchange } from './socket.js';
import { useServer, withServer, type AppClient, type Json, type RequestOptions } from './server.js';

describe('authentication', () => {
    const server = useServer();
    let client: AppClient;
    let token: string;
    const list = (options: RequestOptions): ReturnType<typeof server.request> => server.request('GET', '/v2/corpora', options);
    const withAuthorization = (value: string): ReturnType<typeof list> => list({ headers: { authorization: value } });

    before(async () => {
        client = await server.createClient(['owner']);
        token = await server.token(client);
    });

    it('takes a token whatever the case of the scheme and the spaces after it', async () => {
        for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer    ']) {
            const reply = await withAuthorization(scheme + token);
            assert.equal(reply.status, 200, reply.text);
        }
    });

    it('takes the token and not the API key when both are sent', async () => {
        assert.equal((await list({ token, headers: { 'x-api-key': 'zut_nonsense' } })).status, 200);
        isUnauthorized(await list({ token: `${token}x`, headers: { 'x-api-key': 'zut_nonsense' } }), 'credential');
    });

    it('without a credential: 401 that names no error, on every protected path', async () => {
        for (const [method, path] of [
            ['GET', '/v2/app_clients'], ['POST', '/v2/app_clients'], ['GET', '/v2/app_clients/app_000000000000'],
            ['PATCH', '/v2/app_clients/app_000000000000'], ['DELETE', '/v2/app_clients/app_000000000000'],
            ['GET', '/v2/corpora'], ['POST', '/v2/corpora'], ['GET', '/v2/corpora/a'], ['DELETE', '/v2/corpora/a'],
        ] as const)
            isUnauthorized(await server.request(method, path), 'nothing');
    });

    it('a token in the query or in a form body is no credential', async () => {
        isUnauthorized(await server.request('GET', `/v2/corpora?access_token=${token}`), 'nothing');
        isUnauthorized(await server.request('POST', '/v2/corpora', { form: { access_token: token } }), 'nothing');
    });

    for (const [name, value] of [
        ['Bearer alone', () => 'Bearer'],
        ['Bearer and junk', () => 'Bearer junk'],
        ['Bearer and characters that no token has', () => 'Bearer {"a":1}'],
        ['two tokens', () => `Bearer ${token} ${token}`],
        ['two tokens with a comma', () => `Bearer ${token}, Bearer ${token}`],
        ['a token without a scheme', () => token],
        ['a token of another scheme', () => `Token ${token}`],
        ['a scheme that only begins like Bearer', () => `Bearer2 ${token}`],
        ['a tab after Bearer', () => `Bearer\t${token}`],
        ['the client by Basic', () => `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`],
        ['the client secret as a token', () => `Bearer ${client.client_secret}`],
        ['a quoted token', () => `Bearer "${token}"`],
        ['parameters after the token', () => `Bearer ${token}; a=b`],
        ['four parts', () => `Bearer ${token}.AAAA`],
        ['two parts', () => `Bearer ${token.split('.').slice(0, 2).join('.')}`],
        ['five parts, as an encrypted token has', () => 'Bearer e30.AAAA.AAAA.AAAA.AAAA'],
        ['an empty signature', () => `Bearer ${token.split('.').slice(0, 2).join('.')}.`],
        ['an empty header', () => `Bearer .${token.split('.').slice(1).join('.')}`],
        ['only dots', () => 'Bearer ..'],
        ['5,000 characters', () => `Bearer ${'a'.repeat(5000)}`],
    ] as const) {
        it(`${name}: 401`, async () => {
            const reply = await withAuthorization(value());
            isError(reply, 401);
            assert.match(reply.headers['www-authenticate'] ?? '', /^Bearer realm="[^"]*", *error="invalid_(token|request)"/);
        });
    }

    it('two Authorization headers: refused', async () => {
        const { replies } = await exchange(server.port, [
            `GET /v2/corpora HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
        ]);
        assert.equal(replies.length, 1);
        assert([400, 401].includes(replies[0]?.status ?? 0));
    });

    it('an API key that is none: 401', async () => {
        isUnauthorized(await list({ headers: { 'x-api-key': 'zut_nonsense' } }), 'credential');
    });

    describe('refuses a token', () => {
        const refuses = (name: string, forge: (parts: ReturnType<typeof decodeJwt>, text: [string, string, string]) => string | Promise<string>): void => {
            it(`${name}: 401 invalid_token`, async () => {
                const forged = await forge(decodeJwt(token), token.split('.') as [string, string, string]);
                assert.notEqual(forged, token);
                isUnauthorized(await list({ token: forged }), 'credential');
            });
        };
        const flip = (text: string, at: number): string => {
            const index = at < 0 ? text.length + at : at;
            return text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
        };

        refuses('changed at the beginning of its header', (_, [h, c, s]) => `${flip(h, 0)}.${c}.${s}`);
        refuses('changed at the end of its header', (_, [h, c, s]) => `${flip(h, -2)}.${c}.${s}`);
        refuses('changed at the beginning of its claims', (_, [h, c, s]) => `${h}.${flip(c, 0)}.${s}`);
        refuses('changed in the middle of its claims', (_, [h, c, s]) => `${h}.${flip(c, Math.floor(c.length / 2))}.${s}`);
        refuses('changed at the end of its claims', (_, [h, c, s]) => `${h}.${flip(c, -2)}.${s}`);
        refuses('changed at the beginning of its signature', (_, [h, c, s]) => `${h}.${c}.${flip(s, 0)}`);
        refuses('changed in the middle of its signature', (_, [h, c, s]) => `${h}.${c}.${flip(s, 171)}`);
        refuses('changed near the end of its signature', (_, [h, c, s]) => `${h}.${c}.${flip(s, -2)}`);
        refuses('whose signature has unused bits set', (_, [h, c, s]) => {
            // 256 bytes are 342 characters; the last one carries 2 bits of data and 4 that must be zero.
            const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
            return `${h}.${c}.${s.slice(0, -1)}${alphabet[alphabet.indexOf(s.at(-1) ?? '') + 1] ?? ''}`;
        });
        refuses('with a padded signature', (_, [h, c, s]) => `${h}.${c}.${s}==`);
        refuses('in plain base64', (_, [h, c, s]) => `${h}.${c}.${s.replaceAll('-', '+').replaceAll('_', '/')}`);
        refuses('with a shorter signature', (_, [h, c, s]) => `${h}.${c}.${s.slice(0, -4)}`);
        refuses('with a signature of four bytes', (_, [h, c]) => `${h}.${c}.AAAAAA`);
        refuses('with a longer signature', (_, [h, c, s]) => `${h}.${c}.${s.slice(0, -2)}AAAAAA`);
        refuses('with a signature of zeros', ({ signature }, [h, c]) => `${h}.${c}.${Buffer.alloc(signature.length).toString('base64url')}`);
        refuses('with more roles', ({ claims }, [h, , s]) => `${h}.${encodePart({ ...claims, roles: [...claims.roles, 'viewer'] })}.${s}`);
        refuses('with a later exp', ({ claims }, [h, , s]) => `${h}.${encodePart({ ...claims, exp: claims.exp + 1 })}.${s}`);
        refuses('with the same claims in another order', ({ claims }, [h, , s]) =>
            `${h}.${encodePart(Object.fromEntries(Object.entries(claims).reverse()))}.${s}`);
        for (const alg of ['none', 'None', 'nOnE', 'none ', '', 5, null, undefined, 'HS256', 'RS384', 'PS256', 'ES256', 'rs256', ['RS256']]) {
            refuses(`with alg ${JSON.stringify(alg)}`, ({ header }, [, c, s]) => `${encodePart({ ...header, alg })}.${c}.${s}`);
            refuses(`with alg ${JSON.stringify(alg)} and no signature`, ({ header }, [, c]) => `${encodePart({ ...header, alg })}.${c}.`);
        }
        for (const [name, header] of [
            ['typ JWT', { typ: 'JWT' }], ['no typ', { typ: undefined }], ['no kid', { kid: undefined }],
            ['an unknown kid', { kid: 'unknown' }], ['a kid that is a path', { kid: '../../../../dev/null' }],
            ['a kid that is a number', { kid: 1 }], ['crit', { crit: ['exp'], exp: 1 }], ['an empty crit', { crit: [] }],
            ['b64 false', { b64: false, crit: ['b64'] }], ['jku', { jku: 'http://127.0.0.1:1/jwks.json' }],
            ['zip', { zip: 'DEF' }],
        ] as [string, object][]) {
            refuses(`with ${name} in its header`, ({ header: kept }, [, c, s]) => `${encodePart({ ...kept, ...header })}.${c}.${s}`);
        }

        refuses('signed with HS256 under the public key', async ({ header, claims }) => {
            const jwk = (await server.request('GET', '/.well-known/jwks.json')).json.keys[0] as Json;
            const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
            const signed = `${encodePart({ ...header, alg: 'HS256' })}.${encodePart(claims)}`;
            return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
        });

        refuses('signed with an empty key', ({ header, claims }) => {
            const signed = `${encodePart({ ...header, alg: 'HS256' })}.${encodePart(claims)}`;
            return `${signed}.${createHmac('sha256', '').update(signed).digest('base64url')}`;
        });

        refuses('signed with a key that it brings along', ({ header, claims }) => {
            const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
            const jwk = own.publicKey.export({ format: 'jwk' });
            const signed = `${encodePart({ ...header, jwk })}.${encodePart(claims)}`;
            return `${signed}.${sign('sha256', Buffer.from(signed), own.privateKey).toString('base64url')}`;
        });

        refuses('signed with another key under the same kid', ({ signed }) => {
            const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
            return `${signed}.${sign('sha256', Buffer.from(signed), own.privateKey).toString('base64url')}`;
        });

        it('of another server: 401 invalid_token, in both directions', async () => {
            await withServer({}, async (elsewhere) => {
                const theirs = await elsewhere.tokenFor(['owner']);
                isUnauthorized(await list({ token: theirs }), 'credential');
                isUnauthorized(await elsewhere.request('GET', '/v2/corpora', { token }), 'credential');
            });
        });

        it('in JSON serialisation: 401', async () => {
            const [protectedPart, payload, signature] = token.split('.');
            const reply = await withAuthorization(`Bearer ${JSON.stringify({ protected: protectedPart, payload, signature })}`);
            isError(reply, 401);
        });

        it('and goes on taking good ones', async () => {
            assert.equal((await list({ token })).status, 200);
        });
    });

    it('a token that has expired: 401 invalid_token', async () => {
        await withServer({ args: ['--token-ttl-seconds', '1'] }, async (short) => {
            const expired = await short.tokenFor(['owner']);
            const { exp } = decodeJwt(expired).claims;
            // Not how long it takes, but that it does: well after exp by the same machine's clock.
            while (Date.now() / 1000 <= exp + 1) await delay(100);
            isUnauthorized(await short.request('GET', '/v2/corpora', { token: expired }), 'credential');
        });
    });
});

describe('a change counts at once', () => {
    const server = useServer();

    it('deleting a client cuts off its live tokens, and no others', async () => {
        const doomed = await server.createClient(['owner']);
        const other = await server.tokenFor(['owner']);
        const tokens = await Promise.all([server.token(doomed), server.token(doomed)]);
        for (const token of tokens) assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
        assert.equal((await server.control('DELETE', `/v2/app_clients/${doomed.id}`)).status, 204);
        for (const token of tokens) {
            for (const [method, path] of [['GET', '/v2/corpora'], ['GET', '/v2/app_clients'], ['POST', '/v2/corpora'], ['DELETE', '/v2/corpora/a']] as const)
                isUnauthorized(await server.request(method, path, { token }), 'credential');
        }
        assert.equal((await server.request('GET', '/v2/corpora', { token: other })).status, 200);
    });

    it('a client may delete itself, and is then nobody', async () => {
        const client = await server.createClient(['owner']);
        const token = await server.token(client);
        assert.equal((await server.request('DELETE', `/v2/app_clients/${client.id}`, { token })).status, 204);
        isUnauthorized(await server.request('GET', `/v2/app_clients/${client.id}`, { token }), 'credential');
    });

    it('taking a role away turns 200 into 403 and giving it back turns 403 into 200, on the same token', async () => {
        const client = await server.createClient(['administrator']);
        const token = await server.token(client);
        const patch = (api_roles: string[]): ReturnType<typeof server.control> =>
            server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { api_roles } });
        const ask = (): ReturnType<typeof server.request> => server.request('GET', '/v2/app_clients', { token });
        for (let round = 0; round < 5; round++) {
            assert.equal((await ask()).status, 200);
            assert.equal((await patch(['viewer'])).status, 200);
            isError(await ask(), 403);
            assert.equal((await patch(['administrator'])).status, 200);
        }
        assert.equal((await ask()).status, 200);
    });

    it('so do roles on a corpus', async () => {
        await server.createCorpus('switched');
        const client = await server.createClient([]);
        const token = await server.token(client);
        const patch = (corpus_roles: object[]): ReturnType<typeof server.control> =>
            server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { corpus_roles } });
        const ask = (): ReturnType<typeof server.request> => server.request('GET', '/v2/corpora/switched', { token });
        isError(await ask(), 403);
        assert.equal((await patch([{ corpus_key: 'switched', role: 'viewer' }])).status, 200);
        assert.equal((await ask()).status, 200);
        assert.equal((await patch([])).status, 200);
        isError(await ask(), 403);
    });

    it('a new token carries the new roles', async () => {
        const client = await server.createClient(['viewer']);
        const before_ = decodeJwt(await server.token(client)).claims;
        assert.equal((await server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { api_roles: ['agent_user'] } })).status, 200);
        const after = decodeJwt(await server.token(client)).claims;
        assert.deepEqual(before_.roles, ['viewer']);
        assert.deepEqual(after.roles, ['agent_user']);
        assert(after.rev > before_.rev);
    });

    it('a token taken while its client is deleted never outlives it', async () => {
        for (let round = 0; round < 10; round++) {
            const client = await server.createClient(['owner']);
            const form = { grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret };
            const asking = Array.from({ length: 6 }, () => server.request('POST', '/oauth2/token', { form }));
            const deleted = await server.control('DELETE', `/v2/app_clients/${client.id}`);
            assert.equal(deleted.status, 204);
            for (const reply of await Promise.all(asking)) {
                assert([200, 401].includes(reply.status), reply.text);
                if (reply.status === 200)
                    isUnauthorized(await server.request('GET', '/v2/corpora', { token: reply.json.access_token }), 'credential');
            }
        }
    });

    it('forbidden says which, as the contract has it', async () => {
        const reply = await server.request('GET', '/v2/app_clients', { token: await server.tokenFor(['viewer']) });
        isError(reply, 403);
        assert.match(reply.headers['cache-control'] ?? '', /no-store/);
    });
});
