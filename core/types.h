/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Win32 vocabulary: types and constants with Windows' names, sizes and values.
 *
 * Source: Microsoft's documentation of WinNT.h, WinBase.h, memoryapi.h, heapapi.h. A program that
 * is built for Windows gets the same names from <windows.h>; the conformance tests take either. */

#ifndef VADTRACE_TYPES_H
#define VADTRACE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int BOOL;
typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef uint32_t UINT;
typedef DWORD *PDWORD, *LPDWORD;
typedef uint8_t UCHAR, *PUCHAR;
typedef uint16_t USHORT, *PUSHORT;
typedef uint32_t ULONG, *PULONG;
typedef uint64_t ULONG64, DWORD64, ULONGLONG, *PULONGLONG;
typedef uintptr_t ULONG_PTR;
typedef ULONG_PTR DWORD_PTR;
typedef size_t SIZE_T;
typedef SIZE_T *PSIZE_T;
typedef ULONG_PTR *PULONG_PTR;
typedef uint64_t DWORDLONG;
typedef BOOL *PBOOL;
typedef void VOID;
typedef void *PVOID;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef void *HANDLE;
typedef HANDLE *PHANDLE;
typedef HANDLE HGLOBAL, HLOCAL;
typedef int32_t NTSTATUS;
typedef int32_t LONG;

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

/* Allocation and free types, page states. */
#define MEM_COMMIT 0x00001000u
#define MEM_RESERVE 0x00002000u
#define MEM_DECOMMIT 0x00004000u
#define MEM_RELEASE 0x00008000u
#define MEM_FREE 0x00010000u
#define MEM_PRIVATE 0x00020000u
#define MEM_MAPPED 0x00040000u
#define MEM_RESET 0x00080000u
#define MEM_TOP_DOWN 0x00100000u
#define MEM_WRITE_WATCH 0x00200000u
#define MEM_PHYSICAL 0x00400000u
#define MEM_IMAGE 0x01000000u
#define SEC_COMMIT 0x08000000u
#define MEM_RESET_UNDO 0x01000000u
#define MEM_LARGE_PAGES 0x20000000u

/* Placeholders: what VirtualAlloc2 takes with MEM_RESERVE, and VirtualFree with MEM_RELEASE. */
#define MEM_RESERVE_PLACEHOLDER 0x00040000u
#define MEM_REPLACE_PLACEHOLDER 0x00004000u
#define MEM_COALESCE_PLACEHOLDERS 0x00000001u
#define MEM_PRESERVE_PLACEHOLDER 0x00000002u

/* For GetWriteWatch: what is listed is reset. */
#define WRITE_WATCH_FLAG_RESET 0x01u

/* Page protections. */
#define PAGE_NOACCESS 0x01u
#define PAGE_READONLY 0x02u
#define PAGE_READWRITE 0x04u
#define PAGE_WRITECOPY 0x08u
#define PAGE_EXECUTE 0x10u
#define PAGE_EXECUTE_READ 0x20u
#define PAGE_EXECUTE_READWRITE 0x40u
#define PAGE_EXECUTE_WRITECOPY 0x80u
#define PAGE_GUARD 0x100u
#define PAGE_NOCACHE 0x200u
#define PAGE_WRITECOMBINE 0x400u
/* Of pages that are executable, for Control Flow Guard: when they are made, no call may go there;
 * when they are protected, what may be called stays as it is. */
#define PAGE_TARGETS_INVALID 0x40000000u
#define PAGE_TARGETS_NO_UPDATE 0x40000000u

