// SPDX-License-Identifier: Apache-2.0
// simple-oauth2, unmodified: both encodings of HTTP Basic, and credentials in the body.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { ClientCredentials, type ModuleOptions } from 'simple-oauth2';
import { decodeJwt } from '../blackbox/check.js';
import { useServer, type AppClient } from '../blackbox/server.js';

describe('simple-oauth2', () => {
    const server = useServer();
    let app: AppClient;

    before(async () => {
        app = await server.createClient(['corpus_viewer']);
    });

    const client = (options: ModuleOptions['options'], secret = app.client_secret, auth: object = {}): ClientCredentials =>
        new ClientCredentials({
            client: { id: app.client_id, secret },
            auth: { tokenHost: server.url, tokenPath: '/oauth2/token', ...auth },
            options: options ?? {},
        });

    for (const [name, options] of [
        ['strict HTTP Basic, its default', {}],
        ['loose HTTP Basic', { credentialsEncodingMode: 'loose' }],
        ['the body, as a form', { authorizationMethod: 'body' }],
        ['the body, as JSON', { authorizationMethod: 'body', bodyFormat: 'json' }],
    ] as [string, ModuleOptions['options']][]) {
        it(`${name}: gets a token and uses it`, async () => {
            const { token } = await client(options).getToken({});
            assert.equal(token['token_type'], 'Bearer');
            assert.equal(token['expires_in'], 1800);
            const access_token = token['access_token'] as string;
            assert.equal(decodeJwt(access_token).claims.client_id, app.client_id);
            assert.equal((await server.request('GET', '/v2/corpora', { token: access_token })).status, 200);
        });
    }

    it('works with its own default path', async () => {
        const { token } = await new ClientCredentials({
            client: { id: app.client_id, secret: app.client_secret }, auth: { tokenHost: server.url },
        }).getToken({});
        assert.equal(token['token_type'], 'Bearer');
    });

    it('knows when the token has expired', async () => {
        const token = await client({}).getToken({});
        assert.equal(token.expired(), false);
        assert.equal(token.expired(1801), true, 'within the last 1801 seconds of its life');
    });

    it('reports a wrong secret', async () => {
        await assert.rejects(client({}, 'wrong').getToken({}), (error: any) => {
            assert.equal(error.output.statusCode, 401);
            assert.equal(error.data.payload.error, 'invalid_client');
            return true;
        });
    });
});
