// SPDX-License-Identifier: Apache-2.0
// jwks-rsa with jsonwebtoken, unmodified: an API written for Node.js that finds the keys by itself.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import jwt, { type JwtPayload } from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import { useServer, withServer, type Server } from '../blackbox/server.js';

function verify(server: Server, token: string, options: jwt.VerifyOptions): Promise<JwtPayload> {
    const keys = jwksRsa({ jwksUri: `${server.url}/.well-known/jwks.json` });
    return new Promise((resolve, reject) => {
        jwt.verify(
            token,
            (header, done) => {
                keys.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey()));
            },
            { issuer: server.url, audience: `${server.url}/v2`, ...options },
            (error, claims) => (error ? reject(error) : resolve(claims as JwtPayload)),
        );
    });
}

describe('jwks-rsa and jsonwebtoken', () => {
    const server = useServer();
    let token: string;

    before(async () => {
        token = await server.tokenFor(['viewer']);
    });

    it('verify a token', async () => {
        const claims = await verify(server, token, { algorithms: ['RS256'] });
        assert.equal(claims['client_id'], claims.sub);
    });

    it('refuse a changed one, another audience and another algorithm', async () => {
        const [head, payload, signature = ''] = token.split('.');
        const changed = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
        await assert.rejects(verify(server, changed, { algorithms: ['RS256'] }), /invalid signature/);
        await assert.rejects(verify(server, token, { algorithms: ['RS256'], audience: 'https://other.example' }), /audience/);
        await assert.rejects(verify(server, token, { algorithms: ['ES256'] }), /invalid algorithm/);
    });

    it('find no key for a token of another server', async () => {
        await withServer({}, async (other) => {
            const theirs = await other.tokenFor(['viewer']);
            await assert.rejects(verify(server, theirs, { algorithms: ['RS256'] }), /Unable to find a signing key/);
        });
    });

    for (const algorithm of ['ES256', 'PS256'] as const) {
        it(`verify ${algorithm}`, async () => {
            await withServer({ args: ['--token-alg', algorithm] }, async (other) => {
                await verify(other, await other.tokenFor(['viewer']), { algorithms: [algorithm] });
            });
        });
    }
});
