// SPDX-License-Identifier: Apache-2.0
// Requests changed at random, over sockets: the server neither crashes nor hangs, and serves nothing that a strict
// reading calls broken.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'node:test';
import { useServer } from '../blackbox/server.js';
import { Random, rounds } from './random.js';
import { readStrictly, type Reading } from './strict_http.js';

const CONCURRENT = 24;
const HANG_MS = 20_000;
/** What the edge says of a request that it does not serve. */
const REFUSALS = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

const FORM = 'grant_type=client_credentials&client_id=a&client_secret=b';
const SEEDS = [
    'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nUser-Agent: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    'HEAD /healthz?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /healthz HTTP/1.0\r\n\r\n',
    'GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /.well-known/jwks.json HTTP/1.1\r\nHost: [::1]:8080\r\nIf-None-Match: "x", W/"y"\r\n\r\n',
    `POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${FORM.length}\r\n\r\n${FORM}`,
    `POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ngrant\r\n3;a=b\r\n_ty\r\n0\r\nX: y\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n`,
    'POST /oauth2/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
    'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
];
const PIECES = [
    '\r\n', '\n', '\r', '\r\n\r\n', '\0', ' ', '\t', ':', ',', ';', '/', '?', '#', '%00', '\x7f', '\x80', '\xff', '\x0b', '\x0c', '"',
    'Content-Length: 3\r\n', 'Content-Length: 0\r\n', 'Content-Length: 3, 3\r\n', 'Content-Length : 3\r\n', 'Content-Length: +3\r\n',
    'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding:\x0bchunked\r\n', 'Transfer-Encoding : chunked\r\n',
    'Transfer_Encoding: chunked\r\n', 'Host: a\r\n', 'Host: b\r\n', 'Host:\r\n', ' folded\r\n', 'X: y\r\n', 'Connection: close\r\n', 'Connection: keep-alive\r\n',
    'Upgrade: h2c\r\n', 'Expect: 100-continue\r\n', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1', 'chunked', '0\r\n\r\n', '3\r\nabc\r\n', 'ffffffffffffffff', '-1', '0x3',
    'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
];

function change(random: Random): Buffer {
    let text: string = random.one(SEEDS);
    for (let i = 1 + random.below(4); i > 0; i--) {
        const at = random.below(text.length + 1);
        const end = Math.min(text.length, at + random.below(random.chance(30) ? 40 : 3));
        switch (random.below(6)) {
            case 0: text = text.slice(0, at) + random.one(PIECES) + text.slice(at); break;
            case 1: text = text.slice(0, at) + text.slice(end); break;
            case 2: text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1); break;
            case 3: text = text.slice(0, at) + text.slice(at, end) + text.slice(at); break;
            case 4: text = text.slice(0, at) + random.one(SEEDS); break;
            default: {
                // At the start of a line: where field lines come.
                const line = text.indexOf('\r\n', at);
                if (line >= 0) text = text.slice(0, line + 2) + random.one(PIECES) + text.slice(line + 2);
            }
        }
    }
    return Buffer.from(text, 'latin1');
}

/** Everything that the server answers until it closes, as status codes with what follows their heads. */
function ask(port: number, bytes: Buffer, cuts: number[]): Promise<string> {
    return new Promise((resolve, reject) => {
        const pieces: Buffer[] = [];
        const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
        const timer = setTimeout(() => reject(new Error('hang')), HANG_MS);
        const done = (): void => {
            clearTimeout(timer);
            socket.destroy();
            resolve(Buffer.concat(pieces).toString('latin1'));
        };
        socket.setNoDelay(true);
        socket.on('data', (piece: Buffer) => pieces.push(piece));
        socket.on('end', done);
        socket.on('error', done); // a reset is a close
        socket.on('connect', () => {
            let at = 0;
            for (const cut of [...cuts, bytes.length]) {
                socket.write(bytes.subarray(at, cut));
                at = cut;
            }
            socket.end();
        });
    });
}

