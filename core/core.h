/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Win32 memory functions, for a native program that links libvadcore.
 *
 * Names, arguments, results and last errors are those of Microsoft's documentation (memoryapi.h,
 * heapapi.h). Sizes are bytes. The last error is kept per thread; errno is never touched. Every
 * function may be called from any thread at any time after the program's start. */

#ifndef VADTRACE_CORE_H
#define VADTRACE_CORE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The calling thread's last error, as the functions below left it. */
DWORD GetLastError(void);
void SetLastError(DWORD dwErrCode);

/* Virtual memory: reserve, commit, decommit, release, protect, query. */
LPVOID VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType, DWORD flProtect);
BOOL VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);
BOOL VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect, PDWORD lpflOldProtect);
SIZE_T VirtualQuery(LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength);

/* Processes and handles. A handle allows what it was opened for (PROCESS_* rights), anything else
 * is ERROR_ACCESS_DENIED; it is closed with CloseHandle, and a forked child has its parent's.
 * GetCurrentProcess gives a pseudo handle that allows everything and needs no closing. */
HANDLE GetCurrentProcess(void);
DWORD GetCurrentProcessId(void);
HANDLE OpenProcess(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwProcessId);
DWORD GetProcessId(HANDLE Process);
BOOL CloseHandle(HANDLE hObject);
/* Between handles of the calling process: ERROR_NOT_SUPPORTED for another's. */
BOOL DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
		     PHANDLE lpTargetHandle, DWORD dwDesiredAccess, BOOL bInheritHandle,
		     DWORD dwOptions);

/* From now on, and until it exits or executes another program, this process does what the functions
 * below ask of it in other processes of the same user; until then they fail there with
 * ERROR_NOT_SUPPORTED. Two threads are started, which block all signals and wait; the process does
 * not end with its last thread of its own any more, but by exit. A forked child must call it again.
 * FALSE with ERROR_ALREADY_EXISTS when somebody has taken this process's name, with
 * ERROR_NOT_SUPPORTED before Linux 5.9 or without /proc. */
BOOL core_serve(void);

/* The virtual memory of a process that a handle names. PROCESS_VM_OPERATION is needed, for
 * VirtualQueryEx PROCESS_QUERY_INFORMATION. */
LPVOID VirtualAllocEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType,
		      DWORD flProtect);
BOOL VirtualFreeEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);
BOOL VirtualProtectEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect,
		      PDWORD lpflOldProtect);
SIZE_T VirtualQueryEx(HANDLE hProcess, LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer,
		      SIZE_T dwLength);
/* Copies between the caller's buffer and another process's memory. When a page there does not allow
 * it, what comes before has been copied: ERROR_PARTIAL_COPY, and the count says how much. A first
 * page that may be read only is ERROR_NOACCESS; pages of code are written. Needs PROCESS_VM_READ;
 * PROCESS_VM_WRITE and PROCESS_VM_OPERATION. */
BOOL ReadProcessMemory(HANDLE hProcess, LPCVOID lpBaseAddress, LPVOID lpBuffer, SIZE_T nSize,
		       PSIZE_T lpNumberOfBytesRead);
BOOL WriteProcessMemory(HANDLE hProcess, LPVOID lpBaseAddress, LPCVOID lpBuffer, SIZE_T nSize,
			PSIZE_T lpNumberOfBytesWritten);

/* The same with a status; a page that must not be written is STATUS_PARTIAL_COPY, code too. */
NTSTATUS NtReadVirtualMemory(HANDLE ProcessHandle, LPCVOID BaseAddress, PVOID Buffer,
			     SIZE_T NumberOfBytesToRead, PSIZE_T NumberOfBytesRead);
NTSTATUS NtWriteVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress, LPCVOID Buffer,
			      SIZE_T NumberOfBytesToWrite, PSIZE_T NumberOfBytesWritten);

