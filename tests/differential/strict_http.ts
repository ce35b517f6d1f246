// SPDX-License-Identifier: Apache-2.0
// A strict reading of HTTP/1.1 requests, from the grammar of RFC 9110 and RFC 9112 and nothing else: slow, small and
// independent of the product. What it calls broken, a server that is exposed to the internet must not serve.

export type Reading =
    | { kind: 'whole'; method: string; version: string; isOriginForm: boolean; keepsAlive: boolean }
    | { kind: 'broken'; why: string; at: 'head' | 'target' | 'body' }
    | { kind: 'cut' }; // the bytes end before the request does

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+;=]*)(:[0-9]*)?$/;
// RFC 3986, and in the query what browsers and curl send as it is ("|", "^", "{"…), though RFC 3986 has it encoded.
const ORIGIN_FORM = /^\/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*(\?[\x21\x24-\x3b\x3d\x3f-\x7e]*)?$/;

function broken(why: string, at: 'head' | 'target' | 'body' = 'head'): Reading {
    return { kind: 'broken', why, at };
}

/** A line up to CRLF. A CR or LF anywhere else is no line end (RFC 9112 §2.2, strictly). */
function takeLine(text: string, at: number): { line: string; next: number } | 'cut' | 'bare' {
    for (let i = at; i < text.length; i++) {
        if (text[i] === '\n') return 'bare';
        if (text[i] === '\r') {
            if (i + 1 === text.length) return 'cut';
            return text[i + 1] === '\n' ? { line: text.slice(at, i), next: i + 2 } : 'bare';
        }
    }
    return 'cut';
}

interface Fields {
    all: Map<string, string[]>;
    next: number;
}

function takeFields(text: string, start: number): Fields | Reading {
    const all = new Map<string, string[]>();
    for (let at = start; ;) {
        const taken = takeLine(text, at);
        if (taken === 'cut') return { kind: 'cut' };
        if (taken === 'bare') return broken('a bare CR or LF in the fields');
        if (taken.line === '') return { all, next: taken.next };
        const colon = taken.line.indexOf(':');
        const name = taken.line.slice(0, colon);
        if (colon < 1 || !TOKEN.test(name)) return broken('a field without a proper name');
        const value = taken.line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
        if (!FIELD_VALUE.test(value)) return broken('a control character in a value');
        const key = name.toLowerCase();
        all.set(key, [...(all.get(key) ?? []), value]);
        at = taken.next;
    }
}

/** RFC 9112 §7.1. Answers where the body ends. */
function takeChunks(text: string, start: number): number | Reading {
    for (let at = start; ;) {
        const taken = takeLine(text, at);
        if (taken === 'cut') return { kind: 'cut' };
        if (taken === 'bare') return broken('a bare CR or LF in a chunk line', 'body');
        const size = /^([0-9A-Fa-f]+)([ \t]*;.*)?$/.exec(taken.line);
        if (size === null || !FIELD_VALUE.test(taken.line)) return broken('no chunk size', 'body');
        const length = BigInt(`0x${size[1]}`);
        if (length >= 1n << 63n) return broken('a chunk size over 63 bits', 'body');
        if (length === 0n) {
            const trailers = takeFields(text, taken.next);
            if (!('kind' in trailers)) return trailers.next;
            return trailers.kind === 'broken' ? { ...trailers, at: 'body' } : trailers;
        }
        const end = taken.next + Number(length);
        if (end + 2 > text.length) {
            const seen = text.slice(end, end + 2);
            return seen !== '' && !'\r\n'.startsWith(seen) ? broken('chunk data is too long', 'body') : { kind: 'cut' };
        }
        if (text.slice(end, end + 2) !== '\r\n') return broken('chunk data does not end in CRLF', 'body');
        at = end + 2;
    }
}

/** RFC 9112 §6.3, with everything that is not plainly right called broken. */
function takeBody(text: string, fields: Fields, version: string): number | Reading {
    const lengths = fields.all.get('content-length');
    const codings = fields.all.get('transfer-encoding');
    if (codings !== undefined) {
        if (lengths !== undefined) return broken('Transfer-Encoding with Content-Length');
        if (version === '1.0') return broken('Transfer-Encoding in HTTP/1.0');
        if (codings.length !== 1 || codings[0]?.toLowerCase() !== 'chunked') return broken('a transfer coding that is not chunked alone');
        return takeChunks(text, fields.next);
    }
    if (lengths === undefined) return fields.next;
    if (lengths.length !== 1 || !/^[0-9]+$/.test(lengths[0] ?? '')) return broken('not one length of digits');
    const length = BigInt(lengths[0] ?? '0');
    if (length >= 1n << 63n) return broken('a length over 63 bits');
    const end = fields.next + Number(length);
    return end > text.length ? { kind: 'cut' } : end;
}

function checkHost(fields: Fields, version: string, target: string): Reading | undefined {
    const hosts = fields.all.get('host') ?? [];
    if (hosts.length > 1 || (hosts.length === 0 && version !== '1.0')) return broken('not one Host');
    if (hosts.length === 1 && !HOST.test(hosts[0] ?? '')) return broken('a Host that is none');
    const absolute = /^https?:\/\/([^/?#]*)/i.exec(target);
    if (absolute !== null && hosts.length === 1 && absolute[1]?.toLowerCase() !== hosts[0]?.toLowerCase())
        return broken('the target is of another host');
    return undefined;
}

/** The first request in text from at on, and where it ends. */
function readOne(text: string, start: number): { reading: Reading; next: number } {
    const stop = (reading: Reading): { reading: Reading; next: number } => ({ reading, next: text.length });
    let at = start;
    while (text.startsWith('\r\n', at)) at += 2; // RFC 9112 §2.2
    if (at === text.length || text.slice(at) === '\r') return stop({ kind: 'cut' });
    const first = takeLine(text, at);
    if (first === 'cut') return stop({ kind: 'cut' });
    if (first === 'bare') return stop(broken('a bare CR or LF in the request line'));
    const parts = first.line.split(' ');
    const [method = '', target = '', protocol = ''] = parts;
    const version = /^HTTP\/(1\.[01])$/.exec(protocol)?.[1];
    if (parts.length !== 3 || !TOKEN.test(method) || version === undefined) return stop(broken('the request line'));
    const isOriginForm = ORIGIN_FORM.test(target);
    const isTarget = isOriginForm || target === '*' || /^https?:\/\/[\x21-\x7e]+$/i.test(target) || method === 'CONNECT';
    const fields = takeFields(text, first.next);
    if ('kind' in fields) return stop(fields);
    const host = checkHost(fields, version, target);
    if (host !== undefined) return stop(host);
    const end = takeBody(text, fields, version);
    if (typeof end !== 'number') return stop(end);
    if (!isTarget) return { reading: broken('the target', 'target'), next: end };
    const connection = (fields.all.get('connection') ?? []).join(',').toLowerCase();
    const options = connection.split(',').map((option) => option.trim());
    const keepsAlive = version === '1.1' ? !options.includes('close') : options.includes('keep-alive');
    return { reading: { kind: 'whole', method, version, isOriginForm, keepsAlive }, next: end };
}

/** All requests, up to the first that is broken or cut. */
export function readStrictly(bytes: Buffer): Reading[] {
    const text = bytes.toString('latin1');
    const readings: Reading[] = [];
    for (let at = 0; at < text.length;) {
        const { reading, next } = readOne(text, at);
        readings.push(reading);
        if (reading.kind === 'cut' || (reading.kind === 'broken' && reading.at !== 'target')) break;
        at = next;
    }
    return readings;
}
