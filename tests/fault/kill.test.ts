// SPDX-License-Identifier: Apache-2.0
// SIGKILL to any of the three processes at any moment, under a load of writes and tokens. The client's side keeps
// a ledger: what was acknowledged must be there afterwards, what was deleted must be gone, and no jti comes twice.
//
// POSTERN_KILLS: how many kills (10). POSTERN_SEED: repeats the choices of an earlier run; the moments themselves
// still depend on the machine. Times of recovery are printed, never asserted.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from '../blackbox/check.js';
import { allPages } from '../blackbox/pages.js';
import {
    childrenOf, eventually, isAlive, Server, type AppClient, type Json, type Reply, type RequestOptions,
} from '../blackbox/server.js';

const KILLS = Number(process.env['POSTERN_KILLS'] ?? 10);
const SEED = Number(process.env['POSTERN_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const WRITERS = 4;
const ASKERS = 3;

/** mulberry32: small, seeded, good enough to choose with. */
function random(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

type Fate = 'asked' | 'there' | 'asked to go' | 'gone' | 'refused';

interface Entry {
    kind: 'app_clients' | 'corpora';
    name: string;
    fate: Fate;
    made: Json | undefined;
    /** The description last acknowledged, and those whose fate is not known. */
    description: string;
    maybe: Set<string>;
}

class Ledger {
    entries: Entry[] = [];
    jtis = new Map<string, number>();
    inFlight = 0;
    counts = { created: 0, changed: 0, deleted: 0, tokens: 0, unknown: 0, refused503: 0 };
}

class Load {
    failure: unknown;
    #stopping = false;
    #loops: Promise<void>[] = [];

    constructor(
        readonly server: Server,
        readonly ledger: Ledger,
        readonly owner: AppClient,
        readonly choose: () => number,
    ) {}

    start(): void {
        for (let i = 0; i < WRITERS; i++) this.#run(this.#write(i));
        for (let i = 0; i < ASKERS; i++) this.#run(this.#ask());
    }

    /** A wrong answer ends the load; stop() tells it. */
    #run(loop: Promise<void>): void {
        this.#loops.push(
            loop.catch((error: unknown) => {
                this.failure ??= error;
                this.#stopping = true;
            }),
        );
    }

    async stop(): Promise<void> {
        this.#stopping = true;
        await Promise.all(this.#loops);
        if (this.failure !== undefined) throw this.failure;
    }

    /** A write; undefined when it is not known whether it happened. */
    async #send(method: string, path: string, options: RequestOptions): Promise<Reply | undefined> {
        this.ledger.inFlight++;
        try {
            const reply = await this.server.request(method, path, options);
            if (reply.status === 503) {
                // 503 is a promise to have done nothing only before commit; the ledger takes neither for granted.
                this.ledger.counts.refused503++;
                return undefined;
            }
            return reply;
        } catch {
            this.ledger.counts.unknown++;
            await delay(10);
            return undefined;
        } finally {
            this.ledger.inFlight--;
        }
    }

    async #token(): Promise<string | undefined> {
        const { client_id, client_secret } = this.owner;
        try {
            const reply = await this.server.request('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials', client_id, client_secret },
            });
            if (reply.status === 503) return undefined;
            // Never a wrong answer: a lost signer or store is no failed authentication.
            assert.equal(reply.status, 200, reply.text);
            const token: string = reply.json.access_token;
            const { jti } = decodeJwt(token).claims;
            this.ledger.jtis.set(jti, (this.ledger.jtis.get(jti) ?? 0) + 1);
            this.ledger.counts.tokens++;
            return token;
        } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
            await delay(10);
            return undefined;
        }
    }

    async #ask(): Promise<void> {
        while (!this.#stopping) {
            const token = await this.#token();
            if (token === undefined) continue;
            const reply = await this.server.request('GET', '/v2/corpora?limit=1', { token }).catch(() => undefined);
            if (reply !== undefined) assert([200, 503].includes(reply.status), reply.text);
        }
    }

    async #write(writer: number): Promise<void> {
        let token: string | undefined;
        const mine: Entry[] = [];
        for (let i = 0; !this.#stopping; i++) {
            token ??= await this.#token();
            if (token === undefined) continue;
            const alive = mine.filter((entry) => entry.fate === 'there');
            const victim = alive[Math.floor(this.choose() * alive.length)];
            const dice = this.choose();
            if (victim === undefined || dice < 0.55) await this.#create(mine, `w${writer}-${i}`, token);
            else if (dice < 0.75) await this.#change(victim, `${i}`, token);
            else await this.#delete(victim, token);
        }
    }

    async #create(mine: Entry[], name: string, token: string): Promise<void> {
        const kind = this.choose() < 0.6 ? 'app_clients' : 'corpora';
        const entry: Entry = { kind, name, fate: 'asked', made: undefined, description: 'first', maybe: new Set() };
        this.ledger.entries.push(entry);
        mine.push(entry);
        const json = kind === 'corpora'
            ? { key: name, description: 'first' }
            : { type: 'client_credentials', name, description: 'first', api_roles: ['viewer'] };
        const reply = await this.#send('POST', `/v2/${kind}`, { token, json });
        if (reply === undefined) return;
        assert.equal(reply.status, 201, reply.text);
        entry.fate = 'there';
        entry.made = reply.json;
        this.ledger.counts.created++;
    }

    async #change(entry: Entry, description: string, token: string): Promise<void> {
        if (entry.kind === 'corpora') return;
        entry.maybe.add(description);
        const reply = await this.#send('PATCH', `/v2/app_clients/${entry.made.id}`, { token, json: { description } });
        if (reply === undefined) return;
        assert.equal(reply.status, 200, reply.text);
        entry.description = description;
        entry.maybe.clear();
        this.ledger.counts.changed++;
    }

    async #delete(entry: Entry, token: string): Promise<void> {
        entry.fate = 'asked to go';
        const id = entry.kind === 'corpora' ? entry.name : entry.made.id;
        const reply = await this.#send('DELETE', `/v2/${entry.kind}/${id}`, { token });
        if (reply === undefined) return;
        assert.equal(reply.status, 204, reply.text);
        entry.fate = 'gone';
        this.ledger.counts.deleted++;
    }
}

