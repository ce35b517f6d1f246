// SPDX-License-Identifier: Apache-2.0
// Apache with mod_oauth2, unmodified: an API that finds the keys by the JWK set, or by the server's metadata.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { withNeighbour } from '../blackbox/neighbour.js';
import { eventually, request, useServer, withServer, type AppClient, type Reply } from '../blackbox/server.js';

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'oauth2'];

function withApache(verify: string, issuer: string, use: (ask: (token?: string) => Promise<Reply>) => Promise<void>): Promise<void> {
    return withNeighbour((port, directory) => ({
        files: {
            index: 'behind Apache\n',
            'apache.conf': [
                ...MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
                `Listen 127.0.0.1:${port}`,
                'ServerName localhost',
                `ServerRoot ${directory}`,
                `DefaultRuntimeDir ${directory}`,
                `PidFile ${join(directory, 'pid')}`,
                `ErrorLog ${join(directory, 'error.log')}`,
                `DocumentRoot ${directory}`,
                'User nobody', // only when root starts it
                'Group nogroup',
                '<Location />',
                ' AuthType oauth2',
                ` OAuth2TokenVerify ${verify}`,
                ' <RequireAll>',
                `  Require oauth2_claim iss:${issuer}`,
                `  Require oauth2_claim aud:${issuer}/v2`,
                ' </RequireAll>',
                '</Location>',
                '',
            ].join('\n'),
        },
        command: ['/usr/sbin/apache2', '-D', 'FOREGROUND', '-X', '-f', join(directory, 'apache.conf')],
    }), (port) => use((token) => request({ host: '127.0.0.1', port }, 'GET', '/index', token === undefined ? {} : { token })));
}

describe('mod_oauth2', () => {
    const server = useServer();
    let app: AppClient;

    before(async () => {
        app = await server.createClient(['viewer']);
    });

    for (const [name, verify] of [
        ['the JWK set', (url: string) => `jwks_uri ${url}/.well-known/jwks.json`],
        ['the metadata', (url: string) => `metadata ${url}/.well-known/oauth-authorization-server`],
    ] as const) {
        it(`by ${name}: takes the server's tokens, and no others`, async () => {
            await withApache(verify(server.url), server.url, async (ask) => {
                const token = await server.token(app);
                const reply = await ask(token);
                assert.equal(reply.status, 200, reply.text);
                assert.equal(reply.text, 'behind Apache\n');
                assert.equal((await ask()).status, 401);
                const [head, payload, signature = ''] = token.split('.');
                assert.equal((await ask(`${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`)).status, 401);
                await withServer({}, async (other) => {
                    assert.equal((await ask(await other.tokenFor(['viewer']))).status, 401);
                });
            });
        });
    }

    it('by introspection: a revoked token is refused, once its cache has run out', async () => {
        const asking = await server.createClient(['administrator']);
        const verify = `introspect ${server.url}/oauth2/introspect introspect.auth=client_secret_basic&client_id=${asking.client_id}&client_secret=${asking.client_secret}&expiry=1`;
        await withApache(verify, server.url, async (ask) => {
            const token = await server.token(app);
            assert.equal((await ask(token)).status, 200);
            assert.equal((await ask(`${token}x`)).status, 401);
            const revoked = await server.request('POST', '/oauth2/revoke', { form: { token }, basic: [app.client_id, app.client_secret] });
            assert.equal(revoked.status, 200);
            await eventually('401', async () => ((await ask(token)).status === 401 ? true : undefined));
            assert.equal((await ask(await server.token(app))).status, 200);
        });
    });

    it('takes ES256 and PS256 too', async () => {
        for (const alg of ['ES256', 'PS256'])
            await withServer({ args: ['--token-alg', alg] }, async (other) => {
                await withApache(`jwks_uri ${other.url}/.well-known/jwks.json`, other.url, async (ask) => {
                    assert.equal((await ask(await other.tokenFor(['viewer']))).status, 200, alg);
                });
            });
    });
});
