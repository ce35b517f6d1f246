// SPDX-License-Identifier: Apache-2.0
// jose, unmodified, verifies our tokens against our published keys, for every algorithm.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as jose from 'jose';
import { useServer } from '../blackbox/server.js';

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    describe(`jose with ${alg}`, () => {
        const server = useServer({ args: ['--token-alg', alg] });
        const keys = (): ReturnType<typeof jose.createRemoteJWKSet> =>
            jose.createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));

        it('verifies a token and its type, issuer and audience', async () => {
            const app = await server.createClient(['viewer']);
            const jwt = await server.token(app);
            const { payload, protectedHeader } = await jose.jwtVerify(jwt, keys(), {
                typ: 'at+jwt',
                issuer: server.url,
                audience: `${server.url}/v2`,
                algorithms: [alg],
                subject: app.client_id,
                requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'roles'],
                maxTokenAge: '30m',
            });
            assert.equal(protectedHeader.alg, alg);
            assert.equal(payload['client_id'], app.client_id);
            assert.deepEqual(payload['roles'], ['viewer']);
        });

        it('verifies a hundred of them: no signature is malformed now and then', async () => {
            const app = await server.createClient([]);
            const set = keys();
            for (let i = 0; i < 100; i++) await jose.jwtVerify(await server.token(app), set, { typ: 'at+jwt' });
        });

        it('agrees about the thumbprint that is the kid', async () => {
            const { keys: published } = (await server.request('GET', '/.well-known/jwks.json')).json;
            for (const key of published) assert.equal(await jose.calculateJwkThumbprint(key), key.kid);
        });

        it('refuses a changed token, another audience and another type', async () => {
            const jwt = await server.tokenFor([]);
            const set = keys();
            const [header, , signature] = jwt.split('.');
            const claims = jose.base64url.encode(JSON.stringify({ ...jose.decodeJwt(jwt), roles: ['owner'] }));
            await assert.rejects(jose.jwtVerify(`${header}.${claims}.${signature}`, set), jose.errors.JWSSignatureVerificationFailed);
            await assert.rejects(jose.jwtVerify(jwt, set, { audience: 'https://api.example.com' }), jose.errors.JWTClaimValidationFailed);
            await assert.rejects(jose.jwtVerify(jwt, set, { typ: 'JWT' }), jose.errors.JWTClaimValidationFailed);
        });

        it('and the product takes its own token, whatever the algorithm', async () => {
            const token = await server.tokenFor(['viewer']);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
        });
    });
}
