#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# doctor --wine: which Wine it finds, and what it says of one whose code cannot be hooked.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace
loader=/usr/lib/wine/wine64
libraries=/usr/lib/x86_64-linux-gnu/wine
out=$scratch/out err=$scratch/err

[ -x $loader ] && [ -e $libraries/x86_64-windows/ntdll.dll ] || {
	echo "1..0 # SKIP Debian's Wine is not installed"
	exit
}
unset WINELOADER WINEPREFIX
export HOME=$scratch

# doctor ARGUMENT...: leaves $status, $out, $err.
doctor() {
	status=0
	timeout -k 5 600 "$vadtrace" doctor --wine "$@" >"$out" 2>"$err" || status=$?
}

# An installation in $scratch/wine, with the DLLs copied.
install_wine() {
	rm -rf "$scratch/wine"
	mkdir -p "$scratch/wine/bin" "$scratch/wine/lib/wine/x86_64-windows"
	cp $loader "$scratch/wine/bin/wine64"
	ln -s $libraries/x86_64-unix "$scratch/wine/lib/wine/x86_64-unix"
	cp $libraries/x86_64-windows/{ntdll,kernelbase,kernel32}.dll \
		"$scratch/wine/lib/wine/x86_64-windows"
}

doctor
is "$status" 0 "Debian's Wine: status"
ok "Debian's Wine: its version" grep -q '^Wine .*wine64, wine-[0-9]' "$out"
ok "a function with a place for hooks" \
	grep -q '^hooked  *HeapAlloc  *ntdll!RtlAllocateHeap .*place' "$out"
ok "a function whose instructions move" \
	grep -q '^hooked  *HeapSize  *ntdll!RtlSizeHeap .*instructions move' "$out"
ok "a function that this Wine does not have" \
	grep -q '^not present  *OfferVirtualMemory .*not export' "$out"
not_ok "none is passed on" grep -q '^passed on' "$out"
ok "no prefix is made" test ! -e "$scratch/.wine"
hooks=$(grep -cE '^(hooked|passed on|not present) ' "$out")
places=$(awk '!/^#/ && NF == 8 && $6 !~ /^=/ { places += split($6, all, ",") }
	END { print places }' "$VADTRACE_SRCDIR/core/api.spec")
is "$hooks" "$places" "one line for each place in the table"

doctor --json
is "$status" 0 "--json: status"
# shellcheck disable=SC2016 # Perl's
ok "--json is JSON" perl -MJSON::PP -e 'local $/; my $d = decode_json(<STDIN>);
	exit !($d->{can_record} && $d->{version} =~ /^wine-/ &&
	       grep { $_->{function} eq "HeapFree" && $_->{state} eq "hooked" &&
		      $_->{routed} } @{$d->{hooks}})' <"$out"

install_wine
doctor "$scratch/wine"
is "$status" 0 "the folder of another Wine: status"
ok "the folder of another Wine: is taken" grep -q "^DLLs  *$scratch/wine/lib/wine/" "$out"
doctor "$scratch/wine/bin/wine64"
ok "its loader" grep -q "^DLLs  *$scratch/wine/lib/wine/" "$out"
printf '#!/bin/sh\nexec wine64 "$@"\n' >"$scratch/wine/bin/start"
chmod +x "$scratch/wine/bin/start"
doctor "$scratch/wine/bin/start"
ok "a script beside its loader" grep -q "^DLLs  *$scratch/wine/lib/wine/" "$out"
WINELOADER=$scratch/wine/bin/wine64 doctor
ok "WINELOADER" grep -q "^DLLs  *$scratch/wine/lib/wine/" "$out"
PATH=$scratch/wine/bin:$PATH doctor
ok "the PATH" grep -q "^DLLs  *$scratch/wine/lib/wine/" "$out"

mkdir -p "$scratch/prefix/drive_c"
doctor "$scratch/prefix"
ok "a prefix" grep -q "^prefix  *$scratch/prefix .*not there yet" "$out"
printf 'WINE REGISTRY Version 2\n\n#arch=win32\n' >"$scratch/prefix/system.reg"
WINEPREFIX=$scratch/prefix doctor
is "$status" 1 "a prefix for 32-bit programs: status"
ok "a prefix for 32-bit programs: says so" grep -q '^prefix .*32-bit programs only' "$out"

# loop has a distance of one byte: it cannot be moved.
perl -0777 -pi -e 's/\x4c\x8b\xd1\xb8(?=....\xf6\x04\x25)/\xe2\x10\x90\x90/gs' \
	"$scratch/wine/lib/wine/x86_64-windows/ntdll.dll"
doctor "$scratch/wine"
is "$status" 1 "system calls that cannot be hooked: status"
ok "system calls that cannot be hooked: are passed on" \
	grep -q '^passed on  *NtFreeVirtualMemory .*work in their place only' "$out"
ok "system calls that cannot be hooked: what to do" grep -q -e '--mode observe' "$out"
truncate -s 5000 "$scratch/wine/lib/wine/x86_64-windows/kernel32.dll"
doctor "$scratch/wine"
is "$status" 1 "a DLL that is cut off: status"
ok "a DLL that is cut off: says so" grep -q "kernel32.dll is not Wine's" "$err"
echo text >"$scratch/wine/lib/wine/x86_64-windows/kernelbase.dll"
doctor "$scratch/wine"
ok "a file that is no DLL" grep -q "kernelbase.dll is not Wine's" "$err"
rm "$scratch/wine/lib/wine/x86_64-windows/kernelbase.dll"
doctor "$scratch/wine"
ok "no DLL" grep -q 'kernelbase.dll: No such file' "$err"

doctor /bin/true
is "$status" 1 "another program: status"
ok "another program: says so" grep -q '/bin/true is no Wine' "$err"
doctor /no/such/place
is "$status" 1 "nothing: status"
tap_done
