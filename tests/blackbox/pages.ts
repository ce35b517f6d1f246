// SPDX-License-Identifier: Apache-2.0
// Walking through a list, page by page.
import assert from 'node:assert/strict';
import type { Json, Reply, RequestOptions } from './server.js';

type Ask = (method: string, path: string, options?: RequestOptions) => Promise<Reply>;

/** One page as it must look: the items, and the key of the next page or undefined. */
export async function page(ask: Ask, path: string, plural: string): Promise<{ items: Json[]; next: string | undefined }> {
    const reply = await ask('GET', path);
    assert.equal(reply.status, 200, reply.text);
    assert(Array.isArray(reply.json[plural]), reply.text);
    const metadata = reply.json.metadata ?? {};
    assert(!('page_key' in metadata) || (typeof metadata.page_key === 'string' && metadata.page_key !== ''), reply.text);
    return { items: reply.json[plural], next: metadata.page_key };
}

/** All pages in order; never the same item twice. */
export async function allPages(ask: Ask, path: string, plural: string, limit = 100): Promise<Json[][]> {
    const pages: Json[][] = [];
    const seen = new Set<string>();
    let next: string | undefined;
    do {
        const separator = path.includes('?') ? '&' : '?';
        const key = next === undefined ? '' : `&page_key=${encodeURIComponent(next)}`;
        const one = await page(ask, `${path}${separator}limit=${limit}${key}`, plural);
        assert(one.items.length <= limit);
        assert(one.items.length > 0 || pages.length === 0, 'no empty page after others');
        for (const item of one.items) {
            assert(!seen.has(item.id), `${item.id} stands on two pages`);
            seen.add(item.id);
        }
        pages.push(one.items);
        next = one.next;
    } while (next !== undefined);
    return pages;
}
