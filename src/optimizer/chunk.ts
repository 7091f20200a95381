/**
 * Floats that two passes of an update go over one after the other, a multiple of eight: they stay in the
 * caches until the second one comes to them.
 */
export const CHUNK = 8192;
