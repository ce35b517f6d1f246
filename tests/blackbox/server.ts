// SPDX-License-Identifier: Apache-2.0
// What every black-box test stands on: a server of its own on a port that the system picks, with a data
// directory of its own, stopped by the pid that was started; and small, unclever HTTP and command line helpers.
//
// Time limits here only turn a hang into a failure; no test asserts how long anything takes.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const BUILD = process.env['POSTERN_BUILD'] ?? join(ROOT, 'build');
export const POSTERN = join(BUILD, 'postern');
export const HANG_MS = 60_000;

/** The roles of the contract, typed in by hand: tests compare the product with these. */
export const API_ROLES = [
    'owner', 'administrator', 'billing_administrator', 'corpus_administrator', 'corpus_developer',
    'corpus_viewer', 'agent_administrator', 'agent_developer', 'agent_viewer', 'agent_user',
    'pipeline_administrator', 'pipeline_viewer', 'viewer',
] as const;
export const CORPUS_ROLES = ['owner', 'administrator', 'editor', 'viewer'] as const;

export type Json = any;

export interface AppClient {
    id: string;
    name: string;
    client_id: string;
    client_secret: string;
    description?: string;
    api_roles: string[];
    corpus_roles?: { corpus_key: string; role: string }[];
}

export interface Reply {
    status: number;
    headers: http.IncomingHttpHeaders;
    rawHeaders: string[];
    text: string;
    json: Json;
}

export interface RequestOptions {
    headers?: http.OutgoingHttpHeaders;
    body?: string | Buffer;
    json?: unknown;
    form?: Record<string, string> | [string, string][];
    token?: string;
    basic?: [string, string];
}

export interface ServerOptions {
    args?: string[];
    env?: Record<string, string>;
    data?: string;
    program?: string; // another postern than the one that was built
    listen?: boolean; // false: the arguments or a file say where
}

export interface Finished {
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
}

/** The environment without POSTERN_… variables: each would be a setting of the product. */
export function cleanEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = {};
    for (const [name, value] of Object.entries(process.env)) {
        if (!name.startsWith('POSTERN_') && name !== 'NODE_TEST_CONTEXT') env[name] = value;
    }
    return { ...env, ...extra };
}

/** Waits for a promise; a hang becomes an error that says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, ms = HANG_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`hang: ${what}`)), ms);
    });
    try {
        return await Promise.race([promise, hang]);
    } finally {
        clearTimeout(timer);
    }
}

/** Asks again until the answer is not undefined. Errors of the asking count as "not yet". */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const deadline = Date.now() + HANG_MS;
    let last: unknown;
    while (Date.now() < deadline) {
        try {
            const answer = await ask();
            if (answer !== undefined) return answer;
        } catch (error) {
            last = error;
        }
        await delay(20);
    }
    throw new Error(`never: ${what}`, { cause: last });
}

const livePids = new Set<number>();
process.on('exit', () => {
    for (const pid of livePids) {
        try {
            process.kill(pid, 'SIGKILL');
        } catch {
            // It has ended by itself.
        }
    }
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** The child ends with this process, whatever ends it. */
export function endWithTest(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    livePids.add(pid);
    child.on('exit', () => livePids.delete(pid));
}

/** Runs a program to its end. */
export async function run(
    program: string,
    args: string[],
    options: { input?: string | Buffer; env?: NodeJS.ProcessEnv; extraFd?: boolean } = {},
): Promise<Finished & { fd3: string }> {
    const child = spawn(program, args, {
        env: options.env ?? cleanEnvironment(),
        stdio: options.extraFd === true ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) livePids.add(child.pid);
    let stdout = '';
    let stderr = '';
    let fd3 = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdio[3]?.on('data', (bytes: Buffer) => (fd3 += bytes.toString('utf8')));
    child.stdin?.on('error', () => undefined); // a program that reads no input is fine
    child.stdin?.end(options.input ?? '');
    const [code, signal] = await within(
        `${program} ${args.join(' ')} to end\n${stderr}`,
        new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
            child.on('error', reject);
            child.on('close', (c, s) => resolve([c, s]));
        }),
    );
    if (child.pid !== undefined) livePids.delete(child.pid);
    return { code, signal, stdout, stderr, fd3 };
}

/** Pids of the processes that pid has started, with their names. */
export function childrenOf(pid: number): { pid: number; name: string }[] {
    const children: { pid: number; name: string }[] = [];
    for (const entry of readdirSync('/proc')) {
        if (!/^[0-9]+$/.test(entry)) continue;
        let stat: string;
        try {
            stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        } catch {
            continue; // it has ended meanwhile
        }
        const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(parent) === pid && state !== 'Z') children.push({ pid: Number(entry), name });
    }
    return children;
}

/** Is this process there, and not merely unwaited for? */
export function isAlive(pid: number): boolean {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
    } catch {
        return false;
    }
}

export function temporaryDirectory(): string {
    return mkdtempSync(join(tmpdir(), 'postern-test-'));
}

