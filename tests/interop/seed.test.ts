// SPDX-License-Identifier: Apache-2.0
// The two examples of the documentation that Postern implements, unchanged but for host, id and secret.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import axios from 'axios';
import qs from 'qs';
import { decodeJwt } from '../blackbox/check.js';
import { run, useServer, type AppClient } from '../blackbox/server.js';

const CURL_EXAMPLE = `curl -XPOST -H "Content-type: application/x-www-form-urlencoded" \\
-d "grant_type=client_credentials&client_id=<your client ID goes here>&client_secret=<your client secret goes here>" \\
https://auth.vectara.com/oauth2/token`;

describe('examples', () => {
    const server = useServer();
    let client: AppClient;

    before(async () => {
        client = await server.createClient(['corpus_viewer']);
        await server.createCorpus('example');
    });

    const isGood = async (jwt: string): Promise<void> => {
        assert.equal(decodeJwt(jwt).claims.client_id, client.client_id);
        const { data } = await axios({
            method: 'GET',
            headers: { Authorization: `Bearer ${jwt}` },
            url: `${server.url}/v2/corpora`,
        });
        assert.deepEqual(data.corpora.map((corpus: { key: string }) => corpus.key), ['example']);
    };

    it('curl', async () => {
        const command = CURL_EXAMPLE.replace('<your client ID goes here>', client.client_id)
            .replace('<your client secret goes here>', client.client_secret)
            .replace('https://auth.vectara.com', server.url);
        const finished = await run('/bin/bash', ['-c', command]);
        assert.equal(finished.code, 0, finished.stderr);
        const answer = JSON.parse(finished.stdout);
        assert.equal(answer.token_type, 'Bearer');
        assert.equal(answer.expires_in, 1800);
        await isGood(answer.access_token);
    });

    it('axios and qs', async () => {
        const {
            data: { access_token: jwt },
        } = await axios({
            method: "POST",
            headers: { "content-type": "application/x-www-form-urlencoded" },
            data: qs.stringify({
                grant_type: "client_credentials",
                client_id: client.client_id,
                client_secret: client.client_secret,
            }),
            url: `${server.url}/oauth2/token`
        });
        await isGood(jwt);
    });

    it('curl -u, which encodes nothing', async () => {
        const finished = await run('/usr/bin/curl', [
            '-sS', '--fail-with-body', '-u', `${client.client_id}:${client.client_secret}`,
            '-d', 'grant_type=client_credentials', `${server.url}/oauth2/token`,
        ]);
        assert.equal(finished.code, 0, finished.stderr);
        await isGood(JSON.parse(finished.stdout).access_token);
    });

    it('curl --oauth2-bearer, and curl -I on the keys', async () => {
        const jwt = await server.token(client);
        const listed = await run('/usr/bin/curl', ['-sS', '--fail-with-body', '--oauth2-bearer', jwt, `${server.url}/v2/corpora`]);
        assert.equal(listed.code, 0, listed.stdout);
        assert.equal(JSON.parse(listed.stdout).corpora.length, 1);
        const head = await run('/usr/bin/curl', ['-sSI', `${server.url}/.well-known/jwks.json`]);
        assert.equal(head.code, 0, head.stderr);
        assert.match(head.stdout, /^HTTP\/1\.1 200 /);
    });

    it('a missing token is 401 and a role mismatch 403, as axios sees them', async () => {
        const corpora = `${server.url}/v2/corpora`;
        const status = async (headers: Record<string, string>, method = 'GET'): Promise<number | undefined> =>
            axios({ method, url: corpora, headers, data: method === 'POST' ? { key: 'new' } : undefined }).then(
                (reply) => reply.status,
                (error: unknown) => (axios.isAxiosError(error) ? error.response?.status : undefined),
            );
        const authorization = `Bearer ${await server.token(client)}`;
        assert.equal(await status({}), 401);
        assert.equal(await status({ authorization: `${authorization}x` }), 401);
        assert.equal(await status({ authorization }), 200);
        assert.equal(await status({ authorization }, 'POST'), 403);
    });
});

// What the published SDKs of the contract send to the token endpoint, by their recorded shapes.
describe('request shapes of the SDKs', () => {
    const server = useServer();
    let client: AppClient;

    before(async () => {
        client = await server.createClient(['viewer']);
    });

    it('Python, sync: form with user agent', async () => {
        const reply = await server.request('POST', '/oauth2/token', {
            form: { client_id: client.client_id, client_secret: client.client_secret, grant_type: 'client_credentials' },
            headers: { 'user-agent': 'vectara/0.4.3', 'x-fern-language': 'Python', accept: '*/*', 'accept-encoding': 'gzip, deflate' },
        });
        assert.equal(reply.status, 200, reply.text);
        assert.equal(reply.headers['content-encoding'], undefined, 'no coding where there are secrets');
    });

    it('Python, async: JSON without a grant_type', async () => {
        const reply = await server.request('POST', '/oauth2/token', {
            json: { client_id: client.client_id, client_secret: client.client_secret },
        });
        assert.equal(reply.status, 200, reply.text);
    });

    it('Python, raw: JSON at /oauth/token', async () => {
        const reply = await server.request('POST', '/oauth/token', {
            json: { client_id: client.client_id, client_secret: client.client_secret, grant_type: 'client_credentials' },
        });
        assert.equal(reply.status, 200, reply.text);
    });

    it('TypeScript: form, with an API key header beside it', async () => {
        const reply = await server.request('POST', '/oauth2/token', {
            form: { client_id: client.client_id, client_secret: client.client_secret, grant_type: 'client_credentials' },
            headers: { 'x-api-key': 'zut_abc', 'user-agent': 'vectara/0.1.8', 'x-fern-language': 'JavaScript' },
        });
        assert.equal(reply.status, 200, reply.text);
    });

    it('Java: Basic, with client_id and redirect_uri=null in the form', async () => {
        const reply = await server.request('POST', '/oauth2/token', {
            form: { grant_type: 'client_credentials', client_id: client.client_id, redirect_uri: 'null' },
            basic: [client.client_id, client.client_secret],
        });
        assert.equal(reply.status, 200, reply.text);
    });
});
