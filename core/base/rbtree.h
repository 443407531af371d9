/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* An intrusive red-black tree. The user walks down by his own key, links, then rebalances; equal
 * keys are the user's affair. Holds no lock and allocates nothing. */

#ifndef VADTRACE_CORE_BASE_RBTREE_H
#define VADTRACE_CORE_BASE_RBTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One node, inside the user's struct. parent_color is the parent's address, bit 0 set when red. */
struct rb_node {
	uintptr_t parent_color;
	struct rb_node *left, *right;
};

struct rb_tree {
	struct rb_node *root;
	/* Called for a node whose children changed, from the leaf up: lets a user keep a value over
	 * subtrees (the largest gap, say). NULL when not needed. */
	void (*update)(struct rb_node *node);
};

#define rb_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/* Links `node` at *link below `parent` (NULL for the root) and restores the balance. */
void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link);
void rb_remove(struct rb_tree *tree, struct rb_node *node);
struct rb_node *rb_first(const struct rb_tree *tree);
struct rb_node *rb_last(const struct rb_tree *tree);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
/* Whether order of links, colours and black heights are right; for module checks. */
bool rb_is_valid(const struct rb_tree *tree);

#endif
