/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A reader of .eh_frame, for three registers of x86-64: rbp, rsp and the return address.
 *
 *   .eh_frame_hdr:  version, encodings, table of (first pc, FDE), sorted
 *   .eh_frame:      CIE: encodings, first instructions    FDE: pc range, instructions
 *
 * The instructions are run until they pass the wanted pc. What compilers and glibc write becomes a
 * rule; anything else is CFI_COMPLEX. */

#include "trace/stack/cfi.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define COLUMN_RCX 2
#define COLUMN_RBP 6
#define COLUMN_RSP 7
#define COLUMN_RIP 16
#define STATES_MAX 4
#define OTHER_COLUMN 255
#define OFFSET_BITS 29 /* a larger offset is the largest, which no rule takes */

/* Bytes to read. `is_bad` stays set once a read went over the end. */
struct cursor {
	const uint8_t *at, *end;
	bool is_bad;
};

/* Where one register of the caller is. */
enum where {
	WHERE_KEPT = 0,
	WHERE_AT_CFA,
	WHERE_AT_RBP,
	WHERE_AT_RCX,
	WHERE_NOWHERE,
	WHERE_COMPLEX,
};

struct place {
	uint32_t where : 3;
	int32_t offset : OFFSET_BITS;
};

/* One row of the table that the instructions describe. Small: there are several on the stack. */
struct row {
	struct place rbp, rip;
	int32_t cfa_offset;
	uint8_t cfa_column;
	bool is_cfa_loaded : 1, is_complex : 1;
};

_Static_assert(sizeof(struct row) == 16, "the stack of a signal handler may be small");

struct cie {
	struct cursor instructions;
	uint64_t code_align;
	int64_t data_align;
	uint8_t pointer_encoding;
	bool has_augmentation, is_signal_frame;
};

struct machine {
	const struct cie *cie;
	uintptr_t location, target;
	struct row row, first;
	struct row saved[STATES_MAX];
	unsigned saved_count;
	bool is_outside; /* the FDE nearest to the target ends before it */
};

static bool take(struct cursor *cursor, void *value, size_t size)
{
	if (cursor->is_bad || (size_t)(cursor->end - cursor->at) < size) {
		cursor->is_bad = true;
		memset(value, 0, size);
		return false;
	}
	memcpy(value, cursor->at, size);
	cursor->at += size;
	return true;
}

static uint8_t take_byte(struct cursor *cursor)
{
	uint8_t byte = 0;

	take(cursor, &byte, 1);
	return byte;
}

static void skip(struct cursor *cursor, uint64_t size)
{
	if (cursor->is_bad || (uint64_t)(cursor->end - cursor->at) < size)
		cursor->is_bad = true;
	else
		cursor->at += size;
}

static uint64_t take_leb(struct cursor *cursor, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = take_byte(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && shift < 64 && (byte & 0x40))
		value |= ~UINT64_C(0) << shift;
	return value;
}

static uint64_t take_unsigned(struct cursor *cursor)
{
	return take_leb(cursor, /* is_signed */ false);
}

static int64_t take_signed(struct cursor *cursor)
{
	return (int64_t)take_leb(cursor, /* is_signed */ true);
}

static int64_t take_fixed(struct cursor *cursor, size_t size, bool is_signed)
{
	uint64_t value = 0;
	unsigned unused_bits = 64 - 8 * (unsigned)size;

	take(cursor, &value, size);
	if (is_signed)
		return (int64_t)(value << unused_bits) >> unused_bits;
	return (int64_t)value;
}

/* A pointer in one of the encodings that need no other section; 0 and is_bad for the rest. */
static uintptr_t take_pointer(struct cursor *cursor, uint8_t encoding)
{
	static const uint8_t sizes[16] = { 8, 0, 2, 4, 8, 0, 0, 0, 8, 0, 2, 4, 8, 0, 0, 0 };
	uintptr_t here = (uintptr_t)cursor->at;
	size_t size = sizes[encoding & 0x0f];
	int64_t value;

	if (size == 0 || (encoding & 0x80)) {
		cursor->is_bad = true;
		return 0;
	}
	value = take_fixed(cursor, size, encoding & 0x08);
	switch (encoding & 0x70) {
	case 0x00:
		return (uintptr_t)value;
	case 0x10:
		return here + (uintptr_t)value;
	}
	cursor->is_bad = true;
	return 0;
}

