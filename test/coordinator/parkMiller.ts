/**
 * Park and Miller's generator, for moments and places that are drawn: the same ones from the same seed.
 * @param seed from 1 to 2147483646.
 * @returns draws a whole number from 0 up, below its argument.
 */
export function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