/* The pages of a MEM_WRITE_WATCH region that were written since it was reserved or they were last
 * reset, by the program or by the system for it (read, recv), in any of its threads (memoryapi.h).
 * *lpdwCount is room for addresses, then how many there are: the lowest ones; the granularity is in
 * bytes. With WRITE_WATCH_FLAG_RESET what is listed is reset, in one step with the listing of each
 * page: no write is lost between. The range is of one region. 0, or ~0u and the last error.
 * A page that was written stays listed when it is decommitted. In a forked child the list goes on;
 * if the parent had several threads, every page with contents is listed at first. Where the kernel
 * has no account of written pages (Linux before 6.7) a page into which the kernel was asked to read
 * or receive counts as written, and so may all pages when mappings run out; other calls (ioctl,
 * io_uring) answer EFAULT there until the program has written to the page itself. */
UINT GetWriteWatch(DWORD dwFlags, PVOID lpBaseAddress, SIZE_T dwRegionSize, PVOID *lpAddresses,
		   ULONG_PTR *lpdwCount, LPDWORD lpdwGranularity);
UINT ResetWriteWatch(LPVOID lpBaseAddress, SIZE_T dwRegionSize);
/* Of another process, too: PROCESS_VM_OPERATION. */
NTSTATUS NtGetWriteWatch(HANDLE ProcessHandle, ULONG Flags, PVOID BaseAddress, SIZE_T RegionSize,
			 PVOID *UserAddressArray, ULONG_PTR *EntriesInUserAddressArray,
			 PULONG Granularity);
NTSTATUS NtResetWriteWatch(HANDLE ProcessHandle, PVOID BaseAddress, SIZE_T RegionSize);

/* Exceptions: STATUS_GUARD_PAGE_VIOLATION for the first touch of a PAGE_GUARD page, which takes the
 * guard off, and STATUS_ACCESS_VIOLATION for every other touch that is not allowed
 * (errhandlingapi.h). Handlers are called in the thread that faults, on the stack of its SIGSEGV
 * handler, in their order, until one answers EXCEPTION_CONTINUE_EXECUTION: then the thread goes on
 * as ContextRecord says (its control, integer and floating point registers), with its errno. If
 * none does, or there is none, the fault is a SIGSEGV to the program. A handler may call any
 * function of this header; as in any handler of a fault, not all of the C library's.
 * The answer of Add is for Remove; NULL: no memory. Remove answers 0 for what is no handler's. */
PVOID AddVectoredExceptionHandler(ULONG First, PVECTORED_EXCEPTION_HANDLER Handler);
ULONG RemoveVectoredExceptionHandler(PVOID Handle);
/* The caller's registers, as they are when this returns (rtlcapturecontext, winnt.h). */
VOID RtlCaptureContext(PCONTEXT ContextRecord);

/* The whole region of an address, of which VirtualQuery tells the runs (memoryapi.h): 32 bytes,
 * *ReturnSize of them; it may be NULL. MemoryRegionInfo is the only class there is. Needs
 * PROCESS_QUERY_INFORMATION. ERROR_INVALID_PARAMETER: what is free, or another class;
 * ERROR_BAD_LENGTH: too little room. */
BOOL QueryVirtualMemoryInformation(HANDLE Process, const VOID *VirtualAddress,
				   WIN32_MEMORY_INFORMATION_CLASS MemoryInformationClass,
				   PVOID MemoryInformation, SIZE_T MemoryInformationSize,
				   PSIZE_T ReturnSize);

/* The machine and the address space. */
VOID GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);
VOID GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo);
/* Bytes of a large page; 0 when the system has none. VirtualAlloc with MEM_RESERVE | MEM_COMMIT |
 * MEM_LARGE_PAGES takes them from the system's pool (vm.nr_hugepages): ERROR_NO_SYSTEM_RESOURCES
 * when it has not so many, ERROR_PRIVILEGE_NOT_HELD when the system gives this user none,
 * ERROR_INVALID_PARAMETER for an address or size that is no multiple, ERROR_NOT_SUPPORTED when
 * there are no large pages at all. They are zero, stay in memory, are protected as whole ones only
 * and are not decommitted (ERROR_INVALID_ADDRESS). */
