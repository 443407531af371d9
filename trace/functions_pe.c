/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Wine keeps a circular list:
 *
 *   ntdll.dll's .data: | next, prev |  ->  | next, prev, base, end, table, count ... | -> ...
 *
 * No symbol says where the head is. It is found as the one pair of pointers in .data that leads to
 * such a node and back; before the first table there is none. All reading goes through the kernel:
 * the program may change the list meanwhile, then a table is missed. */

#include "trace/functions_pe.h"

#include <stddef.h>

#include "trace/stack/rules.h"
#include "trace/system.h"

#define NODES_MAX 4096
#define CHUNK_BYTES 1024u
#define FUNCTION_SIZE 12u

/* As Wine 8.0 has it. */
struct node {
	uint64_t next, prev;
	uint64_t base, end, table;
	uint32_t count, count_max; /* 0, or of a table that may grow */
	uint64_t callback, context;
};
_Static_assert(sizeof(struct node) == 64, "as Wine has it");

static uint64_t data_start, data_end;
static uint64_t list_head;
/* All generated code that rules were learned for. */
static uint64_t known_start = UINT64_MAX, known_end;

void functions_pe_start(uint64_t data, uint32_t size_bytes)
{
	__atomic_store_n(&data_start, data, __ATOMIC_RELAXED);
	__atomic_store_n(&data_end, data + size_bytes, __ATOMIC_RELEASE);
}

/* Whether the table's first and last entries are inside the node's range. In the place of a table
 * that a callback knows, there is a number whose lowest two bits are set. */
static bool has_table(const struct node *node)
{
	uint64_t last_entry = node->table + (uint64_t)(node->count - 1) * FUNCTION_SIZE;
	uint32_t first[3], last[3];

	if (node->callback)
		return (node->table & 3) == 3 && node->count == 0 && node->count_max == 0;
	return node->count > 0 && system_read_memory(node->table, first, sizeof(first)) &&
	       system_read_memory(last_entry, last, sizeof(last)) && first[0] < first[1] &&
	       last[0] < last[1] && first[0] <= last[0] && node->base + last[1] <= node->end;
}

static bool is_node(const struct node *node)
{
	return node->base < node->end && node->end >> 47 == 0 &&
	       node->end - node->base <= UINT32_MAX &&
	       (node->count_max == 0 || node->count <= node->count_max) && has_table(node);
}

static bool is_head(uint64_t address, uint64_t next, uint64_t prev)
{
	struct node node;
	uint64_t back;

	return next != address && next % 8 == 0 && prev % 8 == 0 && next > 0xffff &&
	       system_read_memory(next, &node, sizeof(node)) && node.prev == address &&
	       system_read_memory(prev, &back, sizeof(back)) && back == address && is_node(&node);
}

static uint64_t find_in(uint64_t at, uint32_t size_bytes)
{
	uint64_t words[CHUNK_BYTES / 8];

	if (!system_read_memory(at, words, size_bytes))
		return 0;
	for (uint32_t i = 0; i + 1 < size_bytes / 8; i++)
		if (words[i] && words[i + 1] &&
		    is_head(at + 8 * (uint64_t)i, words[i], words[i + 1]))
			return at + 8 * (uint64_t)i;
	return 0;
}

/* Chunks share a word: a pair may begin with it. */
static uint64_t scan_data(void)
{
	uint64_t end = __atomic_load_n(&data_end, __ATOMIC_ACQUIRE);
	uint64_t at = __atomic_load_n(&data_start, __ATOMIC_RELAXED), head = 0;

	for (; at < end && !head; at += CHUNK_BYTES - 8)
		head = find_in(at, end - at < CHUNK_BYTES ? (uint32_t)(end - at) : CHUNK_BYTES);
	return head;
}

/* 0: there is none yet. */
static uint64_t find_head(void)
{
	uint64_t head = __atomic_load_n(&list_head, __ATOMIC_RELAXED);

	if (head)
		return head;
	head = scan_data();
	__atomic_store_n(&list_head, head, __ATOMIC_RELAXED);
	return head;
}

static bool find_node(uint64_t pc, struct node *node)
{
	uint64_t head = find_head(), at = head;

	for (int i = 0; head && i < NODES_MAX; i++) {
		if (!system_read_memory(at, &at, sizeof(at)) || at == head ||
		    !system_read_memory(at, node, sizeof(*node)))
			return false;
		if (pc - node->base < node->end - node->base && is_node(node))
			return true;
	}
	return false;
}

/* The range of known code grows. Two threads may do it at once: each tries until it holds. */
static void include(uint64_t start, uint64_t end)
{
	uint64_t seen = __atomic_load_n(&known_start, __ATOMIC_RELAXED);

	while (start < seen && !__atomic_compare_exchange_n(&known_start, &seen, start, false,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
	seen = __atomic_load_n(&known_end, __ATOMIC_RELAXED);
	while (end > seen && !__atomic_compare_exchange_n(&known_end, &seen, end, false,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

/* The last node. ntdll.dll's data is never unmapped. */
uint64_t functions_pe_version(void)
{
	const uint64_t *head = (const uint64_t *)__atomic_load_n(&list_head, __ATOMIC_RELAXED);

	return head ? __atomic_load_n(&head[1], __ATOMIC_RELAXED) : 0;
}

bool functions_pe_find(uint64_t pc, struct pe_image *image)
{
	struct node node;

	if (!find_node(pc, &node))
		return false;
	include(node.base, node.end);
	*image = (struct pe_image){ .base = node.base,
				    .start = node.base,
				    .end = node.end,
				    .table = node.callback ? 0 : node.table,
				    .count = node.count,
				    .read = system_read_memory };
	return true;
}

void functions_pe_forget(uint64_t start, uint64_t end)
{
	if (start < __atomic_load_n(&known_end, __ATOMIC_RELAXED) &&
	    end > __atomic_load_n(&known_start, __ATOMIC_RELAXED))
		rules_forget(start, end);
}
