// SPDX-License-Identifier: Apache-2.0
// openid-client, unmodified: discovery at both locations, the grant with both kinds of authentication.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as client from 'openid-client';
import { decodeJwt } from '../blackbox/check.js';
import { useServer, type AppClient } from '../blackbox/server.js';

describe('openid-client', () => {
    const server = useServer();
    let app: AppClient;

    before(async () => {
        app = await server.createClient(['viewer']);
    });

    for (const algorithm of ['oauth2', 'oidc'] as const) {
        for (const [name, authentication] of [
            ['ClientSecretPost', client.ClientSecretPost],
            ['ClientSecretBasic', client.ClientSecretBasic],
        ] as const) {
            it(`${algorithm} discovery, ${name}`, async () => {
                const config = await client.discovery(
                    new URL(server.url), app.client_id, undefined, authentication(app.client_secret),
                    { algorithm, execute: [client.allowInsecureRequests] },
                );
                assert.equal(config.serverMetadata().issuer, server.url);
                const tokens = await client.clientCredentialsGrant(config);
                assert.equal(tokens.token_type, 'bearer'); // the library lowers it
                assert.equal(tokens.expires_in, 1800);
                const { claims } = decodeJwt(tokens.access_token);
                assert.equal(claims.client_id, app.client_id);

                const reply = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${server.url}/v2/corpora`), 'GET');
                assert.equal(reply.status, 200);
            });
        }
    }

    it('names a resource', async () => {
        const config = await client.discovery(new URL(server.url), app.client_id, app.client_secret, undefined, {
            algorithm: 'oauth2', execute: [client.allowInsecureRequests],
        });
        const resource = `${server.url}/v2`;
        const tokens = await client.clientCredentialsGrant(config, { resource });
        assert.equal(decodeJwt(tokens.access_token).claims.aud, resource);
        await assert.rejects(client.clientCredentialsGrant(config, { resource: 'https://api.example.com' }), (error: unknown) => {
            assert(error instanceof client.ResponseBodyError);
            assert.equal(error.error, 'invalid_target');
            assert.equal(error.status, 400);
            return true;
        });
        await assert.rejects(client.clientCredentialsGrant(config, { scope: 'owner' }), (error: unknown) => {
            assert(error instanceof client.ResponseBodyError);
            assert.equal(error.error, 'invalid_scope');
            return true;
        });
    });

    it('reports a wrong secret', async () => {
        const config = await client.discovery(new URL(server.url), app.client_id, undefined, client.ClientSecretPost('wrong'), {
            algorithm: 'oauth2', execute: [client.allowInsecureRequests],
        });
        await assert.rejects(client.clientCredentialsGrant(config), (error: unknown) => {
            // A challenge hides the body's code from this library: see its WWWAuthenticateChallengeError.
            assert(error instanceof client.WWWAuthenticateChallengeError);
            assert.equal(error.status, 401);
            assert.equal(error.cause[0]?.scheme, 'basic');
            return true;
        });
    });
});