SIZE_T GetLargePageMinimum(void);

/* How much memory there is: the machine's, or less where a control group (v1 or v2) limits this
 * process. ERROR_INVALID_PARAMETER when dwLength is not the structure's size. */
BOOL GlobalMemoryStatusEx(LPMEMORYSTATUSEX lpBuffer);
VOID GlobalMemoryStatus(LPMEMORYSTATUS lpBuffer);

/* Pages that stay in memory: committed ones of any kind, at most the minimum working set less 8
 * pages in all (42 pages at first; RLIMIT_MEMLOCK counts, too). There is no count: one unlock is
 * enough for any number of locks. ERROR_WORKING_SET_QUOTA; ERROR_NOACCESS: not committed, or
 * PAGE_NOACCESS; ERROR_NOT_LOCKED: some are not locked, and then none is unlocked. */
BOOL VirtualLock(LPVOID lpAddress, SIZE_T dwSize);
BOOL VirtualUnlock(LPVOID lpAddress, SIZE_T dwSize);
/* MAP_PROCESS only; STATUS_WAS_LOCKED is a success. Of another process: PROCESS_VM_OPERATION. */
NTSTATUS NtLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
			     ULONG MapType);
NTSTATUS NtUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
			       ULONG MapType);

/* The working set of a process (PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SET_QUOTA). Its limits
 * (50 and 345 pages at first) bound what can be locked, and nothing else. What is less than 20
 * pages (minimum) or 13 (maximum) becomes that. Both -1: as much as can be is paged out.
 * ERROR_INVALID_PARAMETER: a minimum of 0 or above the maximum, contradicting flags. */
BOOL GetProcessWorkingSetSize(HANDLE hProcess, PSIZE_T lpMinimumWorkingSetSize,
			      PSIZE_T lpMaximumWorkingSetSize);
BOOL GetProcessWorkingSetSizeEx(HANDLE hProcess, PSIZE_T lpMinimumWorkingSetSize,
				PSIZE_T lpMaximumWorkingSetSize, PDWORD Flags);
BOOL SetProcessWorkingSetSize(HANDLE hProcess, SIZE_T dwMinimumWorkingSetSize,
			      SIZE_T dwMaximumWorkingSetSize);
BOOL SetProcessWorkingSetSizeEx(HANDLE hProcess, SIZE_T dwMinimumWorkingSetSize,
				SIZE_T dwMaximumWorkingSetSize, DWORD Flags);
/* What the system knows of each page in the array of PSAPI_WORKING_SET_EX_INFORMATION; cb is its
 * size. Needs PROCESS_QUERY_INFORMATION. A share count of 2 is at least 2. ERROR_BAD_LENGTH: no
 * room for one row. */
BOOL QueryWorkingSetEx(HANDLE hProcess, PVOID pv, DWORD cb);

/* Hints. Offered memory is the first that the system takes when it is scarce, and not to be used
 * until it is reclaimed: ERROR_BUSY says that some of it was taken, and reads as zero now. Pages
 * that cannot be written to, are watched, locked, large or paged out are kept. All priorities are
 * alike: the system takes first what was offered first. Discarded memory reads as zero. Whole
 * committed pages of one region. The last three return the error, and do not set the last one. */
BOOL PrefetchVirtualMemory(HANDLE hProcess, ULONG_PTR NumberOfEntries,
			   PWIN32_MEMORY_RANGE_ENTRY VirtualAddresses, ULONG Flags);
DWORD OfferVirtualMemory(PVOID VirtualAddress, SIZE_T Size, OFFER_PRIORITY Priority);
DWORD ReclaimVirtualMemory(const void *VirtualAddress, SIZE_T Size);
DWORD DiscardVirtualMemory(PVOID VirtualAddress, SIZE_T Size);