/* The entry (CIE or FDE) that starts at `at`, without its length. */
static struct cursor open_entry(const uint8_t *at)
{
	struct cursor head = { at, at + 12, false };
	uint64_t length = (uint64_t)take_fixed(&head, 4, false);

	if (length == 0xffffffff)
		length = (uint64_t)take_fixed(&head, 8, false);
	return (struct cursor){ head.at, head.at + length, length == 0 };
}

static bool read_augmentation(struct cie *cie, struct cursor *entry, const char *text)
{
	uint64_t size;
	struct cursor data;

	cie->has_augmentation = *text == 'z';
	if (!cie->has_augmentation)
		return *text == 0;
	size = take_unsigned(entry);
	data = (struct cursor){ entry->at, entry->end, false };
	skip(entry, size);
	while (*++text) {
		if (*text == 'R')
			cie->pointer_encoding = take_byte(&data);
		else if (*text == 'P')
			take_pointer(&data, take_byte(&data) & 0x0f);
		else if (*text == 'L')
			take_byte(&data);
		else if (*text == 'S')
			cie->is_signal_frame = true;
		else if (*text != 'B')
			return false;
	}
	return !data.is_bad;
}

static bool read_cie(struct cie *cie, const uint8_t *at)
{
	struct cursor entry = open_entry(at);
	const char *text;
	uint8_t version;

	*cie = (struct cie){ .pointer_encoding = 0 };
	if (take_fixed(&entry, 4, false) != 0)
		return false;
	version = take_byte(&entry);
	text = (const char *)entry.at;
	while (take_byte(&entry))
		continue;
	cie->code_align = take_unsigned(&entry);
	cie->data_align = take_signed(&entry);
	if ((version == 1 ? take_byte(&entry) : take_unsigned(&entry)) != COLUMN_RIP)
		return false;
	if (!read_augmentation(cie, &entry, text))
		return false;
	cie->instructions = entry;
	return !entry.is_bad;
}

static int32_t limited(int64_t value, unsigned bits)
{
	int64_t limit = INT64_C(1) << (bits - 1);

	if (value < -limit)
		return (int32_t)-limit;
	return (int32_t)(value < limit ? value : limit - 1);
}

static struct place *place_of(struct row *row, uint64_t column)
{
	static struct place ignored;

	if (column == COLUMN_RBP)
		return &row->rbp;
	return column == COLUMN_RIP ? &row->rip : &ignored;
}

static void put(struct machine *machine, uint64_t column, enum where where, int64_t offset)
{
	if (column == COLUMN_RBP || column == COLUMN_RIP)
		*place_of(&machine->row, column) =
			(struct place){ where, limited(offset, OFFSET_BITS) };
}

static void put_at_cfa(struct machine *machine, uint64_t column, int64_t factored)
{
	put(machine, column, WHERE_AT_CFA, factored * machine->cie->data_align);
}

static void restore(struct machine *machine, uint64_t column)
{
	if (column == COLUMN_RBP || column == COLUMN_RIP)
		*place_of(&machine->row, column) = *place_of(&machine->first, column);
}

static void set_cfa_offset(struct machine *machine, int64_t offset)
{
	machine->row.cfa_offset = limited(offset, 32);
}

static void set_cfa(struct machine *machine, uint64_t column, int64_t offset)
{
	machine->row.cfa_column = (uint8_t)(column < OTHER_COLUMN ? column : OTHER_COLUMN);
	set_cfa_offset(machine, offset);
	machine->row.is_cfa_loaded = false;
	machine->row.is_complex = false;
}

/* The stub of a procedure linkage table: one more word is on the stack from its 11th byte on. */
static bool is_plt_expression(const struct cursor *text)
{
	static const uint8_t plt[] = { 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a,
				       0x3b, 0x2a, 0x33, 0x24, 0x22 };
	static const size_t limit_at = 6;

	return (size_t)(text->end - text->at) == sizeof(plt) &&
	       memcmp(text->at, plt, limit_at) == 0 &&
	       memcmp(text->at + limit_at + 1, plt + limit_at + 1, sizeof(plt) - limit_at - 1) == 0;
}

