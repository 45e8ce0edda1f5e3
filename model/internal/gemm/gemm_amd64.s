#include "textflag.h"

// func tile4x16(k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int)
TEXT ·tile4x16(SB), NOSPLIT, $0-64
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), SI
	MOVQ rs+16(FP), R8
	MOVQ cs+24(FP), R9
	MOVQ b+32(FP), DI
	MOVQ ldb+40(FP), R10
	MOVQ c+48(FP), DX
	MOVQ ldc+56(FP), R11
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	SHLQ $2, R11
	LEAQ (R8)(R8*2), R12 // three rows of a
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

loop:
	VMOVUPS (DI), Y8
	VMOVUPS 32(DI), Y9
	VBROADCASTSS (SI), Y10
	VBROADCASTSS (SI)(R8*1), Y11
	VBROADCASTSS (SI)(R8*2), Y12
	VBROADCASTSS (SI)(R12*1), Y13
	VFMADD231PS Y8, Y10, Y0
	VFMADD231PS Y9, Y10, Y1
	VFMADD231PS Y8, Y11, Y2
	VFMADD231PS Y9, Y11, Y3
	VFMADD231PS Y8, Y12, Y4
	VFMADD231PS Y9, Y12, Y5
	VFMADD231PS Y8, Y13, Y6
	VFMADD231PS Y9, Y13, Y7
	ADDQ R9, SI
	ADDQ R10, DI
	DECQ CX
	JNZ  loop

	VADDPS  (DX), Y0, Y0
	VADDPS  32(DX), Y1, Y1
	VMOVUPS Y0, (DX)
	VMOVUPS Y1, 32(DX)
	ADDQ    R11, DX
	VADDPS  (DX), Y2, Y2
	VADDPS  32(DX), Y3, Y3
	VMOVUPS Y2, (DX)
	VMOVUPS Y3, 32(DX)
	ADDQ    R11, DX
	VADDPS  (DX), Y4, Y4
	VADDPS  32(DX), Y5, Y5
	VMOVUPS Y4, (DX)
	VMOVUPS Y5, 32(DX)
	ADDQ    R11, DX
	VADDPS  (DX), Y6, Y6
	VADDPS  32(DX), Y7, Y7
	VMOVUPS Y6, (DX)
	VMOVUPS Y7, 32(DX)
	VZEROUPPER
	RET

DATA ·quarter+0(SB)/4, $0.25
GLOBL ·quarter(SB), RODATA|NOPTR, $4
DATA ·half+0(SB)/4, $0.5
GLOBL ·half(SB), RODATA|NOPTR, $4
DATA ·sign+0(SB)/4, $0x80000000
GLOBL ·sign(SB), RODATA|NOPTR, $4
DATA ·taylor+0(SB)/4, $6.2831853
DATA ·taylor+4(SB)/4, $-41.341702
DATA ·taylor+8(SB)/4, $81.605249
DATA ·taylor+12(SB)/4, $-76.705860
DATA ·taylor+16(SB)/4, $42.058694
DATA ·taylor+20(SB)/4, $-15.094643
GLOBL ·taylor(SB), RODATA|NOPTR, $24

// SINE leaves sin(2πY0) in Y4 and destroys Y1..Y3; Y6..Y15 hold constants.
#define SINE \
	VROUNDPS    $0, Y0, Y1    \
	VSUBPS      Y1, Y0, Y1    \
	VANDPS      Y8, Y1, Y2    \
	VXORPS      Y2, Y1, Y1    \
	VSUBPS      Y1, Y7, Y3    \
	VMINPS      Y3, Y1, Y1    \
	VMULPS      Y1, Y1, Y3    \
	VMOVAPS     Y14, Y4       \
	VFMADD213PS Y13, Y3, Y4   \
	VFMADD213PS Y12, Y3, Y4   \
	VFMADD213PS Y11, Y3, Y4   \
	VFMADD213PS Y10, Y3, Y4   \
	VFMADD213PS Y9, Y3, Y4    \
	VMULPS      Y1, Y4, Y4    \
	VXORPS      Y2, Y4, Y4

// func filmSinCos(n int, pre, scale, shift, sin, cos *float32)
TEXT ·filmSinCos(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ pre+8(FP), SI
	MOVQ scale+16(FP), DI
	MOVQ shift+24(FP), DX
	MOVQ sin+32(FP), R8
	MOVQ cos+40(FP), R9
	VBROADCASTSS ·quarter(SB), Y6
	VBROADCASTSS ·half(SB), Y7
	VBROADCASTSS ·sign(SB), Y8
	VBROADCASTSS ·taylor+0(SB), Y9
	VBROADCASTSS ·taylor+4(SB), Y10
	VBROADCASTSS ·taylor+8(SB), Y11
	VBROADCASTSS ·taylor+12(SB), Y12
	VBROADCASTSS ·taylor+16(SB), Y13
	VBROADCASTSS ·taylor+20(SB), Y14
	XORQ AX, AX

row:
	VMOVUPS     (SI)(AX*4), Y0
	VMOVUPS     (DI)(AX*4), Y1
	VFMADD213PS (DX)(AX*4), Y1, Y0
	SINE
	VMOVUPS     Y4, (R8)(AX*4)
	VADDPS      Y6, Y0, Y0
	SINE
	VMOVUPS     Y4, (R9)(AX*4)
	ADDQ        $8, AX
	CMPQ        AX, CX
	JLT         row
	VZEROUPPER
	RET

// func filmBack(n int, pre, cos, dy, scale, dpre, dshift, dscale *float32)
TEXT ·filmBack(SB), NOSPLIT, $0-64
	MOVQ n+0(FP), CX
	MOVQ pre+8(FP), SI
	MOVQ cos+16(FP), DI
	MOVQ dy+24(FP), DX
	MOVQ scale+32(FP), R8
	MOVQ dpre+40(FP), R9
	MOVQ dshift+48(FP), R10
	MOVQ dscale+56(FP), R11
	XORQ AX, AX

back:
	VMOVUPS     (DI)(AX*4), Y0
	VMULPS      (DX)(AX*4), Y0, Y0
	VMULPS      (R8)(AX*4), Y0, Y1
	VMOVUPS     (R10)(AX*4), Y2
	VADDPS      Y0, Y2, Y2
	VMOVUPS     Y2, (R10)(AX*4)
	VMOVUPS     (R11)(AX*4), Y3
	VFMADD231PS (SI)(AX*4), Y0, Y3
	VMOVUPS     Y3, (R11)(AX*4)
	VMOVUPS     Y1, (R9)(AX*4)
	ADDQ        $8, AX
	CMPQ        AX, CX
	JLT         back
	VZEROUPPER
	RET
