/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Under Wine a stack runs through both kinds of code. A Windows program's thread:
 *
 *   mmap <- ELF ntdll.so <- its system-call dispatcher | PE ntdll.dll <- kernelbase.dll <- program
 *
 * The dispatcher changes stacks; where it keeps the Windows side's registers, its own unwind
 * information says (CFI_STORED). So each frame needs no more than a rule, whichever side it is on,
 * and one walk goes all the way. Whole frames, for the rare walk that needs all registers, are kept
 * in a small table: each slot is written by one thread at a time, and read without a lock. */

#include "trace/stack/stack_mixed.h"

#include "trace/stack/rules.h"
#include "trace/system.h"

/* What Wine 8.0 has where: in the thread environment block, the frame of the system call that is
 * under way, or was the last one; in that, the frame outside of it and the registers. */
#define TEB_SYSTEM_FRAME 0x328
#define FRAME_OUTER 0xa0
#define FRAME_RIP 0x70
#define FRAME_RSP 0x88
#define FRAME_RBP 0x98
#define ARCH_GET_GS 0x1004

#define SLOTS 256u

/* A frame that was found for this pc, while the rules' epoch was `epoch`. */
struct kept {
	uintptr_t pc;
	uint64_t epoch;
	struct pe_frame frame;
};

/* `version` is odd while somebody changes the rest. */
struct slot {
	uint32_t version;
	struct kept kept;
};

static struct slot slots[SLOTS];
static mixed_images find_image;
static mixed_version tables_version;

void mixed_start_windows(mixed_images images, mixed_version version)
{
	tables_version = version;
	__atomic_store_n(&find_image, images, __ATOMIC_RELEASE);
}

bool mixed_has_windows(void)
{
	return __atomic_load_n(&find_image, __ATOMIC_RELAXED) != NULL;
}

static bool find(uint64_t pc, struct pe_image *image)
{
	mixed_images images = __atomic_load_n(&find_image, __ATOMIC_ACQUIRE);

	return images && images(pc, image);
}

static struct slot *slot_of(uintptr_t pc)
{
	return &slots[(pc * UINT64_C(0x9e3779b97f4a7c15)) >> 48 & (SLOTS - 1)];
}

/* A copy that nobody changed meanwhile. */
static bool recall(uintptr_t pc, uint64_t epoch, struct pe_frame *frame)
{
	struct slot *slot = slot_of(pc);
	uint32_t version = __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);
	struct kept kept = slot->kept;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((version & 1) || version != __atomic_load_n(&slot->version, __ATOMIC_RELAXED) ||
	    kept.pc != pc || kept.epoch != epoch)
		return false;
	*frame = kept.frame;
	return true;
}

