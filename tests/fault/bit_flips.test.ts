// SPDX-License-Identifier: Apache-2.0
// A bit of the database flips while the server is down: it refuses to start, or refuses those whom that concerns, or the
// bit did not matter. Nobody gets in with another secret, nobody gets more rights, and nothing crashes.
//
// POSTERN_FLIPS: how many (60 in the test run).
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run, Server, temporaryDirectory, type AppClient } from '../blackbox/server.js';

const FLIPS = Number(process.env['POSTERN_FLIPS'] ?? 60);

/** Numbers that look like chance and are the same in every run (a linear congruential generator, Knuth's constants). */
function chance(seed: number): (below: number) => number {
    let state = BigInt(seed);
    return (below) => {
        state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
        return Number((state >> 33n) % BigInt(below));
    };
}

describe('a bit that flips in the database', () => {
    const whole = temporaryDirectory();
    const folder = temporaryDirectory();
    let viewer: AppClient;
    let owner: AppClient;
    let bytes: Buffer;
    let places: number[];

    before(async () => {
        const server = await new Server({ data: join(whole, 'data') }).start();
        viewer = await server.createClient(['viewer']);
        owner = await server.createClient(['owner']);
        await server.createCorpus('kept');
        await server.stop();
        bytes = readFileSync(join(whole, 'data', 'postern.db'));
        places = [viewer.client_id, owner.client_id].flatMap((id) => {
            const found: number[] = [];
            for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) found.push(at);
            return found;
        });
        assert(places.length >= 4, 'the clients are where bits are flipped');
    });
    after(() => {
        for (const directory of [whole, folder]) rmSync(directory, { recursive: true, force: true });
    });

    it(`${FLIPS} of them: refused, or without a consequence`, { timeout: 60_000 + FLIPS * 10_000 }, async (t) => {
        const below = chance(1);
        const counts = { 'did not start': 0, 'a client was refused': 0, 'all as before': 0, 'found by doctor': 0 };
        for (let flip = 0; flip < FLIPS; flip++) {
            // Half of them near the clients' rows, half anywhere.
            const near = (places[below(places.length)] ?? 0) + below(300) - 100;
            const at = flip % 2 === 0 ? Math.max(0, Math.min(bytes.length - 1, near)) : below(bytes.length);
            const bit = below(8);
            const data = join(folder, `data-${flip}`);
            await run('cp', ['-a', join(whole, 'data'), data]);
            const changed = Buffer.from(bytes);
            changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
            writeFileSync(join(data, 'postern.db'), changed);
            const what = `bit ${bit} of byte ${at}`;
            const server = new Server({ data });
            try {
                await server.start();
            } catch (error) {
                assert.match(String(error), /ended before ready \([12]\)/, what);
                counts['did not start']++;
                rmSync(data, { recursive: true });
                continue;
            }
            const ask = async (client: AppClient, secret = client.client_secret): Promise<[number, string]> => {
                const reply = await server.request('POST', '/oauth2/token', {
                    form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: secret },
                });
                return [reply.status, reply.json?.access_token];
            };
            const [viewers, viewerToken] = await ask(viewer);
            const [owners, ownerToken] = await ask(owner);
            for (const status of [viewers, owners]) assert([200, 401, 500, 503].includes(status), `${what}: ${status}`);
            for (const [client, other] of [[viewer, owner], [owner, viewer]] as const)
                assert.notEqual((await ask(client, other.client_secret))[0], 200, `${what}: another's secret`);
            const made = { type: 'client_credentials', name: 'made', api_roles: ['owner'] };
            if (viewers === 200)
                assert.notEqual((await server.request('POST', '/v2/app_clients', { token: viewerToken, json: made })).status, 201, `${what}: a viewer may do more`);
            const isRight = owners === 200 && (await server.request('POST', '/v2/app_clients', { token: ownerToken, json: made })).status === 201;
            if ((await server.cli(['doctor', '--json'])).stdout.includes('database is damaged')) counts['found by doctor']++;
            counts[viewers === 200 && isRight ? 'all as before' : 'a client was refused']++;
            await server.stop();
            assert.doesNotMatch(server.stderr, /ended \(signal/, what);
            rmSync(data, { recursive: true });
        }
        t.diagnostic(Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', '));
        assert(counts['did not start'] + counts['a client was refused'] > 0, 'some of them mattered');
    });
});
