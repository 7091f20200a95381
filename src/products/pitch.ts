import { COLLIDING_PITCH } from '../kernels/tuning.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Whether the lines of a matrix with so many columns displace each other in the caches. */
export function collides(columns: number): boolean {
  return (columns * FLOAT) % COLLIDING_PITCH === 0;
}