export function basic(id: string, secret: string): string {
    return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** One request on a connection of its own. */
export async function request(
    target: { host: string; port: number } | { socketPath: string },
    method: string,
    path: string,
    options: RequestOptions = {},
): Promise<Reply> {
    const headers: http.OutgoingHttpHeaders = { ...options.headers };
    let body = options.body;
    const setDefault = (name: string, value: string): void => {
        if (!Object.keys(headers).some((given) => given.toLowerCase() === name)) headers[name] = value;
    };
    if (options.json !== undefined) {
        body = JSON.stringify(options.json);
        setDefault('content-type', 'application/json');
    }
    if (options.form !== undefined) {
        body = new URLSearchParams(options.form).toString();
        setDefault('content-type', 'application/x-www-form-urlencoded');
    }
    if (options.token !== undefined) setDefault('authorization', `Bearer ${options.token}`);
    if (options.basic !== undefined) setDefault('authorization', basic(...options.basic));
    return within(
        `${method} ${path}`,
        new Promise<Reply>((resolve, reject) => {
            const outgoing = http.request({ ...target, method, path, headers, agent: false }, (incoming) => {
                const pieces: Buffer[] = [];
                incoming.on('data', (piece: Buffer) => pieces.push(piece));
                incoming.on('error', reject);
                incoming.on('end', () => {
                    const text = Buffer.concat(pieces).toString('utf8');
                    let json: Json;
                    try {
                        json = JSON.parse(text);
                    } catch {
                        json = undefined;
                    }
                    resolve({
                        status: incoming.statusCode ?? 0,
                        headers: incoming.headers,
                        rawHeaders: incoming.rawHeaders,
                        text,
                        json,
                    });
                });
            });
            outgoing.on('error', reject);
            outgoing.end(body);
        }),
    );
}

export class Server {
    readonly data: string;
    url = '';
    port = 0;
    stdout = '';
    stderr = '';
    /** Secrets and tokens seen by this test; none may turn up in what the server prints. */
    readonly confidential: string[] = [];
    #args: string[];
    #env: Record<string, string>;
    #child: ChildProcess | undefined;
    #finished: Promise<Finished> | undefined;
    #ownsData: boolean;
    #program: string;
    #listen: string[];

    constructor(options: ServerOptions = {}) {
        this.#ownsData = options.data === undefined;
        this.data = options.data ?? temporaryDirectory();
        this.#args = options.args ?? [];
        this.#env = options.env ?? {};
        this.#program = options.program ?? POSTERN;
        this.#listen = options.listen === false ? [] : ['--listen', '127.0.0.1:0'];
    }

    get pid(): number {
        assert(this.#child?.pid !== undefined, 'the server runs');
        return this.#child.pid;
    }

    get isRunning(): boolean {
        return this.#child !== undefined;
    }

    /** Starts the server and waits for its ready line. May be called again after stop() or kill(). */
    async start(options: { args?: string[] } = {}): Promise<this> {
        assert(this.#child === undefined, 'not running yet');
        this.#args = options.args ?? this.#args;
        const child = spawn(this.#program, ['serve', '--data', this.data, ...this.#listen, ...this.#args], {
            env: cleanEnvironment(this.#env),
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        this.#child = child;
        this.stdout = '';
        this.stderr = '';
        endWithTest(child);
        child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
        this.#finished = new Promise((resolve, reject) => {
            child.on('error', reject);
            // Not 'close': a pipe may be held open by a grandchild that outlives a killed supervisor.
            child.on('exit', (code, signal) => {
                resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
            });
        });
        const ready = new Promise<string>((resolve, reject) => {
            child.stdout.setEncoding('utf8').on('data', (text: string) => {
                this.stdout += text;
                const line = /^ready (\S+)$/m.exec(this.stdout);
                if (line?.[1] !== undefined && this.stdout.includes('\n', line.index)) resolve(line[1]);
            });
            this.#finished?.then(
                (end) => reject(new Error(`ended before ready (${end.code ?? end.signal}): ${this.stderr}`)),
                reject,
            );
        });
        try {
            const url = await within(`the server to be ready\n${this.stderr}`, ready);
            this.url = url;
        } catch (error) {
            if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
            this.#child = undefined;
            throw error;
        }
        // With a public URL the ready line may name that; requests go to the port that was bound.
        this.port = Number(new URL(this.url).port) || this.#listeningPort();
        return this;
    }

    /** The port that the front listens on, found through /proc. */
    #listeningPort(): number {
        const inodes = new Set<string>();
        for (const pid of [this.pid, ...childrenOf(this.pid).map((child) => child.pid)]) {
            try {
                for (const fd of readdirSync(`/proc/${pid}/fd`)) {
                    const link = /^socket:\[([0-9]+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
                    if (link?.[1] !== undefined) inodes.add(link[1]);
                }
            } catch {
                continue; // not ours to look at, or something closed meanwhile
            }
        }
        for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
            const fields = line.trim().split(/\s+/);
            const [, address, , state] = fields;
            if (state === '0A' && address !== undefined && inodes.has(fields[9] ?? ''))
                return parseInt(address.split(':')[1] ?? '', 16);
        }
        throw new Error('found no listening port');
    }

    /** SIGTERM, then waits. The server must end by itself, with status 0, without having printed a secret. */
    async stop(): Promise<Finished> {
        const end = await this.signal('SIGTERM');
        assert.deepEqual({ code: end.code, signal: end.signal }, { code: 0, signal: null }, `its end:\n${end.stderr}`);
        this.assertNothingPrinted();
        return end;
    }

    /** Sends the signal to the supervisor and waits for its end. */
    async signal(signal: NodeJS.Signals): Promise<Finished> {
        const child = this.#child;
        assert(child !== undefined && this.#finished !== undefined, 'the server runs');
        child.kill(signal);
        const finished = this.#finished;
        try {
            return await within(`the server to end after ${signal}\n${this.stderr}`, finished);
        } catch (error) {
            child.kill('SIGKILL');
            throw error;
        } finally {
            this.#child = undefined;
            this.port = 0; // somebody else may get it now
        }
    }

    /** Resolves when the server has ended, for whatever reason. */
    async finished(): Promise<Finished> {
        assert(this.#finished !== undefined, 'the server was started');
        return within('the server to end', this.#finished);
    }

    /** No secret, and nothing from a sanitizer: its report ends one process, not necessarily the server. */
    assertNothingPrinted(): void {
        assert.doesNotMatch(this.stderr, /Sanitizer|runtime error:/);
        for (const text of this.confidential) {
            assert(!this.stderr.includes(text), 'a secret or token stands in the log');
            assert(!this.stdout.includes(text), 'a secret or token stands in the output');
        }
    }

    /** Stops the server if it runs, and removes the data directory if it is ours. */
    async dispose(): Promise<void> {
        try {
            if (this.#child !== undefined) await this.stop();
        } finally {
            if (this.#ownsData) rmSync(this.data, { recursive: true, force: true });
        }
    }

    child(name: 'posternd' | 'postern-signer'): number {
        const found = childrenOf(this.pid).filter((child) => child.name === name);
        assert.equal(found.length, 1, `one ${name} among ${JSON.stringify(childrenOf(this.pid))}`);
        return found[0]?.pid ?? 0;
    }

    async request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
        if (this.port === 0) throw new Error('the server does not run');
        return request({ host: '127.0.0.1', port: this.port }, method, path, options);
    }

    /** The same API by the control socket, with the rights of an owner. */
    async control(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
        return request({ socketPath: join(this.data, 'control.sock') }, method, path, options);
    }

    async cli(args: string[], options: { input?: string | Buffer; extraFd?: boolean } = {}): Promise<Finished & { fd3: string }> {
        return cli(this.data, args, options);
    }

    async createClient(
        roles: readonly string[] = [],
        more: Record<string, unknown> = {},
    ): Promise<AppClient> {
        const reply = await this.control('POST', '/v2/app_clients', {
            json: { type: 'client_credentials', name: 'test client', api_roles: roles, ...more },
        });
        assert.equal(reply.status, 201, reply.text);
        this.confidential.push(reply.json.client_secret);
        return reply.json as AppClient;
    }

    async createCorpus(key: string, more: Record<string, unknown> = {}): Promise<Json> {
        const reply = await this.control('POST', '/v2/corpora', { json: { key, ...more } });
        assert.equal(reply.status, 201, reply.text);
        return reply.json;
    }

    async token(client: AppClient): Promise<string> {
        const reply = await this.request('POST', '/oauth2/token', {
            form: {
                grant_type: 'client_credentials',
                client_id: client.client_id,
                client_secret: client.client_secret,
            },
        });
        assert.equal(reply.status, 200, reply.text);
        this.confidential.push(reply.json.access_token);
        return reply.json.access_token as string;
    }

    /** A new client with these roles, and a token for it. */
    async tokenFor(roles: readonly string[] = [], more: Record<string, unknown> = {}): Promise<string> {
        return this.token(await this.createClient(roles, more));
    }
}

/** The command line program on a data directory; a server may run there or not. */
export async function cli(
    data: string,
    args: string[],
    options: { input?: string | Buffer; extraFd?: boolean } = {},
): Promise<Finished & { fd3: string }> {
    return run(POSTERN, ['--data', data, ...args], options);
}

/** In a describe(): a server that starts before its tests and ends after them. */
export function useServer(options: ServerOptions = {}): Server {
    const server = new Server(options);
    before(async () => {
        await server.start();
    });
    after(() => server.dispose());
    return server;
}

/** In a test: a server that ends with it. */
export async function withServer<T>(options: ServerOptions, use: (server: Server) => Promise<T>): Promise<T> {
    const server = new Server(options);
    try {
        await server.start();
        return await use(server);
    } finally {
        await server.dispose();
    }
}
