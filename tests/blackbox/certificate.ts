// SPDX-License-Identifier: Apache-2.0
// Certificates for servers of tests.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './server.js';

export interface Pair {
    certificate: string;
    key: string;
}

/** A self-signed certificate for localhost and its key, made by openssl. */
export async function makePair(directory: string, name: string, days = 30, algorithm: string[] = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']): Promise<Pair> {
    const pair = { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
    const made = await run('openssl', [
        'req', '-x509', ...algorithm, '-nodes', '-days', String(days), '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
        '-keyout', pair.key, '-out', pair.certificate,
    ]);
    assert.equal(made.code, 0, made.stderr);
    chmodSync(pair.key, 0o600);
    return pair;
}

/** The options of a server with that pair. */
export const withPair = (pair: Pair): string[] => ['--tls-certificate', pair.certificate, '--tls-key', pair.key];