/* Address Windowing Extensions. VirtualAlloc with MEM_RESERVE | MEM_PHYSICAL and PAGE_READWRITE
 * makes a window; physical pages are taken, mapped into windows in turn, and keep their contents
 * while they are mapped nowhere. A page of a window is committed while one is mapped there, and
 * reserved else; no part of it is committed, protected (ERROR_INVALID_PARAMETER) or decommitted
 * (ERROR_INVALID_ADDRESS). Linux may page them out. A forked child has the windows, empty, and none
 * of the pages.
 *
 * Pages of another process (PROCESS_VM_OPERATION) are for its windows. Allocate sets the count to
 * what could be had (ERROR_NOT_ENOUGH_MEMORY: nothing); Free to what was
 * freed. ERROR_INVALID_PARAMETER: a page that is not held, is named twice, or is mapped elsewhere;
 * an address outside of a window; then nothing is mapped. No PageArray: unmaps. */
BOOL AllocateUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray);
BOOL AllocateUserPhysicalPagesNuma(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray,
				   DWORD nndPreferred);
BOOL FreeUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray);
BOOL MapUserPhysicalPages(PVOID VirtualAddress, ULONG_PTR NumberOfPages, PULONG_PTR PageArray);
BOOL MapUserPhysicalPagesScatter(PVOID *VirtualAddresses, ULONG_PTR NumberOfPages,
				 PULONG_PTR PageArray);

/* Waits until the object of the handle is signaled: a process when it has ended, a memory resource
 * notification while its answer is TRUE. WAIT_OBJECT_0; WAIT_TIMEOUT after dwMilliseconds (0: only
 * a look, INFINITE: no limit); WAIT_FAILED with ERROR_INVALID_HANDLE, or ERROR_ACCESS_DENIED when
 * the handle does not allow SYNCHRONIZE. The system tells nobody of these moments, so the objects
 * are looked at: after a millisecond, then less and less often, at last ten times a second. A
 * handle that is closed meanwhile ends the wait with ERROR_INVALID_HANDLE at the next look. Signals
 * are handled during the wait, which goes on afterwards; a handler may leave it by siglongjmp.
 * There are no asynchronous procedure calls, so bAlertable makes no difference. */
DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
DWORD WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable);
/* For any of 1 to MAXIMUM_WAIT_OBJECTS handles, WAIT_OBJECT_0 and the index of the first one that
 * is signaled; or for all of them at one look, WAIT_OBJECT_0. Another count, or with bWaitAll one
 * handle twice: ERROR_INVALID_PARAMETER; one handle that cannot be waited for fails the wait. */
DWORD WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
			     DWORD dwMilliseconds);
DWORD WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
			       DWORD dwMilliseconds, BOOL bAlertable);

/* Whether memory is scarce (low), or there is plenty of it (high): available memory of at most 32
 * MiB per 4 GiB, 64 MiB at most, is low, three times that much is high. It is also low while the
 * process's control group, or the machine, stood still for want of memory for a tenth of the last
 * ten seconds. A handle can be waited for, and is given back by CloseHandle.
 * ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE. */
HANDLE CreateMemoryResourceNotification(MEMORY_RESOURCE_NOTIFICATION_TYPE NotificationType);
BOOL QueryMemoryResourceNotification(HANDLE ResourceNotificationHandle, PBOOL ResourceState);

/* VirtualAlloc with more to ask for: where the region may lie, on which node, and placeholders.
 * Process NULL is the calling one. Requirements that cannot be
 * met together, come with an address, or come twice: ERROR_INVALID_PARAMETER; no room that meets
 * them: ERROR_NOT_ENOUGH_MEMORY. Ordinary private memory may take a placeholder's place; large
 * pages and windows for physical ones may not (ERROR_NOT_SUPPORTED), and attributes ask for what
 * is not there (ERROR_NOT_SUPPORTED), but for MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL. */
