// SPDX-License-Identifier: Apache-2.0
// What the operator sees: metrics, the event log, the log, doctor. And what nobody may see in them.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeJwt } from './check.js';
import { exchange } from './socket.js';
import { POSTERN, eventually, run, temporaryDirectory, useServer, withServer, type Json, type Server } from './server.js';

function events(server: Server): { lines: Json[]; text: string } {
    const folder = join(server.data, 'events');
    const text = readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), 'utf8')).join('');
    return { text, lines: text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)) };
}

async function metrics(server: Server): Promise<{ text: string; value: (sample: string) => number }> {
    const printed = await server.cli(['metrics']);
    assert.equal(printed.code, 0, printed.stderr);
    const text = printed.stdout;
    return {
        text,
        value: (sample) => {
            const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
            assert(line !== undefined, sample);
            return Number(line.slice(sample.length + 1));
        },
    };
}

describe('metrics', () => {
    const server = useServer();

    it('count what happened', async () => {
        const before = await metrics(server);
        const client = await server.createClient();
        await server.token(client);
        await server.token(client);
        const refused = await server.request('POST', '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: 'x' } });
        assert.equal(refused.status, 401);
        await exchange(server.port, ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'], { count: 1 });
        const after = await metrics(server);
        const grown = (sample: string): number => after.value(sample) - before.value(sample);
        assert.equal(grown('postern_tokens_issued_total{alg="RS256"}'), 2);
        assert.equal(grown('postern_tokens_refused_total{error="invalid_client"}'), 1);
        assert.equal(after.value('postern_http_requests_total{route="getToken",status="2xx"}'), 2);
        assert.equal(after.value('postern_http_requests_total{route="getToken",status="4xx"}'), 1);
        assert.equal(after.value('postern_http_refusals_total{status="400"}'), 1);
        assert.equal(grown('postern_client_lookups_total{result="miss"}'), 1);
        assert.equal(grown('postern_client_lookups_total{result="hit"}'), 1);
        assert.equal(grown('postern_signer_duration_seconds_count'), 2);
        assert(grown('postern_store_commit_duration_seconds_count') >= 1);
        assert(after.value('postern_revision') > before.value('postern_revision'));
        assert.equal(after.value('postern_signer_waiting'), 0);
        assert.equal(after.value('postern_workers_waiting'), 0);
        assert.equal(after.value('postern_clients_in_memory'), 1);
    });

    it('are a running server\'s: none is started for them', async () => {
        await withServer({}, async (stopped) => {
            await stopped.stop();
            const printed = await stopped.cli(['metrics']);
            assert.equal(printed.code, 1);
            assert.equal(printed.stdout, '');
            assert.match(printed.stderr, /no server runs in the data directory/);
        });
    });

    it('are for the control socket, not for the network', async () => {
        assert.equal((await server.request('GET', '/metrics')).status, 404);
        assert.equal((await server.request('GET', '/control/status')).status, 404);
        const reply = await server.control('GET', '/metrics');
        assert.equal(reply.status, 200);
        assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    });

    it('name no client, and grow no series by what is asked', async () => {
        const client = await server.createClient();
        await server.token(client);
        const before = (await metrics(server)).text.split('\n').length;
        for (let i = 0; i < 20; i++) await server.request('GET', `/made-up-${i}`);
        await server.request('GET', '/made-up');
        const { text } = await metrics(server);
        assert(text.split('\n').length <= before + 1); // the 404s of no route
        assert(!text.includes(client.client_id) && !text.includes(client.id) && !text.includes('made-up') && !text.includes('127.0.0.1'));
    });
});

describe('the event log', () => {
    it('has a line for each token issued or refused', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient();
            const token = await server.token(client);
            const refused = await server.request('POST', '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: client.client_id, client_secret: `${client.client_secret.slice(0, -1)}!` } });
            const wrongGrant = await server.request('POST', '/oauth2/token', { form: { grant_type: 'password' }, basic: [client.client_id, client.client_secret] });
            const lines = await eventually('three lines', () => {
                const found = events(server).lines;
                return found.length >= 3 ? found : undefined;
            });
            const claims = decodeJwt(token).claims;
            assert.deepEqual(lines.map((line) => [line.event, line.error]), [
                ['token_issued', undefined],
                ['token_refused', 'invalid_client'],
                ['token_refused', 'unsupported_grant_type'],
            ]);
            assert.equal(lines[0].jti, claims.jti);
            assert.equal(lines[0].audience, claims.aud);
            assert.equal(lines[0].app_client_id, client.id);
            assert.match(lines[0].credential_id, /^crd_/);
            for (const line of lines) {
                assert.equal(line.client_id, client.client_id);
                assert.equal(line.address, '127.0.0.1');
            }
            assert.equal(lines[1].request_id, refused.headers['x-request-id']);
            assert.equal(lines[2].request_id, wrongGrant.headers['x-request-id']);
            assert.equal(lines[1].jti ?? lines[2].jti, undefined);
        });
    });

    it('is complete when the server has ended', async () => {
        await withServer({}, async (server) => {
            const client = await server.createClient();
            for (let i = 0; i < 50; i++) await server.token(client);
            await server.stop();
            assert.equal(events(server).lines.length, 50);
        });
    });

    it('is off, or goes to standard error, when told so', async () => {
        await withServer({ args: ['--events', 'off'] }, async (server) => {
            await server.tokenFor();
            await server.stop();
            assert(!readdirSync(server.data).includes('events'));
        });
        await withServer({ args: ['--events', 'stderr'] }, async (server) => {
            await server.tokenFor();
            const end = await server.stop();
            assert.match(end.stderr, /^\{"time":"[^"]+","event":"token_issued",.*\}$/m);
            assert(!readdirSync(server.data).includes('events'));
        });
    });
});

describe('doctor', () => {
    it('finds a running server well, and judges each thing it knows', async () => {
        await withServer({}, async (server) => {
            const printed = await server.cli(['doctor', '--json']);
            assert.equal(printed.code, 0, printed.stdout);
            const report = JSON.parse(printed.stdout);
            const results = new Map<string, string>(report.checks.map((check: Json) => [check.check, check.result]));
            for (const name of ['server', 'data', 'keys', 'disk', 'parts', 'listeners', 'certificate', 'events', 'versions'])
                assert.equal(results.get(name), 'ok', `${name}\n${printed.stdout}`);
            for (const name of ['clock', 'public_url', 'front', 'signer', 'files']) assert.match(results.get(name) ?? '', /^(ok|warn)$/, name);
            for (const check of report.checks) assert.equal(check.advice === '', check.result === 'ok', check.check);
            assert.equal((await server.cli(['doctor'])).code, 0);
        });
    });

    it('knows a file system that is not for a database', async (t) => {
        if ((await run('unshare', ['--mount', 'true'])).code !== 0) {
            t.skip('may not mount');
            return;
        }
        // In a mount namespace of its own, which ends with it.
        const printed = await run('unshare', ['--mount', 'sh', '-c',
            'mkdir "$1" && mount -t tmpfs none "$1" && touch "$1/postern.db" && "$0" --data "$1" doctor; umount "$1"; rmdir "$1"', POSTERN, join(temporaryDirectory(), 'm')]);
        assert.match(printed.stdout, /warn +filesystem +The data directory is on tmpfs: it is gone when the host restarts\./, printed.stderr);
    });

    it('finds a damaged database', async () => {
        await withServer({}, async (server) => {
            await server.createClient(['viewer']);
            await server.stop();
            const file = join(server.data, 'postern.db');
            const bytes = readFileSync(file);
            // A page of no kind, far behind what a start reads.
            const damaged = Buffer.from(bytes);
            let page = bytes.length / 4096 - 1;
            for (; page > 0; page--) {
                bytes.copy(damaged);
                damaged.writeUInt8(0x40, page * 4096);
                writeFileSync(file, damaged);
                if (await server.start().then(() => true, () => false)) break;
            }
            assert(page > 0, 'with one of the pages damaged it starts');
            const printed = await server.cli(['doctor']);
            assert.equal(printed.code, 1);
            assert.match(printed.stdout, /fail +parts +The database is damaged: /);
        });
    });

    it('fails where others can read the key, also without a server', async () => {
        await withServer({}, async (server) => {
            await server.stop();
            chmodSync(join(server.data, 'keys', 'kek'), 0o644);
            const printed = await server.cli(['doctor', '--json']);
            assert.equal(printed.code, 1, printed.stdout);
            const checks: Json[] = JSON.parse(printed.stdout).checks;
            const keys = checks.find((check) => check.check === 'keys');
            assert.equal(keys.result, 'fail');
            assert.match(keys.advice, /chmod 600/);
            assert.equal(checks.find((check) => check.check === 'parts').result, 'skipped');
            chmodSync(server.data, 0o777);
            assert.match((await server.cli(['doctor'])).stdout, /^fail +data /m);
        });
    });

    it('says that a folder is no data directory, and asks nothing of it', async () => {
        const directory = temporaryDirectory();
        try {
            const printed = await run(POSTERN, ['--data', directory, 'doctor', '--json']);
            assert.equal(printed.code, 1);
            const checks: Json[] = JSON.parse(printed.stdout).checks;
            assert.match(checks.find((check) => check.check === 'data').message, /is not a data directory/);
            for (const name of ['keys', 'disk']) assert.equal(checks.find((check) => check.check === name).result, 'skipped', name);
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
    });

    it('knows a listener by its address, whatever it is for', async () => {
        await withServer({ args: ['--listen', '127.0.0.1:0 for=metrics'] }, async (server) => {
            const printed = await server.cli(['doctor', '--json']);
            assert.equal(JSON.parse(printed.stdout).checks.find((check: Json) => check.check === 'listeners').result, 'ok', printed.stdout);
        });
    });

    it('says that a data directory is not there', async () => {
        const printed = await run(POSTERN, ['--data', '/nonexistent/postern', 'doctor']);
        assert.equal(printed.code, 1);
        assert.match(printed.stdout, /cannot be opened: No such file/);
    });
});

describe('no secret', () => {
    const server = useServer({ args: ['--log-requests', 'true', '--log-format', 'json'] });

    it('stands in log, metrics, event log or doctor, wherever a client put it', async () => {
        const client = await server.createClient(['owner']);
        const secret = client.client_secret;
        const token = await server.token(client);
        const form = { grant_type: 'client_credentials', client_id: client.client_id, client_secret: secret };
        const replies = [
            await server.request('POST', `/oauth2/token?client_secret=${secret}`, { form }),
            await server.request('POST', '/oauth2/token', { form: { ...form, client_id: secret } }),
            await server.request('POST', '/oauth2/token', { form: { ...form, grant_type: secret } }),
            await server.request('POST', '/oauth2/token', { form: { ...form, resource: `https://a.example/${secret}` } }),
            await server.request('POST', '/oauth2/token', { form: { ...form, scope: secret } }),
            await server.request('POST', '/oauth2/token', { basic: [secret, client.client_id], form: { grant_type: 'client_credentials' } }),
            await server.request('POST', '/oauth2/token', { json: { [secret]: token } }),
            await server.request('POST', '/oauth2/token', { body: secret, headers: { 'content-type': secret } }),
            await server.request('GET', `/${secret}/${token}`),
            await server.request('GET', `/v2/app_clients?access_token=${token}`),
            await server.request('GET', '/v2/app_clients', { token }),
            await server.request('GET', '/v2/app_clients', { headers: { authorization: `Bearer ${secret}` } }),
            await server.request('GET', `/v2/corpora/${secret}`, { token }),
            await server.request('POST', '/v2/app_clients', { token, json: { type: secret, name: token } }),
            await server.control('GET', `/v2/app_clients/${client.id}`),
        ];
        await exchange(server.port, [`GET /${secret} HTTP/1.1\r\nHost: ${secret}\r\nX-Y: ${token}\r\nHost: b\r\n\r\n`], { count: 1 });
        await exchange(server.port, [`${secret} / HTTP/1.1\r\n\r\n`], { count: 1 });

        const doctor = [await server.cli(['doctor']), await server.cli(['doctor', '--json'])].map((printed) => printed.stdout + printed.stderr).join('');
        const shown = (await metrics(server)).text;
        await server.stop();
        const requests = server.stderr.split('\n').filter((line) => line.includes('"request_id"')).map((line) => JSON.parse(line));
        for (const reply of replies) {
            const id = reply.headers['x-request-id'];
            assert.match(String(id), /^[0-9A-Za-z]{16}$/);
            assert(requests.some((line) => line.request_id === id), 'each request has its line');
        }
        const outputs = { log: server.stderr, metrics: shown, events: events(server).text, doctor };
        const basic = Buffer.from(`${secret}:${client.client_id}`).toString('base64');
        for (const [name, text] of Object.entries(outputs)) {
            assert(text.length > 100, `${name} says something`);
            for (const hidden of [secret, token, token.split('.')[2] ?? '', basic, secret.slice(-20)])
                assert(!text.includes(hidden), `a secret or token stands in ${name}`);
        }
    });
});
