// SPDX-License-Identifier: Apache-2.0
// Bytes over a socket, and what comes back, read strictly: a second opinion on what the server sends.
import assert from 'node:assert/strict';
import net from 'node:net';
import { within } from './server.js';

export interface RawReply {
    version: string;
    status: number;
    headers: Map<string, string[]>;
    body: string;
}

export interface Exchange {
    replies: RawReply[];
    /** The server closed the connection. */
    isClosed: boolean;
    /** Bytes after the last whole reply. */
    rest: string;
}

/** One reply at the start of bytes, or undefined when it is not whole. 1xx replies stand for themselves. */
function takeReply(bytes: Buffer, method: string, isEnd: boolean): { reply: RawReply; length: number } | undefined {
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
    const status = /^(HTTP\/1\.[01]) ([1-5][0-9]{2}) [\t\x20-\x7e]*$/.exec(statusLine);
    assert(status !== null, `a status line: ${JSON.stringify(statusLine)}`);
    const headers = new Map<string, string[]>();
    for (const line of lines) {
        const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
        assert(field !== null, `a header line: ${JSON.stringify(line)}`);
        const name = (field[1] ?? '').toLowerCase();
        headers.set(name, [...(headers.get(name) ?? []), field[2] ?? '']);
    }
    const code = Number(status[2]);
    let length = headEnd + 4;
    let body = '';
    const hasBody = method !== 'HEAD' && code >= 200 && code !== 204 && code !== 304;
    assert(!headers.has('transfer-encoding'), 'replies have a length');
    const lengths = headers.get('content-length') ?? [];
    assert(lengths.length <= 1, 'one Content-Length');
    if (code < 200 || code === 204) assert.equal(lengths.length, 0, `no Content-Length with ${code}`);
    if (hasBody) {
        if (lengths[0] === undefined) {
            assert.deepEqual(headers.get('connection'), ['close'], 'no length, so it must close');
            if (!isEnd) return undefined;
            body = bytes.subarray(length).toString('utf8');
            length = bytes.length;
        } else {
            assert.match(lengths[0], /^[0-9]+$/);
            const end = length + Number(lengths[0]);
            if (bytes.length < end) return undefined;
            body = bytes.subarray(length, end).toString('utf8');
            length = end;
        }
    }
    if (code >= 200) assert.equal(headers.get('date')?.length, 1, 'one Date');
    return { reply: { version: status[1] ?? '', status: code, headers, body }, length };
}

/** A connection that is written to and read from step by step. */
export class Connection {
    #socket: net.Socket;
    #bytes: Buffer = Buffer.alloc(0);
    #wake: () => void = () => undefined;
    isClosed = false;
    readonly replies: RawReply[] = [];
    /** Methods of the requests sent, in order; those of HEAD have replies without body. */
    methods: string[] = [];

    private constructor(socket: net.Socket) {
        this.#socket = socket;
        socket.setNoDelay(true);
        socket.on('data', (piece) => {
            this.#bytes = Buffer.concat([this.#bytes, piece]);
            this.#wake();
        });
        const closed = (): void => {
            this.isClosed = true;
            this.#wake();
        };
        socket.on('end', closed);
        socket.on('close', closed);
        socket.on('error', closed); // a reset is a close
    }

    static async open(port: number): Promise<Connection> {
        const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
        await within(
            'a connection',
            new Promise<void>((resolve, reject) => {
                socket.once('connect', () => resolve());
                socket.once('error', reject);
            }),
        );
        return new Connection(socket);
    }

    async write(bytes: string | Buffer): Promise<void> {
        if (this.isClosed || this.#socket.destroyed) return;
        const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
        await new Promise<void>((resolve) => {
            this.#socket.write(data, () => resolve());
        });
    }

    get rest(): string {
        return this.#bytes.toString('latin1');
    }

    #take(): boolean {
        const done = this.replies.filter((reply) => reply.status >= 200).length;
        const taken = takeReply(this.#bytes, this.methods[done] ?? 'GET', this.isClosed);
        if (taken === undefined) return false;
        this.#bytes = this.#bytes.subarray(taken.length);
        this.replies.push(taken.reply);
        return true;
    }

    /** The next reply, or undefined when the server closed before one. */
    async reply(): Promise<RawReply | undefined> {
        const before = this.replies.length;
        await within(
            `a reply; so far ${JSON.stringify(this.rest.slice(0, 200))}`,
            (async () => {
                while (!this.#take()) {
                    if (this.isClosed) return;
                    await new Promise<void>((resolve) => (this.#wake = resolve));
                }
            })(),
        );
        return this.replies[before];
    }

    /** Reads until the server closes. */
    async closed(): Promise<Exchange> {
        while ((await this.reply()) !== undefined);
        await within(
            'the server to close',
            (async () => {
                while (!this.isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
            })(),
        );
        this.close();
        return { replies: this.replies, isClosed: true, rest: this.rest };
    }

    /** Ends our sending side only. */
    end(): void {
        this.#socket.end();
    }

    close(): void {
        this.#socket.destroy();
    }
}

/** Writes the pieces and reads until the server closes, or until count final replies have come. */
export async function exchange(
    port: number,
    pieces: (string | Buffer)[],
    options: { count?: number; methods?: string[] } = {},
): Promise<Exchange> {
    const connection = await Connection.open(port);
    connection.methods = options.methods ?? [];
    try {
        for (const piece of pieces) await connection.write(piece);
        if (options.count === undefined) return await connection.closed();
        while (connection.replies.filter((reply) => reply.status >= 200).length < options.count) {
            if ((await connection.reply()) === undefined) break;
        }
        return { replies: connection.replies, isClosed: connection.isClosed, rest: connection.rest };
    } finally {
        connection.close();
    }
}
