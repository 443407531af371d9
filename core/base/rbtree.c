/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* An intrusive red-black tree.
 *
 *  - the root is black; a red node has black children;
 *  - every way from a node down to a missing child passes equally many black nodes.
 *
 * A missing child counts as black. With an update function, the value that a user keeps over
 * subtrees is right again for every node when rb_insert and rb_remove return. No lock of its own.
 */

#include "core/base/rbtree.h"

#include "core/base/hints.h"

#define RED ((uintptr_t)1)

static struct rb_node *parent_of(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~RED);
}

static bool is_red(const struct rb_node *node)
{
	return node && (node->parent_color & RED);
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (uintptr_t)parent | (node->parent_color & RED);
}

static void set_red(struct rb_node *node)
{
	node->parent_color |= RED;
}

static void set_black(struct rb_node *node)
{
	node->parent_color &= ~RED;
}

/* Puts `next` (may be NULL) where `node` hangs below `parent`. */
static void replace_child(struct rb_tree *tree, struct rb_node *parent, struct rb_node *node,
			  struct rb_node *next)
{
	if (!parent)
		tree->root = next;
	else if (parent->left == node)
		parent->left = next;
	else
		parent->right = next;
}

static void update(struct rb_tree *tree, struct rb_node *node)
{
	if (tree->update)
		tree->update(node);
}

static void update_upwards(struct rb_tree *tree, struct rb_node *node)
{
	if (!tree->update)
		return;
	for (; node; node = parent_of(node))
		tree->update(node);
}

/*     node              right
 *    /    \            /     \
 *   a    right   ->  node     c
 *        /   \      /    \
 *       b     c    a      b      */
static void rotate_left(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *right = node->right, *parent = parent_of(node);

	node->right = right->left;
	if (node->right)
		set_parent(node->right, node);
	right->left = node;
	set_parent(right, parent);
	replace_child(tree, parent, node, right);
	set_parent(node, right);
	update(tree, node);
	update(tree, right);
}

/* The mirror image. */
static void rotate_right(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *left = node->left, *parent = parent_of(node);

	node->left = left->right;
	if (node->left)
		set_parent(node->left, node);
	left->right = node;
	set_parent(left, parent);
	replace_child(tree, parent, node, left);
	set_parent(node, left);
	update(tree, node);
	update(tree, left);
}

static void rotate(struct rb_tree *tree, struct rb_node *node, bool to_left)
{
	if (to_left)
		rotate_left(tree, node);
	else
		rotate_right(tree, node);
}

/* `node` and its parent are red: turns the grandparent so that only one of three is. */
static void repair_red_pair(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
			    struct rb_node *grandparent)
{
	bool parent_is_left = grandparent->left == parent;

	if ((parent->left == node) != parent_is_left) {
		rotate(tree, parent, /* to_left */ parent_is_left);
		parent = node;
	}
	set_black(parent);
	set_red(grandparent);
	rotate(tree, grandparent, /* to_left */ !parent_is_left);
}

static void balance_after_insert(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *parent, *grandparent, *uncle;

	while (is_red(parent = parent_of(node))) {
		grandparent = parent_of(parent);
		uncle = grandparent->left == parent ? grandparent->right : grandparent->left;
		if (!is_red(uncle)) {
			repair_red_pair(tree, node, parent, grandparent);
			break;
		}
		set_black(parent);
		set_black(uncle);
		set_red(grandparent);
		node = grandparent;
	}
	set_black(tree->root);
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link)
{
	node->parent_color = (uintptr_t)parent | RED;
	node->left = node->right = NULL;
	*link = node;
	update_upwards(tree, node);
	balance_after_insert(tree, node);
}

/* The sibling is black. Returns whether the tree is balanced now; if not, the lack of one black
 * node has moved up to `parent`. */
static bool repair_black_lack(struct rb_tree *tree, struct rb_node *parent, bool on_left)
{
	struct rb_node *sibling = on_left ? parent->right : parent->left;
	struct rb_node *near = on_left ? sibling->left : sibling->right;
	struct rb_node *far = on_left ? sibling->right : sibling->left;

	if (!is_red(near) && !is_red(far)) {
		set_red(sibling);
		return false;
	}
	if (!is_red(far)) {
		set_black(near);
		set_red(sibling);
		rotate(tree, sibling, /* to_left */ !on_left);
		far = sibling;
		sibling = near;
	}
	if (is_red(parent))
		set_red(sibling);
	else
		set_black(sibling);
	set_black(parent);
	set_black(far);
	rotate(tree, parent, /* to_left */ on_left);
	return true;
}

/* `node` (may be missing) below `parent` has one black node too few on every way down. */
static void balance_after_remove(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
	while (parent && !is_red(node)) {
		bool on_left = parent->left == node;
		struct rb_node *sibling = on_left ? parent->right : parent->left;

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(tree, parent, /* to_left */ on_left);
		}
		if (repair_black_lack(tree, parent, on_left))
			return;
		node = parent;
		parent = parent_of(node);
	}
	if (node)
		set_black(node);
}

/* Takes out a node that has one child at most. */
static void remove_simple(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *child = node->left ? node->left : node->right;
	struct rb_node *parent = parent_of(node);

	replace_child(tree, parent, node, child);
	if (child)
		set_parent(child, parent);
	update_upwards(tree, parent);
	if (!is_red(node))
		balance_after_remove(tree, child, parent);
}

/* `next` takes the place, the children and the colour of `node`. */
static void take_place(struct rb_tree *tree, struct rb_node *node, struct rb_node *next)
{
	*next = *node;
	replace_child(tree, parent_of(node), node, next);
	if (next->left)
		set_parent(next->left, next);
	if (next->right)
		set_parent(next->right, next);
	update_upwards(tree, next);
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next;

	if (!node->left || !node->right) {
		remove_simple(tree, node);
		return;
	}
	next = rb_next(node);
	remove_simple(tree, next);
	take_place(tree, node, next);
}

struct rb_node *rb_first(const struct rb_tree *tree)
{
	struct rb_node *node = tree->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
	struct rb_node *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->right) {
		node = node->right;
		while (node->left)
			node = node->left;
		return (struct rb_node *)node;
	}
	for (parent = parent_of(node); parent && parent->right == node; parent = parent_of(node))
		node = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->left) {
		node = node->left;
		while (node->right)
			node = node->right;
		return (struct rb_node *)node;
	}
	for (parent = parent_of(node); parent && parent->left == node; parent = parent_of(node))
		node = parent;
	return parent;
}

/* Black nodes on any way down from `node`, or -1 when the rules are broken below it. */
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	if (parent_of(node) != parent || (is_red(node) && is_red(parent)))
		return -1;
	left = black_height(node->left, node);
	right = black_height(node->right, node);
	if (left < 0 || left != right)
		return -1;
	return left + !is_red(node);
}

bool rb_is_valid(const struct rb_tree *tree)
{
	return !is_red(tree->root) && black_height(tree->root, NULL) >= 0;
}
