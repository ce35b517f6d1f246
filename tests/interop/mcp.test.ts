// SPDX-License-Identifier: Apache-2.0
// The Model Context Protocol's client, unmodified, with client credentials: an MCP server that takes Postern's tokens, and a
// client that finds Postern by that server's metadata (RFC 9728).
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { useServer, withServer, type AppClient, type Server } from '../blackbox/server.js';

/** An MCP server with one tool, on a free port, which wants tokens of `issuer`. Resolves to its URL. */
async function startMcpServer(issuer: Server): Promise<{ url: URL; stop: () => void }> {
    const keys = createRemoteJWKSet(new URL(`${issuer.url}/.well-known/jwks.json`));
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const metadata = `${url.origin}/.well-known/oauth-protected-resource`;
        if (request.url?.startsWith('/.well-known/oauth-protected-resource') === true) {
            response.setHeader('Content-Type', 'application/json');
            response.end(JSON.stringify({ resource: url.href, authorization_servers: [issuer.url] }));
            return;
        }
        try {
            const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
            await jwtVerify(token, keys, { issuer: issuer.url, audience: `${issuer.url}/v2`, typ: 'at+jwt' });
        } catch {
            response.writeHead(401, { 'WWW-Authenticate': `Bearer resource_metadata="${metadata}"` }).end();
            return;
        }
        const mcp = new McpServer({ name: 'test', version: '1.0.0' });
        mcp.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'hello' }] }));
        const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
        response.on('close', () => void transport.close());
        await mcp.connect(transport as never);
        await transport.handleRequest(request, response);
    };
    const http = createServer((request, response) => {
        answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`);
    return { url, stop: () => { http.closeAllConnections(); http.close(); } };
}

async function callHello(url: URL, issuer: Server, app: AppClient, secret = app.client_secret): Promise<string> {
    const provider = Object.assign(
        new ClientCredentialsProvider({ clientId: app.client_id, clientSecret: secret, expectedIssuer: issuer.url }),
        { validateResourceURL: () => Promise.resolve(undefined) }, // Postern's own audience, not the MCP server's
    );
    const client = new Client({ name: 'test', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
    try {
        await client.connect(transport as never);
        const result = await client.callTool({ name: 'hello' });
        return (result.content as { text: string }[])[0]?.text ?? '';
    } finally {
        await client.close();
    }
}

describe('MCP client credentials', () => {
    const server = useServer({ args: ['--metadata-authorization-endpoint', 'true'] });
    let app: AppClient;
    let mcp: Awaited<ReturnType<typeof startMcpServer>>;

    before(async () => {
        app = await server.createClient(['viewer']);
        mcp = await startMcpServer(server);
    });
    after(() => mcp.stop());

    it('finds the server, gets a token and calls a tool', async () => {
        assert.equal(await callHello(mcp.url, server, app), 'hello');
    });

    it('reports a wrong secret', async () => {
        await assert.rejects(callHello(mcp.url, server, app, 'wrong'), { name: 'InvalidClientError' });
    });

    it('refuses metadata without an authorization endpoint, which is the default', async () => {
        await withServer({}, async (plain) => {
            const theirs = await startMcpServer(plain);
            try {
                await assert.rejects(callHello(theirs.url, plain, await plain.createClient(['viewer'])), /authorization_endpoint/);
            } finally {
                theirs.stop();
            }
        });
    });
});
