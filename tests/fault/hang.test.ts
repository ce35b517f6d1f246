// SPDX-License-Identifier: Apache-2.0
// What neither works nor dies: a signer that hangs, a terminal that hangs up, a command that goes away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnvironment, eventually, isAlive, POSTERN, withServer } from '../blackbox/server.js';

describe('a signer that hangs', () => {
    it('costs its callers a 503 with Retry-After, and is replaced', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient(['viewer']);
            const before = server.child('postern-signer');
            process.kill(before, 'SIGSTOP');
            const reply = await server.request('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret },
            });
            assert.equal(reply.status, 503, reply.text);
            assert.equal(reply.json.error, 'temporarily_unavailable');
            assert.match(String(reply.headers['retry-after']), /^[0-9]+$/);
            await eventually('a token from a new signer', async () => (await server.token(client)) || undefined);
            assert.notEqual(server.child('postern-signer'), before);
            assert(!isAlive(before));
        });
    });
});

describe('SIGHUP, as a terminal sends it to the whole group', () => {
    it('ends nothing: the supervisor reloads', async () => {
        await withServer({}, async (server) => {
            const pids = [server.pid, server.child('posternd'), server.child('postern-signer')];
            for (const pid of pids) process.kill(pid, 'SIGHUP');
            const client = await server.createClient(['viewer']);
            await eventually('the reload', () => (server.stderr.includes('is in force') ? true : undefined));
            await server.token(client);
            assert.equal(server.pid, pids[0]);
            assert.doesNotMatch(server.stderr, /starting it again/);
        });
    });
});

describe('a server without a network that nobody talks to', () => {
    it('ends by itself and gives the data directory back', async () => {
        await withServer({}, async (server) => {
            await server.stop();
            const child = spawn(POSTERN, ['serve', '--offline', '--data', server.data], {
                env: cleanEnvironment(),
                stdio: 'ignore',
            });
            const code = await new Promise((resolve) => child.on('exit', resolve));
            assert.equal(code, 0);
            assert(existsSync(join(server.data, 'postern.db')));
            await server.start();
        });
    });
});
