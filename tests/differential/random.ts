// SPDX-License-Identifier: Apache-2.0
// Chance that can be repeated: the seed is printed, and POSTERN_SEED sets it.

export class Random {
    readonly seed: number;
    #state: number;

    constructor(seed = Number(process.env['POSTERN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))) {
        this.seed = seed;
        this.#state = seed;
    }

    /** From 0 to below n: mulberry32. */
    below(n: number): number {
        this.#state = (this.#state + 0x6d2b79f5) | 0;
        let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
    }

    one<T>(of: readonly T[]): T {
        return of[this.below(of.length)] as T;
    }

    chance(percent: number): boolean {
        return this.below(100) < percent;
    }
}

/** How many rounds: a slice in the test run, more by script/differential. */
export function rounds(usual: number): number {
    return Number(process.env['POSTERN_ROUNDS'] ?? usual);
}