PVOID VirtualAlloc2(HANDLE Process, PVOID BaseAddress, SIZE_T Size, ULONG AllocationType,
		    ULONG PageProtection, MEM_EXTENDED_PARAMETER *ExtendedParameters,
		    ULONG ParameterCount);
/* The forms for store applications make nothing executable: ERROR_INVALID_PARAMETER. */
LPVOID VirtualAllocFromApp(LPVOID BaseAddress, SIZE_T Size, ULONG AllocationType, ULONG Protection);
PVOID VirtualAlloc2FromApp(HANDLE Process, PVOID BaseAddress, SIZE_T Size, ULONG AllocationType,
			   ULONG PageProtection, MEM_EXTENDED_PARAMETER *ExtendedParameters,
			   ULONG ParameterCount);
BOOL VirtualProtectFromApp(LPVOID Address, SIZE_T Size, ULONG NewProtection, PULONG OldProtection);

/* Nodes of memory. A region prefers the node that it was reserved with; when that has no pages
 * left, they come from others. A node that is not there: ERROR_INVALID_PARAMETER; a call that only
 * commits is not asked for one. */
LPVOID VirtualAllocExNuma(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType,
			  DWORD flProtect, DWORD nndPreferred);
BOOL GetNumaHighestNodeNumber(PULONG HighestNodeNumber);
BOOL GetNumaNodeProcessorMaskEx(USHORT Node, PGROUP_AFFINITY ProcessorMask);
BOOL GetNumaAvailableMemoryNodeEx(USHORT Node, PULONGLONG AvailableBytes);

/* The native calls (ntifs.h, winternl.h), with a status for a last error. Base and size are both in
 * and out: on success the pages that the call took, else as they were. */
NTSTATUS NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
				 PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect);
NTSTATUS NtAllocateVirtualMemoryEx(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				   ULONG AllocationType, ULONG Protect,
				   PMEM_EXTENDED_PARAMETER ExtendedParameters,
				   ULONG ExtendedParameterCount);
NTSTATUS NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
			     ULONG FreeType);
NTSTATUS NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				ULONG NewProtect, PULONG OldProtect);
/* Of a run of pages, or of the whole region (as QueryVirtualMemoryInformation). ReturnLength may be
 * NULL. */
NTSTATUS NtQueryVirtualMemory(HANDLE ProcessHandle, LPCVOID BaseAddress,
			      MEMORY_INFORMATION_CLASS MemoryInformationClass,
			      PVOID MemoryInformation, SIZE_T MemoryInformationLength,
			      PSIZE_T ReturnLength);
/* Of views of files only: STATUS_NOT_MAPPED_DATA for all else. Needs PROCESS_VM_OPERATION. */
NTSTATUS NtFlushVirtualMemory(HANDLE ProcessHandle, LPCVOID *BaseAddress, PSIZE_T RegionSize,
			      PIO_STATUS_BLOCK IoStatus);

/* Heaps. Misuse (a block that is freed twice, or is another heap's, a heap that was destroyed) is
 * answered with an error, and told, but for the questions HeapSize and HeapValidate of a block,
 * which accuse nobody; VADTRACE_CHECK in the environment of a program that has the preload finds
 * more of it, see vadtrace-record(1). HeapCreate commits no dwInitialSize and reserves no
 * dwMaximumSize beforehand: memory is got as blocks need it. A maximum that is smaller than the
 * initial size is as large as that. A block belongs to the heap that gave it; blocks are aligned to
 * 16 bytes. With HEAP_GENERATE_EXCEPTIONS, in a call or in HeapCreate, HeapAlloc and HeapReAlloc
 * raise instead of answering NULL (heapapi.h): STATUS_NO_MEMORY, or STATUS_ACCESS_VIOLATION for
 * what is no heap or no block. Vectored handlers are called; one that answers
 * EXCEPTION_CONTINUE_EXECUTION lets the call answer NULL. If none does, it is a SIGSEGV. */