interface Answer {
    status: number;
    closes: boolean;
}

/** The replies in what came; methods tell which of them have no body. Wrong framing of ours throws. */
function answersIn(text: string, readings: Reading[]): Answer[] {
    const answers: Answer[] = [];
    for (let at = 0; at < text.length;) {
        const end = text.indexOf('\r\n\r\n', at);
        assert(end >= 0, `a whole head, not ${JSON.stringify(text.slice(at, at + 80))}`);
        const head = text.slice(at, end);
        const status = Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(head)?.[1]);
        assert(status >= 100, head);
        at = end + 4;
        if (status === 100) continue;
        const reading = readings[answers.length];
        const isHead = reading?.kind === 'whole' ? reading.method === 'HEAD' : /^HEAD/.test('');
        const length = Number(/\r\nContent-Length: ([0-9]+)/.exec(head)?.[1] ?? 0);
        // The reply to a HEAD that the strict reader calls broken has no body either: look what is there.
        const hasBody = !isHead && (reading?.kind === 'whole' || text.slice(at, at + 1) === '{');
        answers.push({ status, closes: /\r\nConnection: close/.test(head) });
        at += hasBody ? length : 0;
    }
    return answers;
}

function judge(readings: Reading[], answers: Answer[]): string | undefined {
    for (const [i, answer] of answers.entries()) {
        const reading = readings[i];
        const isRefusal = REFUSALS.has(answer.status);
        if (reading === undefined) return `an answer ${answer.status} to nothing`;
        if (reading.kind === 'whole') continue;
        if (reading.kind === 'broken' && reading.at === 'target' && [404, 405].includes(answer.status)) continue;
        // An error may be told as soon as the head is read; the connection then ends.
        if (reading.kind === 'broken' && reading.at === 'body' && answer.status >= 400 && answer.closes) continue;
        // Refused from its head on, before the strict reader has seen the end.
        if (reading.kind === 'cut' && (isRefusal || answer.closes)) continue;
        if (!isRefusal || !answer.closes) return `${answer.status} to ${reading.kind === 'broken' ? reading.why : 'a request cut off'}`;
    }
    return undefined;
}

describe('requests changed at random', () => {
    const server = useServer();
    const random = new Random();

    it(`nothing broken is served, nothing crashes or hangs (seed ${random.seed})`, { timeout: 7_200_000 }, async () => {
        const total = rounds(10_000);
        const front = server.child('posternd');
        const counts = { served: 0, refused: 0, closed: 0, strict: 0 };
        const wrong: string[] = [];
        let begun = 0;
        const worker = async (): Promise<void> => {
            while (begun++ < total && wrong.length < 10) {
                const bytes = change(random);
                const cuts = random.chance(20) ? [random.below(bytes.length + 1)] : [];
                const readings = readStrictly(bytes);
                const text = await ask(server.port, bytes, cuts);
                const answers = answersIn(text, readings);
                const fault = judge(readings, answers);
                if (fault !== undefined) wrong.push(`${fault}: ${JSON.stringify(bytes.toString('latin1'))} -> ${answers.map((a) => a.status).join()}`);
                if (answers.length === 0) counts.closed++;
                else if (answers.every((answer) => REFUSALS.has(answer.status))) counts.refused++;
                else counts.served++;
                if (readings.some((reading) => reading.kind === 'broken')) counts.strict++;
            }
        };
        await Promise.all(Array.from({ length: CONCURRENT }, worker));
        console.log(`${total} requests: ${counts.served} served at least one, ${counts.refused} refused, ${counts.closed} closed; the strict reader calls ${counts.strict} broken`);
        assert.equal(wrong.length, 0, wrong.join('\n'));
        assert.equal(server.child('posternd'), front, 'the same process still serves');
        assert.equal((await server.request('GET', '/healthz')).status, 200);
        assert(counts.served > total / 20 && counts.refused > total / 20, 'the changes are neither all good nor all bad');
    });
});
