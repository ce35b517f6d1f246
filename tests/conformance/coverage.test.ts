// SPDX-License-Identifier: Apache-2.0
// tests/abuse.tsv and tests/standards.tsv: every case and every requirement has a test that exists, or names what the product
// does not have yet.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../blackbox/server.js';

/** The cases of the catalogue, typed in: T token endpoint, J JOSE, H HTTP, R resources, N several nodes, A management API. */
const CASES = {
    T: '01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32',
    J: '01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32 34 35 37 38',
    H: '01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32',
    R: '01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26',
    N: '01 02 04 05 07 08 10 11 13 14 16 17 19 20',
    A: '01 03 04 06 07 09 10 12 13 15 16 18 19 21',
};

/** The requirements, by RFC. */
const REQUIREMENTS = {
    '6749': '01 03 04 05 06 07 09 11 12 13 15 16 17 18 19 20 21 22 23 24 25 26 27 29 30 31 32 33 34 35 36 37 38 39 40 41',
    '6750': '01 02 03 04 05 06 07 10 11 12',
    '7009': '02 03 04 05 06 07 10',
    '7662': '01 02 03 04 07 08 09',
    '8414': '01 02 03 04 08 09 10 11 12 13 14 15 16',
    '8725': '01 02 03 04 05 06 07 08 09 11',
    '9068': '01 02 05 06 07 08 09 10 12',
    '9700': '02 04 07 08 09 10 12',
};

function rows(file: string): string[][] {
    return readFileSync(join(ROOT, 'tests', file), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .slice(1)
        .map((line) => line.split('\t'));
}

/** Does a file of that kind have a test of that title, or a check that many tests make? */
function hasTest(file: string, text: string, title: string): boolean {
    if (file.endsWith('.c')) return text.includes(`\nstatic void ${title}(void **state)`);
    return text.includes(`export function ${title}(`) || text.split('\n').some((line) => /['"`]/.test(line.slice(0, Math.max(0, line.indexOf(title)))));
}

function assertNamed(named: string): void {
    const colon = named.indexOf(': ');
    assert(colon > 0, `"file: title", not "${named}"`);
    const [file, title] = [named.slice(0, colon), named.slice(colon + 2)];
    if (file === 'absent' || file === 'not ours') {
        assert(title.length > 3, 'what is absent, or whose duty it is, has a name');
        return;
    }
    const path = join(ROOT, 'tests', file);
    assert(existsSync(path), `${file} exists`);
    assert(hasTest(file, readFileSync(path, 'utf8'), title), `${file} has "${title}"`);
}

function covers(file: string, expected: string[]): void {
    describe(`tests/${file}`, () => {
        const table = rows(file);

        it('has one row for each, and no other', () => {
            assert.deepEqual(table.map(([id]) => id), expected);
        });

        for (const [id = '', what = '', tests = ''] of table) {
            it(`${id} ${what}`, () => {
                for (const named of tests.split('; ')) assertNamed(named);
            });
        }
    });
}

covers('abuse.tsv', Object.entries(CASES).flatMap(([letter, numbers]) => numbers.split(' ').map((number) => letter + number)));
covers('standards.tsv', Object.entries(REQUIREMENTS).flatMap(([rfc, numbers]) => numbers.split(' ').map((number) => `${rfc}-${number}`)));