/* A register's number of these three, with an offset, then deref: the CFA is stored there. */
static bool take_loaded(struct cursor text, uint64_t *column, int64_t *offset)
{
	uint8_t operation = take_byte(&text);

	*column = (uint64_t)operation - 0x70;
	*offset = take_signed(&text);
	return (*column == COLUMN_RBP || *column == COLUMN_RSP || *column == COLUMN_RCX) &&
	       take_byte(&text) == 0x06 && !text.is_bad && text.at == text.end;
}

static struct cursor take_block(struct cursor *cursor)
{
	uint64_t size = take_unsigned(cursor);
	struct cursor block = { cursor->at, cursor->at, false };

	skip(cursor, size);
	block.end = cursor->is_bad ? block.at : block.at + size;
	return block;
}

static void set_cfa_expression(struct machine *machine, struct cursor *cursor)
{
	struct cursor text = take_block(cursor);
	uint64_t column;
	int64_t offset;

	if (is_plt_expression(&text)) {
		uint8_t limit = text.at[6] - 0x30;
		bool is_pushed = (machine->target & 15) >= limit;

		set_cfa(machine, COLUMN_RSP, is_pushed ? 16 : 8);
	} else if (take_loaded(text, &column, &offset)) {
		set_cfa(machine, column, offset);
		machine->row.is_cfa_loaded = true;
	} else {
		machine->row.is_complex = true;
	}
}

/* A register stored at an address: only "at rbp + n" and "at rcx + n" are followed. */
static void put_expression(struct machine *machine, struct cursor *cursor)
{
	uint64_t column = take_unsigned(cursor);
	struct cursor text = take_block(cursor);
	uint8_t operation = take_byte(&text);
	int64_t offset = take_signed(&text);

	bool is_simple = !text.is_bad && text.at == text.end;

	if (operation == 0x70 + COLUMN_RBP && is_simple)
		put(machine, column, WHERE_AT_RBP, offset);
	else if (operation == 0x70 + COLUMN_RCX && is_simple)
		put(machine, column, WHERE_AT_RCX, offset);
	else
		put(machine, column, WHERE_COMPLEX, 0);
}

static void remember(struct machine *machine)
{
	if (machine->saved_count < STATES_MAX)
		machine->saved[machine->saved_count] = machine->row;
	machine->saved_count++;
}

static void recall(struct machine *machine, struct cursor *cursor)
{
	if (machine->saved_count == 0 || machine->saved_count > STATES_MAX)
		cursor->is_bad = true;
	else
		machine->row = machine->saved[--machine->saved_count];
}

static void advance(struct machine *machine, uint64_t factored)
{
	machine->location += factored * machine->cie->code_align;
}

/* The instructions about the CFA and about places in code; false: none of them. */
static bool run_cfa(struct machine *machine, struct cursor *cursor, uint8_t operation)
{
	int64_t align = machine->cie->data_align;
	uint64_t column;

	switch (operation) {
	case 0x01: /* DW_CFA_set_loc */
		machine->location = take_pointer(cursor, machine->cie->pointer_encoding);
		return true;
	case 0x02: /* DW_CFA_advance_loc1 */
		advance(machine, take_byte(cursor));
		return true;
	case 0x03: /* DW_CFA_advance_loc2 */
		advance(machine, (uint64_t)take_fixed(cursor, 2, false));
		return true;
	case 0x04: /* DW_CFA_advance_loc4 */
		advance(machine, (uint64_t)take_fixed(cursor, 4, false));
		return true;
	case 0x0c: /* DW_CFA_def_cfa */
		column = take_unsigned(cursor);
		set_cfa(machine, column, (int64_t)take_unsigned(cursor));
		return true;
	case 0x0d: /* DW_CFA_def_cfa_register */
		set_cfa(machine, take_unsigned(cursor), machine->row.cfa_offset);
		return true;
	case 0x0e: /* DW_CFA_def_cfa_offset */
		set_cfa_offset(machine, (int64_t)take_unsigned(cursor));
		return true;
	case 0x0f: /* DW_CFA_def_cfa_expression */
		set_cfa_expression(machine, cursor);
		return true;
	case 0x12: /* DW_CFA_def_cfa_sf */
		column = take_unsigned(cursor);
		set_cfa(machine, column, take_signed(cursor) * align);
		return true;
	case 0x13: /* DW_CFA_def_cfa_offset_sf */
		set_cfa_offset(machine, take_signed(cursor) * align);
		return true;
	}
	return false;
}

