//go:build linux && (amd64 || arm64) && !coppice_forkexec

#include "textflag.h"

// func vfork(p *plan, number, a1, a2, a3 uintptr) (result uintptr)
//
// The child has the same memory and the same stack. It calls on, below this
// frame, and never returns: what the parent finds when it goes on is as it was.
TEXT ·vfork(SB),NOSPLIT,$16-48
	MOVD	number+8(FP), R8
	MOVD	a1+16(FP), R0
	MOVD	a2+24(FP), R1
	MOVD	a3+32(FP), R2
	MOVD	$0, R3
	MOVD	$0, R4
	MOVD	$0, R5
	SVC
	CBZ	R0, child
	MOVD	R0, result+40(FP)
	RET
child:
	MOVD	p+0(FP), R0
	MOVD	R0, 8(RSP)
	CALL	·child(SB)
	UNDEF
