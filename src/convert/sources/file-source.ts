import { open } from 'node:fs/promises';
import { checkRange, type ByteSource } from './byte-source.ts';

/** A file on this computer. The caller closes it. */
export async function openFileSource(
  path: string,
): Promise<ByteSource & { close(): Promise<void> }> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  return {
    bytes: size,
    read: async (offset, length) => {
      checkRange(offset, length, size);
      const buffer = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new Error(`${path} became shorter while it was read: ${offset + done} bytes left`);
        done += bytesRead;
      }
      return buffer;
    },
    close: () => handle.close(),
  };
}
