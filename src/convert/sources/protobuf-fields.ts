/** Reads the fields of a protobuf message one by one, also of one that is too large for memory. */
import { errorMessage } from '../../base/error-message.ts';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { ByteSource } from './byte-source.ts';

export interface ProtobufField {
  number: number;
  wireType: WireType;
  /** The value of a varint; 0 for other fields. */
  value: number;
  /** The field's contents, if it is no varint. */
  start: number;
  end: number;
}

export { WireType };

/** A tag and a length take at most this many bytes. */
const headBytes = 20;
const windowBytes = 64 << 10;

/** @throws Error that says at which byte the message is malformed */
export async function* protobufFields(
  source: ByteSource,
  start: number,
  end: number,
): AsyncGenerator<ProtobufField> {
  let window = new Uint8Array();
  let windowStart = start;
  let at = start;
  while (at < end) {
    const head = Math.min(headBytes, end - at);
    if (at < windowStart || at + head > windowStart + window.byteLength) {
      windowStart = at;
      window = await source.read(at, Math.min(windowBytes, end - at));
    }
    const field = readField(window.subarray(at - windowStart, at - windowStart + head), at);
    checkEnd(field, at, end);
    yield field;
    at = field.end;
  }
}

/**
 * The same, of a message in memory.
 *
 * @throws Error that says at which byte the message is malformed
 */
export function* protobufFieldsIn(bytes: Uint8Array): Generator<ProtobufField> {
  const end = bytes.byteLength;
  let at = 0;
  while (at < end) {
    const field = readField(bytes.subarray(at, Math.min(end, at + headBytes)), at);
    checkEnd(field, at, end);
    yield field;
    at = field.end;
  }
}

function checkEnd(field: ProtobufField, at: number, end: number): void {
  if (field.end > end)
    throw new Error(`the field at byte ${at} reaches to ${field.end}, past its message's ${end}`);
}

function readField(head: Uint8Array, at: number): ProtobufField {
  try {
    const reader = new BinaryReader(head);
    const [number, wireType] = reader.tag();
    switch (wireType) {
      case WireType.Varint: {
        const value = Number(reader.int64());
        return { number, wireType, value, start: at + reader.pos, end: at + reader.pos };
      }
      case WireType.LengthDelimited: {
        const length = reader.uint32();
        return {
          number,
          wireType,
          value: 0,
          start: at + reader.pos,
          end: at + reader.pos + length,
        };
      }
      case WireType.Bit32:
        return { number, wireType, value: 0, start: at + reader.pos, end: at + reader.pos + 4 };
      case WireType.Bit64:
        return { number, wireType, value: 0, start: at + reader.pos, end: at + reader.pos + 8 };
      default:
        throw new Error(`wire type ${wireType}`);
    }
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(`there is no protobuf field at byte ${at} (${reason})`, { cause: error });
  }
}