HANDLE HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize);
BOOL HeapDestroy(HANDLE hHeap);
LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);
LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes);
BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);
SIZE_T HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);
HANDLE GetProcessHeap(void);
/* Writes at most NumberOfHeaps handles, the process heap's first; returns how many there are. */
DWORD GetProcessHeaps(DWORD NumberOfHeaps, PHANDLE ProcessHeaps);
/* The heap stands still for other threads until it is unlocked as often as it was locked. */
BOOL HeapLock(HANDLE hHeap);
BOOL HeapUnlock(HANDLE hHeap);
/* Of the blocks of one heap; malloc's are not shown. Consistent while the heap is locked. An entry
 * of Global or Local memory that is moveable has its handle. */
BOOL HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);
BOOL HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry);
SIZE_T HeapCompact(HANDLE hHeap, DWORD dwFlags);
/* ERROR_INVALID_PARAMETER: no summary, or one of another size; flags must be 0. */
BOOL HeapSummary(HANDLE hHeap, DWORD dwFlags, LPHEAP_SUMMARY lpSummary);
/* HeapCompatibilityInformation (a ULONG): 0, standard; 2, low fragmentation, which a growable heap
 * with a lock may become and then stays; 1 is no more: ERROR_GEN_FAILURE.
 * HeapEnableTerminationOnCorruption (nothing): from then on a wrong, freed or overrun block that
 * any heap is given ends the process (SIGABRT) with a line on standard error. HeapOptimizeResources
 * (a HEAP_OPTIMIZE_RESOURCES_INFORMATION): gives back to the system what the heap keeps without
 * need; NULL: what all do. Source: Microsoft's documentation of heapapi.h.
 * ERROR_INSUFFICIENT_BUFFER; ERROR_INVALID_PARAMETER. */
BOOL HeapQueryInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass,
			  PVOID HeapInformation, SIZE_T HeapInformationLength,
			  PSIZE_T ReturnLength);
BOOL HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass,
			PVOID HeapInformation, SIZE_T HeapInformationLength);

/* Global and Local memory (winbase.h): blocks of the process heap. Fixed memory is its own handle;
 * moveable memory has another one, whose memory GlobalLock gives and may not move while it is
 * locked. 65536 handles of moveable memory are there for both families: then, as when there is no
 * memory, ERROR_NOT_ENOUGH_MEMORY. What is no handle: ERROR_INVALID_HANDLE. A handle that was freed
 * is the next one that is given. Sizes are exact; nothing is discarded unless the program does so.
 *
 * HeapAlloc's and malloc's blocks pass for fixed memory. A moveable block that is freed by its
 * address takes its handle along; one that HeapFree freed leaves a handle that is only to be freed.
 * GlobalAlloc of 0 bytes gives fixed memory of one byte, LocalAlloc of none; moveable memory is
 * discarded then: a handle without memory. */
HGLOBAL GlobalAlloc(UINT uFlags, SIZE_T dwBytes);
/* The memory keeps its contents. Fixed memory, and what is locked, stays where it is without
 * GMEM_MOVEABLE: ERROR_NOT_ENOUGH_MEMORY when it cannot. 0 bytes with GMEM_MOVEABLE discard
 * moveable memory that is not locked, and are else ERROR_INVALID_PARAMETER. With GMEM_MODIFY the
 * size stays: GMEM_DISCARDABLE makes moveable memory that, and GMEM_MOVEABLE gives a handle for
 * fixed memory (LocalReAlloc: leaves it alone). GMEM_DISCARDABLE without GMEM_MODIFY:
 * ERROR_INVALID_PARAMETER. NULL: all is as it was. */
