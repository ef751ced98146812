//go:build linux && (amd64 || arm64) && !coppice_forkexec

#include "textflag.h"

// func vfork(p *plan, number, a1, a2, a3 uintptr) (result uintptr)
//
// The child has the same memory and the same stack. It calls on, below this
// frame, and never returns: what the parent finds when it goes on is as it was.
TEXT ·vfork(SB),NOSPLIT,$8-48
	MOVQ	number+8(FP), AX
	MOVQ	a1+16(FP), DI
	MOVQ	a2+24(FP), SI
	MOVQ	a3+32(FP), DX
	MOVQ	$0, R10
	MOVQ	$0, R8
	MOVQ	$0, R9
	SYSCALL
	TESTQ	AX, AX
	JEQ	child
	MOVQ	AX, result+40(FP)
	RET
child:
	MOVQ	p+0(FP), AX
	MOVQ	AX, 0(SP)
	CALL	·child(SB)
	INT	$3
