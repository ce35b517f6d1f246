// SPDX-License-Identifier: Apache-2.0
// Tokens and key sets, changed at random, shown to the product and to jose: what jose refuses is never accepted.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, describe, it } from 'node:test';
import * as jose from 'jose';
import { BUILD, type Json } from '../blackbox/server.js';
import { Random, rounds } from './random.js';

const ISSUER = 'https://auth.example.com';
const AUDIENCE = `${ISSUER}/v2`;
const ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const NOW = 1_800_000_000;

interface Key {
    alg: string;
    kid: string;
    privateKey: jose.CryptoKey;
    jwk: Json;
}

const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function claims(): Json {
    return {
        iss: ISSUER, sub: 'client', aud: AUDIENCE, exp: NOW + 600, iat: NOW - 10, jti: 'j', client_id: 'client', roles: ['viewer'],
        account_id: 'acc_1', credential_id: 'crd_1', rev: 7,
    };
}

/** Any text signed as it is: what a JSON library would not write comes from here too. */
async function signText(key: Key, header: string, payload: string): Promise<string> {
    const signed = `${b64(header)}.${b64(payload)}`;
    const algorithm = {
        RS256: { name: 'RSASSA-PKCS1-v1_5' }, PS256: { name: 'RSA-PSS', saltLength: 32 },
        ES256: { name: 'ECDSA', hash: 'SHA-256' }, EdDSA: { name: 'Ed25519' },
    }[key.alg] as Json;
    const signature = await crypto.subtle.sign(algorithm, key.privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

const VALUES: unknown[] = [
    null, true, false, 0, -1, 1.5, 1e300, '', 'x', [], {}, [''], NOW, NOW - 1, NOW + 1, String(NOW), '\u0000', ISSUER, AUDIENCE,
    `${ISSUER}/`, [AUDIENCE], [AUDIENCE, 'other'], ['other'], [[AUDIENCE]], ALGS[0], 'none', 'HS256', 'at+jwt', 'JWT', 'AT+JWT', 'application/at+jwt',
];

function changeObject(random: Random, object: Json): Json {
    const copy = { ...object };
    const names = Object.keys(copy);
    const name = random.chance(70) ? random.one(names) : random.one(['nbf', 'crit', 'b64', 'jku', 'jwk', 'x5u', 'zip', 'cty', 'kid', 'alg', 'typ', 'scope']);
    if (random.chance(25)) delete copy[name];
    else copy[name] = random.one(VALUES);
    return copy;
}

/** JSON that says the same, or nearly, in another way. */
function spell(random: Random, object: Json): string {
    const text = JSON.stringify(object);
    switch (random.below(9)) {
        case 0: return ` ${text}\n`;
        case 1: return text.replace('{', '{ ');
        case 2: return text.replace('"alg"', '"\\u0061lg"').replace('"iss"', '"\\u0069ss"');
        case 3: return text.replace('{', `{"${random.one(Object.keys(object).concat('alg'))}":${JSON.stringify(random.one(VALUES))},`);
        case 4: return text.slice(0, -1);
        case 5: return `${text}x`;
        case 6: return `\ufeff${text}`;
        case 7: return text.replace(/:(\d+)/, ':$1.0');
        default: return text;
    }
}

function changeText(random: Random, text: string): string {
    const at = random.below(text.length + 1);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n\u00e9';
    switch (random.below(5)) {
        case 0: return text.slice(0, at) + random.one([...letters]) + text.slice(at + 1);
        case 1: return text.slice(0, at) + text.slice(at + 1);
        case 2: return text.slice(0, at) + random.one([...letters]) + text.slice(at);
        case 3: return text.slice(0, at);
        default: return text + text.slice(at);
    }
}

function changeSignature(random: Random, token: string): string {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    switch (random.below(6)) {
        case 0: bytes[random.below(bytes.length)]! ^= 1 << random.below(8); break;
        case 1: bytes.fill(0); break;
        case 2: return `${header}.${payload}.${bytes.subarray(0, random.below(bytes.length)).toString('base64url')}`;
        case 3: return `${header}.${payload}.${Buffer.concat([bytes, Buffer.alloc(1 + random.below(3))]).toString('base64url')}`;
        case 4: return `${header}.${payload}.${Buffer.concat([Buffer.alloc(1), bytes]).toString('base64url')}`;
        default: return `${header}.${payload}.${signature}${random.one(['=', '==', 'A', 'AA'])}`;
    }
    return `${header}.${payload}.${bytes.toString('base64url')}`;
}

function changeKeys(random: Random, set: Json): Json {
    const keys = set.keys.map((key: Json) => ({ ...key }));
    const key = random.one(keys) as Json;
    // Not kid: a key without one is named by its thumbprint here (RFC 7638), and by nothing there.
    const names = Object.keys(key).filter((name) => name !== 'kid');
    switch (random.below(8)) {
        case 0: delete key[random.one(names)]; break;
        case 1: key[random.one(names)] = random.one<unknown>([...VALUES, key.kid, 'P-384', 'EC', 'RSA', 'OKP', 'Ed448', 'enc', ...ALGS]); break;
        case 2: keys.push({ ...key, kid: random.one(keys as Json[]).kid }); break;
        case 3: keys.splice(random.below(keys.length), 1); break;
        case 4: for (const name of ['n', 'x', 'y', 'e']) if (typeof key[name] === 'string') key[name] = changeText(random, key[name]); break;
        case 5: key.use = random.one(['sig', 'enc', '']); break;
        case 6: key.key_ops = random.one([['verify'], ['sign'], [], 'verify']); break;
        default: return random.one([{ ...set, keys: {} }, { keys: [] }, [], { ...set, keys: [...keys, null] }, { KEYS: keys }]);
    }
    return { ...set, keys };
}

describe('tokens and key sets changed at random', () => {
    const random = new Random();
    const keys: Key[] = [];
    let set: Json;

    before(async () => {
        for (const alg of ALGS) {
            const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
            const jwk = await jose.exportJWK(publicKey);
            const kid = await jose.calculateJwkThumbprint(jwk);
            keys.push({ alg, kid, privateKey: privateKey as jose.CryptoKey, jwk: { ...jwk, kid, alg, use: 'sig' } });
        }
        set = { keys: keys.map((key) => key.jwk) };
    });

    async function make(): Promise<{ token: string; keySet: Json; what: string }> {
        const key = random.one(keys);
        let header: Json = { alg: key.alg, typ: 'at+jwt', kid: key.kid };
        let payload = claims();
        let keySet = set;
        const what: string[] = [];
        const does = (name: string, percent: number): boolean => {
            const chosen = random.chance(percent);
            if (chosen) what.push(name);
            return chosen;
        };
        if (does('claims', 25)) payload = changeObject(random, payload);
        if (does('header', 25)) header = changeObject(random, header);
        if (does('keys', 25)) keySet = changeKeys(random, keySet);
        const isSpelled = does('spelling', 20);
        let token = await signText(key, isSpelled ? spell(random, header) : JSON.stringify(header), isSpelled ? spell(random, payload) : JSON.stringify(payload));
        if (does('signature', 15)) token = changeSignature(random, token);
        if (does('text', 15)) token = changeText(random, token);
        if (does('other key', 5)) {
            const other = await signText(random.one(keys), JSON.stringify(header), JSON.stringify(payload));
            token = token.split('.').slice(0, 2).join('.') + '.' + other.split('.')[2];
        }
        return { token, keySet, what: what.join() };
    }

    /** Empty, or why jose refuses. */
    async function joseRefuses(token: string, keySet: Json): Promise<string> {
        try {
            await jose.jwtVerify(token, jose.createLocalJWKSet(keySet), {
                issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: [...ALGS, 'Ed25519'], currentDate: new Date(NOW * 1000),
                requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'sub'],
            });
            return '';
        } catch (error) {
            return String(error);
        }
    }

    it(`what jose refuses is refused (seed ${random.seed})`, { timeout: 3_600_000 }, async () => {
        const child = spawn(join(BUILD, 'tests', 'differential', 'verify-tokens'), [ISSUER, AUDIENCE, String(NOW)], { stdio: ['pipe', 'pipe', 'inherit'] });
        const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        const counts = { both: 0, neither: 0, stricter: 0 };
        const wrong: string[] = [];
        const total = rounds(2_000);
        for (let i = 0; i < total; i++) {
            const { token, keySet, what } = await make();
            child.stdin.write(`${b64(keySet)}\t${b64(token)}\n`);
            const [{ value }, refusal] = await Promise.all([answers.next(), joseRefuses(token, keySet)]);
            assert(value === 'accepted' || value === 'refused', 'verify-tokens goes on');
            const [ours, theirs] = [value === 'accepted', refusal === ''];
            if (ours && !theirs) wrong.push(`${refusal} (${what}): ${token} ${JSON.stringify(keySet)}`);
            counts[ours && theirs ? 'both' : theirs ? 'stricter' : 'neither']++;
        }
        child.stdin.end();
        console.log(`${total} tokens: ${counts.both} accepted by both, ${counts.neither} refused by both, ${counts.stricter} refused by the product alone`);
        assert.equal(wrong.length, 0, wrong.slice(0, 10).join('\n'));
        assert(counts.both > total / 20 && counts.neither > total / 20, 'the changes are neither all good nor all bad');
    });
});