/* Access rights of a process's handle. */
#define PROCESS_TERMINATE 0x0001u
#define PROCESS_CREATE_THREAD 0x0002u
#define PROCESS_VM_OPERATION 0x0008u
#define PROCESS_VM_READ 0x0010u
#define PROCESS_VM_WRITE 0x0020u
#define PROCESS_DUP_HANDLE 0x0040u
#define PROCESS_CREATE_PROCESS 0x0080u
#define PROCESS_SET_QUOTA 0x0100u
#define PROCESS_SET_INFORMATION 0x0200u
#define PROCESS_QUERY_INFORMATION 0x0400u
#define PROCESS_SUSPEND_RESUME 0x0800u
#define PROCESS_QUERY_LIMITED_INFORMATION 0x1000u
#define PROCESS_ALL_ACCESS 0x001fffffu
#define READ_CONTROL 0x00020000u
#define SYNCHRONIZE 0x00100000u
#define MAXIMUM_ALLOWED 0x02000000u
#define GENERIC_ALL 0x10000000u
#define GENERIC_EXECUTE 0x20000000u
#define GENERIC_WRITE 0x40000000u
#define GENERIC_READ 0x80000000u
/* Waiting. */
#define INFINITE 0xffffffffu
#define MAXIMUM_WAIT_OBJECTS 64
#define WAIT_OBJECT_0 0u
#define WAIT_TIMEOUT 258u
#define WAIT_FAILED 0xffffffffu
#define DUPLICATE_CLOSE_SOURCE 0x00000001u
#define DUPLICATE_SAME_ACCESS 0x00000002u

/* Heap flags. */
#define HEAP_NO_SERIALIZE 0x00000001u
#define HEAP_GROWABLE 0x00000002u
#define HEAP_GENERATE_EXCEPTIONS 0x00000004u
#define HEAP_ZERO_MEMORY 0x00000008u
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010u
#define HEAP_CREATE_ENABLE_EXECUTE 0x00040000u

/* Win32 errors that the functions of core.h set. */
#define ERROR_SUCCESS 0u
#define ERROR_INVALID_FUNCTION 1u
#define ERROR_TOO_MANY_OPEN_FILES 4u
#define ERROR_ACCESS_DENIED 5u
#define ERROR_INVALID_HANDLE 6u
#define ERROR_NOT_ENOUGH_MEMORY 8u
#define ERROR_GEN_FAILURE 31u
#define ERROR_NOT_SUPPORTED 50u
#define ERROR_INVALID_PARAMETER 87u
#define ERROR_BAD_LENGTH 24u
#define ERROR_INSUFFICIENT_BUFFER 122u
#define ERROR_SEM_TIMEOUT 121u
#define ERROR_DISCARDED 157u
#define ERROR_NOT_LOCKED 158u
#define ERROR_BUSY 170u
#define ERROR_ALREADY_EXISTS 183u
#define ERROR_NO_MORE_ITEMS 259u
#define ERROR_PARTIAL_COPY 299u
#define ERROR_NOT_OWNER 288u
#define ERROR_INVALID_ADDRESS 487u
#define ERROR_OPERATION_ABORTED 995u
#define ERROR_NOACCESS 998u
#define ERROR_PRIVILEGE_NOT_HELD 1314u
#define ERROR_NO_SYSTEM_RESOURCES 1450u
#define ERROR_WAS_LOCKED 717u
#define ERROR_WORKING_SET_QUOTA 1453u
#define ERROR_COMMITMENT_LIMIT 1455u
#define ERROR_TIMEOUT 1460u
#define ERROR_MR_MID_NOT_FOUND 317u