/* The instructions about one register, and the rest; false: unknown. */
static bool run_register(struct machine *machine, struct cursor *cursor, uint8_t operation)
{
	uint64_t column;

	switch (operation) {
	case 0x00: /* DW_CFA_nop */
		return true;
	case 0x05: /* DW_CFA_offset_extended */
		column = take_unsigned(cursor);
		put_at_cfa(machine, column, (int64_t)take_unsigned(cursor));
		return true;
	case 0x06: /* DW_CFA_restore_extended */
		restore(machine, take_unsigned(cursor));
		return true;
	case 0x07: /* DW_CFA_undefined */
		put(machine, take_unsigned(cursor), WHERE_NOWHERE, 0);
		return true;
	case 0x08: /* DW_CFA_same_value */
		put(machine, take_unsigned(cursor), WHERE_KEPT, 0);
		return true;
	case 0x0a: /* DW_CFA_remember_state */
		remember(machine);
		return true;
	case 0x0b: /* DW_CFA_restore_state */
		recall(machine, cursor);
		return true;
	case 0x10: /* DW_CFA_expression */
		put_expression(machine, cursor);
		return true;
	case 0x11: /* DW_CFA_offset_extended_sf */
		column = take_unsigned(cursor);
		put_at_cfa(machine, column, take_signed(cursor));
		return true;
	case 0x09: /* DW_CFA_register */
	case 0x14: /* DW_CFA_val_offset */
	case 0x15: /* DW_CFA_val_offset_sf */
		put(machine, take_unsigned(cursor), WHERE_COMPLEX, 0);
		take_unsigned(cursor);
		return true;
	case 0x16: /* DW_CFA_val_expression */
		put(machine, take_unsigned(cursor), WHERE_COMPLEX, 0);
		take_block(cursor);
		return true;
	case 0x2e: /* DW_CFA_GNU_args_size */
		take_unsigned(cursor);
		return true;
	}
	return false;
}

static bool run_one(struct machine *machine, struct cursor *cursor)
{
	uint8_t operation = take_byte(cursor);
	uint8_t low = operation & 0x3f;

	switch (operation & 0xc0) {
	case 0x40: /* DW_CFA_advance_loc */
		advance(machine, low);
		return true;
	case 0x80: /* DW_CFA_offset */
		put_at_cfa(machine, low, (int64_t)take_unsigned(cursor));
		return true;
	case 0xc0: /* DW_CFA_restore */
		restore(machine, low);
		return true;
	}
	return run_cfa(machine, cursor, low) || run_register(machine, cursor, low);
}

/* Runs until the row of the target is complete: an instruction that moves past it changes only
 * the location. */
static bool run(struct machine *machine, struct cursor cursor)
{
	while (!cursor.is_bad && cursor.at < cursor.end && machine->location <= machine->target)
		if (!run_one(machine, &cursor))
			return false;
	return !cursor.is_bad;
}

