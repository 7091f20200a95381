import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import type { Wheel } from '#src/setup/workshop.js';

/**
 * A zip file of texts: local headers, the central directory, its end (APPNOTE 6.3.10, sections 4.3.7, 4.3.12,
 * 4.3.16).
 */
export function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.from(text);
    const deflated = deflateRawSync(bytes);
    // Version 2.0, no flags, method 8 (deflate), no time and date.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(deflated.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([word(0x04034b50), common, Buffer.from(name), deflated]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([word(0x02014b50), Buffer.from([20, 0]), common, place, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, word(0x06054b50), end]);
}

/** As the real one has them: what is needed, and what is not. */
export const WHEEL_FILES = {
  'tensorflow/libtensorflow_cc.so.2': 'the library',
  'tensorflow/libtensorflow_framework.so.2': 'the framework',
  'tensorflow/python/other.py': 'not needed',
  'tensorflow/include/tensorflow/c/c_api.h': '// the API',
  'tensorflow/include/tsl/platform/ctstring.h': '// strings',
  'tensorflow/include/tsl/lib/other.h': '// not needed',
};

export function wheelOf(bytes: Uint8Array): Wheel {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { project: 'tensorflow-cpu', version: '2.15.1', bytes: bytes.length, sha256 };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
