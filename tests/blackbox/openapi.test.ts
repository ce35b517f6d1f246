// SPDX-License-Identifier: Apache-2.0
// The OpenAPI file and the program's routes say the same: both ways, so that neither has what the other lacks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { POSTERN, ROOT, run, useServer, type Json } from './server.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

async function routes(): Promise<{ method: string; path: string; name: string; permission: string }[]> {
    const finished = await run(POSTERN, ['routes', '--json']);
    assert.equal(finished.code, 0, finished.stderr);
    const all: { method: string; path: string; name: string; permission: string }[] = JSON.parse(finished.stdout);
    // The command line's own, by the control socket; the network does not know them (authorization.tsv).
    return all.filter(({ permission }) => permission !== 'control');
}

function document(): Json {
    return parse(readFileSync(join(ROOT, 'openapi', 'postern.yaml'), 'utf8'));
}

function operations(openapi: Json): { method: string; path: string; operation: Json }[] {
    return Object.entries<Json>(openapi.paths).flatMap(([path, item]) =>
        METHODS.filter((method) => method in item).map((method) => ({ method: method.toUpperCase(), path, operation: item[method] })),
    );
}

describe('openapi/postern.yaml', () => {
    it('has every route of the program, and no other', async () => {
        const documented = operations(document()).map(({ method, path }) => `${method} ${path}`);
        const served = (await routes()).map(({ method, path }) => `${method} ${path}`);
        assert.deepEqual(served.filter((route) => !documented.includes(route)), [], 'served but not documented');
        assert.deepEqual(documented.filter((route) => !served.includes(route)), [], 'documented but not served');
        assert.equal(new Set(served).size, served.length);
    });

    it('calls them by the same names', async () => {
        const names = new Map((await routes()).map(({ method, path, name }) => [`${method} ${path}`, name]));
        for (const { method, path, operation } of operations(document()))
            assert.equal(operation.operationId, names.get(`${method} ${path}`), `${method} ${path}`);
    });

    it('says which of them need a credential, as the program does', async () => {
        const openapi = document();
        const permissions = new Map((await routes()).map(({ method, path, permission }) => [`${method} ${path}`, permission]));
        for (const { method, path, operation } of operations(openapi)) {
            const permission = permissions.get(`${method} ${path}`) ?? '';
            assert.notEqual(permission, '', `${method} ${path} has a permission`);
            const security: Json[] = operation.security ?? openapi.security ?? [];
            const isOpen = security.length === 0 || security.some((one) => Object.keys(one).length === 0);
            const isTokenEndpoint = path.endsWith('/token');
            if (!isTokenEndpoint) assert.equal(isOpen, /^public$/i.test(permission), `${method} ${path}: ${permission}`);
        }
    });

    it('is version 3.1, with parameters for what the paths name', () => {
        const openapi = document();
        assert.match(openapi.openapi, /^3\.1\.[0-9]+$/);
        for (const { path, operation, method } of operations(openapi)) {
            const named = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
            const parameters: Json[] = [...(openapi.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map((parameter: Json) => {
                const name = /^#\/components\/parameters\/(.+)$/.exec(parameter.$ref ?? '')?.[1];
                return name === undefined ? parameter : openapi.components.parameters[name];
            });
            const given = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
            assert.deepEqual(given.sort(), named.sort(), `${method} ${path}`);
        }
    });

    it('resolves every reference inside itself', () => {
        const openapi = document();
        const look = (node: Json): void => {
            if (node === null || typeof node !== 'object') return;
            if (typeof node.$ref === 'string') {
                let at: Json = openapi;
                assert(node.$ref.startsWith('#/'), node.$ref);
                for (const step of node.$ref.slice(2).split('/')) at = at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
                assert.notEqual(at, undefined, node.$ref);
            }
            Object.values(node).forEach(look);
        };
        look(openapi);
    });
});

describe('what the program serves', () => {
    const server = useServer({ listen: false, args: ['--listen', '127.0.0.1:0 for=token,api,console,metrics'] });

    it('is what its routes say: each answers something other than 404 for the path', async () => {
        for (const { method, path } of await routes()) {
            const reply = await server.request('OPTIONS', path.replaceAll(/\{[^}]+\}/g, 'x'));
            assert.equal(reply.status, 204, path);
            assert((reply.headers.allow ?? '').split(/, */).includes(method), `${method} ${path}`);
        }
    });
});
