// SPDX-License-Identifier: Apache-2.0
// The running front and signer, taken over: made to try what an attacker would, from inside. What a profile allows
// in general is tried by tests/unit/sandbox.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BUILD, childrenOf, eventually, run, withServer, type Server } from '../blackbox/server.js';

const INJECT = join(BUILD, 'tests', 'fault', 'inject-call');
const canTrace = process.getuid?.() === 0 && process.arch === 'x64';
const skip = canTrace ? false : 'only root may trace what is not dumpable, and only x86-64 is known';

function pidOf(server: Server, name: string): number | undefined {
    return childrenOf(server.pid).find((child) => child.name === name)?.pid;
}

/** A process that has begun to serve waits in a system call. */
async function settled(server: Server, name: string): Promise<number> {
    return eventually(`${name} serves`, async () => {
        const pid = pidOf(server, name);
        const ready = await server.request('GET', '/readyz');
        if (pid === undefined || ready.status !== 200) return undefined;
        await delay(50);
        return pidOf(server, name) === pid ? pid : undefined;
    });
}

async function inject(server: Server, name: string, call: string): Promise<string> {
    const pid = await settled(server, name);
    const tried = await run(INJECT, [String(pid), call]);
    assert.equal(tried.code, 0, tried.stderr);
    return tried.stdout.trim();
}

describe('what has been taken over', { skip }, () => {
    for (const name of ['posternd', 'postern-signer']) {
        it(`${name} cannot run a program, trace, or reach the network: it ends`, async () => {
            await withServer({}, async (server) => {
                const client = await server.createClient(['owner']);
                for (const call of ['exec', 'ptrace', 'socket', 'connect']) {
                    assert.equal(await inject(server, name, call), 'killed SIGSYS', call);
                    await eventually('the log names the cause', () =>
                        server.stderr.includes(`${name} ended (killed by its sandbox`) ? true : undefined);
                }
                const token = await eventually('another serves', () => server.token(client));
                assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
            });
        });

        it(`${name} cannot open files outside, list folders or map code: it is refused`, async () => {
            await withServer({}, async (server) => {
                const refused = name === 'posternd' ? /^refused (EACCES|ENOSYS)$/ : /^refused ENOSYS$/;
                const landlock = /^postern_landlock_abi (\d+)$/m.exec((await server.cli(['metrics'])).stdout)?.[1];
                const calls = name === 'posternd' && landlock === '0' ? ['mmap'] : ['open', 'list', 'mmap'];
                for (const call of calls) assert.match(await inject(server, name, call), refused, call);
                assert.equal((await server.request('GET', '/readyz')).status, 200);
            });
        });
    }

    it('succeeds where nothing confines: the control of these tests', async () => {
        await withServer({ args: ['--sandbox', 'off'] }, async (server) => {
            assert.match(await inject(server, 'posternd', 'open'), /^done \d+$/);
            assert.match(await inject(server, 'postern-signer', 'socket'), /^done \d+$/);
            assert.match(server.stderr, /sandbox = off/);
            assert.match((await server.cli(['metrics'])).stdout, /^postern_sandbox_in_force\{process="front"\} 0$/m);
        });
    });
});

describe('users', { skip: process.getuid?.() === 0 ? false : 'only root can change users' }, () => {
    const idsOf = (pid: number): string[] => /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t') ?? [];

    it('started as root: front and signer have one each, and the directory is root\'s', async () => {
        await withServer({ args: ['--sandbox', 'strict'] }, async (server) => {
            const front = idsOf(await settled(server, 'posternd'));
            const signer = idsOf(await settled(server, 'postern-signer'));
            assert.equal(new Set(front).size, 1);
            assert.equal(new Set(signer).size, 1);
            assert.notEqual(front[0], '0');
            assert.notEqual(signer[0], '0');
            assert.notEqual(front[0], signer[0]);
            for (const [path, owner, mode] of [
                ['.', 0, 0o1770], ['keys', 0, 0o700], ['keys/kek', 0, 0o600], ['control.sock', 0, 0o600], ['lock', 0, 0o600],
                ['postern.db', Number(front[0]), 0o600], ['events', Number(front[0]), 0o700],
            ] as const) {
                const info = statSync(join(server.data, path));
                assert.equal(info.uid, owner, path);
                assert.equal(info.mode & 0o7777, mode, path);
            }
            const doctor = await server.cli(['doctor', '--json']);
            for (const check of JSON.parse(doctor.stdout).checks)
                if (['front', 'signer', 'data', 'keys'].includes(check.check)) assert.equal(check.result, 'ok', doctor.stdout);
        });
    });

    it('a file of two names is not given away', async () => {
        await withServer({}, async (server) => {
            await server.stop();
            const other = join(server.data, 'lock');
            const { linkSync, rmSync, symlinkSync } = await import('node:fs');
            assert(!existsSync(join(server.data, 'postern.db-journal')));
            for (const make of [linkSync, symlinkSync]) {
                make(other, join(server.data, 'postern.db-journal'));
                const started = await server.cli(['serve', '--listen', '127.0.0.1:0']);
                assert.equal(started.code, 1);
                assert.match(started.stderr, /postern.db-journal in the data directory is a link, or has another name too/);
                assert.equal(statSync(other).uid, 0);
                rmSync(join(server.data, 'postern.db-journal'));
            }
        });
    });
});
