// SPDX-License-Identifier: Apache-2.0
// Revocation under load: once it is acknowledged, no event loop takes the credential any more. By token, by credential
// (an API key's), by client, by user; and by revision, not by time: clocks set hours apart change nothing.
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { useServer, type AppClient, type Json, type Reply, type RequestOptions } from '../blackbox/server.js';

const COUNT = Number(process.env['POSTERN_REVOCATIONS'] ?? 400);
const KINDS = ['token', 'credential', 'client', 'user'] as const;
// Connections spread over the event loops; each stays on the loop that took it.
const PROBES = 8;

interface Victim {
    headers: Record<string, string>;
    revoke: () => Promise<Reply>;
}

describe('revocation under load', () => {
    const server = useServer({ args: ['--loops', '2', '--unseal-per-minute-max', '100000', '--address-failures-per-minute-max', '1000000'] });
    const agents = Array.from({ length: PROBES }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    let made = 0;

    function get(agent: Agent, headers: Record<string, string>): Promise<number> {
        return new Promise((resolve, reject) => {
            const asking = httpRequest(new URL('/v2/corpora', server.url), { agent, headers }, (reply) => {
                reply.resume();
                reply.on('end', () => resolve(reply.statusCode ?? 0));
            });
            asking.on('error', reject).end();
        });
    }
    async function must(method: string, path: string, json?: unknown): Promise<Json> {
        const options: RequestOptions = json === undefined ? {} : { json };
        const reply = await server.control(method, path, options);
        assert(reply.status < 300, `${method} ${path}: ${reply.text}`);
        return reply.json;
    }

    async function victim(kind: (typeof KINDS)[number]): Promise<Victim> {
        if (kind === 'token' || kind === 'client') {
            const client: AppClient = await server.createClient(['viewer']);
            const token = await server.token(client);
            const form = { client_id: client.client_id, client_secret: client.client_secret, token };
            return {
                headers: { authorization: `Bearer ${token}` },
                revoke: () =>
                    kind === 'token'
                        ? server.request('POST', '/oauth2/revoke', { form })
                        : made % 2 === 0
                          ? server.control('DELETE', `/v2/app_clients/${client.id}`)
                          : server.control('PATCH', `/v2/app_clients/${client.id}`, { json: { enabled: false } }),
            };
        }
        if (kind === 'credential') {
            const key = await must('POST', '/v2/api_keys', { name: 'k', api_roles: ['viewer'] });
            return {
                headers: { 'x-api-key': key.secret_key },
                revoke: () =>
                    made % 2 === 0
                        ? server.control('PATCH', `/v2/api_keys/${key.id}`, { json: { enabled: false } })
                        : server.control('POST', `/v2/api_keys/${key.id}/regenerate`),
            };
        }
        const username = `user-${made}`;
        await must('POST', '/v2/users', { email: `${username}@example.com`, username, api_roles: ['viewer'] });
        await must('PATCH', `/v2/users/${username}`, { enabled: true });
        const key = await must('POST', '/v2/api_keys', { name: 'k', api_key_role: 'personal', username });
        return {
            headers: { 'x-api-key': key.secret_key },
            revoke: () => server.control('PATCH', `/v2/users/${username}`, { json: { enabled: false } }),
        };
    }

    it(`${COUNT} revocations: none is taken after its acknowledgement, on any connection`, async (t) => {
        let late = 0;
        let before = 0;
        for (; made < COUNT; made++) {
            const kind = KINDS[made % KINDS.length] ?? 'token';
            const { headers, revoke } = await victim(kind);
            let acknowledged = false;
            // Each probe asks without pause, across the moment of the acknowledgement and twice after it.
            const probes = agents.map(async (agent) => {
                for (let after = 0; after < 2; ) {
                    const askedAfter = acknowledged;
                    const status = await get(agent, headers);
                    assert([200, 401].includes(status), `${status}`);
                    if (askedAfter) after++;
                    if (status === 200) before++;
                    if (status === 200 && askedAfter) late++;
                }
            });
            const reply = await revoke();
            acknowledged = true;
            assert([200, 204].includes(reply.status), `${kind}: ${reply.text}`);
            await Promise.all(probes);
        }
        for (const agent of agents) agent.destroy();
        t.diagnostic(`${made} revocations, ${before} requests served before, ${late} after their acknowledgement`);
        assert.equal(late, 0);
        assert(before > COUNT, 'there was a load');
    });
});
