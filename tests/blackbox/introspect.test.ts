// SPDX-License-Identifier: Apache-2.0
// What a token is, and that it is none any more: introspection (RFC 7662) and revocation (RFC 7009).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { decodeJwt, isOAuthError } from './check.js';
import { run, useServer, withServer, type AppClient, type Json, type Reply, type Server } from './server.js';

const INTROSPECT = '/oauth2/introspect';
const REVOKE = '/oauth2/revoke';

const credentials = (client: AppClient): Record<string, string> => ({ client_id: client.client_id, client_secret: client.client_secret });

function isInactive(reply: Reply): void {
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.text, '{"active":false}');
    assert.equal(reply.headers['cache-control'], 'no-store');
}

for (const path of [INTROSPECT, REVOKE]) {
    describe(`${path} authenticates the client`, () => {
        const server = useServer();
        let client: AppClient;
        let token: string;

        before(async () => {
            client = await server.createClient(['owner']);
            token = await server.token(client);
        });

        const ask = (form: Record<string, string>, more: Json = {}): Promise<Reply> => server.request('POST', path, { form: { token, ...form }, ...more });

        it('with HTTP Basic, plain and form-encoded, or in the body', async () => {
            // A token that is none, so that the one of this suite stays.
            assert.equal((await ask({ ...credentials(client), token: 'x' })).status, 200);
            assert.equal((await ask({ token: 'x' }, { basic: [client.client_id, client.client_secret] })).status, 200);
            assert.equal((await ask({ token: 'x' }, { basic: [encodeURIComponent(client.client_id), client.client_secret.replaceAll('_', '%5F')] })).status, 200);
        });

        it('and refuses others in the words of the token endpoint', async () => {
            const bodies = new Set<string>();
            for (const form of [
                {}, { client_id: client.client_id }, { ...credentials(client), client_secret: 'wrong' },
                { client_id: 'abcdefghijklmnopqrstuvwxyz', client_secret: client.client_secret },
                { ...credentials(client), client_secret: `${client.client_secret.slice(0, -1)}${client.client_secret.endsWith('x') ? 'y' : 'x'}` },
            ] as Record<string, string>[]) {
                const reply = await ask(form);
                isOAuthError(reply, 401, 'invalid_client');
                bodies.add(reply.text);
            }
            bodies.add((await ask({}, { basic: [client.client_id, 'wrong'] })).text);
            bodies.add((await ask({}, { headers: { authorization: `Bearer ${token}` } })).text);
            bodies.add((await server.request('POST', '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: 'wrong' } })).text);
            assert.equal(bodies.size, 1);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200, 'nothing was revoked');
        });

        it('before it says what is wrong with the request', async () => {
            isOAuthError(await ask({ token: '', client_id: client.client_id, client_secret: 'wrong' }), 401, 'invalid_client');
            isOAuthError(await ask({ ...credentials(client), token: '' }), 400, 'invalid_request');
            isOAuthError(await server.request('POST', path, { form: credentials(client) }), 400, 'invalid_request');
        });

        it('and takes a form, POST, one token, and none in the URL', async () => {
            const twice = `${new URLSearchParams({ ...credentials(client), token }).toString()}&token=x`;
            const form = { 'content-type': 'application/x-www-form-urlencoded' };
            isOAuthError(await server.request('POST', path, { body: twice, headers: form }), 400, 'invalid_request');
            isOAuthError(await server.request('POST', `${path}?token=${token}`, { form: credentials(client) }), 400, 'invalid_request');
            isOAuthError(await server.request('POST', path, { body: 'token=x', headers: { 'content-type': 'text/plain' } }), 400, 'invalid_request');
            const get = await server.request('GET', `${path}?token=${token}`);
            assert.equal(get.status, 405);
            assert.equal(get.headers.allow, 'POST, OPTIONS');
        });

        it('and not in a web page of another site', async () => {
            isOAuthError(await ask(credentials(client), { headers: { origin: 'https://evil.example' } }), 400, 'invalid_request');
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200, 'nothing was revoked');
        });
    });
}

describe('introspection', () => {
    const server = useServer();
    let asking: AppClient;
    let client: AppClient;
    let token: string;

    before(async () => {
        asking = await server.createClient(['administrator']);
        client = await server.createClient(['viewer', 'corpus_developer']);
        token = await server.token(client);
    });

    const introspect = (about: string, more: Record<string, string> = {}, by = asking): Promise<Reply> =>
        server.request('POST', INTROSPECT, { form: { token: about, ...more }, basic: [by.client_id, by.client_secret] });

    it('says of a good token what it is', async () => {
        const { claims } = decodeJwt(token);
        for (const hint of ['', 'access_token', 'refresh_token', 'nonsense']) {
            const reply = await introspect(token, hint === '' ? {} : { token_type_hint: hint });
            assert.equal(reply.status, 200);
            assert.equal(reply.headers['content-type'], 'application/json');
            assert.equal(reply.headers['cache-control'], 'no-store');
            const { roles, ...rest } = reply.json;
            assert.deepEqual(rest, {
                active: true, client_id: client.client_id, token_type: 'Bearer', iss: server.url, sub: client.client_id, aud: `${server.url}/v2`,
                iat: claims.iat, exp: claims.exp, jti: claims.jti, account_id: claims.account_id,
            });
            assert.deepEqual([...roles].sort(), ['corpus_developer', 'viewer']);
        }
    });

    it('says the roles that the client has now', async () => {
        const changing = await server.createClient(['viewer']);
        const theirs = await server.token(changing);
        await server.control('PATCH', `/v2/app_clients/${changing.id}`, { json: { api_roles: ['corpus_viewer'] } });
        assert.deepEqual((await introspect(theirs)).json.roles, ['corpus_viewer']);
    });

    it('says no more than false of anything else', async () => {
        const [head, payload, signature = ''] = token.split('.');
        const gone = await server.createClient(['viewer']);
        const orphan = await server.token(gone);
        await server.control('DELETE', `/v2/app_clients/${gone.id}`);
        for (const other of [
            'x', '..', ' ', `${head}.${payload}.`, `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
            `${token} `, `Bearer ${token}`, client.client_secret, 'a'.repeat(20_000), 'ünïcode', orphan,
        ])
            isInactive(await introspect(other));
        await withServer({}, async (foreign) => isInactive(await introspect(await foreign.tokenFor(['owner']))));
    });

    it('says false of a token that has expired', async () => {
        await withServer({ args: ['--token-ttl-seconds', '1'] }, async (brief) => {
            const owner = await brief.createClient(['owner']);
            const about = await brief.token(owner);
            for (;;) {
                const reply = await brief.request('POST', INTROSPECT, { form: { token: about }, basic: [owner.client_id, owner.client_secret] });
                if (reply.json.active === false) {
                    isInactive(reply);
                    break;
                }
            }
        });
    });

    it('is for owners and administrators', async () => {
        for (const roles of [[], ['viewer'], ['corpus_administrator', 'billing_administrator', 'agent_administrator', 'pipeline_administrator']])
            isOAuthError(await introspect(token, {}, await server.createClient(roles)), 400, 'unauthorized_client');
        for (const role of ['owner', 'administrator'])
            assert.equal((await introspect(token, {}, await server.createClient([role]))).json.active, true);
    });
});

describe('revocation', () => {
    const server = useServer();
    let client: AppClient;

    before(async () => {
        client = await server.createClient(['owner']);
    });

    const revoke = (token: string, by = client, on: Server = server, more: Record<string, string> = {}): Promise<Reply> =>
        on.request('POST', REVOKE, { form: { token, ...more }, basic: [by.client_id, by.client_secret] });

    it('acts at once, on that token and no other', async () => {
        for (const hint of ['', 'access_token', 'refresh_token', 'nonsense']) {
            const [token, other] = [await server.token(client), await server.token(client)];
            const reply = await revoke(token, client, server, hint === '' ? {} : { token_type_hint: hint });
            assert.equal(reply.status, 200, reply.text);
            assert.equal(reply.text, '');
            assert.equal(reply.headers['cache-control'], 'no-store');
            const refused = await server.request('GET', '/v2/corpora', { token });
            assert.equal(refused.status, 401);
            assert.match(refused.headers['www-authenticate'] ?? '', /error="invalid_token"/);
            assert.equal((await server.request('GET', '/v2/corpora', { token: other })).status, 200);
            isInactive(await server.request('POST', INTROSPECT, { form: { token }, basic: [client.client_id, client.client_secret] }));
        }
    });

    it('of what is no good token, or no longer, is 200 too', async () => {
        const token = await server.token(client);
        for (let i = 0; i < 3; i++) assert.equal((await revoke(token)).status, 200);
        for (const other of ['x', '..', 'a'.repeat(20_000), client.client_secret, `${token}x`]) assert.equal((await revoke(other)).status, 200);
        assert.equal((await server.request('GET', '/v2/corpora', { token: await server.token(client) })).status, 200);
    });

    it("refuses another client's token, and leaves it", async () => {
        const other = await server.createClient(['viewer']);
        const token = await server.token(other);
        isOAuthError(await revoke(token), 400, 'invalid_grant');
        assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
    });

    it('outlives a restart and a kill', async () => {
        await withServer({}, async (own) => {
            const mine = await own.createClient(['viewer']);
            const tokens = await Promise.all(Array.from({ length: 20 }, () => own.token(mine)));
            const kept = await own.token(mine);
            for (const token of tokens) assert.equal((await revoke(token, mine, own)).status, 200);
            const check = async (when: string): Promise<void> => {
                for (const token of tokens) assert.equal((await own.request('GET', '/v2/corpora', { token })).status, 401, when);
                assert.equal((await own.request('GET', '/v2/corpora', { token: kept })).status, 200, when);
            };
            await check('before');
            const { port } = own;
            await own.stop();
            await own.start({ args: ['--listen', `127.0.0.1:${port}`, '--public-url', own.url] });
            await check('after a restart');
            await own.signal('SIGKILL');
            await own.start();
            await check('after a kill');
        });
    });

    it('many at once are all in force when they are acknowledged', async () => {
        const tokens = await Promise.all(Array.from({ length: 200 }, () => server.token(client)));
        await Promise.all(tokens.map(async (token, at) => {
            if (at % 2 === 1) return;
            assert.equal((await revoke(token)).status, 200);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 401);
        }));
        for (const [at, token] of tokens.entries())
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, at % 2 === 1 ? 200 : 401);
    });

    it('stands in the audit trail, once, without the token', async () => {
        const token = await server.token(client);
        await revoke(token);
        await revoke(token);
        const { claims } = decodeJwt(token);
        const shown = await run('sqlite3', ['-readonly', '-json', join(server.data, 'postern.db'), `SELECT * FROM audit_event WHERE target_id = '${claims.jti}'`]);
        const rows: Json[] = JSON.parse(shown.stdout);
        assert.deepEqual(rows.map((row) => [row.action, row.actor_kind, row.actor_id, row.credential_id]),
            [['token.revoke', 'app_client', client.id, claims.credential_id]]);
        assert(!shown.stdout.includes(token.split('.')[2] ?? ''));
    });
});

describe('an API key', () => {
    const server = useServer();
    let asking: AppClient;
    const introspect = (token: string): Promise<Reply> => server.request('POST', INTROSPECT, { form: { ...credentials(asking), token } });
    const make = async (json: Json): Promise<Json> => {
        const reply = await server.control('POST', '/v2/api_keys', { json });
        assert.equal(reply.status, 201, reply.text);
        server.confidential.push(reply.json.secret_key);
        return reply.json;
    };

    before(async () => {
        asking = await server.createClient(['owner']);
    });

    it('is introspected while it is good', async () => {
        const key = await make({ name: 'k', api_roles: ['viewer'], expires_in_seconds: 1000 });
        const reply = await introspect(key.secret_key);
        assert.equal(reply.headers['cache-control'], 'no-store');
        const { iss, aud, exp, credential_id, account_id, ...rest } = reply.json;
        assert.deepEqual(rest, { active: true, token_type: 'api_key', sub: key.id, roles: ['viewer'], corpus_roles: [] });
        assert.equal(aud, `${iss}/v2`);
        assert.equal(exp * 1000, Date.parse(key.expires_at));
        assert.equal(credential_id, `crd_${key.secret_key.slice(7, 19)}`);
        assert.match(account_id, /^acc_/);
        await server.control('PATCH', `/v2/api_keys/${key.id}`, { json: { enabled: false } });
        isInactive(await introspect(key.secret_key));
    });

    it('of some corpora tells them', async () => {
        await server.createCorpus('crm');
        const key = await make({ name: 'k', api_key_role: 'serving', corpus_keys: ['crm'] });
        assert.deepEqual((await introspect(key.secret_key)).json.corpus_roles, [{ corpus_key: 'crm', role: 'viewer' }]);
    });

    it('that is personal has its user as subject, with the roles of now', async () => {
        const user = (await server.control('GET', '/v2/users/owner')).json;
        const key = await make({ name: 'mine', api_key_role: 'personal', username: 'owner' });
        const reply = await introspect(key.secret_key);
        assert.equal(reply.json.sub, user.id);
        assert.deepEqual(reply.json.roles, ['owner']);
        assert(!('exp' in reply.json));
    });

    it('is not revoked here', async () => {
        const key = await make({ name: 'k', api_roles: ['viewer'] });
        const reply = await server.request('POST', REVOKE, { form: { ...credentials(asking), token: key.secret_key } });
        isOAuthError(reply, 400, 'unsupported_token_type');
        assert.equal((await introspect(key.secret_key)).json.active, true);
    });
});

describe('a disabled client', () => {
    const server = useServer();

    it('gets no tokens, and those that it had stay refused when it is enabled again', async () => {
        const client = await server.createClient(['viewer']);
        const old = await server.token(client);
        const ask = (token: string): Promise<Reply> => server.request('GET', '/v2/corpora', { token });
        const set = async (enabled: boolean): Promise<void> => {
            const reply = await server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { enabled } });
            assert.equal(reply.status, 200, reply.text);
            assert.equal(reply.json.enabled, enabled);
        };
        assert.equal((await ask(old)).status, 200);
        await set(false);
        assert.equal((await ask(old)).status, 401);
        const refused = await server.request('POST', '/oauth2/token', { form: { grant_type: 'client_credentials', ...credentials(client) } });
        isOAuthError(refused, 401, 'invalid_client');
        await set(true);
        assert.equal((await ask(old)).status, 401, 'by revision, not by state');
        const fresh = await server.token(client);
        assert.equal((await ask(fresh)).status, 200);
        // Other changes, and enabling what is enabled, revoke nothing.
        await set(true);
        await server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { description: 'x' } });
        assert.equal((await ask(fresh)).status, 200);
    });
});
