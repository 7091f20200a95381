declare const brand: unique symbol;

/**
 * A place in a WebAssembly memory, in bytes from its start. At run time a number; the type keeps it apart
 * from counts, strides and factors, of which the kernels take many beside it.
 */
export type Address = number & { readonly [brand]: 'Address' };

/** Any number but an address: a count, a stride in bytes, a factor. */
export type Quantity = number & { readonly [brand]?: never };

/** Address 0: "none", where a kernel says so. */
export const NONE = 0 as Address;

/** A number that is known to be an address: where a memory begins, or what a memory's owner gave. */
export function addressOf(bytes: number): Address {
  return bytes as Address;
}

/** The place so many bytes behind an address; before it, where the number is negative. */
export function plus(address: Address, bytes: Quantity): Address {
  return (address + bytes) as Address;
}
