// SPDX-License-Identifier: Apache-2.0
// What the documents say of the program is what the program says of itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { POSTERN, ROOT, run } from './server.js';

describe('the documents', () => {
    it('have the table of configuration keys as the program prints it', async () => {
        const printed = await run(POSTERN, ['config', 'reference']);
        assert.equal(printed.code, 0, printed.stderr);
        const text = readFileSync(join(ROOT, 'docs', 'config.md'), 'utf8');
        assert.equal(text.slice(text.indexOf('| key |')), printed.stdout);
    });

    it('have the table of metrics as the program prints it', async () => {
        const printed = await run(POSTERN, ['metrics', '--reference']);
        assert.equal(printed.code, 0, printed.stderr);
        const text = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8');
        assert.equal(text.slice(text.indexOf('| metric |')), printed.stdout);
    });

    it('name in the README each command of the program', async () => {
        const help = await run(POSTERN, ['--help']);
        const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
        const commands = [...help.stdout.matchAll(/^  ([a-z]+(?:-[a-z]+)?(?: [a-z]+)?) {2,}/gm)].map((match) => match[1] ?? '');
        assert(commands.length >= 8);
        for (const command of commands) assert(readme.includes(`postern ${command}`), `README.md: postern ${command}`);
    });
});
