// The loops of activations whose gradient needs the input. Regions are written in whole vectors of four. V8's
// re-vectorisation makes one vector of 256 bits of two neighbouring ones.

/** A function and its slope. There are no instances: the methods are inlined where a class is named. */
// @ts-ignore: decorator
@unmanaged
export abstract class Curve {
  abstract value(x: v128): v128;
  abstract slope(x: v128): v128;
}

/** y = value(x). */
// @ts-ignore: decorator
@inline
export function forward<C extends Curve>(x: usize, y: usize, count: i32): void {
  const curve = changetype<C>(0);
  const length = (<usize>count) << 2;
  let i: usize = 0;
  for (; i + 32 <= length; i += 32) {
    const low = curve.value(v128.load(x + i));
    const high = curve.value(v128.load(x + i, 16));
    v128.store(y + i, high, 16);
    v128.store(y + i, low);
  }
  for (; i < length; i += 16) v128.store(y + i, curve.value(v128.load(x + i)));
}

/** dx = dy · slope(x). */
// @ts-ignore: decorator
@inline
export function backward<C extends Curve>(x: usize, dy: usize, dx: usize, count: i32): void {
  const curve = changetype<C>(0);
  const length = (<usize>count) << 2;
  let i: usize = 0;
  for (; i + 32 <= length; i += 32) {
    const low = f32x4.mul(v128.load(dy + i), curve.slope(v128.load(x + i)));
    const high = f32x4.mul(v128.load(dy + i, 16), curve.slope(v128.load(x + i, 16)));
    v128.store(dx + i, high, 16);
    v128.store(dx + i, low);
  }
  for (; i < length; i += 16) {
    v128.store(dx + i, f32x4.mul(v128.load(dy + i), curve.slope(v128.load(x + i))));
  }
}
