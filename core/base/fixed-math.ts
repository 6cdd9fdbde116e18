// Elementary functions whose every bit is fixed. The language leaves the last bit of Math.exp, log, pow, tanh and sin open,
// so a run could differ between engines; these use only IEEE 754 addition, subtraction, multiplication, division and bit
// access, so that the same input gives the same bits on every machine. The algorithms and polynomial coefficients are those
// of fdlibm 5.3 (Sun Microsystems, 1993: "Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy,
// modify, and distribute this software is freely granted, provided that this notice is preserved."), with the more exact
// base-2 and base-10 logarithms of FreeBSD's msun. The error stays below 1 unit in the last place (tanh: below 2).

export { fixedExp, fixedExpMinus1, fixedTanh } from './fixed-exponential.ts';
export { fixedLog, fixedLog2, fixedLog10 } from './fixed-logarithm.ts';
export { fixedPow } from './fixed-power.ts';
export { fixedCos, fixedSin } from './fixed-trigonometry.ts';
