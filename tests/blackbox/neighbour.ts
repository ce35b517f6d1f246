// SPDX-License-Identifier: Apache-2.0
// Other people's servers beside Postern: proxies and gateways, as packaged.
import { spawn } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { endWithTest, eventually, request, temporaryDirectory } from './server.js';

export interface Neighbour {
    files: Record<string, string>; // in a directory of its own, which every user may read
    command: [string, ...string[]]; // stays in the foreground
}

async function freePort(): Promise<number> {
    const probe = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as net.AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
}

/** Starts what `describe` says on a free port of loopback, waits until it answers HTTP, and ends it after `use`. */
export async function withNeighbour(
    describe: (port: number, directory: string) => Neighbour,
    use: (port: number) => Promise<void>,
): Promise<void> {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const port = await freePort();
    const { files, command: [program, ...args] } = describe(port, directory);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    endWithTest(child);
    const failure = new Promise<never>((_, reject) => child.on('error', reject)); // not installed, say
    try {
        await Promise.race([failure, eventually(program, () => request({ host: '127.0.0.1', port }, 'GET', '/healthz'))]);
        await use(port);
    } finally {
        child.kill('SIGKILL');
        rmSync(directory, { recursive: true, force: true });
    }
}

export function withHaproxy(
    configuration: (port: number, directory: string) => string[],
    use: (port: number) => Promise<void>,
    files: Record<string, string> = {},
): Promise<void> {
    return withNeighbour((port, directory) => {
        const lines = ['defaults', ' mode http', ' timeout client 30s', ' timeout server 30s', ' timeout connect 5s'];
        return {
            files: { ...files, 'haproxy.cfg': [...lines, ...configuration(port, directory), ''].join('\n') },
            command: ['haproxy', '-db', '-f', join(directory, 'haproxy.cfg')],
        };
    }, use);
}
