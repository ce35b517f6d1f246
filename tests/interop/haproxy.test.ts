// SPDX-License-Identifier: Apache-2.0
// HAProxy as the gateway of an API: it checks tokens by itself, with the key that `postern keys show --pem` prints. It reads no
// JWK set, and compares no claim that it is not told to compare (docs/clients.md).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withHaproxy } from '../blackbox/neighbour.js';
import { eventually, request, withServer, type Reply, type Server } from '../blackbox/server.js';

/** The gateway of an API of one answer. */
function withGateway(server: Server, pem: string, alg: string, use: (ask: (token?: string) => Promise<Reply>) => Promise<void>): Promise<void> {
    const configuration = (port: number, directory: string): string[] => [
        'frontend api',
        ` bind 127.0.0.1:${port}`,
        ' http-request set-var(txn.token) http_auth_bearer',
        " http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')",
        " http-request set-var(txn.typ) var(txn.token),jwt_header_query('$.typ')",
        " http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')",
        " http-request set-var(txn.aud) var(txn.token),jwt_payload_query('$.aud')",
        " http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')",
        " http-request set-var(txn.client_id) var(txn.token),jwt_payload_query('$.client_id')",
        ' http-request set-var(txn.now) date()',
        ` http-request deny deny_status 401 unless { var(txn.alg) -m str ${alg} }`,
        ' http-request deny deny_status 401 unless { var(txn.typ) -m str at+jwt }',
        ` http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${directory}/key.pem") 1 }`,
        ` http-request deny deny_status 401 unless { var(txn.iss) -m str ${server.url} }`,
        ` http-request deny deny_status 401 unless { var(txn.aud) -m str ${server.url}/v2 }`,
        ' http-request deny deny_status 401 unless { var(txn.exp),sub(txn.now) -m int gt 0 }',
        ' http-request return status 200 content-type text/plain lf-string "%[var(txn.client_id)]"',
    ];
    return withHaproxy(
        configuration,
        (port) => use((token) => request({ host: '127.0.0.1', port }, 'GET', '/', token === undefined ? {} : { token })),
        { 'key.pem': pem },
    );
}

describe("HAProxy's jwt_verify", () => {
    for (const alg of ['RS256', 'ES256']) {
        it(`${alg}: takes the server's tokens, and no others`, async () => {
            await withServer({ args: ['--token-alg', alg] }, async (server) => {
                const shown = await server.cli(['keys', 'show', '--pem']);
                assert.equal(shown.code, 0, shown.stderr);
                const client = await server.createClient(['viewer']);
                const token = await server.token(client);
                await withGateway(server, shown.stdout, alg, async (ask) => {
                    const reply = await ask(token);
                    assert.equal(reply.status, 200);
                    assert.equal(reply.text, client.client_id);
                    assert.equal((await ask()).status, 401);
                    const [head, payload, signature = ''] = token.split('.');
                    const changed = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
                    assert.equal((await ask(changed)).status, 401);
                    await withServer({ args: ['--token-alg', alg] }, async (other) => {
                        assert.equal((await ask(await other.tokenFor(['viewer']))).status, 401);
                    });
                });
            });
        });
    }

    it('refuses a token that has expired', async () => {
        await withServer({}, async (server) => {
            const { stdout } = await server.cli(['keys', 'show', '--pem']);
            const short = await server.tokenFor(['viewer'], { token_ttl_seconds: 1 });
            const long = await server.tokenFor(['viewer']);
            await withGateway(server, stdout, 'RS256', async (ask) => {
                await eventually('401', async () => ((await ask(short)).status === 401 ? true : undefined));
                assert.equal((await ask(long)).status, 200);
            });
        });
    });
});
