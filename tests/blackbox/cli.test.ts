// SPDX-License-Identifier: Apache-2.0
// The command line: clients made, shown, changed and deleted, with a server and without one; where secrets go.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { decodeJwt } from './check.js';
import {
    API_ROLES, cli, cleanEnvironment, eventually, POSTERN, run, Server, temporaryDirectory, useServer, withServer, type Finished, type Json,
} from './server.js';

function json(finished: Finished): Json {
    assert.equal(finished.code, 0, finished.stderr);
    return JSON.parse(finished.stdout);
}

function failsWith(finished: Finished, text: RegExp): void {
    assert.equal(finished.signal, null);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, text);
    assert.equal(finished.stdout, '', 'errors go to standard error');
}

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
    const directory = mkdtempSync(join(tmpdir(), 'postern-cli-'));
    try {
        return await use(directory);
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
}

describe('postern app-client, beside a running server', () => {
    const server = useServer();
    const create = (...args: string[]): ReturnType<typeof server.cli> => server.cli(['app-client', 'create', ...args]);

    before(async () => {
        await server.createCorpus('cli-corpus');
    });

    it('create --json prints the contract\'s object with the secret, which gets a token', async () => {
        const made = json(await create(
            '--name', 'from the shell', '--description', 'd', '--role', 'viewer', '--role', 'agent_user',
            '--corpus-role', 'cli-corpus:editor', '--json',
        ));
        server.confidential.push(made.client_secret);
        assert.match(made.id, /^app_[0-9A-Za-z]{12}$/);
        assert.equal(made.name, 'from the shell');
        assert.equal(made.description, 'd');
        assert.deepEqual([...made.api_roles].sort(), ['agent_user', 'viewer']);
        assert.deepEqual(made.corpus_roles, [{ corpus_key: 'cli-corpus', role: 'editor' }]);
        const { claims } = decodeJwt(await server.token(made));
        assert.equal(claims.client_id, made.client_id);
        assert.deepEqual((await server.control('GET', `/v2/app_clients/${made.id}`)).json, made);
    });

    it('takes options before and after the command', async () => {
        const finished = await run(POSTERN, ['--json', 'app-client', 'create', '--data', server.data, '--name', 'placed']);
        assert.equal(json(finished).name, 'placed');
    });

    it('create for people prints id and client_id', async () => {
        const finished = await create('--name', 'for people');
        assert.equal(finished.code, 0, finished.stderr);
        const made = (await server.control('GET', '/v2/app_clients?filter=%5Efor%20people%24')).json.app_clients[0];
        assert(finished.stdout.includes(made.client_id), finished.stdout);
    });

    it('list and show, with --json and without', async () => {
        const made = json(await create('--name', 'listed', '--json'));
        const listed = json(await server.cli(['app-client', 'list', '--json']));
        const items: Json[] = Array.isArray(listed) ? listed : listed.app_clients;
        assert(items.some((client) => client.id === made.id));
        assert(items.every((client) => !('client_secret' in client)), 'no secret in lists');
        assert.equal(json(await server.cli(['app-client', 'show', made.id, '--json'])).client_id, made.client_id);
        const table = await server.cli(['app-client', 'list']);
        assert.equal(table.code, 0);
        assert(table.stdout.includes(made.id) && table.stdout.includes('listed'));
        assert(!table.stdout.includes(made.client_secret));
        const shown = await server.cli(['app-client', 'show', made.id]);
        assert.equal(shown.code, 0);
        assert(shown.stdout.includes(made.client_id));
    });

    it('list shows more than one page of them', async () => {
        for (let i = 0; i < 12; i++) await server.createClient([], { name: `page ${i}` });
        const table = await server.cli(['app-client', 'list']);
        for (let i = 0; i < 12; i++) assert(table.stdout.includes(`page ${i}`), `page ${i}`);
    });

    it('update changes what is named and nothing else', async () => {
        const made = json(await create('--name', 'changed', '--description', 'before', '--role', 'viewer', '--json'));
        const updated = json(await server.cli(['app-client', 'update', made.id, '--description', 'after', '--json']));
        assert.equal(updated.description, 'after');
        assert.deepEqual(updated.api_roles, ['viewer']);
        const again = json(await server.cli(['app-client', 'update', made.id, '--role', 'corpus_viewer', '--json']));
        assert.deepEqual(again.api_roles, ['corpus_viewer']);
        assert.equal(again.description, 'after');
    });

    it('delete deletes', async () => {
        const made = json(await create('--name', 'deleted', '--json'));
        assert.equal((await server.cli(['app-client', 'delete', made.id])).code, 0);
        assert.equal((await server.control('GET', `/v2/app_clients/${made.id}`)).status, 404);
    });

    it('says what is wrong, on standard error, and ends with a status', async () => {
        failsWith(await server.cli(['app-client', 'show', 'app_000000000000']), /app_000000000000|no such|not found/i);
        failsWith(await server.cli(['app-client', 'delete', 'app_000000000000']), /app_000000000000|no such|not found/i);
        failsWith(await create(), /name/);
        failsWith(await create('--name', 'a', '--role', 'root'), /role/);
        failsWith(await create('--name', 'a', '--corpus-role', 'cli-corpus'), /corpus/);
        failsWith(await create('--name', 'a', '--corpus-role', 'cli-corpus:root'), /role/);
        failsWith(await create('--name', 'a', '--corpus-role', 'not-there:viewer'), /corpus/);
        failsWith(await create('--name', 'a', '--nonsense'), /nonsense/);
        failsWith(await create('--name'), /name/);
        failsWith(await server.cli(['app-client', 'nonsense']), /nonsense/);
        failsWith(await server.cli(['nonsense']), /nonsense/);
        const left = (await server.control('GET', '/v2/app_clients?filter=%5Ea%24')).json.app_clients;
        assert.deepEqual(left, []);
    });

    it('--secret-file writes the secret there, for its owner only, and nowhere else', async () => {
        await inDirectory(async (directory) => {
            const path = join(directory, 'secret');
            const finished = await create('--name', 'filed', '--secret-file', path, '--json');
            const made = json(finished);
            const secret = readFileSync(path, 'utf8').trimEnd();
            assert.match(secret, /^pst_cs_[0-9A-Za-z]{61}$/);
            assert.equal(statSync(path).mode & 0o777, 0o600);
            assert(!finished.stdout.includes(secret) && !finished.stderr.includes(secret));
            await server.token({ ...made, client_secret: secret });
        });
    });

    it('--secret-file that cannot be written leaves no client behind', async () => {
        await inDirectory(async (directory) => {
            const finished = await create('--name', 'unfiled', '--secret-file', join(directory, 'missing', 'secret'));
            failsWith(finished, /secret/);
            const left = (await server.control('GET', '/v2/app_clients?filter=%5Eunfiled%24')).json.app_clients;
            assert.deepEqual(left, []);
        });
    });

    it('--secret-fd writes the secret to that descriptor and nowhere else', async () => {
        const finished = await server.cli(['app-client', 'create', '--name', 'piped', '--secret-fd', '3', '--json'], { extraFd: true });
        const made = json(finished);
        const secret = finished.fd3.trimEnd();
        assert.match(secret, /^pst_cs_[0-9A-Za-z]{61}$/);
        assert(!finished.stdout.includes(secret) && !finished.stderr.includes(secret));
        await server.token({ ...made, client_secret: secret });
    });

    it('--format json is the object', async () => {
        const made = json(await create('--name', 'formatted', '--format', 'json'));
        await server.token(made);
    });

    it('--format env is read by a shell', async () => {
        await inDirectory(async (directory) => {
            const finished = await create('--name', "it's $HOME \"quoted\"", '--format', 'env');
            assert.equal(finished.code, 0, finished.stderr);
            const path = join(directory, 'env');
            writeFileSync(path, finished.stdout);
            const shell = await run('/bin/sh', ['-c', 'set -aeu; . "$1"; env -0', 'sh', path]);
            assert.equal(shell.code, 0, shell.stderr);
            const values = shell.stdout.split('\0').map((line) => line.slice(line.indexOf('=') + 1));
            const client_id = values.find((value) => /^[0-9a-z]{26}$/.test(value));
            const client_secret = values.find((value) => /^pst_cs_[0-9A-Za-z]{61}$/.test(value));
            assert(client_id !== undefined && client_secret !== undefined, finished.stdout.replace(/pst_cs_\w+/, '…'));
            await server.token({ id: '', name: '', api_roles: [], client_id, client_secret });
        });
    });

    it('--format k8s-secret is a Secret', async () => {
        const finished = await create('--name', 'Cluster: "prod" #1', '--format', 'k8s-secret');
        assert.equal(finished.code, 0, finished.stderr);
        assert.equal(parseAllDocuments(finished.stdout).length, 1);
        const secret = parse(finished.stdout);
        assert.equal(secret.apiVersion, 'v1');
        assert.equal(secret.kind, 'Secret');
        assert.match(secret.metadata.name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
        const decoded = Object.values<string>(secret.data ?? {}).map((value) => Buffer.from(value, 'base64').toString());
        const values = [...decoded, ...Object.values<string>(secret.stringData ?? {})];
        const client_id = values.find((value) => /^[0-9a-z]{26}$/.test(value));
        const client_secret = values.find((value) => /^pst_cs_[0-9A-Za-z]{61}$/.test(value));
        assert(client_id !== undefined && client_secret !== undefined);
        await server.token({ id: '', name: '', api_roles: [], client_id, client_secret });
    });

    it('an unknown format makes no client', async () => {
        failsWith(await create('--name', 'toml', '--format', 'toml'), /format/);
        assert.deepEqual((await server.control('GET', '/v2/app_clients?filter=%5Etoml%24')).json.app_clients, []);
    });

    it('a name that only looks like an option or a path is a name', async () => {
        for (const name of ['../../etc/passwd', '%s%n', 'a=b', "'; drop table app_client; --", '日本']) {
            const made = json(await create('--name', name, '--json'));
            assert.equal(made.name, name);
        }
    });
});

describe('postern says what is wrong', () => {
    const server = useServer();

    for (const [args, says] of [
        [['serve', 'extra'], /does not take extra/],
        [['app-client', 'create', '--name', 'a', 'b'], /does not take b/],
        [['app-client', 'create', '--name', 'a', '--name', 'b'], /stands more than once/],
        [['app-client', 'create', '--name', ''], /must not be empty/],
        [['app-client', 'update', 'app_x', '--role', 'viewer', '--no-roles'], /either given or taken away/],
        [['app-client', 'show', 'abcdefghijklmnopqrstuvwxyz'], /app_…, not its client_id/],
        [['app-client', 'show', 'app_x', '--secret-file', '/tmp/x', '--secret-fd', '1'], /exclude each other/],
        [['--json'], /a command is missing/],
        [['app-client', 'create', '--name', 'a', '--secret-fd', '0'], /not open for writing/],
        [['config'], /config print/],
        [['nonsense', '--help'], /no such command/],
    ] as const) {
        it(`to ${args.join(' ')}`, async () => {
            const input = (args as readonly string[]).includes('--secret-fd') ? '/dev/null' : undefined;
            const finished =
                input === undefined
                    ? await server.cli([...args])
                    : await run('sh', ['-c', `exec "$@" < ${input}`, 'sh', POSTERN, '--data', server.data, ...args]);
            assert.equal(finished.code, 2, finished.stderr);
            assert.match(finished.stderr, says);
        });
    }

    it('an unknown role is answered with those there are', async () => {
        const finished = await server.cli(['app-client', 'create', '--name', 'a', '--role', 'nonsense']);
        assert.equal(finished.code, 1);
        for (const role of API_ROLES) assert.match(finished.stderr, new RegExp(`\\b${role}\\b`));
        const help = await server.cli(['app-client', 'create', '--help']);
        for (const role of API_ROLES) assert.match(help.stdout, new RegExp(`\\b${role}\\b`));
        assert.equal((await server.control('GET', '/v2/app_clients')).json.app_clients.length, 0);
    });

    it('text that is not UTF-8 is refused, not left out', async () => {
        for (const option of ['name', 'description', 'role', 'corpus-role']) {
            const name = option === 'name' ? '' : '--name a';
            const line = `exec "$@" ${name} --${option} "$(printf 'x:\\377')"`;
            const finished = await run('sh', ['-c', line, 'sh', POSTERN, '--data', server.data, 'app-client', 'create']);
            assert.equal(finished.code, 2, finished.stderr);
            assert.match(finished.stderr, new RegExp(`--${option} is not UTF-8`));
        }
        assert.equal((await server.control('GET', '/v2/app_clients')).json.app_clients.length, 0);
    });

    it('a filter that is none is named', async () => {
        const finished = await server.cli(['app-client', 'list', '--filter', '(']);
        assert.equal(finished.code, 1);
        assert.match(finished.stderr, /^postern: The request is not valid\.\n {2}filter: is not a regular expression/);
    });

    it('with --json, its own errors are {"error": "…"} and nothing else', async () => {
        for (const [args, says, code] of [
            [['nonsense'], /no such command/, 2],
            [['config'], /config print/, 2],
            [['serve', 'extra'], /does not take extra/, 2],
            [['app-client', 'list', '--limit', 'x'], /--limit/, 2],
            [['app-client', 'show', 'app_x', '--bogus', '1'], /--bogus/, 2],
            [['decode', '/nonexistent/token'], /nonexistent/, 1],
        ] as const) {
            for (const line of [[...args, '--json'], ['--json', ...args]]) {
                const finished = await server.cli(line);
                assert.equal(finished.code, code, finished.stderr);
                const error = JSON.parse(finished.stderr);
                assert.deepEqual(Object.keys(error), ['error']);
                assert.match(error.error, says);
            }
        }
        for (const data of [join(server.data, 'missing'), join(server.data, 'events')]) {
            const finished = await cli(data, ['app-client', 'list', '--json']);
            assert.equal(finished.code, 1);
            assert.match(JSON.parse(finished.stderr).error, new RegExp(`${data.slice(-20)}.*--data( or POSTERN_DATA)?$`));
        }
    });

    it('with --json, what a server that was started for it logs is JSON too', async () => {
        await withServer({}, async (stopped) => {
            await stopped.stop();
            writeFileSync(join(stopped.data, 'keys', 'kek'), Buffer.alloc(32, 7));
            const finished = await stopped.cli(['app-client', 'list', '--json']);
            assert.equal(finished.code, 1);
            const lines = finished.stderr.trimEnd().split('\n').map((line) => JSON.parse(line));
            assert(lines.length > 1, finished.stderr);
            assert.match(lines.at(-1).error, /no server could be started/);
        });
    });

    it('--help of a group of commands lists them', async () => {
        const finished = await run(POSTERN, ['app-client', '--help']);
        assert.equal(finished.code, 0);
        assert.match(finished.stdout, /app-client create/);
    });

    it('with --json, in the words of the server', async () => {
        const finished = await server.cli(['app-client', 'create', '--name', 'a', '--role', 'nonsense', '--json']);
        assert.equal(finished.code, 1);
        assert('api_roles[0]' in JSON.parse(finished.stderr).field_errors);
    });

    it('show reads no secret back unless it is asked to', async () => {
        const client = await server.createClient([]);
        const readings = async (): Promise<number> => {
            const query = "SELECT COUNT(*) FROM audit_event WHERE action = 'app_client.reveal'";
            return Number((await run('sqlite3', ['-readonly', join(server.data, 'postern.db'), query])).stdout);
        };
        const before = await readings();
        for (const more of [[], ['--json']]) {
            const shown = await server.cli(['app-client', 'show', client.id, ...more]);
            assert.equal(shown.code, 0, shown.stderr);
            assert(!shown.stdout.includes(client.client_secret));
        }
        assert.equal(await readings(), before);
        for (const more of [['--secret'], ['--secret', '--json']]) {
            const shown = await server.cli(['app-client', 'show', client.id, ...more]);
            assert(shown.stdout.includes(client.client_secret), shown.stderr);
        }
        assert.equal(await readings(), before + 2);
    });

    it('show reads the secret back to a file or a descriptor, and nowhere else', async () => {
        const client = await server.createClient([]);
        await inDirectory(async (directory) => {
            const path = join(directory, 'secret');
            const shown = await server.cli(['app-client', 'show', client.id, '--secret-file', path, '--json']);
            assert.equal(json(shown).id, client.id);
            assert(!shown.stdout.includes(client.client_secret));
            assert.equal(readFileSync(path, 'utf8'), client.client_secret);
            assert.equal(statSync(path).mode & 0o777, 0o600);
            const missing = join(directory, 'other');
            failsWith(await server.cli(['app-client', 'show', 'app_000000000000', '--secret-file', missing]), /no such resource/);
            assert.deepEqual(readdirSync(directory), ['secret'], 'no empty file is left');
        });
        const shown = await server.cli(['app-client', 'show', client.id, '--secret-fd', '3'], { extraFd: true });
        assert.equal(shown.code, 0, shown.stderr);
        assert.equal(shown.fd3, client.client_secret);
        assert(!shown.stdout.includes(client.client_secret));
    });

    it('a second server names the first', async () => {
        const finished = await run(POSTERN, ['serve', '--data', server.data, '--listen', '127.0.0.1:0']);
        assert.equal(finished.code, 1);
        assert.match(finished.stderr, new RegExp(`process ${server.pid}\\b`));
    });
});

function connected(path: string): Promise<Socket | undefined> {
    return new Promise((resolve) => {
        const socket = connect(path, () => resolve(socket));
        socket.once('error', () => resolve(undefined));
    });
}

describe('postern without a server names the address that the server will have', () => {
    for (const [what, args, url] of [
        ['of its configuration', ['--config', 'FILE'], 'https://auth.example.com/oauth2/token'],
        ['by default', [], 'http://127.0.0.1:8080/oauth2/token'],
    ] as const) {
        it(what, async () => {
            await withServer({}, async (server) => {
                const file = join(server.data, 'postern.conf');
                await server.stop();
                writeFileSync(file, 'public_url = https://auth.example.com\n');
                const given = args.map((arg) => (arg === 'FILE' ? file : arg));
                const made = await server.cli([...given, 'app-client', 'create', '--name', 'a', '--format', 'env']);
                assert.equal(made.code, 0, made.stderr);
                assert.match(made.stdout, new RegExp(`^OAUTH_TOKEN_URL=${url}$`, 'm'));
                assert.doesNotMatch(made.stderr, /ended/);
            });
        });
    }

    it('of each command itself, though the first one\'s server still runs', async () => {
        await withServer({}, async (server) => {
            await server.stop();
            const url = (env: Record<string, string>, ...args: string[]): Promise<Finished> =>
                run(POSTERN, ['--data', server.data, 'app-client', 'create', '--name', 'a', '--format', 'env', ...args], {
                    env: cleanEnvironment(env),
                });
            // It stays while a connection is open, with the configuration of who started it.
            const first = run(POSTERN, ['serve', '--offline', '--data', server.data], {
                env: cleanEnvironment({ POSTERN_PUBLIC_URL: 'https://first.example' }),
            });
            const held = await eventually('the offline server', () => connected(join(server.data, 'control.sock')));
            try {
                for (const [env, args, says] of [
                    [{ POSTERN_PUBLIC_URL: 'https://second.example' }, [], 'https://second.example'],
                    [{ POSTERN_PUBLIC_URL: 'https://second.example' }, ['--public-url', 'https://third.example'], 'https://third.example'],
                    [{ POSTERN_LISTEN: '127.0.0.1:8099' }, [], 'http://127.0.0.1:8099'],
                    [{ POSTERN_LISTEN: '[::1]:8099' }, [], 'http://[::1]:8099'],
                ] as const) {
                    const made = await url(env, ...args);
                    assert.equal(made.code, 0, made.stderr);
                    assert(made.stdout.startsWith(`OAUTH_TOKEN_URL=${says}/oauth2/token\n`), made.stdout.split('\n')[0]);
                }
                const unknown = await url({ POSTERN_LISTEN: '127.0.0.1:0' });
                assert.equal(unknown.code, 0);
                assert(unknown.stdout.startsWith('OAUTH_CLIENT_ID='));
                assert.match(unknown.stderr, /token URL is left out/);
            } finally {
                held.destroy();
            }
            assert.equal((await first).code, 0);
        });
    });
});

describe('postern corpus', () => {
    const server = useServer();
    const corpus = (...args: string[]): ReturnType<Server['cli']> => server.cli(['corpus', ...args]);

    it('makes, lists, shows, changes and deletes', async () => {
        assert.match((await corpus('list')).stdout, /^There are no corpora/);
        const made = json(await corpus('create', '--key', 'crm', '--name', 'Customer records', '--json'));
        assert.deepEqual([made.key, made.name, made.enabled], ['crm', 'Customer records', true]);
        for (let i = 0; i < 120; i++) await server.createCorpus(`more-${i}`);
        const listed: Json[] = json(await corpus('list', '--json'));
        assert.equal(listed.length, 121, 'all pages');
        assert.equal(json(await corpus('list', '--limit', '105', '--json')).length, 105);
        assert.deepEqual(json(await corpus('list', '--filter', '^Customer', '--json')).map((one: Json) => one.key), ['crm']);
        assert.match((await corpus('list', '--filter', '^Customer')).stdout, /^KEY +ENABLED +NAME\ncrm +yes +Customer records\n$/);
        assert.equal(json(await corpus('update', 'crm', '--disable', '--description', 'from sales', '--json')).enabled, false);
        assert.match((await corpus('show', 'crm')).stdout, /^key +crm\nname +Customer records\ndescription +from sales\nid +crp_[0-9]+\nenabled +no\n/);
        assert.equal(json(await corpus('update', 'crm', '--enable', '--json')).enabled, true);
        assert.match((await corpus('delete', 'crm')).stdout, /^crm is deleted/);
        failsWith(await corpus('show', 'crm'), /no such resource/);
    });

    it('says what is wrong', async () => {
        failsWith(await corpus('create'), /--key KEY is required/);
        failsWith(await corpus('create', '--key', 'a b'), /key: must be 1 to 50 characters/);
        failsWith(await corpus('update', 'more-1'), /say what to change/);
        failsWith(await corpus('update', 'more-1', '--enable', '--disable'), /either --enable or --disable/);
        failsWith(await corpus('show'), /give the corpus's key/);
        failsWith(await corpus('show', 'a', 'b'), /does not take b/);
        failsWith(await corpus('list', '--limit', '0'), /above 0/);
        failsWith(await corpus('list', '--bogus'), /has no option --bogus/);
    });
});

describe('postern user and postern api-key', () => {
    const server = useServer();
    const postern = (...args: string[]): ReturnType<Server['cli']> => server.cli(args);

    it('make, list, show, change and delete', async () => {
        await server.createCorpus('crm');
        const user = json(await postern('user', 'create', '--email', 'ada@example.com', '--username', 'ada', '--role', 'viewer', '--json'));
        assert.deepEqual([user.username, user.enabled, user.api_roles], ['ada', false, ['viewer']]);
        assert.equal(json(await postern('user', 'update', 'ada', '--enable', '--corpus-role', 'crm:editor', '--json')).enabled, true);
        assert.match((await postern('user', 'show', 'ada')).stdout, /^username +ada\nemail +ada@example.com\nid +usr_\w+\nenabled +yes\nroles +viewer, crm:editor\n$/);
        assert.match((await postern('user', 'list')).stdout, /^USERNAME +ID +ENABLED +ROLES\nada +usr_\w+ +yes +viewer, crm:editor\nowner +usr_\w+ +yes +owner\n$/);

        assert.match((await postern('api-key', 'list')).stdout, /^There are no API keys/);
        const key = json(await postern('api-key', 'create', '--name', 'search', '--role', 'serving', '--corpus', 'crm', '--json'));
        assert.deepEqual([key.api_key_role, key.corpus_roles], ['serving', [{ corpus_key: 'crm', role: 'viewer' }]]);
        const personal = await postern('api-key', 'create', '--name', 'mine', '--user', 'ada', '--role', 'personal');
        assert.match(personal.stdout, new RegExp(`^name +mine\nid +aky_\\w+\nkey +pst_pk_\\w+\nenabled +yes\nrights +those of ${user.id}\n$`));
        assert.deepEqual(json(await postern('api-key', 'create', '--name', 'n', '--role', 'viewer', '--role', 'corpus_developer', '--json')).api_roles, ['corpus_developer', 'viewer']);
        assert.match((await postern('api-key', 'list', '--filter', 'search')).stdout, /^NAME +ID +ENABLED +RIGHTS\nsearch +aky_\w+ +yes +crm:viewer\n$/);
        assert.equal(json(await postern('api-key', 'disable', key.id, '--json')).enabled, false);
        assert.equal(json(await postern('api-key', 'enable', key.id, '--json')).enabled, true);
        assert.equal(json(await postern('api-key', 'show', key.id, '--secret', '--json')).secret_key, key.secret_key);
        assert(!('secret_key' in json(await postern('api-key', 'show', key.id, '--json'))), 'without these nothing is read back');
        assert.match((await postern('user', 'reset-password', 'ada')).stdout, /^code +pst_oc_\w+\n$/);
        const regenerated = await server.cli(['api-key', 'regenerate', key.id, '--secret-fd', '3'], { extraFd: true });
        assert.match(regenerated.fd3, /^pst_qk_\w+$/);
        assert(!regenerated.stdout.includes(regenerated.fd3), 'not also on the output');
        assert.match((await postern('api-key', 'delete', key.id)).stdout, /is deleted; it is refused/);
        failsWith(await postern('api-key', 'show', key.id), /no such resource/);
        assert.match((await postern('user', 'delete', 'ada')).stdout, /^ada is deleted/);
    });

    it('say what is wrong', async () => {
        failsWith(await postern('user', 'create'), /--email ADDRESS is required/);
        failsWith(await postern('user', 'update', 'owner'), /say what to change/);
        failsWith(await postern('user', 'delete', 'owner'), /at least one enabled owner/);
        failsWith(await postern('api-key', 'create', '--role', 'serving'), /--name NAME is required/);
        failsWith(await postern('api-key', 'create', '--name', 'x', '--role', 'serving'), /corpus_keys: must name the corpora/);
        failsWith(await postern('api-key', 'create', '--name', 'x', '--role', 'personal'), /username: is required/);
        failsWith(await postern('api-key', 'create', '--name', 'x', '--role', 'serving', '--corpus-role', 'a:viewer'), /takes --corpus/);
        failsWith(await postern('api-key', 'show', 'x'), /give the key's id/);
        failsWith(await postern('api-key', 'create', '--name', 'x'), /--role is required/);
        failsWith(await postern('user', 'list', '--account', ''), /--account needs an account's id/);
        failsWith(await postern('user', 'list', '--account', 'acc_0'), /no such account/);
    });
});

describe('postern keys show', () => {
    const directory = temporaryDirectory();
    after(() => rmSync(directory, { recursive: true }));

    it('shows the key that signs, as text, JWK and PEM; without a running server too', async () => {
        const server = await new Server({ data: directory }).start();
        const token = await server.tokenFor(['viewer']);
        const { header } = decodeJwt(token);
        for (const isRunning of [true, false]) {
            if (!isRunning) await server.stop();
            const text = await cli(directory, ['keys', 'show']);
            assert.equal(text.stdout, `key    ${header.kid}  RS256, signs new tokens\n`);
            const jwk = json(await cli(directory, ['keys', 'show', '--json']));
            assert.equal(jwk.kid, header.kid);
            const pem = await cli(directory, ['keys', 'show', '--pem']);
            assert.deepEqual(createPublicKey(pem.stdout).export({ format: 'jwk' }), { kty: jwk.kty, n: jwk.n, e: jwk.e });
            const [head, payload, signature = ''] = token.split('.');
            assert(verify('sha256', Buffer.from(`${head}.${payload}`), pem.stdout, Buffer.from(signature, 'base64url')));
        }
        await server.start({ args: ['--token-alg', 'EdDSA'] });
        try {
            const { kid } = decodeJwt(await server.tokenFor(['viewer'])).header;
            const text = await cli(directory, ['keys', 'show']);
            assert.equal(text.stdout, `key    ${kid}  EdDSA, signs new tokens\nother  ${header.kid}  RS256, verifies tokens made before\n`);
            assert.equal(json(await cli(directory, ['keys', 'show', header.kid, '--json'])).alg, 'RS256');
            assert.match((await cli(directory, ['keys', 'show', '--pem'])).stdout, /^-----BEGIN PUBLIC KEY-----\n/);
            failsWith(await cli(directory, ['keys', 'show', 'no-such']), /no such key/);
        } finally {
            await server.stop();
        }
    });
});

describe('postern decode', () => {
    const server = useServer();

    it('reads a token from standard input or a file, and prints its parts', async () => {
        const token = await server.tokenFor(['viewer']);
        const { header, claims } = decodeJwt(token);
        await inDirectory(async (directory) => {
            const path = join(directory, 'token');
            writeFileSync(path, `${token}\n`);
            for (const [args, input] of [[['decode', '-'], token], [['decode', '-'], `${token}\n`], [['decode', path], '']] as const) {
                const asJson = await run(POSTERN, [...args, '--json'], { input });
                assert.equal(asJson.code, 0, asJson.stderr);
                const text = JSON.stringify(JSON.parse(asJson.stdout));
                for (const value of [header.kid, claims.jti, claims.client_id, claims.iss, 'at+jwt'])
                    assert(text.includes(value), `${value} in ${text}`);
                const forPeople = await run(POSTERN, [...args], { input });
                assert.equal(forPeople.code, 0, forPeople.stderr);
                assert(forPeople.stdout.includes(claims.client_id));
                const signature = token.split('.')[2] ?? '';
                assert(!forPeople.stdout.includes(signature), 'what is printed is no token any more');
            }
        });
    });

    it('refuses what is none', async () => {
        for (const input of ['', 'junk', 'a.b.c', '..', 'e30.e30', `${'a'.repeat(100_000)}`, 'e30.\0.e30'])
            failsWith(await run(POSTERN, ['decode', '-'], { input }), /./);
        failsWith(await run(POSTERN, ['decode', '/nonexistent/token']), /nonexistent/);
    });
});

describe('postern without a server', () => {
    it('makes clients that a later server knows, from commands that ran at once', async () => {
        const server = new Server();
        try {
            await server.start();
            await server.stop();
            const made = await Promise.all(
                Array.from({ length: 4 }, (_, i) => cli(server.data, ['app-client', 'create', '--name', `offline ${i}`, '--role', 'viewer', '--json'])),
            );
            const clients = made.map(json);
            const listed = json(await cli(server.data, ['app-client', 'list', '--json']));
            const items: Json[] = Array.isArray(listed) ? listed : listed.app_clients;
            for (const client of clients) assert(items.some((item) => item.id === client.id));
            // A server may find a command still holding the directory: it waits.
            await server.start();
            for (const client of clients) await server.token(client);
        } finally {
            await server.dispose();
        }
    });

    it('never makes a data directory of an empty one', async () => {
        const directory = temporaryDirectory();
        try {
            failsWith(await cli(directory, ['app-client', 'list']), new RegExp('.'));
            assert.deepEqual(readdirSync(directory), []);
            failsWith(await cli(join(directory, 'missing'), ['app-client', 'list']), /missing/);
            assert.deepEqual(readdirSync(directory), []);
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });
});

describe('postern', () => {
    it('helps', async () => {
        const finished = await run(POSTERN, ['--help']);
        assert.equal(finished.code, 0, finished.stderr);
        for (const word of ['serve', 'app-client', 'decode', '--data']) assert(finished.stdout.includes(word), word);
    });

    it('without a command says how it is used', async () => {
        const finished = await run(POSTERN, []);
        assert.match(finished.stdout + finished.stderr, /serve/);
    });

    it('says its version', async () => {
        const finished = await run(POSTERN, ['--version']);
        assert.equal(finished.code, 0, finished.stderr);
        assert.match(finished.stdout, /^postern [0-9]+\.[0-9]+\.[0-9]+/);
    });

    it('serve --help shows what each setting may be', async () => {
        const finished = await run(POSTERN, ['serve', '--help']);
        assert.equal(finished.code, 0);
        assert.match(finished.stdout, /--token-alg VALUE +Signature.*\n.*\n? +\(RS256, PS256, ES256 or EdDSA; default RS256\)/);
    });

    it('an option without its command is named', async () => {
        failsWith(await run(POSTERN, ['--bogus', '1']), /--bogus/);
    });

    it('a key that stands twice in a file is refused, a list may', async () => {
        const directory = temporaryDirectory();
        try {
            const file = join(directory, 'postern.conf');
            writeFileSync(file, 'listen = 127.0.0.1:8080\nlisten = 127.0.0.1:8081\ntoken_alg = RS256\n');
            assert.equal((await run(POSTERN, ['config', 'check', '--config', file])).code, 0);
            writeFileSync(file, 'token_alg = RS256\nlog_format = json\ntoken_alg = ES256\n');
            const finished = await run(POSTERN, ['config', 'check', '--config', file]);
            assert.notEqual(finished.code, 0);
            assert.match(finished.stderr, /postern.conf, line 3: token_alg: stands more than once/);
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });

    it('refuses settings that it does not know or cannot read, naming them', async () => {
        const directory = temporaryDirectory();
        try {
            const serve = ['serve', '--data', directory, '--listen', '127.0.0.1:0'];
            for (const [args, text] of [
                [['--nonsense', '1'], /nonsense/], [['--token-ttl-seconds', 'soon'], /token.ttl.seconds/], [['--token-ttl-seconds', '-1'], /token.ttl.seconds/],
                [['--token-ttl-seconds', '0'], /token.ttl.seconds/], [['--token-alg', 'HS256'], /token.alg/], [['--token-alg', 'none'], /token.alg/],
                [['--listen', 'nonsense'], /listen/], [['--listen', '127.0.0.1:65536'], /listen/], [['--secret-base', 'A-B'], /secret.base/],
                [['--public-url', 'ftp://a'], /public.url/], [['--token-ttl-seconds'], /token.ttl.seconds/],
                [['--token-alg', 'RS256', '--token-alg', 'ES256'], /token.alg.*more than once/],
            ] as [string[], RegExp][]) {
                failsWith(await run(POSTERN, [...serve, ...args]), text);
                assert.deepEqual(readdirSync(directory), [], `${args.join(' ')} made something`);
            }
            failsWith(await run(POSTERN, serve, { env: cleanEnvironment({ POSTERN_NONSENSE: '1' }) }), /NONSENSE/i);
            failsWith(await run(POSTERN, serve, { env: cleanEnvironment({ POSTERN_TOKEN_TTL_SECONDS: 'soon' }) }), /TOKEN_TTL_SECONDS/i);
            assert.deepEqual(readdirSync(directory), []);
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });
});