/** Compares what the server has with what it said. */
async function audit(server: Server, ledger: Ledger, owner: AppClient): Promise<void> {
    const ask = (method: string, path: string): Promise<Reply> => server.control(method, path);
    for (const kind of ['app_clients', 'corpora'] as const) {
        const found = (await allPages(ask, `/v2/${kind}`, kind)).flat().filter((item) => item.id !== owner.id);
        const nameOf = (item: Json): string => (kind === 'corpora' ? item.key : item.name);
        const byName = new Map<string, Json[]>();
        for (const item of found) byName.set(nameOf(item), [...(byName.get(nameOf(item)) ?? []), item]);
        const entries = ledger.entries.filter((entry) => entry.kind === kind);
        const known = new Set(entries.map((entry) => entry.name));
        for (const name of byName.keys()) assert(known.has(name), `${name} was never asked for`);
        for (const entry of entries) {
            const items = byName.get(entry.name) ?? [];
            assert(items.length <= 1, `${entry.name} stands twice`);
            if (entry.fate === 'there') {
                assert.equal(items.length, 1, `${kind} ${entry.name}: acknowledged and lost`);
                assert.equal(items[0].id, entry.made.id);
                const allowed = [entry.description, ...entry.maybe];
                assert(allowed.includes(items[0].description), `${entry.name}: ${items[0].description} is none of ${allowed.join()}`);
            }
            if (entry.fate === 'gone') assert.equal(items.length, 0, `${kind} ${entry.name}: deleted and back again`);
        }
    }
    // Acknowledged secrets work; those of deleted clients do not.
    const clients = ledger.entries.filter((entry) => entry.kind === 'app_clients' && entry.made !== undefined);
    for (const [fate, status] of [['there', 200], ['gone', 401]] as const) {
        for (const { made, name } of clients.filter((entry) => entry.fate === fate).slice(-60)) {
            const reply = await server.request('POST', '/oauth2/token', {
                form: { grant_type: 'client_credentials', client_id: made.client_id, client_secret: made.client_secret },
            });
            assert.equal(reply.status, status, `${name}, ${fate}: ${reply.text}`);
        }
    }
    for (const [jti, times] of ledger.jtis) assert.equal(times, 1, `jti ${jti} came ${times} times`);
}

describe('kills', () => {
    it(`${KILLS} at random moments lose nothing that was acknowledged`, { timeout: 120_000 + KILLS * 20_000 }, async (t) => {
        t.diagnostic(`POSTERN_SEED=${SEED} POSTERN_KILLS=${KILLS}`);
        const choose = random(SEED);
        // A fixed issuer, so that tokens outlive a change of port.
        const server = new Server({ args: ['--public-url', 'https://auth.example.com'] });
        try {
            await server.start();
            const owner = await server.createClient(['owner'], { name: 'the load' });
            const ledger = new Ledger();
            const load = new Load(server, ledger, owner, random(SEED + 1));
            load.start();

            const recoveries: { victim: string; ms: number }[] = [];
            let withWrites = 0;
            for (let kill = 0; kill < KILLS && load.failure === undefined; kill++) {
                await delay(50 + choose() * 450);
                const victim = (['postern', 'posternd', 'postern-signer'] as const)[Math.floor(choose() * 3)] ?? 'postern';
                if (ledger.inFlight > 0) withWrites++;
                const start = performance.now();
                if (victim === 'postern') {
                    const children = childrenOf(server.pid).map((child) => child.pid);
                    await server.signal('SIGKILL');
                    await eventually('the children to end', () => (children.some(isAlive) ? undefined : true));
                    await server.start();
                } else {
                    const pid = server.child(victim);
                    process.kill(pid, 'SIGKILL');
                    await eventually(`${victim} to be replaced`, () =>
                        childrenOf(server.pid).some((child) => child.name === victim && child.pid !== pid) ? true : undefined);
                }
                await eventually('a token', async () => {
                    const reply = await server.request('POST', '/oauth2/token', {
                        form: { grant_type: 'client_credentials', client_id: owner.client_id, client_secret: owner.client_secret },
                    });
                    return reply.status === 200 ? true : undefined;
                });
                recoveries.push({ victim, ms: performance.now() - start });
                await eventually('a write', async () => {
                    const before = ledger.counts.created;
                    await delay(20);
                    return ledger.counts.created > before || load.failure !== undefined ? true : undefined;
                });
            }
            await load.stop();
            await audit(server, ledger, owner);
            // And once more from the disk alone.
            await server.stop();
            await server.start();
            await audit(server, ledger, owner);

            t.diagnostic(`kills ${recoveries.length}, with a write in flight ${withWrites}; ${JSON.stringify(ledger.counts)}`);
            for (const victim of ['postern', 'posternd', 'postern-signer']) {
                const times = recoveries.filter((one) => one.victim === victim).map((one) => Math.round(one.ms)).sort((a, b) => a - b);
                t.diagnostic(`${victim}: ${times.length} kills, to the next token ${times.join(', ') || '-'} ms`);
            }
            assert(ledger.counts.created > 0 && ledger.counts.tokens > 0, 'the load did something');
        } finally {
            await server.dispose();
        }
    });
});
