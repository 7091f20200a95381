const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Lines of this many bytes, or multiples, share a few sets of the caches. */
const COLLIDING_PITCH = 1024;

/** Whether the lines of a matrix with so many columns displace each other in the caches. */
export function collides(columns: number): boolean {
  return (columns * FLOAT) % COLLIDING_PITCH === 0;
}
