// SPDX-License-Identifier: Apache-2.0
// Rule R1: the process that the network reaches holds no key. Its whole memory is searched for the keys of this
// very installation, as encodings and as machine words; the same search, the control, finds them in the signer.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BUILD, run, withServer } from '../blackbox/server.js';

const SEARCH = join(BUILD, 'tests', 'fault', 'memory-search');

/** What each algorithm's signer must be caught with; the others may be computed when needed. */
const CONTROL: Record<string, string[]> = {
    RS256: ['kek', 'pepper', 'record_mac', 'rsa-p:words', 'rsa-q:words', 'rsa-d:words'],
    ES256: ['kek', 'pepper', 'record_mac', 'ec-scalar:words'],
    EdDSA: ['kek', 'pepper', 'record_mac', 'ed25519-seed'],
};

async function search(file: string, pid: number): Promise<Map<string, number>> {
    const found = await run(SEARCH, ['search', file, String(pid)]);
    assert.equal(found.code, 0, found.stderr);
    const hits = new Map<string, number>();
    for (const line of found.stdout.trim().split('\n')) {
        const [, name, count] = line.split(' ');
        assert(name !== undefined && count !== undefined);
        hits.set(name, Number(count));
    }
    assert((hits.get('searched') ?? 0) > 1_000_000, 'some memory was searched');
    hits.delete('searched');
    return hits;
}

describe('key material in memory', () => {
    for (const alg of Object.keys(CONTROL)) {
        it(`${alg}: nothing in front and supervisor, all of it in the signer`, async () => {
            await withServer({ args: ['--token-alg', alg] }, async (server) => {
                const client = await server.createClient(['owner']);
                await server.stop(); // the keys are read from a directory that nobody serves
                const needles = await run(SEARCH, ['needles', server.data]);
                assert.equal(needles.code, 0, needles.stderr);
                const file = join(server.data, 'needles');
                writeFileSync(file, needles.stdout, { mode: 0o600 });

                await server.start();
                for (let i = 0; i < 20; i++) await server.token(client);
                for (const [name, count] of await search(file, server.child('posternd')))
                    assert.equal(count, 0, `posternd: ${name}`);
                for (const [name, count] of await search(file, server.pid))
                    assert.equal(count, 0, `postern: ${name}`);
                const held = await search(file, server.child('postern-signer'));
                for (const name of CONTROL[alg] ?? [])
                    assert((held.get(name) ?? 0) > 0, `postern-signer: ${name}`);
            });
        });
    }
});