/* The FDE for `pc` in the sorted table behind an .eh_frame_hdr; NULL when there is none. */
static const uint8_t *find_fde(const uint8_t *header, uintptr_t pc)
{
	const int32_t *table;
	uintptr_t base = (uintptr_t)header;
	uint32_t count, low = 0, high;

	/* Version 1; pc-relative pointer; 4-byte count; a table of 4-byte offsets from here. */
	if (header[0] != 1 || header[1] != 0x1b || header[2] != 0x03 || header[3] != 0x3b)
		return NULL;
	memcpy(&count, header + 8, sizeof(count));
	table = (const int32_t *)(header + 12);
	high = count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (base + (uintptr_t)(intptr_t)table[2 * (size_t)middle] <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? header + table[2 * (size_t)(low - 1) + 1] : NULL;
}

/* Runs CIE and FDE for the machine's target. */
static bool run_fde(struct machine *machine, struct cie *cie, const uint8_t *at)
{
	struct cursor entry = open_entry(at);
	const uint8_t *cie_field = entry.at;
	uintptr_t start, size;

	if (!read_cie(cie, cie_field - take_fixed(&entry, 4, false)))
		return false;
	start = take_pointer(&entry, cie->pointer_encoding);
	size = take_pointer(&entry, cie->pointer_encoding & 0x0f);
	machine->is_outside = machine->target - start >= size;
	if (entry.is_bad || machine->is_outside)
		return false;
	if (cie->has_augmentation)
		skip(&entry, take_unsigned(&entry));
	machine->cie = cie;
	machine->location = 0;
	if (!run(machine, cie->instructions))
		return false;
	machine->location = start;
	machine->first = machine->row;
	return run(machine, entry);
}

static bool fits(int64_t value, unsigned bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

static struct cfi_rule rule_of_kind(enum cfi_kind kind)
{
	return (struct cfi_rule){ .kind = kind };
}

/* All of the caller's registers are stored near one of these: Wine's system-call dispatchers. */
static bool is_stored(const struct row *row)
{
	enum where where = row->cfa_column == COLUMN_RCX ? WHERE_AT_RCX : WHERE_AT_RBP;

	return row->is_cfa_loaded && row->cfa_column != COLUMN_RSP && row->rip.where == where &&
	       row->rbp.where == where && fits(row->cfa_offset, 16) && fits(row->rip.offset, 15) &&
	       fits(row->rbp.offset, 24);
}

/* At a call no function can say that something is in rcx, which the callee may change. The
 * dispatcher that says so has it in rsp, too. */
static struct cfi_rule rule_of_stored(const struct row *row)
{
	return (struct cfi_rule){
		.kind = CFI_STORED,
		.is_cfa_of_rbp = row->cfa_column == COLUMN_RBP,
		.rbp_offset = row->rbp.offset,
		.cfa_offset =
			cfi_stored_offsets((int16_t)row->cfa_offset, (int16_t)row->rip.offset),
	};
}

static struct cfi_rule rule_of_row(const struct row *row)
{
	if (row->rip.where == WHERE_NOWHERE)
		return rule_of_kind(CFI_END);
	if (is_stored(row))
		return rule_of_stored(row);
	if (row->is_complex || row->rip.where != WHERE_AT_CFA || row->rip.offset != -8 ||
	    row->rbp.where == WHERE_COMPLEX || row->rbp.where == WHERE_AT_RCX ||
	    !fits(row->rbp.offset, 24) || !fits(row->cfa_offset, 31) ||
	    (row->cfa_column != COLUMN_RBP && row->cfa_column != COLUMN_RSP))
		return rule_of_kind(CFI_COMPLEX);
	return (struct cfi_rule){
		.kind = CFI_STANDARD,
		.rbp = row->rbp.where == WHERE_AT_CFA   ? CFI_RBP_AT_CFA
		       : row->rbp.where == WHERE_AT_RBP ? CFI_RBP_AT_RBP
							: CFI_RBP_KEPT,
		.is_cfa_of_rbp = row->cfa_column == COLUMN_RBP,
		.is_cfa_loaded = row->is_cfa_loaded,
		.rbp_offset = row->rbp.offset,
		.cfa_offset = row->cfa_offset,
	};
}

/* The module's .eh_frame_hdr, or NULL; false: no module. Apart: what the loader says of the module
 * is off the stack afterwards. */
static __attribute__((noinline)) bool find_header(uintptr_t pc, const uint8_t **header)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return false;
	*header = object.dlfo_eh_frame;
	return true;
}

struct cfi_rule cfi_find(uintptr_t pc)
{
	struct machine machine = { .target = pc };
	const uint8_t *header, *fde;
	struct cie cie;

	if (!find_header(pc, &header))
		return rule_of_kind(CFI_NO_MODULE);
	fde = header ? find_fde(header, pc) : NULL;
	if (!fde)
		return rule_of_kind(CFI_COMPLEX);
	if (!run_fde(&machine, &cie, fde))
		return rule_of_kind(machine.is_outside ? CFI_NO_INFO : CFI_COMPLEX);
	/* Its expressions describe the ucontext at rsp, whose layout is the kernel's. */
	if (cie.is_signal_frame && machine.row.rip.where == WHERE_COMPLEX)
		return rule_of_kind(CFI_SIGNAL);
	return rule_of_row(&machine.row);
}
