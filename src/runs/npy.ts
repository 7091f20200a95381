const ALIGNMENT = 64;
/** Magic, version and the length of the header. */
const PREFIX = 10;

/**
 * The bytes of a NumPy file, format 1.0 (numpy.lib.format): little-endian, in row-major order.
 * @throws RangeError where the shape does not have as many elements as there are values.
 */
export function encodeNpy(values: Float32Array | Float64Array, shape: readonly number[]): Uint8Array {
  if (shape.reduce((product, length) => product * length, 1) !== values.length) {
    throw new RangeError(`${values.length} values have no shape [${shape.join(', ')}].`);
  }
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const fields = `{'descr': '<f${values.BYTES_PER_ELEMENT}', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((PREFIX + fields.length + 1) / ALIGNMENT) * ALIGNMENT - PREFIX;
  const header = `${fields.padEnd(length - 1)}\n`;
  const bytes = new Uint8Array(PREFIX + length + values.byteLength);
  bytes.set(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
  new DataView(bytes.buffer).setUint16(8, length, true);
  bytes.set(Buffer.from(header, 'latin1'), PREFIX);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), PREFIX + length);
  return bytes;
}