/* What VirtualQuery says about a run of pages of one state. 48 bytes on x64. */
typedef struct _MEMORY_BASIC_INFORMATION {
	PVOID BaseAddress;       /* first page of the run */
	PVOID AllocationBase;    /* first page of the region; NULL when free */
	DWORD AllocationProtect; /* protection given when the region was reserved; 0 when free */
	WORD PartitionId;
	SIZE_T RegionSize; /* bytes of the run, from BaseAddress */
	DWORD State;       /* MEM_COMMIT, MEM_RESERVE, MEM_FREE */
	DWORD Protect;     /* 0 when reserved, PAGE_NOACCESS when free */
	DWORD Type;        /* MEM_PRIVATE, MEM_MAPPED, MEM_IMAGE; 0 when free */
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;

/* What a fault is, as an exception. 152 bytes on x64. */
#define EXCEPTION_MAXIMUM_PARAMETERS 15
typedef struct _EXCEPTION_RECORD {
	DWORD ExceptionCode; /* STATUS_GUARD_PAGE_VIOLATION, STATUS_ACCESS_VIOLATION */
	DWORD ExceptionFlags;
	struct _EXCEPTION_RECORD *ExceptionRecord;
	PVOID ExceptionAddress; /* of the instruction */
	DWORD NumberParameters;
	/* 0: read, 1: written, 8: executed; then the address that was touched. */
	ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct __attribute__((aligned(16))) _M128A {
	uint64_t Low;
	int64_t High;
} M128A, *PM128A;

/* The state of x87 and SSE, as fxsave stores it. */
typedef struct __attribute__((aligned(16))) _XSAVE_FORMAT {
	WORD ControlWord;
	WORD StatusWord;
	BYTE TagWord;
	BYTE Reserved1;
	WORD ErrorOpcode;
	DWORD ErrorOffset;
	WORD ErrorSelector;
	WORD Reserved2;
	DWORD DataOffset;
	WORD DataSelector;
	WORD Reserved3;
	DWORD MxCsr;
	DWORD MxCsr_Mask;
	M128A FloatRegisters[8];
	M128A XmmRegisters[16];
	BYTE Reserved4[96];
} XSAVE_FORMAT, XMM_SAVE_AREA32;

/* A thread's registers. 1232 bytes on x64; debug and vector registers are not filled in. */
#define CONTEXT_AMD64 0x00100000u
#define CONTEXT_CONTROL (CONTEXT_AMD64 | 0x1u)        /* SegSs, Rsp, SegCs, Rip, EFlags */
#define CONTEXT_INTEGER (CONTEXT_AMD64 | 0x2u)        /* Rax to R15 but for Rsp */
#define CONTEXT_SEGMENTS (CONTEXT_AMD64 | 0x4u)       /* SegDs, SegEs, SegFs, SegGs */
#define CONTEXT_FLOATING_POINT (CONTEXT_AMD64 | 0x8u) /* FltSave, MxCsr */
#define CONTEXT_FULL (CONTEXT_CONTROL | CONTEXT_INTEGER | CONTEXT_FLOATING_POINT)
typedef struct __attribute__((aligned(16))) _CONTEXT {
	DWORD64 P1Home, P2Home, P3Home, P4Home, P5Home, P6Home;
	DWORD ContextFlags;
	DWORD MxCsr;
	WORD SegCs, SegDs, SegEs, SegFs, SegGs, SegSs;
	DWORD EFlags;
	DWORD64 Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
	DWORD64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi;
	DWORD64 R8, R9, R10, R11, R12, R13, R14, R15;
	DWORD64 Rip;
	XMM_SAVE_AREA32 FltSave;
	M128A VectorRegister[26];
	DWORD64 VectorControl;
	DWORD64 DebugControl;
	DWORD64 LastBranchToRip, LastBranchFromRip;
	DWORD64 LastExceptionToRip, LastExceptionFromRip;
} CONTEXT, *PCONTEXT;

typedef struct _EXCEPTION_POINTERS {
	PEXCEPTION_RECORD ExceptionRecord;
	PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

/* What a vectored handler answers. */
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define EXCEPTION_CONTINUE_SEARCH 0
typedef LONG (*PVECTORED_EXCEPTION_HANDLER)(PEXCEPTION_POINTERS ExceptionInfo);

/* What VirtualAlloc2 is asked for besides. 24 and 16 bytes on x64. */
typedef struct _MEM_ADDRESS_REQUIREMENTS {
	PVOID LowestStartingAddress; /* NULL: no limit; else a multiple of 64 KiB */
	PVOID HighestEndingAddress;  /* NULL: no limit; else the last byte of a page */
	SIZE_T Alignment;            /* a power of two, at least 64 KiB; 0: 64 KiB */
} MEM_ADDRESS_REQUIREMENTS, *PMEM_ADDRESS_REQUIREMENTS;

typedef enum MEM_EXTENDED_PARAMETER_TYPE {
	MemExtendedParameterInvalidType = 0,
	MemExtendedParameterAddressRequirements,
	MemExtendedParameterNumaNode,
	MemExtendedParameterPartitionHandle,
	MemExtendedParameterUserPhysicalHandle,
	MemExtendedParameterAttributeFlags,
	MemExtendedParameterImageMachine,
	MemExtendedParameterMax
} MEM_EXTENDED_PARAMETER_TYPE,
	*PMEM_EXTENDED_PARAMETER_TYPE;

#define MEM_EXTENDED_PARAMETER_TYPE_BITS 8

/* The bits of MemExtendedParameterAttributeFlags. */
#define MEM_EXTENDED_PARAMETER_GRAPHICS 0x01u
#define MEM_EXTENDED_PARAMETER_NONPAGED 0x02u
#define MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL 0x04u
#define MEM_EXTENDED_PARAMETER_NONPAGED_LARGE 0x08u
#define MEM_EXTENDED_PARAMETER_NONPAGED_HUGE 0x10u
#define MEM_EXTENDED_PARAMETER_EC_CODE 0x40u

typedef struct MEM_EXTENDED_PARAMETER {
	struct {
		DWORD64 Type : MEM_EXTENDED_PARAMETER_TYPE_BITS;
		DWORD64 Reserved : 64 - MEM_EXTENDED_PARAMETER_TYPE_BITS;
	};
	union {
		DWORD64 ULong64;
		PVOID Pointer;
		SIZE_T Size;
		HANDLE Handle;
		DWORD ULong;
	};
} MEM_EXTENDED_PARAMETER, *PMEM_EXTENDED_PARAMETER;

/* What NtQueryVirtualMemory can be asked. */
typedef enum _MEMORY_INFORMATION_CLASS {
	MemoryBasicInformation = 0,
	MemoryRegionInformation = 3,
} MEMORY_INFORMATION_CLASS;

/* What QueryVirtualMemoryInformation says about a whole region. 32 bytes on x64. */
typedef enum WIN32_MEMORY_INFORMATION_CLASS { MemoryRegionInfo } WIN32_MEMORY_INFORMATION_CLASS;

typedef struct WIN32_MEMORY_REGION_INFORMATION {
	PVOID AllocationBase;
	ULONG AllocationProtect;
	union {
		ULONG Flags;
		struct {
			ULONG Private : 1;
			ULONG MappedDataFile : 1;
			ULONG MappedImage : 1;
			ULONG MappedPageFile : 1;
			ULONG MappedPhysical : 1;
			ULONG DirectMapped : 1;
			ULONG Reserved : 26;
		};
	};
	SIZE_T RegionSize;
	SIZE_T CommitSize;
} WIN32_MEMORY_REGION_INFORMATION;

/* No wish for a node. */
#define NUMA_NO_PREFERRED_NODE ((DWORD)-1)

/* Processors of one group of 64. 16 bytes on x64. */
typedef ULONG_PTR KAFFINITY;
typedef struct _GROUP_AFFINITY {
	KAFFINITY Mask;
	WORD Group;
	WORD Reserved[3];
} GROUP_AFFINITY, *PGROUP_AFFINITY;

/* What HeapWalk says about a part of a heap. 40 bytes on x64. */
#define PROCESS_HEAP_REGION 0x0001u
#define PROCESS_HEAP_UNCOMMITTED_RANGE 0x0002u
#define PROCESS_HEAP_ENTRY_BUSY 0x0004u
#define PROCESS_HEAP_ENTRY_MOVEABLE 0x0010u /* besides BUSY: Block.hMem is its handle */
#define PROCESS_HEAP_ENTRY_DDESHARE 0x0020u /* besides BUSY: GMEM_DDESHARE */
typedef struct _PROCESS_HEAP_ENTRY {
	PVOID lpData;
	DWORD cbData;
	BYTE cbOverhead;
	BYTE iRegionIndex;
	WORD wFlags; /* PROCESS_HEAP_*; 0: a free block */
	union {
		struct {
			HANDLE hMem;
			DWORD dwReserved[3];
		} Block;
		struct {
			DWORD dwCommittedSize;
			DWORD dwUnCommittedSize;
			LPVOID lpFirstBlock;
			LPVOID lpLastBlock;
		} Region;
	};
} PROCESS_HEAP_ENTRY, *LPPROCESS_HEAP_ENTRY, *PPROCESS_HEAP_ENTRY;

/* A heap in figures, in bytes. */
typedef struct _HEAP_SUMMARY {
	DWORD cb; /* of this structure */
	SIZE_T cbAllocated;
	SIZE_T cbCommitted;
	SIZE_T cbReserved;
	SIZE_T cbMaxReserve; /* 0: the heap can grow */
} HEAP_SUMMARY, *PHEAP_SUMMARY, *LPHEAP_SUMMARY;

typedef enum _HEAP_INFORMATION_CLASS {
	HeapCompatibilityInformation = 0,
	HeapEnableTerminationOnCorruption = 1,
	HeapOptimizeResources = 3,
} HEAP_INFORMATION_CLASS;

#define HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION 1u
typedef struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION {
	DWORD Version; /* HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION */
	DWORD Flags;   /* 0 */
} HEAP_OPTIMIZE_RESOURCES_INFORMATION, *PHEAP_OPTIMIZE_RESOURCES_INFORMATION;

/* Global and Local memory. Flags without a word here mean nothing any more, and are ignored. */
#define GMEM_FIXED 0x0000u
#define GMEM_MOVEABLE 0x0002u /* a handle, whose memory GlobalLock gives */
#define GMEM_NOCOMPACT 0x0010u
#define GMEM_NODISCARD 0x0020u
#define GMEM_ZEROINIT 0x0040u
#define GMEM_MODIFY 0x0080u /* GlobalReAlloc: the flags change, not the size */
#define GMEM_DISCARDABLE 0x0100u
#define GMEM_NOT_BANKED 0x1000u
#define GMEM_LOWER GMEM_NOT_BANKED
#define GMEM_SHARE 0x2000u
#define GMEM_DDESHARE 0x2000u /* kept for GlobalFlags */
#define GMEM_NOTIFY 0x4000u
#define GMEM_DISCARDED 0x4000u /* GlobalFlags: there is no memory */
#define GMEM_VALID_FLAGS 0x7f72u
#define GMEM_INVALID_HANDLE 0x8000u
#define GMEM_LOCKCOUNT 0x00ffu
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
#define LMEM_FIXED 0x0000u
#define LMEM_MOVEABLE 0x0002u
#define LMEM_NOCOMPACT 0x0010u
#define LMEM_NODISCARD 0x0020u
#define LMEM_ZEROINIT 0x0040u
#define LMEM_MODIFY 0x0080u
#define LMEM_DISCARDABLE 0x0f00u
#define LMEM_VALID_FLAGS 0x0f72u
#define LMEM_DISCARDED 0x4000u
#define LMEM_INVALID_HANDLE 0x8000u
#define LMEM_LOCKCOUNT 0x00ffu
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)

/* Thread and fiber local storage. */
#define TLS_MINIMUM_AVAILABLE 64u
#define TLS_OUT_OF_INDEXES ((DWORD)0xffffffff)
#define FLS_MAXIMUM_AVAILABLE 4080u
#define FLS_OUT_OF_INDEXES ((DWORD)0xffffffff)
typedef VOID (*PFLS_CALLBACK_FUNCTION)(PVOID lpFlsData);

/* What GetSystemInfo says. 48 bytes on x64. */
#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_AMD_X8664 8664
typedef struct _SYSTEM_INFO {
	union {
		DWORD dwOemId;
		struct {
			WORD wProcessorArchitecture;
			WORD wReserved;
		};
	};
	DWORD dwPageSize;
	LPVOID lpMinimumApplicationAddress;
	LPVOID lpMaximumApplicationAddress;
	DWORD_PTR dwActiveProcessorMask;
	DWORD dwNumberOfProcessors;
	DWORD dwProcessorType;
	DWORD dwAllocationGranularity;
	WORD wProcessorLevel;
	WORD wProcessorRevision; /* model, stepping: a byte each */
} SYSTEM_INFO, *LPSYSTEM_INFO;

/* How much memory there is, in bytes. 56 bytes on x64. */
typedef struct _MEMORYSTATUS {
	DWORD dwLength;
	DWORD dwMemoryLoad; /* percent of physical memory in use */
	SIZE_T dwTotalPhys;
	SIZE_T dwAvailPhys;
	SIZE_T dwTotalPageFile;
	SIZE_T dwAvailPageFile;
	SIZE_T dwTotalVirtual;
	SIZE_T dwAvailVirtual;
} MEMORYSTATUS, *LPMEMORYSTATUS;

/* The same; dwLength is set by the caller. 64 bytes. */
typedef struct _MEMORYSTATUSEX {
	DWORD dwLength;
	DWORD dwMemoryLoad;
	DWORDLONG ullTotalPhys;
	DWORDLONG ullAvailPhys;
	DWORDLONG ullTotalPageFile; /* the commit limit */
	DWORDLONG ullAvailPageFile;
	DWORDLONG ullTotalVirtual;
	DWORDLONG ullAvailVirtual;
	DWORDLONG ullAvailExtendedVirtual; /* 0 */
} MEMORYSTATUSEX, *LPMEMORYSTATUSEX;

/* What a memory resource notification tells of. */
typedef enum _MEMORY_RESOURCE_NOTIFICATION_TYPE {
	LowMemoryResourceNotification = 0,
	HighMemoryResourceNotification = 1,
} MEMORY_RESOURCE_NOTIFICATION_TYPE;

/* Limits of the working set: whether they are hard ones. */
#define QUOTA_LIMITS_HARDWS_MIN_ENABLE 0x00000001u
#define QUOTA_LIMITS_HARDWS_MIN_DISABLE 0x00000002u
#define QUOTA_LIMITS_HARDWS_MAX_ENABLE 0x00000004u
#define QUOTA_LIMITS_HARDWS_MAX_DISABLE 0x00000008u

/* What NtLockVirtualMemory locks pages in: the working set, or physical memory. */
#define MAP_PROCESS 1u
#define MAP_SYSTEM 2u

/* What QueryWorkingSetEx says of one page. */
typedef union _PSAPI_WORKING_SET_EX_BLOCK {
	ULONG_PTR Flags;
	struct {
		ULONG_PTR Valid : 1; /* in memory; when not, the words of Invalid hold */
		ULONG_PTR ShareCount : 3;
		ULONG_PTR Win32Protection : 11;
		ULONG_PTR Shared : 1;
		ULONG_PTR Node : 6;
		ULONG_PTR Locked : 1;
		ULONG_PTR LargePage : 1;
		ULONG_PTR Reserved : 7;
		ULONG_PTR Bad : 1;
		ULONG_PTR ReservedUlong : 32;
	};
	struct {
		ULONG_PTR Valid : 1;
		ULONG_PTR Reserved0 : 14;
		ULONG_PTR Shared : 1;
		ULONG_PTR Reserved1 : 15;
		ULONG_PTR Bad : 1;
		ULONG_PTR ReservedUlong : 32;
	} Invalid;
} PSAPI_WORKING_SET_EX_BLOCK;

typedef struct _PSAPI_WORKING_SET_EX_INFORMATION {
	PVOID VirtualAddress;
	PSAPI_WORKING_SET_EX_BLOCK VirtualAttributes;
} PSAPI_WORKING_SET_EX_INFORMATION, *PPSAPI_WORKING_SET_EX_INFORMATION;

/* A range for PrefetchVirtualMemory. */
typedef struct _WIN32_MEMORY_RANGE_ENTRY {
	PVOID VirtualAddress;
	SIZE_T NumberOfBytes;
} WIN32_MEMORY_RANGE_ENTRY, *PWIN32_MEMORY_RANGE_ENTRY;

/* How soon offered memory may be taken. */
typedef enum _OFFER_PRIORITY {
	VmOfferPriorityVeryLow = 1,
	VmOfferPriorityLow = 2,
	VmOfferPriorityBelowNormal = 3,
	VmOfferPriorityNormal = 4,
} OFFER_PRIORITY;

/* What NtFlushVirtualMemory answers besides its status. */
typedef struct _IO_STATUS_BLOCK {
	union {
		NTSTATUS Status;
		PVOID Pointer;
	};
	ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

#ifdef __cplusplus
}
#endif

#endif
