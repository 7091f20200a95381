// What joins a residual block: its input and what its layers make of it, and the two gradients of its input.

/** out = a + b; `count` floats, written in whole vectors. */
export function addFloats(a: usize, b: usize, out: usize, count: i32): void {
  const length = (<usize>count) << 2;
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(out + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
}