static void keep(uintptr_t pc, uint64_t epoch, const struct pe_frame *frame)
{
	struct slot *slot = slot_of(pc);
	uint32_t version = __atomic_load_n(&slot->version, __ATOMIC_RELAXED);

	if ((version & 1) ||
	    !__atomic_compare_exchange_n(&slot->version, &version, version + 1, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	slot->kept = (struct kept){ pc, epoch, *frame };
	__atomic_store_n(&slot->version, version + 2, __ATOMIC_RELEASE);
}

bool mixed_find_frame(uintptr_t pc, bool is_exact, struct pe_frame *frame)
{
	uint64_t epoch = rules_epoch();
	struct pe_image image;

	if (recall(pc, epoch, frame))
		return true;
	if (!find(pc, &image))
		return false;
	*frame = pe_frame_find(&image, pc, is_exact);
	keep(pc, epoch, frame);
	return true;
}

static bool fits(int64_t value, unsigned bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

/* A frame that depends on rsp and rbp only, as far as a walk goes on with these. */
static bool is_simple(const struct pe_frame *frame)
{
	bool is_rbp_saved = frame->saved >> PE_RBP & 1;
	uint8_t place_base = frame->is_of_frame >> PE_RBP & 1 ? frame->frame_register : PE_RSP;

	if ((frame->base != PE_RSP && frame->base != PE_RBP) || !fits(frame->caller_stack, 31))
		return false;
	return !is_rbp_saved || (place_base == frame->base &&
				 fits((int64_t)frame->places[PE_RBP] - frame->caller_stack, 24));
}

static struct cfi_rule rule_of(const struct pe_frame *frame)
{
	struct cfi_rule rule = { .kind = CFI_STANDARD };

	if (frame->kind == PE_NO_TABLE)
		return (struct cfi_rule){ .kind = CFI_NO_INFO };
	if (frame->kind == PE_BAD)
		return (struct cfi_rule){ .kind = CFI_END };
	if (!is_simple(frame))
		return (struct cfi_rule){ .kind = CFI_REGISTERS };
	if (frame->kind == PE_MACHINE)
		rule.kind = CFI_MACHINE;
	rule.is_cfa_of_rbp = frame->base == PE_RBP;
	rule.cfa_offset = frame->caller_stack;
	if (frame->saved >> PE_RBP & 1) {
		rule.rbp = CFI_RBP_AT_CFA;
		rule.rbp_offset = frame->places[PE_RBP] - frame->caller_stack;
	}
	return rule;
}

/* For as long as this stays the same, code of which nothing was known is asked about no more: a
 * second at most, because images come without a sign. 30 bits. */
static int32_t this_moment(void)
{
	uint64_t second = system_now_ns() >> 30;
	uint64_t tables = tables_version() * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return (int32_t)((second + tables) & 0x3fffffff);
}

/* The length of `call` through the operand that the byte describes. */
static unsigned call_length(uint8_t modrm)
{
	unsigned mode = modrm >> 6, base = modrm & 7;
	unsigned length = 2 + (mode != 3 && base == 4);

	if (mode == 0)
		return length + (base == 5 ? 4 : 0);
	return length + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

/* Whether `pc` follows a call. */
static bool is_return(uintptr_t pc)
{
	uint8_t before[7];

	if (!system_read_memory(pc - sizeof(before), before, sizeof(before)))
		return false;
	if (before[2] == 0xe8)
		return true;
	for (unsigned length = 2; length <= sizeof(before); length++) {
		const uint8_t *at = before + sizeof(before) - length;

		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2 && call_length(at[1]) == length)
			return true;
	}
	return false;
}

/* Apart: the way of a native program's handler has no room for an image. */
static __attribute__((noinline)) struct cfi_rule find_pe(uintptr_t pc, bool is_exact)
{
	struct pe_image image;
	struct pe_frame frame;

	if (!find(pc, &image))
		return (struct cfi_rule){ .kind = CFI_NO_MODULE, .cfa_offset = this_moment() };
	if (image.callback && pe_is_in_function(&image, pc, image.callback))
		return (struct cfi_rule){ .kind = CFI_CALLBACK };
	frame = pe_frame_find(&image, pc, is_exact);
	return rule_of(&frame);
}

struct cfi_rule mixed_find(uintptr_t pc, bool is_exact)
{
	struct cfi_rule rule = cfi_find(pc);

	if (!mixed_has_windows())
		return rule;
	if (rule.kind == CFI_NO_MODULE)
		rule = find_pe(pc, is_exact);
	rule.follows_call = !is_exact && is_return(pc + 1);
	return rule;
}

bool mixed_is_old(struct cfi_rule rule)
{
	return rule.cfa_offset != this_moment();
}

static bool load(uint64_t address, uint64_t *value)
{
	return system_read_memory(address, value, sizeof(*value));
}

static bool load_current(uint64_t *frame)
{
	uint64_t environment = 0;

	system_call4(SYS_arch_prctl, ARCH_GET_GS, (long)&environment, 0, 0);
	return environment != 0 && load(environment + TEB_SYSTEM_FRAME, frame);
}

bool mixed_leave_callback(struct mixed_system_call *call)
{
	struct pe_image image;
	uint64_t frame = call->frame;

	if ((frame == 0 && !load_current(&frame)) || !load(frame + FRAME_OUTER, &frame) ||
	    frame == 0 || !load(frame + FRAME_RIP, &call->pc) ||
	    !load(frame + FRAME_RSP, &call->rsp) || !load(frame + FRAME_RBP, &call->rbp))
		return false;
	call->frame = frame;
	return find(call->pc, &image);
}
