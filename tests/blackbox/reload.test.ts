// SPDX-License-Identifier: Apache-2.0
// A new configuration (SIGHUP) and a new version of the programs (SIGUSR2) while requests run: nobody is refused,
// nothing acknowledged is lost, and what cannot be taken leaves everything as it was.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { allPages } from './pages.js';
import { Connection } from './socket.js';
import {
    BUILD, childrenOf, eventually, isAlive, request, Server, temporaryDirectory, withServer, type AppClient, type Json,
} from './server.js';

const IN_FORCE = 'the new configuration is in force';

function count(text: string, part: string): number {
    return text.split(part).length - 1;
}

async function reload(server: Server, signal: NodeJS.Signals = 'SIGHUP'): Promise<void> {
    const before = count(server.stderr, IN_FORCE);
    process.kill(server.pid, signal);
    await eventually('the reload', () => (count(server.stderr, IN_FORCE) > before ? true : undefined));
}

/** A server whose configuration is a file. */
async function withConfigured(lines: string[], use: (server: Server, write: (lines: string[]) => void) => Promise<void>): Promise<void> {
    const directory = temporaryDirectory();
    const file = join(directory, 'postern.conf');
    const write = (text: string[]): void => writeFileSync(file, ['listen = 127.0.0.1:0', ...text, ''].join('\n'));
    write(lines);
    try {
        await withServer({ args: ['--config', file], listen: false }, (server) => use(server, write));
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
}

interface Load {
    answered: number;
    writes: string[]; // ids of clients whose creation was acknowledged
    failures: string[];
    stop(): Promise<void>;
}

/** Requests of every sort, one after the other on each of some connections, kept alive or not. */
function load(server: Server, client: AppClient): Load {
    const agents = [new http.Agent({ keepAlive: true, maxSockets: 1 }), new http.Agent({ keepAlive: true, maxSockets: 1 })];
    const result: Load = { answered: 0, writes: [], failures: [], stop: async () => undefined };
    let isEnding = false;
    const form = new URLSearchParams({
        grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret,
    }).toString();
    const port = server.port;
    const ask = (agent: http.Agent | undefined, method: string, path: string, headers: http.OutgoingHttpHeaders, body: string): Promise<[number, Json]> =>
        new Promise((resolve, reject) => {
            const outgoing = http.request({ host: '127.0.0.1', port, method, path, headers, agent: agent ?? false }, (incoming) => {
                let text = '';
                incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
                incoming.on('error', reject);
                incoming.on('end', () => resolve([incoming.statusCode ?? 0, JSON.parse(text) as Json]));
            });
            outgoing.on('error', reject);
            outgoing.end(body);
        });
    const worker = async (agent: http.Agent | undefined): Promise<void> => {
        let token = '';
        for (let round = 0; !isEnding; round++) {
            const step = round % 3;
            try {
                const [status, json] =
                    step === 0
                        ? await ask(agent, 'POST', '/oauth2/token', { 'content-type': 'application/x-www-form-urlencoded' }, form)
                        : step === 1
                          ? await ask(agent, 'GET', '/v2/corpora', { authorization: `Bearer ${token}` }, '')
                          : await ask(agent, 'POST', '/v2/app_clients',
                              { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
                              JSON.stringify({ type: 'client_credentials', name: `made ${round}` }));
                if (step === 0) token = json.access_token;
                if (step === 2 && status === 201) result.writes.push(json.id);
                if (status !== 200 && status !== 201) result.failures.push(`step ${step}: ${status} ${JSON.stringify(json)}`);
                result.answered++;
            } catch (error) {
                result.failures.push(`step ${step}: ${String(error)}`);
            }
        }
    };
    const workers = [worker(agents[0]), worker(agents[1]), worker(undefined), worker(undefined)];
    result.stop = async () => {
        isEnding = true;
        await Promise.all(workers);
        for (const agent of agents) agent.destroy();
    };
    return result;
}

async function assertNothingLost(server: Server, running: Load): Promise<void> {
    assert.deepEqual(running.failures, []);
    assert(running.writes.length > 0 && running.answered > running.writes.length);
    const pages = await allPages((...question) => server.control(...question), '/v2/app_clients', 'app_clients');
    const kept = new Set(pages.flat().map((one: Json) => one.id as string));
    assert.deepEqual(running.writes.filter((id) => !kept.has(id)), []);
}

describe('reload', () => {
    it('under load: new values are in force, no request fails, no acknowledged write is lost', async () => {
        await withConfigured(['token_ttl_seconds = 600'], async (server, write) => {
            const client = await server.createClient(['owner']);
            const supervisor = server.pid;
            const front = server.child('posternd');
            const running = load(server, client);
            for (const seconds of [700, 800]) {
                write([`token_ttl_seconds = ${seconds}`]);
                await reload(server);
                const reply = await server.request('POST', '/oauth2/token', {
                    form: { grant_type: 'client_credentials' }, basic: [client.client_id, client.client_secret],
                });
                assert.equal(reply.json.expires_in, seconds);
            }
            await delay(50);
            await running.stop();
            await assertNothingLost(server, running);
            assert.equal(server.pid, supervisor);
            await eventually('the old processes to end', () => (childrenOf(supervisor).length === 2 ? true : undefined));
            assert(!isAlive(front));
        });
    });

    it('a token from before is good after it', async () => {
        await withConfigured(['public_url = http://127.0.0.1:1'], async (server) => {
            const token = await server.tokenFor(['corpus_viewer']);
            await reload(server);
            assert.equal((await server.request('GET', '/v2/corpora', { token })).status, 200);
        });
    });

    it('a listener comes and goes, the other keeps its port', async () => {
        await withConfigured([], async (server, write) => {
            const other = { host: '127.0.0.2', port: server.port };
            await assert.rejects(request(other, 'GET', '/healthz'));
            write([`listen = 127.0.0.2:${server.port}`]);
            await reload(server);
            assert.equal((await request(other, 'GET', '/healthz')).status, 200);
            assert.equal((await server.request('GET', '/healthz')).status, 200);
            write([]);
            await reload(server);
            await eventually('nobody to listen', async () => {
                try {
                    await request(other, 'GET', '/healthz');
                    return undefined;
                } catch {
                    return true;
                }
            });
            assert.equal((await server.request('GET', '/healthz')).status, 200);
        });
    });

    for (const [what, line, message] of [
        ['an unknown key', 'no_such_key = 1', /no_such_key/],
        ['a value out of range', 'token_ttl_seconds = 0', /token_ttl_seconds/],
        ['an address that is not there', 'listen = 127.0.0.1:1x', /listen/],
    ] as const) {
        it(`${what}: said, and the running configuration stays`, async () => {
            await withConfigured(['token_ttl_seconds = 600'], async (server, write) => {
                const client = await server.createClient(['viewer']);
                const front = server.child('posternd');
                write([line]);
                process.kill(server.pid, 'SIGHUP');
                await eventually('the message', () => (server.stderr.includes('the running configuration stays') ? true : undefined));
                assert.match(server.stderr, message);
                assert.equal(server.child('posternd'), front);
                await server.token(client);
            });
        });
    }

    it('the data directory cannot change', async () => {
        const directory = temporaryDirectory();
        const file = join(directory, 'postern.conf');
        const lines = ['listen = 127.0.0.1:0'];
        writeFileSync(file, lines.join('\n'));
        try {
            await withServer({ args: ['--config', file], listen: false }, async (server) => {
                // The flag --data is stronger than the file: the file may say what it likes.
                writeFileSync(file, [...lines, 'data = /nonexistent'].join('\n'));
                await reload(server);
                await server.tokenFor(['viewer']);
            });
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });

    it('a request that takes long is answered by the front it came to', async () => {
        await withConfigured([], async (server) => {
            const client = await server.createClient(['viewer']);
            await server.token(client); // so that the front has the client in memory
            const slow = await Connection.open(server.port);
            const body = new URLSearchParams({
                grant_type: 'client_credentials', client_id: client.client_id, client_secret: client.client_secret,
            }).toString();
            await slow.write(`POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
            await reload(server); // does not wait for it for ever
            await slow.write(body.slice(10));
            const reply = await slow.reply();
            assert.equal(reply?.status, 200, JSON.stringify(reply));
        });
    });
});

/** A folder with the programs, reached by a link, as installations that keep several versions have it. */
function install(directory: string, version: string): string {
    const folder = join(directory, version);
    mkdirSync(folder);
    for (const program of ['postern', 'posternd', 'postern-signer']) {
        copyFileSync(join(BUILD, program), join(folder, program));
        chmodSync(join(folder, program), 0o755);
    }
    rmSync(join(directory, 'current'), { force: true });
    symlinkSync(version, join(directory, 'current'));
    return folder;
}

async function withInstalled(use: (server: Server, directory: string) => Promise<void>): Promise<void> {
    const directory = temporaryDirectory();
    try {
        install(directory, 'one');
        await withServer({ program: join(directory, 'current', 'postern') }, (server) => use(server, directory));
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
}

function programOf(pid: number): string {
    return readlinkSync(`/proc/${pid}/exe`);
}

describe('upgrade', () => {
    it('under load: the same process runs the new program, no request fails, no acknowledged write is lost', async () => {
        await withInstalled(async (server, directory) => {
            const client = await server.createClient(['owner']);
            const supervisor = server.pid;
            const running = load(server, client);
            for (const version of ['two', 'three']) {
                const folder = install(directory, version);
                await reload(server, 'SIGUSR2');
                assert.equal(programOf(supervisor), join(folder, 'postern'));
                await eventually('the old processes to end', () => (childrenOf(supervisor).length === 2 ? true : undefined));
                assert.equal(programOf(server.child('posternd')), join(folder, 'posternd'));
                assert.equal(programOf(server.child('postern-signer')), join(folder, 'postern-signer'));
            }
            await delay(50);
            await running.stop();
            await assertNothingLost(server, running);
        });
    });

    it('in the middle of a reload: it waits for its end, and no request fails', async () => {
        await withInstalled(async (server, directory) => {
            const client = await server.createClient(['owner']);
            const supervisor = server.pid;
            const running = load(server, client);
            for (const [at, pause] of [0, 15, 30, 45, 60].entries()) {
                const folder = install(directory, `version-${at}`);
                process.kill(supervisor, 'SIGUSR2'); // the program is tried first, which takes a moment
                await delay(pause);
                process.kill(supervisor, 'SIGHUP');
                await eventually('the new programs', () =>
                    (programOf(supervisor) === join(folder, 'postern') && childrenOf(supervisor).length === 2 &&
                        programOf(server.child('posternd')) === join(folder, 'posternd') ? true : undefined));
            }
            await delay(50);
            await running.stop();
            await assertNothingLost(server, running);
        });
    });

    it('of a server that is told to end: it ends', async () => {
        for (const pause of [0, 5, 10, 20, 40])
            await withInstalled(async (server, directory) => {
                install(directory, 'two');
                process.kill(server.pid, 'SIGUSR2');
                await delay(pause);
                const ended = await server.stop();
                assert.equal(ended.code, 0, `after ${pause} ms\n${ended.stderr}`);
            });
    });

    it('a program that does not start is not taken', async () => {
        await withInstalled(async (server, directory) => {
            const client = await server.createClient(['viewer']);
            const folder = install(directory, 'broken');
            writeFileSync(join(folder, 'postern'), '#!/bin/sh\nexit 1\n');
            process.kill(server.pid, 'SIGUSR2');
            await eventually('the message', () => (server.stderr.includes('this version stays') ? true : undefined));
            assert.equal(programOf(server.pid), join(directory, 'one', 'postern'));
            await server.token(client);
        });
    });

    it('a front that fails before it has the store: the running one stays', async () => {
        await withInstalled(async (server, directory) => {
            const client = await server.createClient(['viewer']);
            const front = server.child('posternd');
            const folder = install(directory, 'broken');
            copyFileSync('/bin/false', join(folder, 'posternd'));
            process.kill(server.pid, 'SIGUSR2');
            await eventually('the message', () => (server.stderr.includes('the running configuration stays') ? true : undefined));
            assert.equal(server.child('posternd'), front);
            await server.token(client);
        });
    });

    it('a front that fails with the store in its hands: the version before is started again', async () => {
        await withInstalled(async (server, directory) => {
            const client = await server.createClient(['viewer']);
            const folder = install(directory, 'broken');
            copyFileSync('/bin/false', join(folder, 'postern-signer')); // the front gets no keys loaded
            process.kill(server.pid, 'SIGUSR2');
            await eventually('the message', () => (server.stderr.includes('is started again') ? true : undefined));
            await eventually('a token', () => server.token(client));
            assert.equal(programOf(server.child('posternd')), join(directory, 'one', 'posternd'));
            assert.equal((await server.control('GET', '/v2/app_clients')).json.app_clients.length, 1);
        });
    });
});