HGLOBAL GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags);
/* NULL, or the handle when it was not freed. Locked memory is freed, too. */
HGLOBAL GlobalFree(HGLOBAL hMem);
/* The memory; a count of locks that has come to 255 stays there. ERROR_DISCARDED. */
LPVOID GlobalLock(HGLOBAL hMem);
/* Whether it is still locked; FALSE with ERROR_SUCCESS: not any more, ERROR_NOT_LOCKED: it was not.
 * Fixed memory is never locked: GlobalUnlock answers TRUE, LocalUnlock ERROR_NOT_LOCKED. */
BOOL GlobalUnlock(HGLOBAL hMem);
/* 0 of discarded memory. */
SIZE_T GlobalSize(HGLOBAL hMem);
/* The count of locks, with GMEM_DISCARDABLE, GMEM_DISCARDED and GMEM_DDESHARE;
 * GMEM_INVALID_HANDLE. */
UINT GlobalFlags(HGLOBAL hMem);
/* Of the address where memory begins. */
HGLOBAL GlobalHandle(LPCVOID pMem);
/* GlobalReAlloc of 0 bytes with GMEM_MOVEABLE. */
HGLOBAL GlobalDiscard(HGLOBAL hMem);
/* The functions of 16-bit Windows: Compact and Shrink do nothing and answer 0, the others lock and
 * unlock. */
SIZE_T GlobalCompact(DWORD dwMinFree);
VOID GlobalFix(HGLOBAL hMem);
VOID GlobalUnfix(HGLOBAL hMem);
LPVOID GlobalWire(HGLOBAL hMem);
BOOL GlobalUnWire(HGLOBAL hMem);
HLOCAL LocalAlloc(UINT uFlags, SIZE_T uBytes);
HLOCAL LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags);
HLOCAL LocalFree(HLOCAL hMem);
LPVOID LocalLock(HLOCAL hMem);
BOOL LocalUnlock(HLOCAL hMem);
SIZE_T LocalSize(HLOCAL hMem);
UINT LocalFlags(HLOCAL hMem);
HLOCAL LocalHandle(LPCVOID pMem);
HLOCAL LocalDiscard(HLOCAL hMem);
SIZE_T LocalCompact(UINT uMinFree);
SIZE_T LocalShrink(HLOCAL hMem, UINT cbNewSize);

/* Thread local storage (processthreadsapi.h): 1088 indexes, under each of which every thread has a
 * value of its own; it is NULL in all threads when the index is allocated. ERROR_NO_MORE_ITEMS.
 * Get clears the last error. Get and Set look whether the index is below 1088, and no further:
 * ERROR_INVALID_PARAMETER; Set also answers ERROR_NOT_ENOUGH_MEMORY, for a thread's first value.
 * A forked child has the values of the thread that forked. */
DWORD TlsAlloc(void);
BOOL TlsFree(DWORD dwTlsIndex);
LPVOID TlsGetValue(DWORD dwTlsIndex);
BOOL TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue);

/* Fiber local storage (fibersapi.h), where each thread is one fiber: 4079 indexes, from 1. A value
 * that is not NULL is given to the index's callback, if there is one, when its thread ends (in that
 * thread, after its other destructors), when the index is freed (in the thread that frees it), and
 * when its thread calls exit (after the handlers of atexit; the other threads' values are given to
 * nobody then, and with _exit none are); it has been taken out before. A callback may use all of
 * this, free its own index (FALSE while that is being freed) and end its thread. A thread that ends
 * while another one frees the index may still be in the callback. In a forked child the other
 * threads' values are gone, without a callback. ERROR_INVALID_PARAMETER: no index, 0 among them;
 * whether it is allocated, only FlsFree asks. */
DWORD FlsAlloc(PFLS_CALLBACK_FUNCTION lpCallback);
BOOL FlsFree(DWORD dwFlsIndex);
PVOID FlsGetValue(DWORD dwFlsIndex);
BOOL FlsSetValue(DWORD dwFlsIndex, PVOID lpFlsData);

#ifdef __cplusplus
}
#endif

#endif
