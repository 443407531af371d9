/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tree against an array of flags: random inserts and removes, order and balance after each. */

#include "core/base/rbtree.h"

#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define KEYS 512
#define STEPS 40000

struct item {
	struct rb_node node;
	int key;
	int subtree_size; /* kept by update() */
};

static struct item items[KEYS];
static bool is_in[KEYS];

static struct item *item_of(struct rb_node *node)
{
	return rb_entry(node, struct item, node);
}

static int size_of(struct rb_node *node)
{
	return node ? item_of(node)->subtree_size : 0;
}

static void update(struct rb_node *node)
{
	item_of(node)->subtree_size = 1 + size_of(node->left) + size_of(node->right);
}

static struct rb_tree tree = { NULL, update };

static void insert(int key)
{
	struct rb_node **link = &tree.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = key < item_of(parent)->key ? &parent->left : &parent->right;
	}
	items[key].key = key;
	rb_insert(&tree, &items[key].node, parent, link);
}

/* Whether going through the tree, either way, meets exactly the keys that are in. */
static bool is_same_as_array(void)
{
	struct rb_node *node = rb_first(&tree);

	for (int key = 0; key < KEYS; key++) {
		if (!is_in[key])
			continue;
		if (!node || item_of(node)->key != key)
			return false;
		node = rb_next(node);
	}
	if (node)
		return false;
	node = rb_last(&tree);
	for (int key = KEYS - 1; key >= 0; key--) {
		if (!is_in[key])
			continue;
		if (!node || item_of(node)->key != key)
			return false;
		node = rb_prev(node);
	}
	return node == NULL;
}

static bool are_sizes_right(struct rb_node *node)
{
	if (!node)
		return true;
	return item_of(node)->subtree_size == 1 + size_of(node->left) + size_of(node->right) &&
	       are_sizes_right(node->left) && are_sizes_right(node->right);
}

static int first_wrong_step(void)
{
	for (int step = 0; step < STEPS; step++) {
		int key = (int)random_below(KEYS);

		if (is_in[key])
			rb_remove(&tree, &items[key].node);
		else
			insert(key);
		is_in[key] = !is_in[key];
		if (!rb_is_valid(&tree) || !are_sizes_right(tree.root))
			return step;
		if (step % 16 == 0 && !is_same_as_array())
			return step;
	}
	return -1;
}

static void test_validity_can_fail(void)
{
	struct rb_node *root;

	while (tree.root)
		rb_remove(&tree, tree.root);
	for (int key = 0; key < 8; key++)
		insert(key);
	ok(rb_is_valid(&tree), "a tree of eight is valid");
	root = tree.root;
	root->parent_color |= 1;
	ok(!rb_is_valid(&tree), "a red root is found");
	root->parent_color &= ~(uintptr_t)1;
	rb_first(&tree)->parent_color ^= 1;
	ok(!rb_is_valid(&tree), "a leaf of the wrong colour is found");
}

int main(void)
{
	random_start();
	ok(rb_first(&tree) == NULL && rb_last(&tree) == NULL && rb_is_valid(&tree),
	   "an empty tree is valid and has no ends");
	ok_equal(first_wrong_step(), -1, "%d random steps, each leaves a valid tree", STEPS);
	test_validity_can_fail();
	return tap_done();
}
