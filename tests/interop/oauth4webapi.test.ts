// SPDX-License-Identifier: Apache-2.0
// oauth4webapi, unmodified: as a client, and as a resource server that judges our access tokens.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as oauth from 'oauth4webapi';
import { useServer, type AppClient } from '../blackbox/server.js';

const INSECURE = { [oauth.allowInsecureRequests]: true };

describe('oauth4webapi', () => {
    const server = useServer();
    let app: AppClient;
    let issuer: URL;
    let as: oauth.AuthorizationServer;

    before(async () => {
        app = await server.createClient(['viewer']);
        issuer = new URL(server.url);
        const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE });
        as = await oauth.processDiscoveryResponse(issuer, response);
    });

    const token = async (authentication: oauth.ClientAuth, parameters: Record<string, string> = {}): Promise<string> => {
        const client: oauth.Client = { client_id: app.client_id };
        const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, INSECURE);
        const result = await oauth.processClientCredentialsResponse(as, client, response);
        assert.equal(result.token_type, 'bearer');
        assert.equal(result.expires_in, 1800);
        return result.access_token;
    };

    const protectedRequest = (jwt: string, url = `${server.url}/v2/corpora`): Request =>
        new Request(url, { headers: { authorization: `Bearer ${jwt}` } });

    it('discovers at both locations the same', async () => {
        const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...INSECURE });
        assert.deepEqual(await oauth.processDiscoveryResponse(issuer, response), as);
    });

    for (const [name, authentication] of [
        ['ClientSecretPost', oauth.ClientSecretPost],
        ['ClientSecretBasic', oauth.ClientSecretBasic], // encodes even "_" of the secret
    ] as const) {
        it(`${name}: gets a token that its own validator accepts`, async () => {
            const jwt = await token(authentication(app.client_secret));
            const claims = await oauth.validateJwtAccessToken(as, protectedRequest(jwt), `${server.url}/v2`, INSECURE);
            assert.equal(claims.client_id, app.client_id);
            assert.equal(claims.sub, app.client_id);
            assert.equal(claims.iss, server.url);
            assert.deepEqual(claims['roles'], ['viewer']);
        });
    }

    it('introspects a token, revokes it, and introspects it again', async () => {
        const owner = await server.createClient(['owner']);
        const client: oauth.Client = { client_id: owner.client_id };
        const authentication = oauth.ClientSecretBasic(owner.client_secret);
        const jwt = await server.token(owner);
        const introspect = async (): Promise<oauth.IntrospectionResponse> =>
            oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, authentication, jwt, INSECURE));
        const before = await introspect();
        assert.equal(before.active, true);
        assert.equal(before.client_id, owner.client_id);
        await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, jwt, INSECURE));
        assert.deepEqual(await introspect(), { active: false });
    });

    it('its validator refuses the token for another audience, and a changed one', async () => {
        const jwt = await token(oauth.ClientSecretPost(app.client_secret));
        await assert.rejects(oauth.validateJwtAccessToken(as, protectedRequest(jwt), 'https://api.example.com', INSECURE));
        const changed = `${jwt.slice(0, -10)}${jwt.at(-10) === 'A' ? 'B' : 'A'}${jwt.slice(-9)}`;
        await assert.rejects(oauth.validateJwtAccessToken(as, protectedRequest(changed), `${server.url}/v2`, INSECURE));
    });

    it('reads our challenges', async () => {
        const failed = await oauth
            .clientCredentialsGrantRequest(as, { client_id: app.client_id }, oauth.ClientSecretBasic('wrong'), {}, INSECURE)
            .then((response) => oauth.processClientCredentialsResponse(as, { client_id: app.client_id }, response))
            .then(() => undefined, (error: unknown) => error);
        assert(failed instanceof oauth.WWWAuthenticateChallengeError);
        assert.equal(failed.cause[0]?.scheme, 'basic');
        assert.equal(failed.cause[0]?.parameters.charset, 'UTF-8');

        const refused = await oauth
            .protectedResourceRequest('junk', 'GET', new URL(`${server.url}/v2/corpora`), undefined, undefined, INSECURE)
            .then(() => undefined, (error: unknown) => error);
        assert(refused instanceof oauth.WWWAuthenticateChallengeError);
        assert.equal(refused.cause[0]?.scheme, 'bearer');
        assert.equal(refused.cause[0]?.parameters.error, 'invalid_token');
    });

    it('reads our errors', async () => {
        const failed = await token(oauth.ClientSecretPost(app.client_secret), { scope: 'owner' }).then(
            () => undefined,
            (error: unknown) => error,
        );
        assert(failed instanceof oauth.ResponseBodyError);
        assert.equal(failed.error, 'invalid_scope');
        assert.equal(failed.status, 400);
    });
});
