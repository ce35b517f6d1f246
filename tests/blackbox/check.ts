// SPDX-License-Identifier: Apache-2.0
// What every reply of a kind must look like, in one place.
import assert from 'node:assert/strict';
import type { Json, Reply } from './server.js';

// RFC 6749 §5.2: what error and error_description may consist of.
const ERROR_TEXT = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

/** The contract's Error body, and what every error carries. */
export function isError(reply: Reply, status: number): Json {
    assert.equal(reply.status, status, reply.text);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert(Array.isArray(reply.json?.messages), reply.text);
    assert(reply.json.messages.length > 0 && reply.json.messages.every((text: unknown) => typeof text === 'string' && text !== ''));
    assert.match(reply.json.request_id, /^[0-9A-Za-z_-]+$/);
    return reply.json;
}

/** BadRequestError; names the fields that must be complained about (a prefix is enough: "api_roles[1]"). */
export function isBadRequest(reply: Reply, ...fields: string[]): Json {
    const body = isError(reply, 400);
    for (const field of fields) {
        const named = Object.keys(body.field_errors ?? {});
        assert(
            named.some((name) => name === field || name.startsWith(`${field}[`) || name.startsWith(`${field}.`)),
            `${field} in field_errors: ${reply.text}`,
        );
        assert(Object.values(body.field_errors).every((text) => typeof text === 'string' && text !== ''));
    }
    return body;
}

export function isNotFound(reply: Reply, id: string): void {
    const body = isError(reply, 404);
    assert.equal(body.id, id);
}

/** 401 of a protected resource (RFC 6750 §3): with an error code only when a credential was sent. */
export function isUnauthorized(reply: Reply, sent: 'nothing' | 'credential'): void {
    isError(reply, 401);
    const challenge = reply.headers['www-authenticate'] ?? '';
    assert.match(challenge, /^Bearer realm="[^"]*"/);
    if (sent === 'nothing') assert.doesNotMatch(challenge, /error/);
    else assert.match(challenge, /, *error="invalid_token"/);
    for (const name of ['realm', 'error', 'error_description', 'scope'])
        assert((challenge.match(new RegExp(`(^|[ ,])${name}=`, 'g')) ?? []).length <= 1, challenge);
    assert.match(reply.headers['cache-control'] ?? '', /no-store/);
}

/** An error of the token endpoint (RFC 6749 §5.2). */
export function isOAuthError(reply: Reply, status: number, code: string): Json {
    assert.equal(reply.status, status, reply.text);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert.equal(reply.headers.pragma, 'no-cache');
    assert.equal(reply.json?.error, code, reply.text);
    for (const [name, value] of Object.entries<unknown>(reply.json)) {
        assert(['error', 'error_description', 'error_uri'].includes(name), `no member ${name}`);
        assert(typeof value === 'string' && ERROR_TEXT.test(value), reply.text);
    }
    if (status === 401)
        assert.match(reply.headers['www-authenticate'] ?? '', /^Basic realm="[^"]+", charset="UTF-8"$/);
    else assert.equal(reply.headers['www-authenticate'], undefined);
    return reply.json;
}

/** The token endpoint's answer: these three members and nothing else. */
export function isToken(reply: Reply, expiresIn = 1800): string {
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert.equal(reply.headers.pragma, 'no-cache');
    assert.deepEqual(Object.keys(reply.json).sort(), ['access_token', 'expires_in', 'token_type']);
    assert.equal(reply.json.token_type, 'Bearer');
    assert.equal(reply.json.expires_in, expiresIn);
    assert.match(reply.json.access_token, /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
    return reply.json.access_token as string;
}

export function decodeJwt(token: string): { header: Json; claims: Json; signed: string; signature: Buffer } {
    const [header, claims, signature, ...more] = token.split('.');
    assert(header !== undefined && claims !== undefined && signature !== undefined && more.length === 0);
    const part = (text: string): Json => JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return {
        header: part(header),
        claims: part(claims),
        signed: `${header}.${claims}`,
        signature: Buffer.from(signature, 'base64url'),
    };
}

export function encodePart(value: unknown): string {
    return Buffer.from(JSON.stringify(value)).toString('base64url');
}
