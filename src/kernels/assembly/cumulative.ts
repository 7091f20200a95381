/**
 * Running sums along the middle axis of [outer, count, inner], in float32.
 * @param exclusive 1 leaves each element out of its own sum; `reverse` 1 sums from the end.
 */
export function cumulativeSum(
  x: usize,
  outer: i32,
  count: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
  out: usize,
): void {
  const pitch = (<usize>inner) << 2;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const step = reverse ? <usize>0 - pitch : pitch;
      let at = ((<usize>i) << 2) + (reverse ? <usize>(count - 1) * pitch : 0);
      let sum: f32 = 0;
      for (let k = 0; k < count; k++) {
        const next = sum + load<f32>(x + at);
        store<f32>(out + at, exclusive ? sum : next);
        sum = next;
        at += step;
      }
    }
    x += <usize>count * pitch;
    out += <usize>count * pitch;
  }
}
